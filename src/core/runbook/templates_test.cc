#include "core/runbook/test_machine.h"

namespace lifeboat::runbook {
namespace {

using namespace testing;

RunState state() {
    TestRun run(
        {node("restore-database"), node("v1.2", {"restore-database"}), node("later", {"v1.2"})});
    run.start().parameters = Json{{"incident", {{"last_known_good", "2026-11-23T10:00:00Z"}}}};
    run.begin().succeed(
        "restore-database",
        Json{{"port", 5501}, {"instance", {{"host", "127.0.0.1"}}}, {"list", {1, 2}}});
    run.succeed("v1.2", Json{{"ok", true}});
    return run.state;
}

Json filled(const Json& arguments) {
    auto result = resolve_templates(state(), arguments);
    EXPECT_TRUE(result.has_value());
    return result.has_value() ? *result : Json();
}

TEST(Templates, keep_the_type_of_a_whole_value) {
    EXPECT_EQ(filled("{{ steps.restore-database.port }}"), 5501);
    EXPECT_EQ(filled("{{steps.restore-database.instance}}"), Json({{"host", "127.0.0.1"}}));
    EXPECT_EQ(filled("{{ steps.v1.2.ok }}"), true);
}

TEST(Templates, fill_texts_lists_and_objects) {
    EXPECT_EQ(
        filled("{{ steps.restore-database.instance.host }}:{{ steps.restore-database.port }}/db"),
        "127.0.0.1:5501/db");
    EXPECT_EQ(filled(Json{{"a", {"{{ steps.restore-database.list.1 }}", 3}}}),
              Json({{"a", {2, 3}}}));
    EXPECT_EQ(filled("{{ incident.last_known_good }}"), "2026-11-23T10:00:00Z");
    EXPECT_EQ(filled("{{ run.id }}-{{ run.mode }}"), "run-1-real");
    EXPECT_EQ(filled(7), 7);
    EXPECT_EQ(filled("no template } }"), "no template } }");
}

TEST(Templates, name_what_has_no_value) {
    for (const char* text :
         {"{{ steps.nobody.port }}", "{{ steps.restore-database.host }}", "{{ steps.later.port }}",
          "{{ nonsense }}", "{{ steps.restore-database.port", "{{ steps.restore-database.list.7 }}",
          "{{}}"}) {
        auto result = resolve_templates(state(), text);
        ASSERT_FALSE(result.has_value()) << text;
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
    }
}

}  // namespace
}  // namespace lifeboat::runbook
