#include "engine/sim/hands.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/runbook/names.h"

namespace lifeboat::engine::sim {
namespace {

namespace rb = runbook;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration long_work = seconds(20);  // what takes longer is an operation that is polled
constexpr unsigned retries_by_person = 1;    // then it is done by hand

// Purposes of streams of luck, beside the step and the attempt.
enum Purpose : unsigned { calling, working, polling, probing, people, mending, weather_of_day };

Duration scaled(Duration duration, double factor) {
    return Duration(static_cast<std::int64_t>(static_cast<double>(duration.count()) * factor));
}

/// A name for luck that does not depend on where the step stands in the plan.
std::uint64_t name_of(const rb::Node& node) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : node.id.value)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return hash;
}

}  // namespace

Weather Weather::draw(std::uint64_t seed, const Act& act, bool night) {
    Chance chance = Chance::of(seed, weather_of_day);
    Weather weather{.night = night};
    // When a whole region is gone, everybody restores in the other one.
    const bool crowded = act.strike == Strike::site;
    const auto day = chance.below(100);
    if (day >= (crowded ? 70U : 94U)) {
        weather.slow = 1.5 + 2.5 * chance.unit();
        weather.failing = 10;
        weather.breaking = 5;
        weather.hanging = 20;
    } else if (day >= (crowded ? 30U : 78U)) {
        weather.slow = 1.1 + 0.9 * chance.unit();
        weather.failing = 5;
        weather.breaking = 3;
        weather.hanging = 12;
    }
    weather.engine_dies = chance.percent(2);
    weather.control_plane = Pace::around(hours(3), hours(9)).draw(chance);
    return weather;
}

std::string Weather::text() const {
    if (slow < 1.01) return "providers answer as usual";
    return fmt::format("providers are {:.1f} times slower than usual, {} calls of 100 fail", slow,
                       failing);
}

Duration draw_response(Chance& chance, bool night) {
    static const Pace by_day = Pace::around(minutes(4), minutes(12));
    static const Pace by_night = Pace::around(minutes(11), minutes(30));
    constexpr Duration escalation = minutes(10);
    Duration waited{};
    while (chance.percent(night ? 20 : 8) && waited < 6 * escalation) waited += escalation;
    return waited + (night ? by_night : by_day).draw(chance);
}

void Hands::schedule(Duration after, Arrival arrival) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.push_back(std::move(arrival));
    } else {
        slot = free_.back();
        free_.pop_back();
        slots_[slot] = std::move(arrival);
    }
    queue_.push_back(Later{now_ + after, ++scheduled_, slot});
    std::push_heap(queue_.begin(), queue_.end());
}

std::optional<Arrival> Hands::next() {
    if (queue_.empty()) return std::nullopt;
    std::pop_heap(queue_.begin(), queue_.end());
    const Later later = queue_.back();
    queue_.pop_back();
    now_ = later.at;
    free_.push_back(later.slot);
    return std::move(slots_[later.slot]);
}

Chance Hands::luck(std::uint32_t node, unsigned attempt, unsigned purpose) const {
    return Chance::of(seed_ ^ name_of(act_.nodes[node]), attempt * 16U + purpose);
}

void Hands::start(const rb::RunState& state, const rb::Command& command) {
    std::visit([&](const auto& one) { carry(state, one); }, command);
}

void Hands::reply(Duration after, rb::Body body) {
    schedule(after, Arrival{.what = Arrival::What::reply,
                            .body = std::move(body),
                            .timer = {},
                            .person = {},
                            .engine = engine_});
}

void Hands::settle(Deed& deed) const {
    if (!deed.busy || now_ < deed.ends) return;
    deed.busy = false;
    deed.there = !deed.will_fail;
    deed.failed = deed.will_fail;
}

void Hands::carry(const rb::RunState& state, const rb::StartVerb& command) {
    const std::uint32_t index = node_of(command.step);
    const rb::Node& node = act_.nodes[index];
    Chance chance = luck(index, command.attempt, calling);
    const Duration quick = chance.between(seconds(1), seconds(20));
    const auto fails = [&](Error error) {
        tell("provider", "{}: {}", node.id.value, error.message);
        reply(quick, rb::StepFailed{command.step, command.attempt, std::move(error)});
    };
    if (act_.out_of_reach[index]) return fails(unavailable("the site does not answer"));
    if (act_.control_plane[index] && now_ < weather_.control_plane)
        return fails(unavailable("its control plane is in the lost region"));
    const bool may_write = act_.damage.lost.contains(node.component) ||
                           act_.damage.sites.contains(node.site) || rb::is_fenced(state, node);
    if (node.needs_fenced && !may_write) return fails(conflict("the old primary may still write"));
    const auto fate = chance.below(1000);
    const unsigned failing = weather_.failing * 10;
    if (fate < failing) return fails(unavailable("the provider answers 503"));
    if (fate < failing + weather_.breaking) return fails(denied("the provider refuses the call"));
    if (fate < failing + weather_.breaking + weather_.hanging / 2)
        return tell("provider", "{}: the call hangs", node.id.value);
    work(index, command.step, command.attempt, chance);
}

