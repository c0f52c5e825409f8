// The contract suite of Files, over a temporary directory and over the simulated disk; and what
// only the real one can show.
#include "test/contract/files_contract.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "platform/env/real.h"
#include "platform/env/sim_clock.h"
#include "platform/env/sim_files.h"

namespace lifeboat {
namespace {

class RealFixture {
public:
    RealFixture() {
        std::string pattern = "/tmp/lifeboat-files-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    RealFixture(const RealFixture&) = delete;
    RealFixture& operator=(const RealFixture&) = delete;
    ~RealFixture() { EXPECT_TRUE(files().remove_tree(directory_).has_value()); }

    static Files& files() { return real_files(); }
    Path directory() const { return directory_; }

private:
    Path directory_;
};

class SimFixture {
public:
    SimFixture() { EXPECT_TRUE(files_.make_directories(directory()).has_value()); }
    Files& files() { return files_; }
    static Path directory() { return "/some/where"; }

private:
    SimClock clock_;
    SimFiles files_{clock_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Real, FilesContract, RealFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, FilesContract, SimFixture);

TEST(RealFiles, hands_no_descriptor_to_children) {
    const RealFixture fixture;
    auto file = real_files().open(fixture.directory() / "f", OpenMode::create);
    auto lock = real_files().lock(fixture.directory() / "lock");
    const Context context = Context(real_clock()).within(std::chrono::seconds(10));
    auto exit = real_processes().run(context, {.arguments = {"ls", "-l", "/proc/self/fd"}});
    EXPECT_EQ(exit->output.find(fixture.directory().string()), std::string::npos);
    for (int fd = 3; fd < 64; ++fd) {
        const int flags = ::fcntl(fd, F_GETFD);
        struct stat found{};
        if (flags < 0 || ::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) continue;
        EXPECT_NE(flags & FD_CLOEXEC, 0) << fd;
    }
}

TEST(RealFiles, sets_permissions_whatever_the_umask_is) {
    const RealFixture fixture;
    const mode_t before = ::umask(077);
    auto file = real_files().open(fixture.directory() / "f", OpenMode::create, 0644);
    auto made = real_files().make_directories(fixture.directory() / "d", 0755);
    ::umask(before);
    EXPECT_TRUE(file.has_value() && made.has_value());
    EXPECT_EQ(real_files().status(fixture.directory() / "f")->mode, 0644U);
    EXPECT_EQ(real_files().status(fixture.directory() / "d")->mode, 0755U);
}

TEST(RealFiles, does_not_hang_on_a_fifo) {
    const RealFixture fixture;
    const Path fifo = fixture.directory() / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_FALSE(read_file(real_files(), fifo).has_value());
}

TEST(RealFiles, reads_files_that_say_they_are_empty) {
    auto bytes = read_file(real_files(), "/proc/self/status");
    ASSERT_TRUE(bytes.has_value());
    EXPECT_GT(bytes->size(), 100U);
}

TEST(RealFiles, names_the_holder_of_a_lock) {
    const RealFixture fixture;
    auto held = real_files().lock(fixture.directory() / "lock");
    auto second = real_files().lock(fixture.directory() / "lock");
    EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())),
              std::string::npos);
}

TEST(RealFiles, a_full_disk_is_exhausted_and_appending_goes_on_behind_what_arrived) {
    const RealFixture fixture;
    auto file = real_files().open(fixture.directory() / "f", OpenMode::create);
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{.rlim_cur = 10, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    auto written = (*file)->append(Bytes(20, std::byte{'a'}));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_DFL);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().kind, ErrorKind::exhausted);
    EXPECT_TRUE((*file)->append(as_bytes("b")).has_value());
    EXPECT_EQ(as_text(read_file(real_files(), fixture.directory() / "f").value()), "aaaaaaaaaab");
}

TEST(RealFiles, a_file_whose_sync_failed_refuses_everything) {
    // A pipe cannot be synced: EINVAL stands for the EIO of a broken disk.
    const RealFixture fixture;
    const Path fifo = fixture.directory() / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    auto file = real_files().open(fifo, OpenMode::read);
    ASSERT_TRUE(file.has_value());
    EXPECT_TRUE((*file)->size().has_value());
    EXPECT_FALSE((*file)->sync().has_value());
    auto after = (*file)->size();
    ASSERT_FALSE(after.has_value());
    EXPECT_NE(after.error().message.find("since its sync failed"), std::string::npos);
    EXPECT_FALSE((*file)->sync().has_value());
}

TEST(RealFiles, will_not_remove_everything) {
    for (const char* path : {"/", "", ".", "..", "//"}) {
        auto removed = real_files().remove_tree(path);
        ASSERT_FALSE(removed.has_value()) << path;
        EXPECT_EQ(removed.error().kind, ErrorKind::invalid) << path;
    }
}

}  // namespace
}  // namespace lifeboat
