#include <fmt/core.h>

#include "providers/postgres/copy.h"
#include "providers/postgres/observe.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
using providers::Exam;

constexpr Duration check_time = 60s;  // of a check that sets itself none

/// A check of the plan as the copy is asked it; nothing where it looks elsewhere.
std::optional<plan::Check> for_the_copy(const Copy& copy, plan::Check check) {
    if (check.type != "sql") return std::nullopt;
    const Json& own = copy.call.component.settings;
    for (const char* name : {"host", "port"}) {
        if (!check.settings.contains(name)) continue;
        const Json fallback = std::string_view(name) == "host" ? Json("127.0.0.1") : Json();
        if (check.settings[name] != own.value(name, fallback)) return std::nullopt;
        check.settings.erase(name);
    }
    if (!check.timeout) check.timeout = check_time;
    return check;
}

std::vector<plan::Check> questions(const plan::Component& component) {
    return component.verify.empty() ? component.health : component.verify;
}

}  // namespace

Result<std::vector<Exam>> examine_checks(const Context& context, Copy& copy) {
    std::vector<Exam> exams;
    for (const plan::Check& declared : questions(copy.call.component)) {
        const auto check = for_the_copy(copy, declared);
        if (!check) continue;  // it looks at the component from outside, not at its data
        copy.stage(fmt::format("{} {}", check->type, string_or(check->settings, "value", "")));
        const auto result =
            probe::run_check(context, copy.environment(), *check, place_of(copy.server));
        TRY(context.check("asking the copy"));
        Exam exam{.name = result.name, .detail = result.detail, .took = result.took};
        if (!result.passed) exam.outcome = Exam::Outcome::failed;
        if (result.timed_out) {
            exam.outcome = Exam::Outcome::unfinished;
            exam.detail = fmt::format("no answer within {}", human_duration(*check->timeout));
        }
        exams.push_back(std::move(exam));
    }
    if (!exams.empty()) return exams;
    exams.push_back({.outcome = Exam::Outcome::unseen,
                     .name = "the plan's checks",
                     .detail = "the plan asks nothing of the data: `verify:` has no sql"});
    return exams;
}

}  // namespace lifeboat::postgres
