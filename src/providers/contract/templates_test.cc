#include <gtest/gtest.h>

#include "providers/contract/local_site.h"

namespace lifeboat::providers {
namespace {

std::map<std::string, Instance> world() {
    Instance database = template_scope("database", Json{{"user", "shop"}, {"port", 15500}});
    database.endpoint = "127.0.0.1:15500";
    database.site = "primary";
    Instance named = template_scope("eu.database", Json{{"password", "env:SECRET"}});
    named.endpoint = "10.0.0.7:1";
    return {{"database", database},
            {"eu.database", named},
            {"self", template_scope("self", Json{{"port", 8001}})}};
}

Json filled(const Json& settings) {
    const auto result = resolve_settings(settings, world());
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result.value_or(Json());
}

TEST(Templates, are_filled_in_texts_at_any_depth) {
    const Json given{{"url", "pg://{{database.user}}@{{ database.host }}:{{database.port}}/x"},
                     {"list", {"{{ self.port }}", 7, {{"deep", "{{ database.site }}"}}}}};
    EXPECT_EQ(filled(given), (Json{{"url", "pg://shop@127.0.0.1:15500/x"},
                                   {"list", {8001, 7, {{"deep", "primary"}}}}}));
}

TEST(Templates, a_text_that_is_one_template_takes_over_the_type) {
    EXPECT_EQ(filled("{{ database.port }}"), Json(15500));
    EXPECT_EQ(filled(":{{ database.port }}"), Json(":15500"));
}

TEST(Templates, names_may_hold_dots_and_secrets_stay_references) {
    EXPECT_EQ(filled("{{ eu.database.host }}"), Json("10.0.0.7"));
    EXPECT_EQ(filled("{{ eu.database.password }}"), Json("env:SECRET"));
}

TEST(Templates, each_mistake_is_named) {
    for (const std::string text : {"{{ cache.port }}", "{{ database.size }}", "{{ database }}",
                                   "{{ .port }}", "{{ database. }}", "{{ open", "{{}}"}) {
        const auto result = resolve_settings(Json{{"url", text}}, world());
        ASSERT_FALSE(result.has_value()) << text;
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
        EXPECT_TRUE(result.error().message.starts_with("url: ")) << result.error().message;
        EXPECT_FALSE(result.error().hint.empty());
    }
}

TEST(Templates, a_verb_acts_where_the_step_says_else_where_the_subject_stands) {
    const plan::Plan plan;
    VerbCall call{.plan = plan};
    call.site = "primary";  // where the component was declared
    call.current.site = "dr";
    EXPECT_EQ(acting_site(call), "dr");
    call.arguments = Json{{"site", "third"}};
    EXPECT_EQ(acting_site(call), "third");
}

}  // namespace
}  // namespace lifeboat::providers
