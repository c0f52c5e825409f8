#include "platform/observe/redact.h"

#include <gtest/gtest.h>

#include <thread>

#include "platform/base/bytes.h"
#include "platform/codec/json.h"

namespace lifeboat {
namespace {

// Each test registers values of its own: the registry lives as long as the process.

TEST(Redact, masks_a_registered_value_wherever_it_stands) {
    register_secret("correct-horse");
    EXPECT_EQ(redact("a correct-horse b correct-horse"), "a ‹secret› b ‹secret›");
    EXPECT_EQ(redact("correct-hors"), "correct-hors");
    EXPECT_EQ(redact(""), "");
}

TEST(Redact, masks_a_value_escaped_for_a_url) {
    register_secret("p/w d+ü%9");
    EXPECT_FALSE(redact("x=p%2Fw%20d%2B%C3%BC%259").contains("%2F"));
    EXPECT_FALSE(redact("x=p%2fw%20d%2b%c3%bc%259").contains("%2f"));
    EXPECT_FALSE(redact("x=p%2Fw+d%2B%C3%BC%259").contains("%2F"));
}

TEST(Redact, masks_a_value_in_base64_at_any_place) {
    register_secret("battery-staple?>~");
    for (const char* before : {"", "a", "ab", "user:", "user1:", "user22:"})
        for (const char* after : {"", "z", "zz"}) {
            const std::string plain = std::string(before) + "battery-staple?>~" + after;
            std::string text = to_base64(as_bytes(plain));
            EXPECT_TRUE(redact("Basic " + text).contains("‹secret›")) << plain;
            EXPECT_LE(redact(text).size(), text.size() + 10 - 17) << plain;  // all but the edges
            std::ranges::replace(text, '+', '-');
            std::ranges::replace(text, '/', '_');
            EXPECT_TRUE(redact(text).contains("‹secret›")) << plain;
        }
}

TEST(Redact, masks_a_value_escaped_for_json) {
    const std::string value = "quo\"te\\back\nline\xC3\xBC";
    register_secret(value);
    EXPECT_EQ(redact(dump(Json(value))), "\"‹secret›\"");
    EXPECT_EQ(redact(Json(value).dump(-1, ' ', true)), "\"‹secret›\"");
}

TEST(Redact, masks_the_longer_of_two_values_whole) {
    register_secret("tiger");
    register_secret("tiger-and-more");
    EXPECT_EQ(redact("tiger-and-more tiger"), "‹secret› ‹secret›");
}

TEST(Redact, ignores_values_too_short_to_hide) {
    register_secret("abc");
    register_secret("");
    EXPECT_EQ(redact("abc"), "abc");
}

TEST(Redact, masks_passwords_in_urls_that_nobody_registered) {
    EXPECT_EQ(redact("postgresql://app:s3cr3t@db:5432/shop"),
              "postgresql://app:‹secret›@db:5432/shop");
    EXPECT_EQ(redact("redis://:p@ss:w@host/0 and http://u:x@h"),
              "redis://:‹secret›@host/0 and http://u:‹secret›@h");
    for (const char* harmless : {"http://127.0.0.1:8080/a@b", "http://host/path:x@y",
                                 "ssh://git@host/x", "://", "a://@", "http://h?q=a:b@c"})
        EXPECT_EQ(redact(harmless), harmless);
}

TEST(Redact, masks_passwords_in_connection_settings) {
    EXPECT_EQ(redact("host=db password=s3cr3t dbname=shop"),
              "host=db password=‹secret› dbname=shop");
    EXPECT_EQ(redact(R"(password = 'it\'s me' port=1)"), "password = '‹secret›' port=1");
    EXPECT_EQ(redact("PGPASSWORD=abc psql"), "PGPASSWORD=‹secret› psql");
    EXPECT_EQ(redact("passwd=abc"), "passwd=‹secret›");
    EXPECT_EQ(redact("password="), "password=");
    EXPECT_EQ(redact("password authentication failed"), "password authentication failed");
    EXPECT_EQ(redact("a=1 password"), "a=1 password");
}

TEST(Redact, changes_nothing_the_second_time) {
    register_secret("only-once-please");
    for (const char* text : {"only-once-please", "http://u:p4ss@h/", "password='x y' b",
                             "password=x http://a:b@c password=y"}) {
        const std::string once = redact(text);
        EXPECT_EQ(redact(once), once);
    }
}

TEST(Redact, works_while_others_register) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([t] {
            for (int i = 0; i < 10; ++i) {
                const std::string value =
                    "thread-" + std::to_string(t) + "-" + std::to_string(i) + "!";
                register_secret(value);
                EXPECT_EQ(redact(value), "‹secret›");
            }
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lifeboat
