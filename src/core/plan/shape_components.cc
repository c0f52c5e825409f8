#include "core/plan/shape_tables.h"

namespace lifeboat::plan {
namespace {

using enum SettingType;

Section component_section() {
    return {
        .name = "component",
        .title = "components",
        .summary =
            "A thing that must survive, or that a recovery acts on. Besides these keys it has "
            "the settings of its kind.",
        .keys = {
            required(
                value("kind", text, "What it is: `postgres`, `aws.rds`, …; decides its settings.")),
            names("site", Refers::site, Holds::one,
                  "Where it first runs; otherwise the first site."),
            words("priority", {"P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"},
                  "Orders concurrent work; without one it comes last."),
            value("title", text, "For people."),
            nested("objectives", "objectives", Holds::one, "What is promised."),
            names("needs", Refers::component, Holds::list, "What must be back before it can be."),
            value("instance", text, "Its name at its site; otherwise the component's."),
            {.name = "at",
             .type = any,
             .summary = "Settings that differ at another site: `{dr: {class: db.r5.large}}`.",
             .holds = Holds::map},
            nested("protect", "protection", Holds::list, "The policies that make recovery points."),
            nested("health", "check", Holds::list, "How one sees that it works."),
            nested("verify", "check", Holds::list,
                   "How one sees that its data is right, or that customers are served."),
            {.name = "alerts",
             .type = text,
             .summary = "Alerts that its monitoring emits.",
             .holds = Holds::list}}};
}

Section protection() {
    return {
        .name = "protection",
        .title = "components: protect",
        .summary = "One policy. A kind may have more settings for it.",
        .keys = {
            required(value("method", text, "How points are made; the kind says which it can.")),
            value("every", duration, "How often; absent for methods that never pause."),
            value("keep", duration, "How long points are kept."),
            names("copy_to", Refers::site, Holds::one, "A site that gets a copy of each point."),
            value("immutable", boolean,
                  "Points cannot be changed or deleted before `keep` is over."),
            value("account", text, "Another account that holds the points."),
            value("title", text, "For people.")}};
}

Section check_section() {
    return {.name = "check",
            .title = "health, verify",
            .summary =
                "A look from outside, or a question to the data. Exactly one key says what kind of "
                "look it is: see the table of checks.",
            .keys = {
                value("expect", text,
                      "What is right: `200`, `= ok`, `> 0`; otherwise it must succeed."),
                value("timeout", duration, "How long it may take."),
                value("name", text, "For people."),
                value("host", text, "Another host than the instance's."),
                value("port", port, "Another port than the instance's."),
                value("user", text, "The user of `sql`."),
                value("database", text, "The database of `sql`."),
                value("password", secret, "The password of `sql` or `redis`."),
                words("method", {"GET", "HEAD", "POST", "PUT"}, "The method of `http`."),
                {.name = "headers",
                 .type = text_map,
                 .summary = "Headers of `http`; a value may be a reference to a secret."},
                value("body", text, "What `http` sends."),
                value("status", integer, "The status that `http` must answer; otherwise any 2xx."),
                value("json", text, "The member of a JSON answer that `expect` is about: `a.b.0`."),
                value("contains", text, "A text that the answer of `http` must contain."),
                value("follow", boolean, "`http` follows redirections."),
                value("field", text, "The field of an answer of `redis` that `expect` is about.")}};
}

}  // namespace

std::vector<Section> component_sections() {
    return {component_section(),
            {.name = "objectives",
             .title = "components: objectives",
             .summary = "",
             .keys = {value("rto", duration,
                            "From the disaster, or the first failing look, until it works again."),
                      value("rpo", duration,
                            "Age of the newest acknowledged write that may be missing.")}},
            protection(),
            check_section()};
}

}  // namespace lifeboat::plan
