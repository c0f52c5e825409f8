#include <fmt/core.h>

#include "platform/base/size.h"
#include "platform/base/text.h"
#include "surface/cli/run_view.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;
using rb::StepStatus;

std::string amount(std::uint64_t value, const std::string& unit) {
    return unit == "bytes" ? human_size(value) : fmt::format("{} {}", value, unit);
}

std::string by_whom(const rb::Actor& actor) {
    std::string text = actor.person.empty() ? "somebody" : actor.person;
    if (actor.proof.empty()) text += " (unproven)";
    if (!actor.reason.empty()) text += ": " + actor.reason;
    return text;
}

/// Words for each event; an empty text is not shown in a pipe.
struct Words {
    const rb::RunState& run;

    std::string step(const StepId& id, std::string_view what) const {
        return fmt::format("{:<28} {}", id.value, what);
    }
    std::string took(const StepId& id) const {
        const auto found = run.steps.find(id);
        if (found == run.steps.end() || !found->second.began || !found->second.ended) return "";
        return " in " + human_duration(*found->second.ended - *found->second.began);
    }

    std::string operator()(const rb::RunStarted& e) const {
        return fmt::format("run {} of scenario {} begins: {} steps", e.run.value, e.scenario,
                           e.graph.nodes.size());
    }
    std::string operator()(const rb::StepIntended& e) const {
        return step(e.step, e.attempt == 1 ? std::string("begins")
                                           : fmt::format("begins, attempt {}", e.attempt));
    }
    std::string operator()(const rb::StepOperating& e) const {
        return step(e.step, "operation " + e.operation);
    }
    std::string operator()(const rb::PollIntended&) const { return {}; }
    std::string operator()(const rb::StepProgressed& e) const {
        return step(e.step,
                    fmt::format("{} of {}", amount(e.done, e.unit), amount(e.total, e.unit)));
    }
    std::string operator()(const rb::StepSucceeded& e) const {
        return step(e.step, "done" + took(e.step));
    }
    std::string operator()(const rb::StepFailed& e) const {
        std::string text =
            step(e.step, fmt::format("{}: {}", to_string(e.error.kind), e.error.message));
        if (!e.error.hint.empty()) text += "\n" + std::string(29, ' ') + e.error.hint;
        return text;
    }
    std::string operator()(const rb::ProbeIntended& e) const {
        return step(e.step, "outcome not known: looking");
    }
    std::string operator()(const rb::StepProbed& e) const {
        static constexpr std::string_view names[] = {"it had happened", "it had not happened",
                                                     "it goes on", "cannot be told"};
        std::string text(names[static_cast<std::size_t>(e.verdict)]);
        if (!e.explanation.empty()) text += ": " + e.explanation;
        return step(e.step, text);
    }
    std::string operator()(const rb::CancelIntended& e) const { return step(e.step, "cancelling"); }
    std::string operator()(const rb::StepCancelled& e) const { return step(e.step, "cancelled"); }
    std::string operator()(const rb::TimerSet&) const { return {}; }
    std::string operator()(const rb::TimerFired&) const { return {}; }
    std::string operator()(const rb::Approved& e) const {
        return step(e.step,
                    "approved by " + by_whom(e.actor) + (e.break_glass ? " BREAK GLASS" : ""));
    }
    std::string operator()(const rb::Denied& e) const {
        return step(e.step, "denied by " + by_whom(e.actor));
    }
    std::string operator()(const rb::RetryRequested& e) const {
        return step(e.step, "retry asked by " + by_whom(e.actor));
    }
    std::string operator()(const rb::StepSkipped& e) const {
        return step(e.step, "skipped by " + by_whom(e.actor));
    }
    std::string operator()(const rb::StepBypassed& e) const {
        return step(e.step, "done by hand by " + by_whom(e.actor));
    }
    std::string operator()(const rb::PauseRequested& e) const {
        return "pause asked by " + by_whom(e.actor) + "; what runs is finished first";
    }
    std::string operator()(const rb::ResumeRequested& e) const {
        return "resumed by " + by_whom(e.actor);
    }
    std::string operator()(const rb::AbortRequested& e) const {
        return "abort asked by " + by_whom(e.actor);
    }
    std::string operator()(const rb::StepRecorded& e) const {
        return step(e.step, fmt::format("recorded: {} calls", e.calls.size()));
    }
    std::string operator()(const rb::EngineStarted& e) const { return "engine started: " + e.who; }
    std::string operator()(const rb::RequestTaken& e) const {
        return e.refused.empty() ? std::string() : "a request was refused: " + e.refused;
    }
    /// What only the machine needs to know.
    template <class Inner>
    std::string operator()(const Inner&) const {
        return {};
    }
    std::string operator()(const rb::RunFinished& e) const {
        static constexpr std::string_view names[] = {"done", "done in part", "failed", "aborted",
                                                     "refused"};
        std::string text(names[static_cast<std::size_t>(e.outcome)]);
        if (!e.reason.empty()) text += ": " + e.reason;
        return "the run is " + text;
    }
};

}  // namespace

