#include "core/plan/shape_tables.h"

namespace lifeboat::plan {
namespace {

using enum SettingType;

Section person() {
    return {.name = "person",
            .title = "people",
            .summary =
                "Who can be reached, and who may approve. A name, phone or address in brackets, or "
                "with `XXX` in it, is a placeholder: nobody is there.",
            .keys = {value("title", text, "What they are."), value("name", text, "Their name."),
                     value("phone", text, "Their phone."), value("email", text, "Their address."),
                     names("roles", Refers::role, Holds::list, "The roles they hold."),
                     value("os_user", text, "Proves who they are: their user on this machine."),
                     value("token", secret, "Proves who they are: a token that they show.")}};
}

Section severity() {
    return {.name = "severity",
            .title = "severities",
            .summary = "",
            .keys = {value("title", text, "For people."),
                     {.name = "when",
                      .type = text,
                      .summary = "What makes an incident this bad.",
                      .holds = Holds::list},
                     names("scenarios", Refers::scenario, Holds::list,
                           "The scenarios that meet one of these conditions."),
                     value("response", text, "What is done about it."),
                     {.name = "notify",
                      .type = text,
                      .summary = "Who is told: channels, roles or people.",
                      .holds = Holds::list}}};
}

Section status_page() {
    return {.name = "status_page",
            .title = "status_page",
            .summary = "",
            .keys = {value("url", url, "Its address, for people."),
                     names("channel", Refers::channel, Holds::one, "The channel that updates it."),
                     nested("template", "status_update", Holds::one, "The first update.")}};
}

Section status_update() {
    return {.name = "status_update",
            .title = "status_page: template",
            .summary = "",
            .keys = {value("name", text, "Headline."),
                     words("status", {"investigating", "identified", "monitoring", "resolved"},
                           "State."),
                     words("impact", {"none", "minor", "major", "critical"}, "How bad it is."),
                     value("body", text, "What customers read.")}};
}

Section post_mortem() {
    return {
        .name = "post_mortem",
        .title = "post_mortem",
        .summary = "",
        .keys = {
            value("title", text, "Heading of the review."),
            value("date", instant, "The date in the template."),
            value("duration", duration, "The duration in the template."),
            names("severity", Refers::severity, Holds::one, "The severity in the template."),
            nested("timeline", "moment", Holds::list, "What happened when."),
            {.name = "root_cause", .type = text, .summary = "Why it happened."},
            {.name = "impact", .type = text, .summary = "Whom it hit.", .holds = Holds::list},
            {.name = "went_well", .type = text, .summary = "What went well.", .holds = Holds::list},
            {.name = "went_wrong",
             .type = text,
             .summary = "What went wrong.",
             .holds = Holds::list},
            nested("actions", "action", Holds::list, "What is to be done, by whom, until when."),
            {.name = "lessons",
             .type = text,
             .summary = "What is done after every incident.",
             .holds = Holds::list}}};
}

}  // namespace

std::vector<Section> people_sections() {
    return {person(),
            {.name = "role",
             .title = "roles",
             .summary = "A node of the contact tree.",
             .keys = {value("title", text, "For people."),
                      names("reports_to", Refers::role, Holds::one, "The role above.")}},
            severity(),
            {.name = "channel",
             .title = "channels",
             .summary = "A way to tell people. Besides these keys it has the settings of its kind.",
             .keys = {required(value("kind", text, "`pagerduty`, `slack`, `mail`, …")),
                      value("title", text, "For people.")}},
            status_page(),
            status_update(),
            post_mortem(),
            {.name = "moment",
             .title = "post_mortem: timeline",
             .summary = "",
             .keys = {required(value("at", text, "The time.")),
                      required(value("text", text, "What happened."))}},
            {.name = "action",
             .title = "post_mortem: actions",
             .summary = "",
             .keys = {required(value("text", text, "What is to be done.")),
                      value("owner", text, "By whom."), value("due", instant, "Until when.")}}};
}

}  // namespace lifeboat::plan
