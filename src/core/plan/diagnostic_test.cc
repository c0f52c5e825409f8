#include "core/plan/diagnostic.h"

#include <gtest/gtest.h>

namespace lifeboat::plan {
namespace {

std::string show(const std::string& line, std::uint32_t column) {
    const Diagnostic diagnostic{
        .id = "x", .at = {.file = 0, .line = 1, .column = column}, .message = "m"};
    return render(diagnostic, {{.name = "f", .text = line + "\nmore\n"}});
}

TEST(RenderDiagnostic, puts_the_caret_under_the_column) {
    EXPECT_EQ(show("abc: def", 6), "f:1:6: error[x]: m\n    1 | abc: def\n      |      ^\n");
}

TEST(RenderDiagnostic, shows_tabs_as_blanks) {
    EXPECT_EQ(show("\ta:\tb", 5), "f:1:5: error[x]: m\n    1 |     a:  b\n      |         ^\n");
}

TEST(RenderDiagnostic, counts_characters_and_not_bytes) {
    EXPECT_EQ(show("größe: x", 8), "f:1:8: error[x]: m\n    1 | größe: x\n      |        ^\n");
}

TEST(RenderDiagnostic, knows_that_some_characters_are_two_cells_wide) {
    EXPECT_EQ(show("名前: x", 5), "f:1:5: error[x]: m\n    1 | 名前: x\n      |       ^\n");
}

TEST(RenderDiagnostic, hides_control_characters) {
    EXPECT_FALSE(show("a\x1b[31m: b", 1).contains('\x1b'));
}

TEST(RenderDiagnostic, cuts_long_lines_around_the_column) {
    const std::string text = show(std::string(1000, 'a') + "X" + std::string(1000, 'b'), 1001);
    EXPECT_LT(text.size(), 900U);
    EXPECT_TRUE(text.contains("X"));
}

TEST(RenderDiagnostic, colours_on_demand) {
    const Diagnostic diagnostic{
        .level = DiagnosticLevel::warning, .id = "x", .message = "m", .hint = "h"};
    EXPECT_TRUE(render(diagnostic, {}, true).contains("\x1b["));
    EXPECT_EQ(render(diagnostic, {}), "plan: warning[x]: m\n      = h\n");
}

TEST(RenderDiagnostic, has_a_form_for_machines) {
    const Diagnostic diagnostic{
        .id = "x", .at = {.file = 0, .line = 3, .column = 7}, .message = "m", .hint = "h"};
    EXPECT_EQ(
        dump(to_json(diagnostic, {{.name = "f", .text = ""}})),
        R"({"level":"error","id":"x","file":"f","line":3,"column":7,"message":"m","hint":"h"})");
}

}  // namespace
}  // namespace lifeboat::plan
