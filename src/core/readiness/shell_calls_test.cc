#include "core/readiness/shell_calls.h"

#include <gtest/gtest.h>

#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

/// "word word; word": the calls of a text.
std::string calls(std::string_view text) {
    std::vector<std::string> all;
    for (const Call& call : calls_of(text)) all.push_back(join(call.words, " "));
    return join(all, "; ");
}

TEST(shell_calls, are_cut_where_a_shell_cuts_them) {
    EXPECT_EQ(calls("a b | c && d; e & f\ng"), "a b; c; d; e; f; g");
    EXPECT_EQ(calls("a \\\n  b"), "a b");
    EXPECT_EQ(calls("a 'b; c' \"d | e\" f\\ g ''"), "a b; c d | e f g ");
    EXPECT_EQ(calls("(cd x; a)"), "cd x; a");
    EXPECT_EQ(calls("a $(b c) d `e` \"$(f)\""), "b c; e; f; a $() d $() $()");
    EXPECT_EQ(calls(""), "");
    EXPECT_EQ(calls(" ; | \n"), "");
}

TEST(shell_calls, are_found_behind_what_calls_them) {
    EXPECT_EQ(calls("sudo -u ann -E kubectl get pods"), "kubectl get pods");
    EXPECT_EQ(calls("KUBECONFIG=x /usr/bin/kubectl get pods"), "kubectl get pods");
    EXPECT_EQ(calls("env A=b timeout -k 5 10m nohup kubectl get pods"), "kubectl get pods");
    EXPECT_EQ(calls("if ! kubectl get pods; then exit; fi"), "kubectl get pods; exit; fi");
    EXPECT_EQ(calls("bash -lc \"a; b\""), "a; b");
    EXPECT_EQ(calls("ssh -i key ann@host 'sudo a b'"), "a b");
    EXPECT_EQ(calls("ssh host a b"), "a b");
    EXPECT_EQ(calls("x | xargs -n 1 kubectl delete pod"), "x; kubectl delete pod");
    EXPECT_EQ(calls("sudo"), "");
}

TEST(shell_calls, know_where_they_stand_and_what_is_set_for_them) {
    const std::string text = "a\nsudo B=c sh -c 'D=e f g'";
    const auto all = calls_of(text);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(text.substr(all[1].at, 3), "f g");
    EXPECT_TRUE(all[1].sets("D"));
    EXPECT_FALSE(all[1].sets("DD"));
    EXPECT_FALSE(all[0].sets("D"));
}

TEST(shell_calls, of_a_text_without_end_are_bounded) {
    std::string deep;
    for (int i = 0; i < 5000; ++i) deep += "$(";
    EXPECT_LT(calls_of(deep).size(), 100U);
    std::string wrapped;
    for (int i = 0; i < 200'000; ++i) wrapped += "sudo ";
    EXPECT_EQ(calls(wrapped), "");
    EXPECT_EQ(calls("a 'b"), "a b");
    EXPECT_EQ(calls("a \\"), "a \\");
}

}  // namespace
}  // namespace lifeboat::readiness
