#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "platform/env/real.h"
#include "platform/state/open.h"

namespace lifeboat {
namespace {

Json small() { return {{"step", "s03-restore-database"}, {"attempt", 1}}; }

NewEvent event(Json payload = small()) {
    return {.type = "step_started", .payload = std::move(payload), .at = Instant(Duration(42))};
}

class SqliteStateTest : public testing::Test {
protected:
    SqliteStateTest() {
        // In memory where there is such a place: what is tested here needs no disk that is slow.
        const bool memory = ::access("/dev/shm", W_OK) == 0;
        std::string name = memory ? "/dev/shm/lifeboat-XXXXXX" : "/tmp/lifeboat-XXXXXX";
        root_ = ::mkdtemp(name.data());
        directory_ = root_ / "state";
    }
    ~SqliteStateTest() override { EXPECT_TRUE(real_files().remove_tree(root_)); }

    Path database() const { return directory_ / "state.db"; }
    Path log() const { return directory_ / "state.db-wal"; }
    Result<std::unique_ptr<State>> try_open() const {
        return open_sqlite_state(directory_, real_environment());
    }
    std::unique_ptr<State> open() const {
        auto state = try_open();
        EXPECT_TRUE(state) << (state ? "" : state.error().message);
        return std::move(*state);
    }
    void sql(const std::string& text) const {
        sqlite3* connection = nullptr;
        ASSERT_EQ(sqlite3_open(database().c_str(), &connection), SQLITE_OK);
        char* message = nullptr;
        EXPECT_EQ(sqlite3_exec(connection, text.c_str(), nullptr, nullptr, &message), SQLITE_OK)
            << message;
        sqlite3_close(connection);
    }
    static Bytes contents(const Path& path) {
        return read_file(real_files(), path).value_or(Bytes());
    }
    static void overwrite(const Path& path, ByteView bytes) {
        auto file = real_files().open(path, OpenMode::create_or_empty);
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->append(bytes));
    }
    /// Forks; the child runs `work` and is killed unless it returns.
    template <class Work>
    static pid_t fork_child(Work work) {
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        work();
        ::_exit(0);
    }
    static void kill_and_wait(pid_t pid) {
        ::kill(pid, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    }
    /// A process that appends one event after the other, tells each version, and is killed with -9
    /// after the version `until`; the last version that it told.
    std::uint64_t append_until_killed(std::uint64_t until) const {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        const pid_t pid = fork_child([&] {
            ::close(ends[0]);
            const auto state = open();
            for (std::uint64_t version = state->version("run/1").value_or(0);;) {
                version = state->append("run/1", version, {event()}).value_or(0);
                if (version == 0 || ::write(ends[1], &version, sizeof(version)) < 0) ::_exit(1);
            }
        });
        ::close(ends[1]);
        std::uint64_t told = 0;
        std::uint64_t next = 0;
        bool killed = false;
        while (::read(ends[0], &next, sizeof(next)) == sizeof(next)) {
            told = next;
            if (told >= until && !std::exchange(killed, true)) ::kill(pid, SIGKILL);
        }
        ::close(ends[0]);
        kill_and_wait(pid);
        return told;
    }

    Path root_;
    Path directory_;
};

std::uint32_t mode_of(const Path& path) { return real_files().status(path).value().mode & 0777U; }

TEST_F(SqliteStateTest, keeps_its_files_from_other_users) {
    const mode_t before = ::umask(0);
    const auto state = open();
    ASSERT_TRUE(state->append("s", 0, {event()}));
    ::umask(before);
    EXPECT_EQ(mode_of(directory_), 0700U);
    for (const char* name : {"state.db", "state.db-wal", "state.db-shm"})
        EXPECT_EQ(mode_of(directory_ / name), 0600U) << name;
}

TEST_F(SqliteStateTest, takes_away_rights_that_others_have_to_its_file) {
    (void)open();
    ASSERT_EQ(::chmod(database().c_str(), 0644), 0);
    (void)open();
    EXPECT_EQ(mode_of(database()), 0600U);
}

TEST_F(SqliteStateTest, refuses_a_newer_format_and_leaves_the_file_alone) {
    (void)open();
    sql("PRAGMA user_version=7");
    const Bytes before = contents(database());
    const auto state = try_open();
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, ErrorKind::unsupported);
    EXPECT_NE(state.error().message.find("format 7"), std::string::npos);
    EXPECT_NE(state.error().message.find("up to format 1"), std::string::npos);
    EXPECT_EQ(contents(database()), before);
}

TEST_F(SqliteStateTest, refuses_the_database_of_another_program) {
    ASSERT_TRUE(real_files().make_directories(directory_));
    sql("CREATE TABLE theirs (x)");
    EXPECT_EQ(try_open().error().kind, ErrorKind::invalid);
}

TEST_F(SqliteStateTest, names_a_file_that_is_no_database) {
    ASSERT_TRUE(real_files().make_directories(directory_));
    overwrite(database(), as_bytes(std::string(5000, 'x')));
    const auto state = try_open();
    EXPECT_EQ(state.error().kind, ErrorKind::corrupt);
    EXPECT_NE(state.error().message.find(database().string()), std::string::npos);
    EXPECT_FALSE(state.error().hint.empty());
}

TEST_F(SqliteStateTest, says_when_the_directory_cannot_be_made) {
    overwrite(root_ / "file", as_bytes("x"));
    const auto state = open_sqlite_state(root_ / "file" / "state", real_environment());
    ASSERT_FALSE(state);
    EXPECT_NE(state.error().message.find("file"), std::string::npos);
}

// --- damage ---

TEST_F(SqliteStateTest, names_stream_and_version_of_an_altered_event) {
    ASSERT_TRUE(open()->append("run/1", 0, {event(), event({{"loss", "5s"}}), event()}));
    sql("UPDATE events SET payload = '{\"loss\":\"0s\"}' WHERE version = 2");
    const auto events = open()->read("run/1");
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().kind, ErrorKind::corrupt);
    EXPECT_NE(events.error().message.find("stream 'run/1' is damaged at version 2"),
              std::string::npos);
    EXPECT_EQ(open()->read("run/1", 2).value().size(), 1U);  // what follows is still sound
}

