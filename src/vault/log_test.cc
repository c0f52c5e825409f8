#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

const LogName log_name{"database", "7301234567890123456", 1};

/// The byte that the test log holds at a position.
std::byte byte_at(std::uint64_t position) {
    return static_cast<std::byte>((position * 2654435761U >> 7U) & 0xffU);
}
Bytes bytes_at(std::uint64_t position, std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(position + i);
    return bytes;
}
Instant at_second(int second) { return Instant(std::chrono::seconds(1764000000 + second)); }

Result<void> append(LogWriter& writer, std::size_t size, std::vector<Mark> marks = {}) {
    const std::uint64_t position = writer.end();
    return writer.append(position, bytes_at(position, size), position + size, marks);
}

Result<void> expect_bytes(LogReader& reader, std::uint64_t from, std::uint64_t to) {
    Bytes read(to - from);
    TRY(reader.read(from, read));
    if (read != bytes_at(from, read.size())) return corrupt("other bytes came back");
    return ok();
}

/// The files of all logs, as paths.
std::vector<std::string> log_files(World& world) {
    std::vector<std::string> files;
    for (const std::string& object : all_objects(world))
        if (object.starts_with("logs/")) files.push_back("/vault/" + object);
    return files;
}

TEST(Log, gives_back_what_was_appended_at_any_position) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 1000));
    EXPECT_EQ(writer->end(), 1000U);
    for (int i = 0; i < 50; ++i) {
        ASSERT_OK(append(*writer, 1 + world.random.below(60000)));
        if (world.random.one_in(3)) {
            ASSERT_EQ(must(writer->sync()), writer->end());
        }
    }
    const std::uint64_t end = must(writer->sync());
    const auto reader = must(vault->open_log(log_name));
    EXPECT_EQ(reader->status().begin, 1000U);
    EXPECT_EQ(reader->status().end, end);
    EXPECT_EQ(reader->status().boundary, end);
    EXPECT_TRUE(reader->status().gaps.empty());
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t from = 1000 + world.random.below(end - 1000);
        const std::uint64_t to = from + world.random.below(end - from + 1);
        EXPECT_OK(expect_bytes(*reader, from, to));
    }
}

TEST(Log, is_read_by_another_process_while_it_is_written) {
    World world;
    const auto mine = must(world.open());
    const auto other = must(world.open());
    auto writer = must(mine->append_log(log_name, 0));
    for (int i = 0; i < 20; ++i) {
        ASSERT_OK(append(*writer, 5000));
        const std::uint64_t boundary = must(writer->sync());
        const auto reader = must(other->open_log(log_name));
        EXPECT_EQ(reader->status().boundary, boundary);
        EXPECT_OK(expect_bytes(*reader, 0, boundary));
    }
}

TEST(Log, goes_on_in_a_new_file_where_the_old_one_ends) {
    World world;
    std::uint64_t end = 0;
    for (int i = 0; i < 5; ++i) {
        const auto vault = must(world.open());
        auto writer = must(vault->append_log(log_name, 0));
        EXPECT_EQ(writer->end(), end);
        ASSERT_OK(append(*writer, 3000));
        end = must(writer->sync());
    }
    EXPECT_EQ(log_files(world).size(), 5U);
    const auto vault = must(world.open());
    EXPECT_OK(expect_bytes(*must(vault->open_log(log_name)), 0, end));
    EXPECT_TRUE(must(vault->verify(world.context(), true, {})).findings.empty());
}

TEST(Log, of_many_megabytes_is_cut_into_files) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 0));
    for (int i = 0; i < 80; ++i) {
        const Bytes noise = random_bytes(world.random, 1 << 20);
        ASSERT_OK(writer->append(writer->end(), noise, writer->end() + noise.size(), {}));
    }
    must(writer->sync());
    EXPECT_EQ(log_files(world).size(), 2U);
    EXPECT_EQ(must(world.reopen().open_log(log_name))->status().end, 80U << 20U);
}

TEST(Log, refuses_bytes_that_do_not_follow) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 100));
    ASSERT_OK(append(*writer, 50));
    EXPECT_EQ(writer->append(149, bytes_at(149, 1), 0, {}).error().kind, ErrorKind::invalid);
    EXPECT_EQ(writer->append(151, bytes_at(151, 1), 0, {}).error().kind, ErrorKind::invalid);
    EXPECT_OK(writer->append(150, bytes_at(150, 1), 0, {}));
}

