#include <gtest/gtest.h>

#include "providers/probe/check.h"

namespace lifeboat::probe {
namespace {

struct Case {
    const char* value;
    const char* expectation;
    bool met;
};

TEST(Meets, compares_numbers_as_numbers_and_texts_as_texts) {
    for (const Case& one : {
             Case{"52", "> 0", true},
             Case{"9", "> 10", false},
             Case{"10", ">= 10", true},
             Case{"9.5", "< 10", true},
             Case{"10.0", "= 10", true},
             Case{"9007199254740993", "> 9007199254740992", true},
             Case{" 7 ", "7", true},
             Case{"PONG", "= PONG", true},
             Case{"PONG", "PONG", true},
             Case{"pong", "PONG", false},
             Case{"ok", "!= failed", true},
             Case{"", "=", true},
             Case{"x", "=", false},
             Case{"abc", "> 5", false},
             Case{"", "> 0", false},
             Case{"healthy-7", "matches healthy-*", true},
             Case{"healthy", "matches h?althy", true},
             Case{"ill", "matches h*", false},
             Case{"aXbXc", "matches a*b*c", true},
             Case{"a", "matches *a*", true},
         }) {
        const auto met = meets(one.value, one.expectation);
        ASSERT_TRUE(met.has_value()) << one.expectation;
        EXPECT_EQ(*met, one.met) << "'" << one.value << "' " << one.expectation;
    }
}

TEST(Meets, an_expectation_without_sense_is_invalid) {
    for (const char* wrong : {">", "< ", "> many"}) {
        const auto met = meets("1", wrong);
        ASSERT_FALSE(met.has_value()) << wrong;
        EXPECT_EQ(met.error().kind, ErrorKind::invalid);
    }
}

}  // namespace
}  // namespace lifeboat::probe
