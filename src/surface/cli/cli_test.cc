#include <gtest/gtest.h>

#include "platform/state/lease_rules.h"
#include "surface/cli/command.h"
#include "surface/cli/exit_code.h"
#include "surface/cli/output.h"
#include "surface/cli/progress_line.h"

namespace lifeboat::cli {
namespace {

using namespace std::chrono_literals;

TEST(clip, keeps_whole_characters_and_escape_sequences) {
    EXPECT_EQ(clip("abc", 3), "abc");
    EXPECT_EQ(clip("abcd", 3), "ab…");
    EXPECT_EQ(clip("äöü-", 3), "äö…");
    EXPECT_EQ(clip("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mab…");
    EXPECT_EQ(clip("\x1b[31mabc\x1b[0m", 3), "\x1b[31mabc\x1b[0m");
    EXPECT_EQ(clip("abc", 0), "");
    for (std::size_t width = 1; width < 12; ++width)
        EXPECT_LE(visible_width(clip("\x1b[1m█████\x1b[0m schön\x1b[2m …", width)), width);
}

TEST(progress_text, tells_part_rate_and_what_is_left) {
    EXPECT_EQ(progress_text("db", 0, 0, "bytes", 0s), "db  0 B");
    const std::string text = progress_text("db", 1U << 30U, 4ULL << 30U, "bytes", 10s);
    EXPECT_NE(text.find(" 25%"), std::string::npos) << text;
    EXPECT_NE(text.find("about 30s left"), std::string::npos) << text;
    EXPECT_NE(text.find("/s"), std::string::npos) << text;
    EXPECT_EQ(progress_text("db", 3, 2, "files", 0s), "db  100%  3 of 2 files");
    EXPECT_EQ(progress_text("db", 1, 4, "files", 100ms).find("left"), std::string::npos)
        << "too early to tell";
}

TEST(exit_code, is_told_by_the_kind_of_the_error) {
    EXPECT_EQ(exit_code_for(invalid("x")), ExitCode::usage);
    EXPECT_EQ(exit_code_for(denied("x")), ExitCode::refused);
    EXPECT_EQ(exit_code_for(conflict("x")), ExitCode::refused);
    EXPECT_EQ(exit_code_for(cancelled("x")), ExitCode::interrupted);
    EXPECT_EQ(exit_code_for(unavailable("x")), ExitCode::failed);
    Lease lease;
    lease.name = "component/db";
    lease.holder.who = "somebody";
    EXPECT_EQ(exit_code_for(LeaseRules::held_by(lease)), ExitCode::lease_held);
    EXPECT_EQ(exit_code_for(LeaseRules::held_by(lease).in("db").in("backup")),
              ExitCode::lease_held);
    EXPECT_EQ(exit_code_for(conflict("'port 5432' is held by nginx")), ExitCode::refused);
}

TEST(explain_usage, finds_the_first_word_that_is_wrong) {
    const auto commands = all_commands();
    auto told = [&](std::vector<std::string> words) {
        return explain_usage(commands, words, "RUN is required").message;
    };
    EXPECT_EQ(told({"recovr"}), "unknown command 'recovr' of `lifeboat`");
    EXPECT_EQ(told({"--plan", "recovr", "vault", "ini"}),
              "unknown command 'ini' of `lifeboat vault`");
    EXPECT_EQ(told({"recover", "--to", "--x"}), "`lifeboat recover`: RUN is required");
    EXPECT_EQ(told({"recover", "--to=1", "--previw"}),
              "unknown option '--previw' of `lifeboat recover`");
    EXPECT_EQ(told({"approve"}), "`lifeboat approve`: RUN is required");
    EXPECT_NE(told({"vault"}).find("needs a command: init, "), std::string::npos);
    EXPECT_EQ(explain_usage(commands, {"complet"}, "x").hint.find("'complete'"), std::string::npos)
        << "hidden commands are not offered";
}

TEST(commands, all_have_a_summary_and_a_group) {
    for (const Command& command : all_commands()) {
        EXPECT_FALSE(command.summary.empty()) << command.name;
        EXPECT_TRUE(command.hidden || !command.group.empty()) << command.name;
    }
    EXPECT_EQ(commands_markdown().find("lifeboat complete\n"), std::string::npos);
}

}  // namespace
}  // namespace lifeboat::cli