TEST(Log, shows_a_gap_and_refuses_to_read_across) {
    World world;
    {
        const auto vault = must(world.open());
        auto writer = must(vault->append_log(log_name, 0));
        ASSERT_OK(append(*writer, 1000));
        ASSERT_OK(writer->gap(5000, "slot lost: wal_status lost"));
        EXPECT_EQ(writer->end(), 5000U);
    }
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 0));
    EXPECT_EQ(writer->end(), 5000U);
    ASSERT_OK(append(*writer, 1000));
    must(writer->sync());
    const auto reader = must(vault->open_log(log_name));
    ASSERT_EQ(reader->status().gaps.size(), 1U);
    EXPECT_EQ(reader->status().gaps[0].from, 1000U);
    EXPECT_EQ(reader->status().gaps[0].to, 5000U);
    EXPECT_FALSE(reader->status().gaps[0].damaged);
    EXPECT_OK(expect_bytes(*reader, 0, 1000));
    EXPECT_OK(expect_bytes(*reader, 5000, 6000));
    const auto across = expect_bytes(*reader, 900, 5100);
    ASSERT_FALSE(across.has_value());
    EXPECT_EQ(across.error().kind, ErrorKind::not_found);
    EXPECT_NE(across.error().message.find("slot lost"), std::string::npos);
    EXPECT_EQ(expect_bytes(*reader, 5999, 6001).error().kind, ErrorKind::not_found);
    EXPECT_TRUE(must(vault->verify(world.context(), true, {})).findings.empty());
}

TEST(Log, finds_the_position_of_a_time_as_postgresql_would) {
    World world;
    std::uint64_t end = 0;
    for (int file = 0; file < 4; ++file) {
        const auto vault = must(world.open());
        auto writer = must(vault->append_log(log_name, 0));
        for (int i = 0; i < 10; ++i) {
            const int second = file * 10 + i;
            ASSERT_OK(append(
                *writer, 1000,
                {{at_second(second), writer->end() + 900, second == 15 ? "before-upgrade" : ""}}));
        }
        end = must(writer->sync());
    }
    const auto vault = must(world.open());
    const auto reader = must(vault->open_log(log_name));
    EXPECT_FALSE(reader->mark_before(at_second(-1)));
    EXPECT_EQ(reader->mark_before(at_second(0))->position, 900U);
    EXPECT_EQ(reader->mark_before(at_second(17) + 500ms)->position, 17900U);
    EXPECT_EQ(reader->mark_before(at_second(1000))->position, 39900U);
    EXPECT_EQ(reader->status().first->at, at_second(0));
    EXPECT_EQ(reader->status().last->at, at_second(39));
    EXPECT_EQ(reader->mark_with_label("before-upgrade")->position, 15900U);
    EXPECT_FALSE(reader->mark_with_label("other"));
    EXPECT_EQ(end, 40000U);
}

TEST(Log, stops_before_the_first_later_commit_when_a_clock_went_back) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 0));
    for (const int second : {10, 20, 30, 5, 6, 40})
        ASSERT_OK(append(*writer, 100, {{at_second(second), writer->end() + 100, ""}}));
    must(writer->sync());
    const auto reader = must(vault->open_log(log_name));
    EXPECT_EQ(reader->mark_before(at_second(25))->position, 200U);
    EXPECT_EQ(reader->mark_before(at_second(35))->position, 500U);
    EXPECT_FALSE(reader->mark_before(at_second(7)));
}

TEST(Log, takes_any_number_of_marks_at_once) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 0));
    std::vector<Mark> marks;
    for (int i = 0; i < 300000; ++i)
        marks.push_back(
            {at_second(i), static_cast<std::uint64_t>(i), std::string(i == 7 ? 5000 : 0, 'x')});
    ASSERT_OK(append(*writer, 300000, marks));
    must(writer->sync());
    writer.reset();
    const auto reader = must(world.reopen().open_log(log_name));
    EXPECT_EQ(reader->mark_before(at_second(299998))->position, 299998U);
    EXPECT_EQ(reader->status().boundary, 300000U);
}

TEST(Log, keeps_branches_and_lineages_apart) {
    World world;
    const auto vault = must(world.open());
    for (const LogName& name : {log_name, LogName{"database", log_name.lineage, 2},
                                LogName{"database", "999", 1}, LogName{"cache", "abc", 1}}) {
        auto writer = must(vault->append_log(name, 10));
        ASSERT_OK(append(*writer, 100));
        must(writer->sync());
    }
    EXPECT_EQ(must(vault->logs()).size(), 4U);
    EXPECT_EQ(must(vault->logs("database")).size(), 3U);
    EXPECT_EQ(must(vault->logs("cache"))[0].end, 110U);
    EXPECT_EQ(vault->open_log({"cache", "abc", 2}).error().kind, ErrorKind::not_found);
    EXPECT_EQ(vault->append_log({"../etc", "abc", 2}, 0).error().kind, ErrorKind::invalid);
}