TEST_F(SqliteStateTest, finds_every_kind_of_meddling_with_the_journal) {
    const std::vector<std::string> meddling = {
        "UPDATE events SET type = 'x' WHERE version = 1",
        "UPDATE events SET at = at + 1 WHERE version = 2",
        "UPDATE events SET epoch = 9 WHERE version = 3",
        "UPDATE events SET hash = zeroblob(32) WHERE version = 3",
        "UPDATE events SET hash = zeroblob(3) WHERE version = 3",
        "DELETE FROM events WHERE version = 2",
        "DELETE FROM events WHERE version = 3",  // the tail
        "DELETE FROM events",
        "UPDATE events SET version = 4 WHERE version = 3",
        "UPDATE streams SET version = 2",  // a tail cut off with its head
        "UPDATE events SET payload = '{' WHERE version = 1",
        "DELETE FROM streams",
        "DELETE FROM records",
        "DELETE FROM leases",
        "UPDATE records SET value = '2'",
        "UPDATE leases SET epoch = 1",
        "UPDATE leases SET held = 0"};
    const Holder holder{.who = "a", .host = "h", .pid = 1, .start_ticks = 1, .boot_id = "b"};
    for (const std::string& how : meddling) {
        ASSERT_TRUE(real_files().remove_tree(directory_));
        {
            const auto state = open();
            ASSERT_TRUE(state->append("s", 0, {event(), event(), event()}));
            ASSERT_TRUE(state->put("k", 0, 1));
            ASSERT_TRUE(state->acquire("l", holder, std::chrono::hours(1)));
            ASSERT_TRUE(state->acquire("l", holder, std::chrono::hours(1)));
        }
        sql(how);
        const auto state = try_open();
        const auto events =
            state ? (*state)->read("s") : Result<std::vector<StoredEvent>>(state.error());
        const bool found = !state || !events;
        EXPECT_TRUE(found) << how;
        if (!found) continue;
        EXPECT_EQ(state ? events.error().kind : state.error().kind, ErrorKind::corrupt) << how;
    }
}

