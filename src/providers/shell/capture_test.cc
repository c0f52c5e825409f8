#include "providers/shell/capture.h"

#include <gtest/gtest.h>

namespace lifeboat::providers::shell {
namespace {

TEST(Capture, keeps_all_of_a_little_output) {
    Capture capture(10, 10);
    capture.add("one\n");
    capture.add("two\nthree\n");
    capture.finish();
    EXPECT_EQ(capture.text(), "one\ntwo\nthree\n");
    EXPECT_EQ(capture.dropped(), 0U);
}

TEST(Capture, keeps_head_and_tail_of_a_lot_and_counts_the_rest) {
    Capture capture(4, 4);
    for (int i = 0; i < 1000; ++i) capture.add("0123456789");
    capture.finish();
    EXPECT_EQ(capture.dropped(), 9992U);
    EXPECT_TRUE(capture.text().starts_with("0123\n[… 9992 bytes"));
    EXPECT_TRUE(capture.text().ends_with("]\n6789"));
}

TEST(Capture, finds_announced_values_however_the_output_is_cut) {
    const std::string text = "x\n::output point = p-1 \nno ::output a=b\n::output =c\n::output d=e";
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        Capture capture(8, 8);
        capture.add(std::string_view(text).substr(0, cut));
        capture.add(std::string_view(text).substr(cut));
        capture.finish();
        EXPECT_EQ(capture.values(),
                  (std::map<std::string, std::string>{{"point", "p-1"}, {"d", "e"}}));
    }
}

TEST(Capture, endless_lines_and_endless_values_are_bounded) {
    Capture capture(8, 8);
    capture.add("::output big=" + std::string(100'000, 'x') + "\n");
    for (int i = 0; i < 1000; ++i) capture.add("::output v" + std::to_string(i) + "=1\n");
    capture.finish();
    EXPECT_EQ(capture.values().size(), 64U);
    EXPECT_FALSE(capture.values().contains("big"));
}

}  // namespace
}  // namespace lifeboat::providers::shell
