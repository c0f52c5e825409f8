#include "engine/sim/tale.h"

#include <fmt/core.h>

#include <utility>

#include "core/runbook/names.h"

namespace lifeboat::engine::sim {

namespace rb = runbook;

/// An overload for each event, and none for all: what is new must find its words, or be silent on
/// purpose.
struct Tale::Words {
    const rb::RunState& state;
    const Instant at;
    std::map<StepId, Said>& said;

    std::string took(const StepId& id) const {
        const rb::StepState& step = state.steps.at(id);
        return step.began ? human_duration(at - *step.began) : std::string("0s");
    }
    Said before(const StepId& id, Said now = Said::nothing) const {
        return std::exchange(said[id], now);
    }
    static std::string why(const rb::Actor& actor) {
        return actor.reason.empty() || actor.reason == "simulated" ? "" : ": " + actor.reason;
    }

    std::string operator()(const rb::RunStarted& e) const {
        return fmt::format("the run of {} begins: {} steps", e.scenario, e.graph.nodes.size());
    }
    std::string operator()(const rb::GraphExtended& e) const {
        return e.compensation ? fmt::format("the way back begins: {} steps", e.nodes.size())
                              : std::string();
    }
    std::string operator()(const rb::StepIntended& e) const {
        (void)before(e.step);
        return e.attempt == 1 ? fmt::format("{} begins", e.step.value)
                              : fmt::format("{} begins again, attempt {}", e.step.value, e.attempt);
    }
    std::string operator()(const rb::StepOperating&) const { return {}; }
    std::string operator()(const rb::PollIntended&) const { return {}; }
    std::string operator()(const rb::StepProgressed&) const { return {}; }
    std::string operator()(const rb::StepSucceeded& e) const {
        const std::string done = fmt::format("done after {}", took(e.step));
        switch (before(e.step)) {
            case Said::held:
                return fmt::format("{}: the answer comes late, without anybody's help: {}",
                                   e.step.value, done);
            case Said::backing_off:
            case Said::looked_at:
                return fmt::format("{}: the answer comes late: {}", e.step.value, done);
            case Said::stopping:
                return fmt::format("{} was quicker than its end: {}", e.step.value, done);
            case Said::nothing:
                break;
        }
        return fmt::format("{} is {}", e.step.value, done);
    }
    std::string operator()(const rb::StepFailed& e) const {
        return fmt::format("{} failed: {}", e.step.value, e.error.message);
    }
    std::string operator()(const rb::PollFailed& e) const {
        return fmt::format("{} cannot be looked at: {}", e.step.value, e.error.message);
    }
    std::string operator()(const rb::ProbeIntended& e) const {
        (void)before(e.step, Said::looked_at);
        return fmt::format("{}: nobody knows what it did, and it is looked at", e.step.value);
    }
    std::string operator()(const rb::ProbeFailed& e) const {
        return fmt::format("{}: looking at it failed: {}", e.step.value, e.error.message);
    }
    std::string operator()(const rb::StepProbed& e) const {
        (void)before(e.step);
        switch (e.verdict) {
            case rb::ProbeVerdict::done:
                return fmt::format("{} was looked at: it is done, after {}", e.step.value,
                                   took(e.step));
            case rb::ProbeVerdict::absent:
                return fmt::format("{} was looked at: nothing happened", e.step.value);
            case rb::ProbeVerdict::running:
                return fmt::format("{} was looked at: it goes on", e.step.value);
            case rb::ProbeVerdict::undecided:
                break;
        }
        return fmt::format("{} was looked at: it cannot be told", e.step.value);
    }
    std::string operator()(const rb::CancelIntended& e) const {
        (void)before(e.step, Said::stopping);
        return fmt::format("{}{} is stopped", e.step.value,
                           state.abort ? "" : " takes too long and");
    }
    std::string operator()(const rb::StepCancelled& e) const {
        return e.error ? fmt::format("{} could not be stopped: {}", e.step.value, e.error->message)
                       : fmt::format("{} has stopped", e.step.value);
    }
    std::string operator()(const rb::TimerSet& e) const {
        constexpr std::string_view backoff = "backoff/";
        if (!e.timer.starts_with(backoff)) return {};
        const StepId id(e.timer.substr(backoff.size(), e.timer.rfind('/') - backoff.size()));
        (void)before(id, Said::backing_off);
        return fmt::format("{} will be tried again in {}", id.value, human_duration(e.after));
    }
    std::string operator()(const rb::TimerFired&) const { return {}; }  // what follows is told
    std::string operator()(const rb::ApprovalAsked& e) const {
        (void)before(e.step);
        return fmt::format("{} waits for approval", e.step.value);
    }
    std::string operator()(const rb::ApprovalMet& e) const {
        return fmt::format("{} has every approval that it needs", e.step.value);
    }
    std::string operator()(const rb::Approved& e) const {
        return fmt::format("{} approves {}{}{}", e.actor.person, e.step.value,
                           e.break_glass ? ", breaking the glass" : "", why(e.actor));
    }
    std::string operator()(const rb::Denied& e) const {
        return fmt::format("{} denies {}{}", e.actor.person, e.step.value, why(e.actor));
    }
    std::string operator()(const rb::RetryRequested& e) const {
        (void)before(e.step);
        return fmt::format("{} lets {} try again{}{}", e.actor.person, e.step.value,
                           e.surely_absent ? ", sure that nothing has happened" : "", why(e.actor));
    }
    std::string operator()(const rb::StepSkipped& e) const {
        return fmt::format("{} skips {}{}", e.actor.person, e.step.value, why(e.actor));
    }
    std::string operator()(const rb::StepBypassed& e) const {
        return fmt::format("{} tells that {} was done by hand, after {}", e.actor.person,
                           e.step.value, took(e.step));
    }
    std::string operator()(const rb::PauseRequested& e) const {
        return fmt::format("{} pauses the run{}", e.actor.person, why(e.actor));
    }
    std::string operator()(const rb::ResumeRequested& e) const {
        return fmt::format("{} lets the run go on{}", e.actor.person, why(e.actor));
    }
    std::string operator()(const rb::AbortRequested& e) const {
        return fmt::format("{} ends the run{}{}", e.by_plan ? "the plan" : e.actor.person,
                           e.roll_back ? ", and what was done is taken back" : "", why(e.actor));
    }
    std::string operator()(const rb::RequestTaken& e) const {
        return e.refused.empty() ? std::string()
                                 : "what they asked for comes to nothing: " + e.refused;
    }
    std::string operator()(const rb::StepRecorded& e) const {
        return fmt::format("{} is only recorded", e.step.value);
    }
    std::string operator()(const rb::StepHeld& e) const {
        (void)before(e.step, Said::held);
        return fmt::format("{} needs a person: {}", e.step.value, e.error.message);
    }
    std::string operator()(const rb::StepGivenUp& e) const {
        return fmt::format("{} is given up: {}", e.step.value, e.error.message);
    }
    std::string operator()(const rb::StepAbandoned& e) const {
        return fmt::format("{} came to nothing", e.step.value);
    }
    std::string operator()(const rb::EngineStarted&) const {
        return "another engine goes on from the journal";
    }
    std::string operator()(const rb::RunFinished& e) const {
        const std::string after = human_duration(at - state.began);
        return e.outcome == rb::Outcome::done
                   ? fmt::format("the run ends after {}", after)
                   : fmt::format("the run ends after {}: {}{}", after, rb::to_string(e.outcome),
                                 e.reason.empty() ? "" : ", " + e.reason);
    }
};

std::string Tale::tell(const rb::RunState& state, const rb::Event& event) {
    return std::visit(Words{.state = state, .at = event.at, .said = said_}, event.body);
}

}  // namespace lifeboat::engine::sim