/// What is slow is slow again at the next attempt, though not to the minute.
Duration Hands::time_of_work(std::uint32_t index, unsigned attempt) const {
    Chance always = luck(index, 0, calling);
    Chance now = luck(index, attempt, working);
    const auto usual = static_cast<double>(act_.paces[index].draw(always).count());
    const auto drawn = static_cast<double>(act_.paces[index].draw(now).count());
    const Duration takes(static_cast<std::int64_t>(std::pow(usual, 0.7) * std::pow(drawn, 0.3)));
    return scaled(takes, weather_.slow) + scaled(act_.thaw[index], 0.6 + 0.4 * always.unit());
}

void Hands::work(std::uint32_t index, const StepId& id, unsigned attempt, Chance& chance) {
    Deed& deed = deeds_[index];
    const bool reply_lost = chance.below(1000) < weather_.hanging / 2;
    deed.will_fail = chance.below(1000) < weather_.breaking;
    deed.failed = deed.there = false;
    deed.busy = true;
    const Duration takes = time_of_work(index, attempt);
    deed.ends = now_ + takes;
    if (reply_lost) return tell("provider", "{}: the reply gets lost", id.value);
    if (takes > long_work) return reply(seconds(1), rb::StepOperating{id, attempt, "op"});
    if (deed.will_fail)
        return reply(takes, rb::StepFailed{id, attempt, corrupt("the work failed")});
    reply(takes, rb::StepSucceeded{id, attempt, Json::object()});
}

/// Answers when there is something to say: what a poll every few seconds comes to.
void Hands::carry(const rb::RunState&, const rb::PollVerb& command) {
    Deed& deed = deeds_[node_of(command.step)];
    Chance chance = luck(node_of(command.step), ++deed.polls, polling);
    const StepId& id = command.step;
    if (chance.below(1000) < weather_.hanging / 4)
        return reply(seconds(30),
                     rb::StepFailed{id, command.attempt, unavailable("no answer to the poll")});
    const Duration left = deed.busy ? std::max(Duration::zero(), deed.ends - now_) : Duration{};
    const bool fails = deed.busy ? deed.will_fail : !deed.there;
    if (fails) return reply(left, rb::StepFailed{id, command.attempt, corrupt("the work failed")});
    reply(left, rb::StepSucceeded{id, command.attempt, Json::object()});
}

void Hands::carry(const rb::RunState&, const rb::ProbeVerb& command) {
    const std::uint32_t index = node_of(command.step);
    Deed& deed = deeds_[index];
    settle(deed);
    Chance chance = luck(index, command.probe, probing);
    const Duration takes = chance.between(seconds(1), seconds(15));
    if (act_.out_of_reach[index])
        return reply(takes, rb::StepFailed{command.step, command.attempt,
                                           unavailable("the site does not answer")});
    rb::StepProbed probed{.step = command.step,
                          .attempt = command.attempt,
                          .verdict = rb::ProbeVerdict::absent,
                          .outputs = Json::object(),
                          .operation = {},
                          .explanation = {},
                          .probe = command.probe};
    if (deed.there) probed.verdict = rb::ProbeVerdict::done;
    if (deed.busy) {
        probed.verdict = rb::ProbeVerdict::running;
        probed.operation = "op";
    }
    reply(takes, std::move(probed));
}

void Hands::carry(const rb::RunState&, const rb::CancelVerb& command) {
    Deed& deed = deeds_[node_of(command.step)];
    settle(deed);
    deed.busy = false;
    reply(seconds(5), rb::StepCancelled{command.step, command.attempt, std::nullopt});
}

void Hands::carry(const rb::RunState&, const rb::RecordCalls& command) {
    reply(seconds(1), rb::StepRecorded{command.step, Json::array()});
}

void Hands::carry(const rb::RunState&, const rb::SetTimer& command) {
    schedule(command.after, Arrival{.what = Arrival::What::timer,
                                    .body = std::nullopt,
                                    .timer = command.timer,
                                    .person = {},
                                    .engine = engine_});
}

void Hands::on_event(const rb::Event& event) {
    if (const auto* asked = std::get_if<rb::ApprovalAsked>(&event.body)) {
        call_approvers(node_of(asked->step));
    } else if (const auto* held = std::get_if<rb::StepHeld>(&event.body)) {
        const std::uint32_t node = node_of(held->step);
        Chance chance = luck(node, ++deeds_[node].held, mending);
        static const Pace finding_out = Pace::around(minutes(8), minutes(40));
        tell("people", "on call is called for {}", held->step.value);
        schedule(draw_response(chance, weather_.night) + finding_out.draw(chance),
                 Arrival{.what = Arrival::What::held,
                         .body = std::nullopt,
                         .timer = {},
                         .node = node,
                         .person = "on call"});
    }
}