/// Everything in the state as text, or the first error.
Result<std::string> all_of(const Result<std::unique_ptr<State>>& state) {
    if (!state) return state.error();
    std::string text;
    const auto streams = TRY((*state)->streams(""));
    for (const std::string& stream : streams) {
        const auto events = TRY((*state)->read(stream));
        for (const StoredEvent& e : events)
            text += fmt::format("{} {} {} {}\n", stream, e.version, e.hash, dump(e.payload));
    }
    const auto keys = TRY((*state)->keys(""));
    for (const std::string& key : keys) {
        const Record record = TRY((*state)->get(key));
        text += fmt::format("{} {} {}\n", key, record.version, dump(record.value));
    }
    const auto lease = TRY((*state)->find_lease("l"));
    if (lease) text += fmt::format("{} {}\n", lease->epoch, lease->holder.who);
    return text;
}

TEST_F(SqliteStateTest, finds_a_flipped_byte_anywhere_in_its_file) {
    const Holder holder{.who = "a", .host = "h", .pid = 1, .start_ticks = 1, .boot_id = "b"};
    {
        const auto state = open();
        for (const char* stream : {"run/1", "run/2"})
            for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(state->append(stream, i, {event()}));
        ASSERT_TRUE(state->put("instance/db", 0, small()));
        ASSERT_TRUE(state->acquire("l", holder, std::chrono::hours(1)));
    }
    const Bytes sound = contents(database());
    const std::string before = all_of(try_open()).value();
    std::size_t found = 0;
    const std::size_t step = ::getenv("LIFEBOAT_LONG") != nullptr ? 1 : 37;
    for (std::size_t at = 0; at < sound.size(); at += step) {
        Bytes bytes = sound;
        bytes[at] ^= std::byte{0x10};
        overwrite(database(), bytes);
        const Result<std::string> after = all_of(try_open());
        if (after) {
            EXPECT_EQ(*after, before) << "byte " << at << " changed something unseen";
        } else {
            ++found;
        }
        (void)real_files().remove(log());
        (void)real_files().remove(directory_ / "state.db-shm");
    }
    EXPECT_GT(found, sound.size() / step / 8);  // the rest is unused space
}

TEST_F(SqliteStateTest, finds_a_flipped_byte_in_the_log_that_a_killed_process_left) {
    const std::uint64_t told = append_until_killed(40);
    const Bytes database_bytes = contents(database());
    const Bytes sound = contents(log());
    ASSERT_GT(sound.size(), 100'000U);
    // The last commits may look torn; what lies before them is acknowledged.
    for (std::size_t at = 3; at < sound.size() - 40'000; at += 997) {
        overwrite(database(), database_bytes);
        Bytes bytes = sound;
        bytes[at] ^= std::byte{0x10};
        overwrite(log(), bytes);
        (void)real_files().remove(directory_ / "state.db-shm");
        const auto state = try_open();
        const bool complete = state && (*state)->version("run/1").value() >= told;
        EXPECT_TRUE(!state || complete) << "byte " << at << " lost acknowledged events unseen";
    }
}

// --- crashes ---

TEST_F(SqliteStateTest, loses_no_acknowledged_append_to_kill_9) {
    std::uint64_t least = 0;
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t told = append_until_killed(least + 7);
        const auto state = open();
        const auto events = state->read("run/1");
        ASSERT_TRUE(events) << events.error().message;
        EXPECT_GE(events->size(), told);
        EXPECT_LE(events->size(), told + 1);  // one may be on disk and not yet told
        least = events->size();
    }
}

