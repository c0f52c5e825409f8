// The simulated world: what is lost at a crash, what fails where a test wants it, and that a seed
// gives the same outcome every time.
#include <gtest/gtest.h>

#include <set>

#include "platform/env/sim_clock.h"
#include "platform/env/sim_files.h"

namespace lifeboat {
namespace {

class SimFilesTest : public testing::Test {
protected:
    std::unique_ptr<File> create(const Path& path) {
        auto file = files_.open(path, OpenMode::create_or_empty);
        EXPECT_TRUE(file.has_value()) << file.error().message;
        return file.has_value() ? std::move(file).value() : nullptr;
    }
    /// A file that is durable with its name.
    void create_durable(const Path& path, std::string_view text) {
        auto file = create(path);
        ASSERT_TRUE(file->append(as_bytes(text)).has_value());
        ASSERT_TRUE(file->sync().has_value());
        ASSERT_TRUE(files_.sync_directory(path.parent_path()).has_value());
    }
    void power_cycle(Loss loss = Loss::everything) {
        files_.set_loss(loss);
        files_.crash();
        files_.reboot();
    }
    std::string read(const Path& path) {
        auto bytes = read_file(files_, path);
        return bytes.has_value() ? std::string(as_text(*bytes)) : "! " + bytes.error().message;
    }
    std::vector<std::string> names(const Path& path = "/") { return files_.list(path).value(); }

    using Names = std::vector<std::string>;