// Whatever byte is damaged: what is read is right, or the error names the file; verify finds it.
TEST(Log, never_gives_back_a_damaged_byte) {
    World world;
    std::uint64_t end = 0;
    {
        const auto vault = must(world.open());
        auto writer = must(vault->append_log(log_name, 0));
        for (int i = 0; i < 6; ++i) {
            ASSERT_OK(append(*writer, 300, {{at_second(i), writer->end(), "label"}}));
            end = must(writer->sync());
        }
    }
    const std::string file = log_files(world).at(0);
    const std::uint64_t size = must(world.files.status(file)).size;
    for (std::uint64_t offset = 0; offset < size; ++offset) {
        SCOPED_TRACE(fmt::format("offset {} of {}", offset, size));
        must(world.files.flip_byte(file, offset));
        const auto vault = must(world.open());
        const auto reader = vault->open_log(log_name);
        ASSERT_OK(reader);
        Bytes read(1);
        std::uint64_t unreadable = 0;
        for (std::uint64_t position = 0; position < end; position += 100) {
            const auto result = (*reader)->read(position, read);
            if (result.has_value()) {
                ASSERT_EQ(read[0], byte_at(position));
                continue;
            }
            ++unreadable;
            ASSERT_EQ(result.error().kind, ErrorKind::corrupt) << result.error().message;
            ASSERT_NE(result.error().message.find("log file 'logs/"), std::string::npos)
                << result.error().message;
        }
        ASSERT_LE(unreadable,
                  offset < 88 ? 18U : 3U);  // a header is needed for all, a frame for itself
        const auto report = must(vault->verify(world.context(), true, {}));
        ASSERT_FALSE(report.findings.empty());
        ASSERT_EQ("/vault/" + report.findings[0].object, file);
        EXPECT_EQ(unreadable > 0, !report.findings[0].affects.empty());
        must(world.files.flip_byte(file, offset));
    }
    EXPECT_TRUE(must(world.reopen().verify(world.context(), true, {})).findings.empty());
}

TEST(Log, tells_damage_from_a_torn_tail_when_a_later_file_follows) {
    World world;
    world.files.set_loss(Loss::everything);
    const auto first = must(world.open());
    auto killed = must(first->append_log(log_name, 0));
    for (int i = 0; i < 3; ++i) ASSERT_OK(append(*killed, 1000));
    must(killed->sync());
    world.files.crash();
    world.files.reboot();
    killed.reset();
    const auto second = must(world.open());
    auto writer = must(second->append_log(log_name, 0));
    ASSERT_EQ(writer->end(), 3000U);
    ASSERT_OK(append(*writer, 1000));
    must(writer->sync());
    const std::string torn = log_files(world).at(0);
    must(world.files.flip_byte(torn, must(world.files.status(torn)).size - 5));
    const auto vault = must(world.open());
    const auto reader = must(vault->open_log(log_name));
    ASSERT_EQ(reader->status().gaps.size(), 1U);
    EXPECT_TRUE(reader->status().gaps[0].damaged);
    EXPECT_EQ(expect_bytes(*reader, 0, 4000).error().kind, ErrorKind::corrupt);
    EXPECT_OK(expect_bytes(*reader, 3000, 4000));
    EXPECT_FALSE(must(vault->verify(world.context(), false, {})).findings.empty());
}

TEST(Log, of_two_writers_that_overlap_must_agree) {
    World world;
    const auto one = must(world.open());
    const auto two = must(world.open());
    auto first = must(one->append_log(log_name, 0));
    auto second = must(two->append_log(log_name, 0));
    ASSERT_OK(append(*first, 1000));
    ASSERT_OK(append(*second, 1500));
    must(first->sync());
    must(second->sync());
    const auto reader = must(world.reopen().open_log(log_name));
    EXPECT_EQ(reader->status().end, 1500U);
    EXPECT_OK(expect_bytes(*reader, 0, 1500));
    const Bytes foreign(500, std::byte{1});
    ASSERT_OK(first->append(1000, foreign, 1500, {}));
    must(first->sync());
    const auto vault = must(world.open());
    const auto again = must(vault->open_log(log_name));
    const auto result = expect_bytes(*again, 0, 1500);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::corrupt);
    EXPECT_NE(result.error().message.find("differ at position"), std::string::npos);
}