TEST_F(SqliteStateTest, takes_over_the_lease_of_a_killed_process) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t pid = fork_child([&] {
        const auto state = open();
        auto& processes = real_processes();
        const auto own = processes.identify(::getpid());
        const Holder holder{.who = "the killed one",
                            .host = processes.host_name(),
                            .pid = ::getpid(),
                            .start_ticks = own ? own->start_ticks : 0,
                            .boot_id = processes.boot_id()};
        const bool held = state->acquire("l", holder, std::chrono::hours(1)).has_value();
        (void)!::write(ends[1], held ? "1" : "0", 1);
        ::pause();
    });
    char held = 0;
    ASSERT_EQ(::read(ends[0], &held, 1), 1);
    ASSERT_EQ(held, '1');
    const Holder second{
        .who = "the second", .host = "h", .pid = 1, .start_ticks = 1, .boot_id = ""};
    const auto state = open();
    const auto refused = state->acquire("l", second, std::chrono::hours(1));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("the killed one"), std::string::npos);
    kill_and_wait(pid);
    EXPECT_EQ(state->acquire("l", second, std::chrono::hours(1)).value().epoch, 2U);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(SqliteStateTest, keeps_the_order_of_appends_of_several_processes) {
    constexpr std::uint64_t processes = 4;
    constexpr std::uint64_t each = 20;
    std::vector<pid_t> children;
    for (std::uint64_t p = 0; p < processes; ++p)
        children.push_back(fork_child([&] {  // all of them open, and make, the same directory
            const auto state = try_open();
            if (!state) ::_exit(1);
            for (std::uint64_t done = 0; done < each;) {
                const auto at = (*state)->version("s");
                if (!at) ::_exit(2);
                const auto appended = (*state)->append("s", *at, {event()});
                if (appended)
                    ++done;
                else if (appended.error().kind != ErrorKind::conflict)
                    ::_exit(3);
            }
        }));
    for (const pid_t child : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(open()->read("s").value().size(), processes * each);
}

TEST_F(SqliteStateTest, sees_what_another_process_appends_while_it_watches) {
    const auto state = open();
    const pid_t pid = fork_child([&] { (void)open()->append("s", 0, {event()}); });
    const Context context = Context(real_clock()).within(std::chrono::seconds(20));
    EXPECT_TRUE(state->watch(context, "s", 0));
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
}

// --- disk full ---

/// Appends until it fails; everything acknowledged must be there afterwards.
void fill(const std::function<std::unique_ptr<State>()>& open) {
    std::uint64_t version = 0;
    {
        const auto state = open();
        const Json large(std::string(50'000, 'x'));
        Result<std::uint64_t> appended = 0;
        for (int i = 0; i < 1000 && appended; ++i) {
            appended = state->append("s", version, {event(large)});
            if (appended) version = *appended;
        }
        ASSERT_FALSE(appended);
        EXPECT_EQ(appended.error().kind, ErrorKind::exhausted) << appended.error().message;
        EXPECT_NE(appended.error().message.find("state.db"), std::string::npos);
        EXPECT_NE(appended.error().hint.find("Free space"), std::string::npos);
        EXPECT_GT(version, 0U);
        EXPECT_EQ(state->read("s").value().size(), version);
    }
    EXPECT_EQ(open()->read("s").value().size(), version);
}

TEST_F(SqliteStateTest, says_that_the_disk_is_full_and_keeps_what_it_has) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
    ASSERT_TRUE(real_files().make_directories(directory_));
    if (::mount("tmpfs", directory_.c_str(), "tmpfs", 0, "size=2m,mode=700") != 0)
        GTEST_SKIP() << "mounting is not allowed here";
    fill([&] { return open(); });
    EXPECT_EQ(::umount(directory_.c_str()), 0);
}

TEST_F(SqliteStateTest, says_when_a_file_may_not_grow_and_keeps_what_it_has) {
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    const rlimit small_files{.rlim_cur = 1U << 20U, .rlim_max = old.rlim_max};
    (void)open();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small_files), 0);
    const auto state = open();
    const Json large(std::string(100'000, 'x'));
    Result<std::uint64_t> appended = 0;
    std::uint64_t version = 0;
    for (int i = 0; i < 100 && appended; ++i) {
        appended = state->append("s", version, {event(large)});
        if (appended) version = *appended;
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)::signal(SIGXFSZ, before);
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().kind, ErrorKind::exhausted) << appended.error().message;
    EXPECT_TRUE(state->append("s", version, {event()}));  // there is room again
    EXPECT_EQ(state->read("s").value().size(), version + 1);
}

}  // namespace
}  // namespace lifeboat