    SimClock clock_;
    SimFiles files_{clock_};
};

TEST_F(SimFilesTest, loses_bytes_that_were_not_synced) {
    create_durable("/f", "kept");
    auto file = files_.open("/f", OpenMode::append);
    ASSERT_TRUE((*file)->append(as_bytes(" lost")).has_value());
    EXPECT_EQ(read("/f"), "kept lost");
    power_cycle();
    EXPECT_EQ(read("/f"), "kept");
}

TEST_F(SimFilesTest, loses_names_that_were_not_synced) {
    auto file = create("/f");
    ASSERT_TRUE(file->append(as_bytes("text")).has_value());
    ASSERT_TRUE(file->sync().has_value());
    power_cycle();
    EXPECT_EQ(names(), Names{});
}

TEST_F(SimFilesTest, keeps_a_synced_name_without_the_bytes) {
    auto file = create("/f");
    ASSERT_TRUE(file->append(as_bytes("text")).has_value());
    ASSERT_TRUE(files_.sync_directory("/").has_value());
    power_cycle();
    EXPECT_EQ(names(), Names{"f"});
    EXPECT_EQ(read("/f"), "");
}

TEST_F(SimFilesTest, undoes_renames_links_and_removals_that_were_not_synced) {
    create_durable("/a", "a");
    create_durable("/b", "b");
    create_durable("/c", "c");
    ASSERT_TRUE(files_.rename("/a", "/b").has_value());
    ASSERT_TRUE(files_.link("/b", "/d").has_value());
    ASSERT_TRUE(files_.remove("/c").has_value());
    EXPECT_EQ(names(), (Names{"b", "d"}));
    power_cycle();
    EXPECT_EQ(names(), (Names{"a", "b", "c"}));
    EXPECT_EQ(read("/b"), "b");
}

TEST_F(SimFilesTest, keeps_a_synced_rename_whole) {
    create_durable("/a", "new");
    create_durable("/b", "old");
    ASSERT_TRUE(files_.rename("/a", "/b").has_value());
    ASSERT_TRUE(files_.sync_directory("/").has_value());
    power_cycle();
    EXPECT_EQ(names(), Names{"b"});
    EXPECT_EQ(read("/b"), "new");
}

TEST_F(SimFilesTest, a_move_between_directories_does_not_bring_back_the_old_name) {
    ASSERT_TRUE(files_.make_directories("/from").has_value());
    ASSERT_TRUE(files_.make_directories("/to").has_value());
    ASSERT_TRUE(files_.sync_directory("/").has_value());
    ASSERT_TRUE(create("/from/f")->sync().has_value());
    ASSERT_TRUE(files_.rename("/from/f", "/to/f").has_value());
    ASSERT_TRUE(files_.sync_directory("/to").has_value());
    power_cycle(Loss::nothing);
    EXPECT_EQ(names("/from"), Names{});
    EXPECT_EQ(names("/to"), Names{"f"});
}

TEST_F(SimFilesTest, made_directories_need_the_sync_of_each_parent) {
    ASSERT_TRUE(files_.make_directories("/a/b").has_value());
    ASSERT_TRUE(files_.sync_directory("/a").has_value());
    power_cycle();
    EXPECT_EQ(names(), Names{});
    ASSERT_TRUE(files_.make_directories("/a/b").has_value());
    ASSERT_TRUE(files_.sync_directory("/a").has_value());
    ASSERT_TRUE(files_.sync_directory("/").has_value());
    power_cycle();
    EXPECT_EQ(names("/a"), Names{"b"});
}

TEST_F(SimFilesTest, sync_all_makes_everything_durable) {
    ASSERT_TRUE(files_.make_directories("/a/b").has_value());
    ASSERT_TRUE(create("/a/b/f")->append(as_bytes("text")).has_value());
    ASSERT_TRUE(files_.sync_all("/a").has_value());
    power_cycle();
    EXPECT_EQ(read("/a/b/f"), "text");
}

TEST_F(SimFilesTest, open_files_and_locks_do_not_survive_a_crash) {
    create_durable("/f", "text");
    auto file = files_.open("/f", OpenMode::update);
    auto lock = files_.lock("/f");
    ASSERT_TRUE(lock.has_value());
    files_.crash();
    EXPECT_EQ((*file)->size().error().kind, ErrorKind::unavailable);
    EXPECT_EQ(files_.list("/").error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(files_.crashed());
    files_.reboot();
    EXPECT_FALSE(files_.crashed());
    EXPECT_EQ((*file)->append(as_bytes("x")).error().kind, ErrorKind::unavailable);
    auto again = files_.lock("/f");
    ASSERT_TRUE(again.has_value());
    lock->reset();  // the lock of an earlier boot does not release this one
    EXPECT_FALSE(files_.lock("/f").has_value());
}

TEST_F(SimFilesTest, fails_from_the_chosen_operation_on_until_reboot) {
    create_durable("/f", "");
    const std::uint64_t before = files_.operations();
    files_.crash_at(2);
    auto file = files_.open("/f", OpenMode::append);
    EXPECT_TRUE((*file)->append(as_bytes("one")).has_value());
    EXPECT_EQ((*file)->append(as_bytes("two")).error().kind, ErrorKind::unavailable);
    EXPECT_EQ((*file)->sync().error().kind, ErrorKind::unavailable);
    EXPECT_EQ(files_.status("/f").error().kind, ErrorKind::unavailable);
    EXPECT_EQ(files_.operations(), before + 2);
    files_.set_loss(Loss::nothing);
    files_.reboot();
    EXPECT_EQ(read("/f"), "onetwo");  // the operation of the crash may have happened
}

TEST_F(SimFilesTest, a_sync_that_crashes_has_made_nothing_durable_for_certain) {
    auto file = create("/f");
    ASSERT_TRUE(file->append(as_bytes("text")).has_value());
    ASSERT_TRUE(files_.sync_directory("/").has_value());
    files_.crash_at(1);
    EXPECT_FALSE(file->sync().has_value());
    files_.set_loss(Loss::everything);
    files_.reboot();
    EXPECT_EQ(read("/f"), "");
}

TEST_F(SimFilesTest, a_full_disk_stores_what_fits) {
    files_.set_capacity(10);
    EXPECT_EQ(files_.free_space("/").value(), 10U);
    auto file = create("/f");
    ASSERT_TRUE(file->append(as_bytes("12345678")).has_value());
    EXPECT_EQ(file->append(as_bytes("abcdef")).error().kind, ErrorKind::exhausted);
    EXPECT_EQ(read("/f"), "12345678ab");
    EXPECT_TRUE(file->write_at(0, as_bytes("X")).has_value());  // takes no room
    EXPECT_EQ(files_.free_space("/").value(), 0U);
    EXPECT_EQ(write_file_durably(files_, "/g", as_bytes("x")).error().kind, ErrorKind::exhausted);
    EXPECT_EQ(names(), Names{"f"});
    ASSERT_TRUE(files_.remove("/f").has_value());
    EXPECT_TRUE(write_file_durably(files_, "/g", as_bytes("x")).has_value());
}

TEST_F(SimFilesTest, a_failed_sync_loses_the_bytes_for_ever) {
    create_durable("/f", "kept");
    files_.set_sync_failure("/f", true);
    auto file = files_.open("/f", OpenMode::append);
    ASSERT_TRUE((*file)->append(as_bytes(" lost")).has_value());
    EXPECT_EQ((*file)->sync().error().kind, ErrorKind::corrupt);
    EXPECT_NE((*file)->append(as_bytes("x")).error().message.find("since its sync failed"),
              std::string::npos);
    // As Linux does: the next sync, through another descriptor, says that all is well.
    files_.set_sync_failure("/f", false);
    auto other = files_.open("/f", OpenMode::append);
    EXPECT_TRUE((*other)->sync().has_value());
    EXPECT_EQ(read("/f"), "kept lost");
    power_cycle(Loss::nothing);
    EXPECT_EQ(read("/f"), "kept");
    files_.set_sync_failure("/", true);
    EXPECT_EQ(files_.sync_directory("/").error().kind, ErrorKind::corrupt);
}

TEST_F(SimFilesTest, bit_rot_is_seen_and_stays) {
    create_durable("/f", "abc");
    ASSERT_TRUE(files_.flip_byte("/f", 1).has_value());
    EXPECT_EQ(read("/f"), std::string("a\x9d") + "c");
    power_cycle();
    EXPECT_EQ(read("/f"), std::string("a\x9d") + "c");
    EXPECT_EQ(files_.flip_byte("/f", 3).error().kind, ErrorKind::invalid);
    EXPECT_EQ(files_.flip_byte("/no", 0).error().kind, ErrorKind::not_found);
}

TEST_F(SimFilesTest, shows_when_a_file_was_changed) {
    auto file = create("/f");
    clock_.advance(std::chrono::hours(1));
    ASSERT_TRUE(file->append(as_bytes("x")).has_value());
    EXPECT_EQ(files_.status("/f")->modified, clock_.now());
}

/// What is left of three unsynced blocks behind a durable one, for one seed.
std::string left_after_crash(std::uint64_t seed) {
    const SimClock clock;
    SimFiles files(clock, seed);
    auto file = files.open("/f", OpenMode::create);
    EXPECT_TRUE((*file)->append(Bytes(512, std::byte{'d'})).has_value());
    EXPECT_TRUE((*file)->sync().has_value());
    EXPECT_TRUE(files.sync_directory("/").has_value());
    for (const char c : {'1', '2', '3'}) {
        EXPECT_TRUE((*file)->append(Bytes(512, static_cast<std::byte>(c))).has_value());
    }
    files.crash();
    files.reboot();
    return std::string(as_text(read_file(files, "/f").value()));
}

TEST(SimCrash, leaves_every_outcome_that_a_disk_may_leave) {
    bool lost = false;
    bool kept = false;
    bool cut_inside_a_write = false;
    bool hole = false;
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::string left = left_after_crash(seed);
        EXPECT_EQ(left, left_after_crash(seed)) << seed;
        ASSERT_GE(left.size(), 512U);
        EXPECT_EQ(left.substr(0, 512), std::string(512, 'd'));  // durable bytes never suffer
        lost |= left.size() == 512;
        kept |= left.size() == 2048 && left.find('\0') == std::string::npos;
        cut_inside_a_write |= left.size() % 512 != 0;
        hole |= left.find('\0') != std::string::npos && left.find('3') != std::string::npos;
        outcomes.insert(left);
    }
    EXPECT_TRUE(lost && kept && cut_inside_a_write && hole);
    EXPECT_GT(outcomes.size(), 20U);
}

TEST(SimCrash, names_survive_in_the_order_of_their_directory) {
    std::set<std::size_t> counts;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const SimClock clock;
        SimFiles files(clock, seed);
        for (const char* name : {"/a", "/b", "/c"}) {
            EXPECT_TRUE(files.open(name, OpenMode::create).has_value());
        }
        files.crash();
        files.reboot();
        const auto names = files.list("/").value();
        const std::vector<std::string> all = {"a", "b", "c"};
        EXPECT_TRUE(std::equal(names.begin(), names.end(), all.begin())) << seed;
        counts.insert(names.size());
    }
    EXPECT_EQ(counts.size(), 4U);
}

// Goal: write_file_durably is atomic and durable whatever happens. Method: crash at each of its
// operations under many seeds; the file holds the old or the new text, and the new one after
// success.
TEST(SimCrash, a_file_written_durably_is_never_torn) {
    const std::string old_text(3000, 'o');
    const std::string new_text(5000, 'n');
    bool finished = false;
    for (std::uint64_t crash_at = 1; !finished; ++crash_at) {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            const SimClock clock;
            SimFiles files(clock, seed);
            ASSERT_TRUE(write_file_durably(files, "/f", as_bytes(old_text)).has_value());
            files.crash_at(crash_at);
            const bool written = write_file_durably(files, "/f", as_bytes(new_text)).has_value();
            finished = written && !files.crashed();
            files.reboot();
            const std::string text(as_text(read_file(files, "/f").value()));
            EXPECT_TRUE(text == new_text || (!written && text == old_text))
                << "crash at " << crash_at << ", seed " << seed;
        }
        ASSERT_LT(crash_at, 50U);
    }
}