std::string describe(const rb::RunState& run, const rb::Event& event) {
    return std::visit(Words{run}, event.body);
}

std::string describe(const rb::StepState& state, const rb::Node& node) {
    switch (state.status) {
        case StepStatus::pending:
            return "";
        case StepStatus::awaiting_approval:
            return "waiting for approval" +
                   (node.approve ? " by " + join(node.approve->by, ", ") : std::string());
        case StepStatus::starting:
            return "working";
        case StepStatus::operating:
            return "working";
        case StepStatus::probing:
            return "looking what happened";
        case StepStatus::cancelling:
            return "cancelling";
        case StepStatus::backing_off:
            return "will be tried again" +
                   (state.error ? ": " + state.error->message : std::string());
        case StepStatus::needs_person:
            return "needs a person" + (state.error ? ": " + state.error->message : std::string());
        case StepStatus::done:
            return "done";
        case StepStatus::recorded:
            return "recorded";
        case StepStatus::skipped:
            return "skipped";
        case StepStatus::bypassed:
            return "done by hand";
        case StepStatus::failed:
            return "failed" + (state.error ? ": " + state.error->message : std::string());
        case StepStatus::cancelled:
            return "cancelled";
    }
    return "";
}

Duration tightest_rto(const plan::Plan& plan, const rb::Graph& graph) {
    Duration tightest{};
    for (const rb::Node& node : graph.nodes) {
        const plan::Component* component = plan.component(node.component);
        if (component == nullptr || !component->objectives.rto) continue;
        if (tightest == Duration::zero() || *component->objectives.rto < tightest)
            tightest = *component->objectives.rto;
    }
    return tightest;
}

namespace {

Json duration_json(const std::optional<Duration>& duration) {
    if (!duration) return nullptr;
    return std::chrono::duration<double>(*duration).count();
}

bool is_met(const std::optional<Duration>& objective, const std::optional<Duration>& measured) {
    return !objective || !measured || *measured <= *objective;
}

}  // namespace

Json to_json(const std::vector<engine::Measured>& measured) {
    Json rows = Json::array();
    for (const engine::Measured& one : measured) {
        rows.push_back(Json{{"component", one.component},
                            {"rto",
                             {{"objective_s", duration_json(one.rto_objective)},
                              {"measured_s", duration_json(one.rto)},
                              {"met", is_met(one.rto_objective, one.rto)}}},
                            {"rpo",
                             {{"objective_s", duration_json(one.rpo_objective)},
                              {"measured_s", duration_json(one.rpo)},
                              {"met", is_met(one.rpo_objective, one.rpo)}}}});
    }
    return rows;
}

bool all_met(const std::vector<engine::Measured>& measured) {
    for (const engine::Measured& one : measured) {
        if (!is_met(one.rto_objective, one.rto) || !is_met(one.rpo_objective, one.rpo))
            return false;
    }
    return true;
}

void show_measured(const Output& output, const std::vector<engine::Measured>& measured) {
    if (measured.empty()) return;
    std::vector<std::vector<std::string>> rows{
        {output.paint(Tone::faint, "component"), output.paint(Tone::faint, "objective"),
         output.paint(Tone::faint, "promised"), output.paint(Tone::faint, "measured"), ""}};
    auto add = [&](const std::string& name, std::string_view what,
                   const std::optional<Duration>& objective, const std::optional<Duration>& value) {
        if (!objective || !value) return;
        const bool met = *value <= *objective;
        rows.push_back({name, std::string(what), human_duration(*objective), human_duration(*value),
                        met ? output.paint(Tone::good, "met") : output.paint(Tone::bad, "MISSED")});
    };
    for (const engine::Measured& one : measured) {
        add(one.component, "RTO", one.rto_objective, one.rto);
        add(one.component, "RPO", one.rpo_objective, one.rpo);
    }
    output.table(rows);
}

}  // namespace lifeboat::cli
