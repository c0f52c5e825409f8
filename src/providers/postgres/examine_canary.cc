#include <fmt/core.h>

#include "platform/base/time.h"
#include "providers/postgres/canary.h"
#include "providers/postgres/holdings.h"
#include "providers/postgres/identity.h"

namespace lifeboat::postgres {

namespace {

using providers::Exam;

/// Whether all that the copy replayed is part of what the source is now: after a recovery to an
/// earlier moment what came behind it is gone there, and rightly so.
Result<bool> grew_out_of(const Context& context, const Copy& copy, Connection& source) {
    const Identity now = TRY(identify(context, copy.environment(), copy.source, source));
    if (now.system_identifier != copy.marker.system_identifier || now.in_recovery) return false;
    const Holdings holdings = TRY(
        load_holdings(*copy.services.vault, copy.source.component, copy.marker.system_identifier));
    const auto history = holdings.history(now.timeline);
    const auto end = history ? history->end_of(copy.marker.timeline) : std::nullopt;
    return end && copy.marker.target <= *end;
}

}  // namespace

Result<std::vector<Exam>> examine_canary(const Context& context, Copy& copy) {
    Exam exam{.name = "canary"};
    const auto blind = [&](std::string why) {
        exam.outcome = Exam::Outcome::unseen;
        exam.detail = std::move(why);
        return std::vector<Exam>{exam};
    };
    if (!copy.canary_problem.empty()) return blind(copy.canary_problem);
    const auto connection = TRY(copy.connect(context));
    const auto rows = read_canaries(context, *connection);
    if (!rows.has_value() && rows.error().kind == ErrorKind::not_found)
        return blind("there are none: set `canary: true`, and a verification writes one");
    if (!rows.has_value()) return rows.error();
    const auto source = copy.ask_source(context);
    if (source.has_value()) {
        const bool comparable = TRY(grew_out_of(context, copy, **source));
        if (!comparable)
            return blind(fmt::format("{} rows; what runs now has another history", rows->size()));
    }
    const auto truth = source.has_value() ? read_canaries(context, **source)
                                          : Result<std::vector<Canary>>(source.error());
    TRY(context.check("comparing canaries"));
    if (!truth.has_value())
        return blind(fmt::format("{} rows; there is nothing to compare them with: {}", rows->size(),
                                 truth.error().message));
    exam.objects = canary_differences(*truth, *rows, copy.marker.target,
                                      copy.canary ? std::optional(*copy.canary) : std::nullopt);
    if (!exam.objects.empty()) {
        exam.outcome = Exam::Outcome::failed;
        exam.detail = fmt::format("the rows are not those of {}", format_lsn(copy.marker.target));
        return std::vector<Exam>{exam};
    }
    exam.detail = fmt::format("{} row{}, exactly those committed before {}", rows->size(),
                              rows->size() == 1 ? "" : "s", format_lsn(copy.marker.target));
    if (rows->empty()) return std::vector<Exam>{exam};
    const Canary& newest = rows->back();
    const auto at = parse_instant(newest.at);
    const bool arrived = copy.canary && newest.sequence == copy.canary->row.sequence;
    if (arrived) {
        copy.rpo = copy.canary_arrival;
    } else if (at.has_value() && copy.asked_for_latest) {
        copy.rpo = std::max(Duration::zero(), copy.decided_at - *at);
    }
    if (copy.rpo)
        exam.detail += fmt::format("; the newest, {}, was {} old when it was in the vault",
                                   newest.sequence, human_duration(*copy.rpo));
    return std::vector<Exam>{exam};
}

}  // namespace lifeboat::postgres