TEST(SimClock, stands_still_until_moved) {
    SimClock clock;
    const Instant now = clock.now();
    const Monotonic monotonic = clock.monotonic();
    EXPECT_EQ(clock.now(), now);
    clock.advance(std::chrono::minutes(5));
    EXPECT_EQ(clock.now(), now + std::chrono::minutes(5));
    EXPECT_EQ(clock.monotonic(), monotonic + std::chrono::minutes(5));
    clock.jump_wall(-std::chrono::hours(1));
    EXPECT_EQ(clock.now(), now - std::chrono::minutes(55));
    EXPECT_EQ(clock.monotonic(), monotonic + std::chrono::minutes(5));
}

TEST(SeededRandom, repeats_for_a_seed_and_differs_between_seeds) {
    SeededRandom first(7);
    SeededRandom same(7);
    SeededRandom other(8);
    const std::string bytes = first.hex(33);
    EXPECT_EQ(bytes, same.hex(33));
    EXPECT_NE(bytes, other.hex(33));
    EXPECT_NE(bytes, first.hex(33));
    EXPECT_EQ(SeededRandom(0).next(), SeededRandom(0).next());
}

TEST(SeededRandom, is_spread_evenly_below_a_bound) {
    SeededRandom random(1);
    std::vector<int> counts(6);
    for (int i = 0; i < 6000; ++i) ++counts.at(random.below(6));
    for (const int count : counts) {
        EXPECT_GT(count, 850);
        EXPECT_LT(count, 1150);
    }
    EXPECT_EQ(random.below(1), 0U);
    EXPECT_TRUE(random.one_in(1));
}

}  // namespace
}  // namespace lifeboat