TEST(Log, fails_for_good_when_a_sync_fails) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->append_log(log_name, 0));
    ASSERT_OK(append(*writer, 100));
    must(writer->sync());
    world.files.set_sync_failure(log_files(world).at(0), true);
    ASSERT_OK(append(*writer, 100));
    EXPECT_FALSE(writer->sync().has_value());
    world.files.set_sync_failure(log_files(world).at(0), false);
    EXPECT_FALSE(writer->sync().has_value());
    EXPECT_FALSE(append(*writer, 100).has_value());
}

// The power fails at each operation of a writer's life: what was confirmed is there, and nothing
// false.
TEST(Log, keeps_what_it_confirmed_through_a_crash_at_every_operation) {
    const auto work = [](World& world, std::uint64_t& confirmed) -> Result<void> {
        for (int session = 0; session < 2; ++session) {
            auto vault = TRY(world.open());
            auto writer = TRY(vault->append_log(log_name, 0));
            for (int i = 0; i < 4; ++i) {
                TRY(append(*writer, 700, {{at_second(i), writer->end(), ""}}));
                if (i == 2) TRY(append(*writer, 300000));
                confirmed = TRY(writer->sync());
            }
            if (session == 1) {
                TRY(writer->gap(writer->end() + 50, "test"));
                TRY(append(*writer, 700));
                confirmed = TRY(writer->sync());
            }
        }
        return ok();
    };
    std::uint64_t operations = 0;
    {
        World world;
        const std::uint64_t before = world.files.operations();
        std::uint64_t confirmed = 0;
        must(work(world, confirmed));
        operations = world.files.operations() - before;
    }
    ASSERT_GT(operations, 30U);
    for (std::uint64_t n = 1; n <= operations; ++n)
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            SCOPED_TRACE(fmt::format("crash at operation {}, seed {}", n, seed));
            World world(seed);
            world.files.crash_at(n);
            std::uint64_t confirmed = 0;
            (void)work(world, confirmed);  // the last operations are those of a destructor
            ASSERT_TRUE(world.files.crashed());
            world.files.reboot();
            const auto vault = must(world.open());
            if (confirmed > 0) {
                const auto reader = must(vault->open_log(log_name));
                ASSERT_GE(reader->status().end, confirmed);
                ASSERT_GE(reader->status().boundary, confirmed);
                for (std::uint64_t at = 0; at < reader->status().end;) {
                    std::uint64_t to = reader->status().end;
                    for (const Gap& gap : reader->status().gaps) {
                        ASSERT_FALSE(gap.damaged) << gap.reason;
                        if (gap.from >= at) to = std::min(to, gap.from);
                    }
                    ASSERT_OK(expect_bytes(*reader, at, to));
                    at = to;
                    for (const Gap& gap : reader->status().gaps)
                        if (gap.from == at) at = gap.to;
                }
            }
            // And it goes on.
            auto writer = must(vault->append_log(log_name, 0));
            ASSERT_OK(append(*writer, 100));
            const std::uint64_t end = must(writer->sync());
            const auto reader = must(world.reopen().open_log(log_name));
            ASSERT_EQ(reader->status().end, end);
            ASSERT_TRUE(must(vault->verify(world.context(), true, {})).findings.empty());
        }
}

TEST(Log, says_exhausted_when_the_disk_is_full_and_keeps_what_it_had) {
    for (std::uint64_t room = 0; room < 6000; room += 250) {
        SCOPED_TRACE(fmt::format("room for {} bytes", room));
        World world;
        const auto vault = must(world.open());
        auto writer = must(vault->append_log(log_name, 0));
        ASSERT_OK(append(*writer, 1000));
        const std::uint64_t confirmed = must(writer->sync());
        world.files.set_capacity((std::uint64_t{1} << 40U) - must(world.files.free_space("/")) +
                                 room);
        Result<void> result;
        for (int i = 0; i < 100 && result.has_value(); ++i) {
            result = append(*writer, 1000);
            if (auto synced = writer->sync(); result.has_value() && !synced.has_value())
                result = std::move(synced).error();
        }
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().kind, ErrorKind::exhausted);
        writer.reset();
        EXPECT_OK(expect_bytes(*must(world.reopen().open_log(log_name)), 0, confirmed));
        world.files.set_capacity(std::uint64_t{1} << 40U);
        auto again = must(vault->append_log(log_name, 0));
        EXPECT_GE(again->end(), confirmed);
        EXPECT_OK(append(*again, 1000));
        EXPECT_OK(again->sync());
        EXPECT_TRUE(must(vault->verify(world.context(), true, {})).findings.empty());
    }
}

}  // namespace
}  // namespace lifeboat::vault