void Hands::call_approvers(std::uint32_t index) {
    const rb::Node& node = act_.nodes[index];
    Chance chance = luck(index, ++deeds_[index].asked, people);
    std::vector<std::string> called;
    std::vector<std::string> by = node.approve->by;
    if (by.empty()) by.emplace_back();
    for (const std::string& name : by) {
        const auto holders = node.approvers.find(name);
        std::string person = name.empty() ? "on call" : std::string();
        if (holders != node.approvers.end())
            for (const std::string& one : holders->second)
                if (person.empty() || std::ranges::find(called, person) != called.end())
                    person = one;
        if (person.empty()) {
            tell("people", "'{}' must approve, and there is nobody", name);
            continue;
        }
        called.push_back(person);
        // Asked again, who is there needs no waking, and who is on the way needs no second call.
        static const Pace at_hand = Pace::around(seconds(45), minutes(3));
        const bool is_there = awake_.contains(person);
        if (!is_there && !called_.emplace(index, person).second) continue;
        Duration after = draw_response(chance, weather_.night);
        if (const auto& measured = act_.approvals[index]) after = measured->draw(chance);
        if (is_there) after = at_hand.draw(chance);
        tell("people", "{} is called to approve {}", person, node.id.value);
        schedule(after, Arrival{.what = Arrival::What::approval,
                                .body = std::nullopt,
                                .timer = {},
                                .node = index,
                                .person = std::move(person)});
    }
}

std::optional<rb::Body> Hands::look(const rb::RunState& state, const Arrival& arrival) {
    if (arrival.what == Arrival::What::held) return mend(state, arrival.node);
    const rb::Node& node = act_.nodes[arrival.node];
    awake_.insert(arrival.person);
    rb::Actor actor{.person = arrival.person,
                    .proof = "os_user:" + arrival.person,
                    .host = "laptop",
                    .reason = {}};
    // Too late: the step has stopped asking. Whoever comes asks for it anew.
    if (state.steps.at(node.id).status == rb::StepStatus::needs_person)
        return rb::RetryRequested{node.id, std::move(actor)};
    return rb::Approved{node.id, std::move(actor), false};
}

std::optional<rb::Body> Hands::mend(const rb::RunState& state, std::uint32_t index) {
    const rb::Node& node = act_.nodes[index];
    const rb::StepState& step = state.steps.at(node.id);
    if (step.status != rb::StepStatus::needs_person) {
        tell("people", "on call is there for {}: {}", node.id.value,
             step.ended ? "it is over already" : "it goes on by itself");
        return std::nullopt;
    }
    Deed& deed = deeds_[index];
    settle(deed);
    const rb::Actor actor{
        .person = "on call", .proof = "os_user:oncall", .host = "laptop", .reason = "simulated"};
    const Arrival again{.what = Arrival::What::held,
                        .body = std::nullopt,
                        .timer = {},
                        .node = index,
                        .person = "on call"};
    if (step.unsure && deed.busy) {
        tell("people", "on call sees that {} is still being done, and waits", node.id.value);
        schedule(deed.ends - now_ + minutes(1), again);
        return std::nullopt;
    }
    if (step.unsure && deed.there) return rb::StepBypassed{node.id, actor, Json::object()};
    const bool nobody = node.approve && !step.approved &&
                        std::ranges::any_of(node.approve->by, [&](const std::string& name) {
                            const auto holders = node.approvers.find(name);
                            return holders == node.approvers.end() || holders->second.empty();
                        });
    if (nobody) {
        tell("people", "on call can do nothing for {}: who must approve it is nobody",
             node.id.value);
        return std::nullopt;
    }
    if (act_.out_of_reach[index] && deed.held > retries_by_person) {
        tell("people", "on call can do nothing for {}: it stands where nothing is any more",
             node.id.value);
        return std::nullopt;
    }
    if (act_.control_plane[index] && now_ < weather_.control_plane && deed.held > 1) {
        tell("people", "on call waits for the control plane of {}", node.id.value);
        schedule(minutes(30), again);  // and look again
        return std::nullopt;
    }
    if (node.needs_fenced && step.error && step.error->kind == ErrorKind::conflict)
        return rb::Approved{node.id, actor, false};
    // What takes longer than its limit does so again: somebody waits it out.
    const bool asks = node.approve && !step.approved;
    const bool too_slow = step.error && step.error->kind == ErrorKind::timeout && !asks;
    if (too_slow && deed.held <= retries_by_person) deed.held = retries_by_person + 1;
    if (deed.held <= retries_by_person || asks)
        return rb::RetryRequested{node.id, actor, step.unsure, step.attempt};
    if (deed.held == retries_by_person + 1) {
        ++deed.held;
        tell("people", "on call begins to do {} by hand", node.id.value);
        schedule(scaled(time_of_work(index, 0), 1.5), again);
        return std::nullopt;
    }
    tell("people", "on call has done {} by hand", node.id.value);
    deed.there = true;
    return rb::StepBypassed{node.id, actor, Json::object()};
}

}  // namespace lifeboat::engine::sim
