#include "platform/observe/log.h"

#include <gtest/gtest.h>

#include <thread>

#include "platform/codec/json.h"
#include "platform/env/sim_clock.h"
#include "platform/observe/redact.h"
#include "platform/task/mutex.h"

namespace lifeboat::log {
namespace {

class Log : public testing::Test {
protected:
    Log() { start(Level::info); }
    ~Log() override { configure(Level::error, nullptr, clock_); }
    void start(Level from) {
        configure(
            from,
            [this](const Line& line) {
                const MutexLock lock(mutex_);
                lines_.push_back(line);
            },
            clock_);
    }

    static inline const SimClock clock_{Instant(std::chrono::hours(30))};
    Mutex mutex_;
    std::vector<Line> lines_;
};

TEST_F(Log, drops_lines_below_its_level) {
    debug("vault", "not {}", "this");
    info("vault", "{} chunks", 5);
    error("vault", "gone");
    ASSERT_EQ(lines_.size(), 2U);
    EXPECT_EQ(lines_[0].message, "5 chunks");
    EXPECT_EQ(lines_[0].module, "vault");
    EXPECT_EQ(lines_[0].at, clock_.now());
    EXPECT_EQ(lines_[1].level, Level::error);
}

TEST_F(Log, keeps_secrets_out) {
    register_secret("log-me-not-please");
    warning("http", "token {}", "log-me-not-please");
    EXPECT_EQ(lines_.at(0).message, "token ‹secret›");
}

TEST_F(Log, writes_one_line_for_people) {
    const Line line{.at = clock_.now(),
                    .level = Level::warning,
                    .module = "vault",
                    .message = "a\nb\x1b[31m\tc ü"};
    EXPECT_EQ(plain_text(line), "06:00:00 warning vault: a\\nb\\x1b[31m c ü");
}

TEST_F(Log, writes_one_object_for_machines) {
    const Line line{
        .at = clock_.now(), .level = Level::error, .module = "vault", .message = "a \"b\"\n\xff"};
    const Json value = parse_json(json_text(line)).value();
    EXPECT_EQ(dump(value),
              "{\"at\":\"1970-01-02T06:00:00Z\",\"level\":\"error\",\"module\":"
              "\"vault\",\"message\":\"a \\\"b\\\"\\n\xEF\xBF\xBD\"}");
    EXPECT_FALSE(json_text(line).contains('\n'));
}

TEST_F(Log, takes_lines_from_several_threads) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 100; ++i) info("m", "{}", i);
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(lines_.size(), 400U);
}

TEST_F(Log, is_silent_without_a_sink) {
    configure(Level::debug, nullptr, clock_);
    error("m", "nobody hears");
    EXPECT_TRUE(lines_.empty());
}

TEST_F(Log, writes_to_standard_error_in_one_piece) {
    testing::internal::CaptureStderr();
    to_standard_error({.at = clock_.now(), .level = Level::info, .module = "m", .message = "x"});
    to_standard_error_json({.at = {}, .level = Level::info, .module = "m", .message = "x"});
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(text.starts_with("06:00:00 info m: x\n{\"at\":"));
    EXPECT_TRUE(text.ends_with("}\n"));
}

}  // namespace
}  // namespace lifeboat::log
