#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "platform/base/size.h"
#include "surface/cli/board.h"

namespace lifeboat::cli {
namespace {

using Known = Exposure::Known;
using readiness::Objective;

std::string_view health_name(watch::Health health) {
    switch (health) {
        case watch::Health::healthy:
            return "healthy";
        case watch::Health::degraded:
            return "degraded";
        case watch::Health::unhealthy:
            return "unhealthy";
        case watch::Health::unknown:
            break;
    }
    return "unknown";
}

Tone health_tone(watch::Health health) {
    switch (health) {
        case watch::Health::healthy:
            return Tone::good;
        case watch::Health::unhealthy:
            return Tone::bad;
        default:
            return Tone::warning;
    }
}

/// "unknown", and for how long.
std::string health_of(const Output& output, const BoardRow& row) {
    std::string text(health_name(row.seen.health));
    if (row.unknown_for && *row.unknown_for >= std::chrono::seconds(1))
        text += " for " + human_duration(*row.unknown_for);
    if (row.never_answered) text += ", never known";
    return output.paint(health_tone(row.seen.health), text);
}

Duration age_at(Instant then, Instant now) {
    return std::max(Duration::zero(), Duration(now - then));
}

std::string of_promise(const std::string& value, const std::optional<Duration>& promised) {
    return promised ? value + " of " + human_duration(*promised) : value;
}

std::string live_rpo(const Output& output, const BoardRow& row, Instant now) {
    const Exposure& exposure = row.exposure;
    switch (exposure.known) {
        case Known::unprotected:
            return output.paint(Tone::faint, "not protected");
        case Known::empty:
            return output.paint(Tone::bad, "no point");
        case Known::unknown:
            return output.paint(Tone::warning,
                                exposure.last_report
                                    ? "unknown, last report " + ago(*exposure.last_report, now)
                                    : "unknown");
        case Known::known:
            break;
    }
    if (lies_ahead(*exposure.as_of, now))
        return output.paint(Tone::warning, "unknown, " + ago(*exposure.as_of, now));
    const Duration age = age_at(*exposure.as_of, now);
    const auto& objective = row.component->objectives.rpo;
    return output.paint(!objective || age <= *objective ? Tone::plain : Tone::bad,
                        of_promise(human_duration(age), objective));
}

std::string proven_point(const Output& output, const BoardRow& row, Instant now) {
    if (row.exposure.known == Known::unprotected) return "";
    if (row.exposure.known == Known::unknown) return output.paint(Tone::warning, "unknown");
    if (!row.exposure.proven) return output.paint(Tone::warning, "none");
    const Instant at = row.exposure.proven->at;
    return output.paint(lies_ahead(at, now) ? Tone::warning : Tone::good, ago(at, now));
}

/// From enough runs of this state, and from nothing else.
bool is_measured(const readiness::Spread& spread) {
    return spread.basis == readiness::Basis::measured &&
           spread.samples >= readiness::enough_samples;
}

std::string predicted_rto(const Output& output, const BoardRow& row) {
    const auto& objective = row.component->objectives.rto;
    if (!objective) return "";
    if (!row.worst) return output.paint(Tone::warning, "no scenario");
    if (!row.worst->time.recovers)
        return output.paint(Tone::bad, "never in " + row.worst->scenario);
    const readiness::Spread& total = row.worst->time.total;
    const std::string text = (is_measured(total) ? "" : "~") + human_duration(total.p95);
    return output.paint(total.p95 <= *objective ? Tone::plain : Tone::bad,
                        of_promise(text, objective));
}

const Promise* promise_of(const BoardRow& row, Objective objective) {
    const auto found = std::ranges::find(row.promises, objective, &Promise::objective);
    return found == row.promises.end() ? nullptr : &*found;
}

std::string measured_rto(const BoardRow& row) {
    const Promise* promise = promise_of(row, Objective::rto);
    if (promise == nullptr || !promise->proof.fact) return "";
    const auto& value = promise->proof.fact->value;
    return value ? human_duration(*value) : "did not come back";
}

/// "proven 2m ago", "expired, 31d old", "plan changed since".
std::string proof_words(const readiness::Proof& proof) {
    const std::string words(words_for(proof.standing));
    switch (proof.standing) {
        case readiness::Standing::proven:
        case readiness::Standing::missed:
            return words + " " + human_duration(proof.age) + " ago";
        case readiness::Standing::expired:
        case readiness::Standing::emulated:
            return words + ", " + human_duration(proof.age) + " old";
        default:
            return words;
    }
}

/// "RTO proven 2m ago, RPO unproven", each in the tone that it has earned.
std::string evidence(const Output& output, const BoardRow& row) {
    std::string text;
    for (const Promise& promise : row.promises)
        text += (text.empty() ? "" : ", ") +
                output.paint(
                    tone_of(promise.proof.standing),
                    fmt::format("{} {}", words_for(promise.objective), proof_words(promise.proof)));
    return text;
}

std::string protection(const Output& output, const BoardRow& row) {
    if (row.component->protect.empty()) return "";
    return row.exposure.protecting ? "running" : output.paint(Tone::warning, "NOT running");
}

/// What a person should know beside the columns; "" when all is as it should be.
std::string remark(const BoardRow& row) {
    std::string text = row.exposure.warning;
    if (row.seen.health != watch::Health::healthy)
        text += (text.empty() ? "" : "; ") + row.seen.why;
    if (row.exposure.retained > 0)
        text += fmt::format("{}WAL kept back {}, free disk {}", text.empty() ? "" : "; ",
                            human_size(row.exposure.retained), human_size(row.exposure.free));
    return text;
}

struct Column {
    std::string head;
    int dropped;  ///< which goes first when there is no room; 0 = never
    std::vector<std::string> cells;
};

std::vector<Column> columns_of(const Output& output, const Board& board) {
    std::vector<Column> columns{{"component", 0, {}},    {"health", 0, {}},
                                {"role", 2, {}},         {"site", 3, {}},
                                {"at", 1, {}},           {"live RPO", 0, {}},
                                {"proven point", 5, {}}, {"predicted RTO", 0, {}},
                                {"measured", 0, {}},     {"evidence", 0, {}},
                                {"protect", 4, {}}};
    for (const BoardRow& row : board.rows) {
        const std::array<std::string, 11> cells{row.component->name,
                                                health_of(output, row),
                                                row.seen.role,
                                                row.instance.site,
                                                row.instance.endpoint,
                                                live_rpo(output, row, board.at),
                                                proven_point(output, row, board.at),
                                                predicted_rto(output, row),
                                                measured_rto(row),
                                                evidence(output, row),
                                                protection(output, row)};
        for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
    }
    // A column that nothing feeds is not shown.
    std::erase_if(columns, [&](const Column& column) {
        const bool fed = column.head != "proven point" || board.proves;
        return !fed || std::ranges::all_of(column.cells, &std::string::empty);
    });
    return columns;
}

std::size_t width_of(const std::vector<Column>& columns) {
    std::size_t width = 0;
    for (const Column& column : columns) {
        std::size_t widest = visible_width(column.head);
        for (const std::string& cell : column.cells) widest = std::max(widest, visible_width(cell));
        width += widest + 2;
    }
    return width - std::min<std::size_t>(width, 2);
}

void fit(std::vector<Column>& columns, std::size_t width) {
    for (int next = 1; next <= 5 && width_of(columns) > width; ++next)
        std::erase_if(columns, [&](const Column& column) { return column.dropped == next; });
}

Json seconds_of(const std::optional<Duration>& duration) {
    return duration ? Json(std::chrono::duration<double>(*duration).count()) : Json(nullptr);
}

Json to_json(const std::optional<providers::RecoveryPoint>& point) {
    if (!point) return nullptr;
    return Json{{"point", point->id}, {"method", point->method}, {"at", format_instant(point->at)}};
}

Json to_json(const readiness::Forecast& forecast) {
    const readiness::RecoveryTime& time = forecast.time;
    Json json{{"scenario", forecast.scenario}, {"recovers", time.recovers}};
    json["worst_loss_s"] = seconds_of(forecast.loss.worst);
    if (!time.recovers) {
        json["why"] = time.why;
        return json;
    }
    json["p5_s"] = seconds_of(time.total.p5);
    json["p50_s"] = seconds_of(time.total.p50);
    json["p95_s"] = seconds_of(time.total.p95);
    json["basis"] = readiness::to_string(time.total.basis);
    json["samples"] = time.total.samples;
    json["thin"] = !is_measured(time.total);
    return json;
}

Json to_json(const BoardRow& row, Instant now) {
    static constexpr std::array<std::string_view, 4> knowns{"unprotected", "empty", "known",
                                                            "unknown"};
    const Exposure& exposure = row.exposure;
    Json json{{"component", row.component->name},
              {"kind", row.component->kind},
              {"site", row.instance.site},
              {"endpoint", row.instance.endpoint},
              {"health", health_name(row.seen.health)},
              {"why", row.seen.why},
              {"unknown_for_s", seconds_of(row.unknown_for)},
              {"role", row.seen.role},
              {"identity", row.seen.identity},
              {"facts", row.seen.facts},
              {"protected", exposure.protecting},
              {"warning", exposure.warning},
              {"exposure", knowns[static_cast<std::size_t>(exposure.known)]}};
    const bool known = exposure.known == Known::known && !lies_ahead(*exposure.as_of, now);
    json["live_rpo_s"] = known ? seconds_of(age_at(*exposure.as_of, now)) : Json(nullptr);
    json["last_report_s"] =
        exposure.last_report ? seconds_of(age_at(*exposure.last_report, now)) : Json(nullptr);
    json["newest_point"] = to_json(exposure.newest);
    json["proven_point"] = to_json(exposure.proven);
    json["predicted_rto"] = row.worst ? to_json(*row.worst) : Json(nullptr);
    Json forecasts = Json::array();
    for (const readiness::Forecast& forecast : row.forecasts)
        forecasts.push_back(to_json(forecast));
    json["forecasts"] = forecasts;
    const Promise* rto = promise_of(row, Objective::rto);
    json["measured_rto_s"] =
        rto != nullptr && rto->proof.fact ? seconds_of(rto->proof.fact->value) : Json(nullptr);
    Json promises = Json::array();
    for (const Promise& promise : row.promises) promises.push_back(to_json(promise));
    json["evidence"] = promises;
    return json;
}

/// What the signs in the columns mean, where they occur.
void add_legend(const Output& output, const Board& board, std::vector<std::string>& lines) {
    const bool thin = std::ranges::any_of(board.rows, [](const BoardRow& row) {
        return row.worst && row.worst->time.recovers && !is_measured(row.worst->time.total);
    });
    if (thin)
        lines.push_back(output.paint(
            Tone::faint, fmt::format("~ too little was measured here to predict from: estimates, "
                                     "or fewer than {} runs",
                                     readiness::enough_samples)));
    if (board.environment != "real")
        lines.push_back(output.paint(
            Tone::warning, "emulated: the plan overrides an endpoint, so nothing here is proven"));
}

}  // namespace

Json to_json(const Board& board) {
    Json components = Json::array();
    for (const BoardRow& row : board.rows) components.push_back(to_json(row, board.at));
    return Json{{"at", format_instant(board.at)},
                {"environment", board.environment},
                {"components", components},
                {"vault_problem", board.vault_problem},
                {"evidence_problem", board.evidence_problem}};
}

std::vector<std::string> render(const Output& output, const Board& board, std::size_t width) {
    std::vector<Column> columns = columns_of(output, board);
    fit(columns, width);
    std::vector<std::vector<std::string>> table(1);
    for (const Column& column : columns) table[0].push_back(column.head);
    for (std::size_t i = 0; i < board.rows.size(); ++i) {
        std::vector<std::string> row;
        for (const Column& column : columns) row.push_back(column.cells[i]);
        table.push_back(std::move(row));
    }
    std::vector<std::string> lines = aligned(table);
    for (const BoardRow& row : board.rows)
        if (const std::string text = remark(row); !text.empty())
            lines.push_back(
                output.paint(Tone::faint, fmt::format("· {}: {}", row.component->name, text)));
    add_legend(output, board, lines);
    return lines;
}

std::vector<std::string> problems_of(const Board& board) {
    std::vector<std::string> problems;
    if (!board.vault_problem.empty()) problems.push_back("vault: " + board.vault_problem);
    if (!board.evidence_problem.empty()) problems.push_back("evidence: " + board.evidence_problem);
    return problems;
}

}  // namespace lifeboat::cli
