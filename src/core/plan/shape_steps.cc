#include "core/plan/shape_tables.h"

namespace lifeboat::plan {
namespace {

using enum SettingType;

Section scenario() {
    return {
        .name = "scenario",
        .title = "scenarios",
        .summary = "A disaster: how it is seen, how bad it is, and the steps out of it.",
        .keys = {
            value("title", text, "For people."),
            names("severity", Refers::severity, Holds::one, "How bad it is."),
            value("stated_time", duration, "The time to recovery that the written plan claims."),
            names("lost_sites", Refers::site, Holds::list, "Sites that are gone."),
            names("lost", Refers::component, Holds::list, "Components that are gone."),
            names("corrupted", Refers::component, Holds::list,
                  "Components whose data is there, and wrong."),
            value("automatic", boolean, "Runs without a person's word, even across sites."),
            nested("detect", "detection", Holds::one, "How it is seen."),
            nested("steps", "step", Holds::list, "The way out, in order."),
            nested("rollback", "step", Holds::list, "The way back, in order.")}};
}

Section detection() {
    return {.name = "detection",
            .title = "scenarios: detect",
            .summary = "A list of signals stands for `any`.",
            .keys = {nested("any", "signal", Holds::list, "One of these suffices."),
                     nested("all", "signal", Holds::list, "All of these together.")},
            .brief = "any"};
}

Section signal() {
    return {.name = "signal",
            .title = "scenarios: signals",
            .summary = "Exactly one of the first five says what is seen.",
            .keys = {value("alert", text, "An alert of that name fires."),
                     names("unhealthy", Refers::component, Holds::one,
                           "A component's health checks fail."),
                     names("site_lost", Refers::site, Holds::one, "Nothing at a site answers."),
                     value("report", text, "A person reports this."),
                     value("condition", text, "Something else that people look at."),
                     value("for", duration, "How long it must last.")}};
}

Section step() {
    return {
        .name = "step",
        .title = "Steps",
        .summary =
            "A step is a verb with what it acts on, `- restore: database`, and beside it the "
            "verb's arguments and any of these keys. Steps run in order unless they say "
            "`needs:` or stand under `parallel:`.",
        .keys = {
            value("id", text,
                  "Its name; otherwise made from verb and component, `restore-database`."),
            {.name = "needs",
             .type = text,
             .summary =
                 "Ids of the steps to wait for, in place of the step before; `[]` waits for none.",
             .holds = Holds::list},
            names("site", Refers::site, Holds::one,
                  "Where the verb acts, if not where its component is."),
            value("timeout", duration, "How long one attempt may take."),
            value("retries", integer, "How often it is tried again."),
            value("estimate", duration, "How long it usually takes, by the plan's own account."),
            nested("approve", "approval", Holds::one, "Who must say yes before it acts."),
            words("on_failure", {"stop", "carry_on", "roll_back"},
                  "What a failure means for the run."),
            words("in_drill", {"by_verb", "run", "record", "skip"}, "What a drill does with it."),
            value("note", text, "For people."),
            value("written", text,
                  "The commands of the written plan that it stands for, verbatim.")}};
}

Section approval() {
    return {.name = "approval",
            .title = "Steps: approve",
            .summary = "A name, or a list of names, stands for `by`.",
            .keys = {names("by", Refers::contact, Holds::list,
                           "People or roles; one of each must approve. Empty: anybody."),
                     value("within", duration, "How long to wait for them."),
                     value("statement", text, "What is approved, for the record.")},
            .brief = "by"};
}

Section drill() {
    return {
        .name = "drill",
        .title = "drills",
        .summary = "A rehearsal, of a scenario or of steps of its own.",
        .keys = {value("title", text, "For people."),
                 names("scenario", Refers::scenario, Holds::one, "The scenario that is rehearsed."),
                 value("every", duration, "How often."),
                 names("site", Refers::site, Holds::one, "Where it runs."),
                 nested("steps", "step", Holds::list, "Steps of its own."),
                 nested("cleanup", "step", Holds::list, "What is taken away afterwards."),
                 value("script", path, "The file that held the steps in the written plan."),
                 value("note", text, "For people.")}};
}

Section procedure() {
    return {.name = "procedure",
            .title = "procedures",
            .summary =
                "Steps that belong to no disaster: a backup of everything, a look at the cluster.",
            .keys = {value("title", text, "For people."),
                     value("script", path, "The file that held the steps in the written plan."),
                     value("every", duration, "How often."),
                     required(nested("steps", "step", Holds::list, "The steps."))}};
}

}  // namespace

std::vector<Section> step_sections() {
    return {scenario(), detection(), signal(), step(), approval(), drill(), procedure()};
}

}  // namespace lifeboat::plan
