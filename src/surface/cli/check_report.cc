#include "surface/cli/check_report.h"

#include <fmt/core.h>

#include <algorithm>

#include "surface/cli/promises.h"

namespace lifeboat::cli {
namespace {

using plan::DiagnosticLevel;
using readiness::Forecast;
using readiness::Objective;
using readiness::Outlook;
using readiness::Proof;
using readiness::Standing;

std::string plural(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Json seconds_of(const std::optional<Duration>& duration) {
    return duration ? Json(std::chrono::duration<double>(*duration).count()) : Json(nullptr);
}

// --- for people

/// Green only what is proven; what is merely predicted is a warning.
/// Measured in the disaster that the row is about, not in another that was easier.
bool speaks_of(const Outlook& row, const Proof& proof) {
    return proof.fact && proof.fact->scenario == row.scenario;
}

std::string other_disaster(const Proof& proof) {
    return proof.fact->scenario.empty() ? "outside of any disaster" : "in " + proof.fact->scenario;
}

std::string best_cell(const Output& output, const Outlook& row, const Proof& proof) {
    const std::string_view none = row.objective == Objective::rpo ? "everything" : "never";
    const std::string text =
        row.at_best ? readiness::told_over(*row.at_best, row.promised) : std::string(none);
    if (!row.kept) {
        return row.doubtful ? output.paint(Tone::warning, text + " ?")
                            : output.paint(Tone::bad, text + " ✗");
    }
    if (proof.standing == Standing::proven && speaks_of(row, proof))
        return output.paint(Tone::good, text + " ✓");
    return output.paint(Tone::warning, text + " ~");
}

std::string evidence_cell(const Output& output, const Outlook& row, const Proof& proof,
                          Instant now) {
    if (proof.fact) {
        std::string text(words_for(proof.standing));
        if (proof.fact->value) text += " " + human_duration(*proof.fact->value);
        text += fmt::format(" · {} · {}", ago(proof.fact->at, now), proof.fact->subject);
        if (!speaks_of(row, proof)) text += " · " + other_disaster(proof);
        return output.paint(tone_of(proof.standing), text);
    }
    std::string text = "none";
    if (row.objective == Objective::rto && row.decides != nullptr && row.at_best) {
        const readiness::RecoveryTime& time = row.decides->time;
        if (time.by_account)
            text += ": by the plan's own account";
        else if (time.steps > 0 && time.measured < time.steps)
            text += fmt::format(": {} of {} are estimates", time.steps - time.measured,
                                plural(time.steps, "step"));
        else if (std::ranges::any_of(time.path, [](const readiness::Part& part) {
                     return part.spread.basis == readiness::Basis::measured &&
                            part.spread.samples < readiness::enough_samples;
                 }))
            text += ": too few measurements to rely on";
    }
    return output.paint(Tone::faint, text);
}

void show_outlook(const Output& output, const CheckReport& report) {
    if (report.outlook.empty()) return;
    std::vector<std::vector<std::string>> table{
        {"component", "objective", "at best", "by", "scenario", "evidence"}};
    const plan::Component* before = nullptr;
    for (std::size_t i = 0; i < report.outlook.size(); ++i) {
        const Outlook& row = report.outlook[i];
        table.push_back(
            {row.component == before ? "" : row.component->name,
             fmt::format("{} {}", words_for(row.objective), readiness::told(row.promised)),
             best_cell(output, row, report.proofs[i]), clip(row.by, 44), row.scenario,
             evidence_cell(output, row, report.proofs[i], report.at)});
        before = row.component;
    }
    output.table(table);
    output.line();
}

std::string kept_cell(const Output& output, const std::optional<Duration>& value,
                      const std::optional<bool>& kept, std::string_view none) {
    const std::string text = value ? readiness::told(*value) : std::string(none);
    if (!kept) return output.paint(Tone::faint, text);
    return *kept ? output.paint(Tone::warning, text + " ~") : output.paint(Tone::bad, text + " ✗");
}

void show_forecasts(const Output& output, const CheckReport& report) {
    std::vector<std::vector<std::string>> table{
        {"scenario", "component", "", "can lose", "back after", "by"}};
    for (const Forecast& one : report.forecasts) {
        if (!one.rpo_kept && !one.rto_kept) continue;
        const std::optional<Duration> back =
            one.time.recovers ? std::optional(one.time.total.p95) : std::nullopt;
        table.push_back({one.scenario, one.component, one.hit ? "hit" : "waits",
                         one.hit && one.rpo_kept
                             ? kept_cell(output, one.loss.worst, one.rpo_kept, "everything")
                             : "",
                         kept_cell(output, back, one.rto_kept, "never"),
                         one.time.recovers ? readiness::explained_path(one.time) : one.time.why});
    }
    output.table(table);
    output.line();
}

// --- for programs

Json to_json(const readiness::Part& part) {
    Json json{{"what", part.what}};
    if (!part.verb.empty()) json["verb"] = part.verb;
    json["p5_s"] = seconds_of(part.spread.p5);
    json["p50_s"] = seconds_of(part.spread.p50);
    json["p95_s"] = seconds_of(part.spread.p95);
    json["basis"] = readiness::to_string(part.spread.basis);
    json["samples"] = part.spread.samples;
    return json;
}

Json parts_of(const std::vector<readiness::Part>& parts) {
    Json json = Json::array();
    for (const readiness::Part& part : parts) json.push_back(to_json(part));
    return json;
}

Json to_json(const Forecast& one) {
    Json json{{"component", one.component},
              {"scenario", one.scenario},
              {"hit", one.hit},
              {"touched", one.touched}};
    if (one.rpo_kept) {
        json["loss_s"] = seconds_of(one.loss.worst);
        json["by"] = one.loss.by;
        json["loss_parts"] = parts_of(one.loss.parts);
        if (!one.loss.why.empty()) json["loss_why"] = one.loss.why;
        json["rpo_kept"] = *one.rpo_kept;
    }
    if (one.rto_kept) {
        json["recovers"] = one.time.recovers;
        if (one.time.recovers) {
            json["p5_s"] = seconds_of(one.time.total.p5);
            json["p50_s"] = seconds_of(one.time.total.p50);
            json["p95_s"] = seconds_of(one.time.total.p95);
            json["path"] = parts_of(one.time.path);
        } else {
            json["why"] = one.time.why;
        }
        json["rto_kept"] = *one.rto_kept;
    }
    return json;
}

Json to_json(const Outlook& row, const Proof& proof) {
    Json json{{"component", row.component->name},
              {"objective", readiness::to_string(row.objective)},
              {"promised_s", seconds_of(row.promised)},
              {"at_best_s", seconds_of(row.at_best)},
              {"by", row.by},
              {"scenario", row.scenario},
              {"kept", row.kept},
              {"doubtful", row.doubtful},
              {"standing", readiness::to_string(proof.standing)}};
    json["measured_s"] = proof.fact ? seconds_of(proof.fact->value) : Json(nullptr);
    json["age_s"] = proof.fact ? seconds_of(proof.age) : Json(nullptr);
    json["measured_in"] = proof.fact ? Json(proof.fact->scenario) : Json(nullptr);
    return json;
}

}  // namespace

void make_report(CheckReport& report, const plan::Parsed& read, const plan::Catalog& catalog,
                 const ReadinessInput& input, Instant now, readiness::Surroundings around) {
    report.read = &read;
    for (const plan::Diagnostic& diagnostic : read.diagnostics)
        report.remarks.push_back({.diagnostic = diagnostic, .component = {}, .scenario = {}});
    if (!read.has_errors()) {
        const plan::Plan& plan = read.plan;
        report.forecasts = readiness::forecast(plan, catalog, input.history);
        report.alone = readiness::forecast_alone(plan, catalog, input.history);
        around.texts = plan::Texts(read.sources);
        around.now = now;
        for (readiness::Judgement& judgement : readiness::judge({.plan = plan,
                                                                 .catalog = catalog,
                                                                 .history = input.history,
                                                                 .forecasts = report.forecasts,
                                                                 .alone = report.alone,
                                                                 .around = std::move(around)}))
            report.remarks.push_back({.diagnostic = std::move(judgement.diagnostic),
                                      .component = std::move(judgement.component),
                                      .scenario = std::move(judgement.scenario)});
        std::ranges::stable_sort(report.remarks, {},
                                 [](const Remark& remark) { return remark.diagnostic.at; });
        report.outlook = readiness::outlook(plan, report.forecasts, report.alone);
        report.at = now;
        for (const Outlook& row : report.outlook) {
            const auto weigh = [&](std::string_view scenario) {
                return readiness::weigh(plan, input.facts, row.component->name, row.objective,
                                        scenario, input.versions, now);
            };
            Proof proof = row.scenario.empty() ? Proof{} : weigh(row.scenario);
            report.proofs.push_back(proof.fact ? std::move(proof) : weigh(""));
            if (!row.kept && !row.doubtful) ++report.unmet;
        }
    }
    for (const Remark& remark : report.remarks)
        (remark.diagnostic.level == DiagnosticLevel::error ? report.errors : report.warnings)++;
}

void show(const Output& output, const CheckReport& report, const std::string& file, bool all) {
    const plan::Parsed& read = *report.read;
    for (const Remark& remark : report.remarks)
        output.line(plan::render(remark.diagnostic, read.sources, output.colour()));
    if (all) show_forecasts(output, report);
    show_outlook(output, report);
    output.line(fmt::format(
        "{}: {}, {}, {}", file, plural(read.plan.components.size(), "component"),
        plural(read.plan.scenarios.size(), "scenario"), plural(read.plan.drills.size(), "drill")));
    std::string sum = fmt::format(
        "{}, {}",
        output.paint(report.errors > 0 ? Tone::bad : Tone::plain, plural(report.errors, "error")),
        output.paint(report.warnings > 0 ? Tone::warning : Tone::plain,
                     plural(report.warnings, "warning")));
    if (!report.outlook.empty())
        sum += report.unmet > 0 ? fmt::format(": {} of {} cannot be met", report.unmet,
                                              plural(report.outlook.size(), "objective"))
                                : fmt::format(": nothing contradicts the {}",
                                              plural(report.outlook.size(), "objective"));
    output.line(sum);
}

Json to_json(const CheckReport& report) {
    const plan::Parsed& read = *report.read;
    Json diagnostics = Json::array();
    for (const Remark& remark : report.remarks) {
        Json one = plan::to_json(remark.diagnostic, read.sources);
        if (!remark.component.empty()) one["component"] = remark.component;
        if (!remark.scenario.empty()) one["scenario"] = remark.scenario;
        diagnostics.push_back(std::move(one));
    }
    Json objectives = Json::array();
    for (std::size_t i = 0; i < report.outlook.size(); ++i)
        objectives.push_back(to_json(report.outlook[i], report.proofs[i]));
    Json forecasts = Json::array();
    for (const Forecast& one : report.forecasts)
        if (one.rpo_kept || one.rto_kept) forecasts.push_back(to_json(one));
    return Json{{"plan", read.plan.name},
                {"digest", read.plan.digest},
                {"components", read.plan.components.size()},
                {"scenarios", read.plan.scenarios.size()},
                {"errors", report.errors},
                {"warnings", report.warnings},
                {"unmet", report.unmet},
                {"diagnostics", diagnostics},
                {"objectives", objectives},
                {"forecasts", forecasts}};
}

}  // namespace lifeboat::cli
