#include "core/runbook/policy.h"

#include <algorithm>

namespace lifeboat::runbook {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration poll_first = milliseconds(100);
constexpr Duration poll_slow = seconds(2);
constexpr Duration poll_slowest = seconds(60);
constexpr Duration progress_every = seconds(2);
constexpr std::size_t message_max = 4096;
constexpr std::size_t string_max = 1024;  // in outputs that are too large

void cut(std::string& text, std::size_t limit) {
    if (text.size() <= limit) return;
    text.resize(limit);
    // Not in the middle of a character: its last bytes, then its first.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U)
        text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0U) text.pop_back();
    text += "…";
}

void cut_strings(Json& value) {
    if (value.is_string()) {
        cut(value.get_ref<std::string&>(), string_max);
    } else if (value.is_structured()) {
        for (Json& item : value) cut_strings(item);
    }
}

Json bound_json(Json value) {
    if (rough_size(value) <= outputs_size_max) return value;
    cut_strings(value);
    while (value.is_array() && value.size() > 1 && rough_size(value) > outputs_size_max)
        value.erase(value.begin() + static_cast<std::ptrdiff_t>(value.size() / 2), value.end());
    if (rough_size(value) <= outputs_size_max) return value;
    return value.is_array() ? Json::array() : Json{{"truncated", true}};
}

void bound_error(Error& error) {
    cut(error.message, message_max);
    cut(error.hint, message_max);
}

/// How many names of `by` can be given to different people out of `present` (Kuhn's matching).
class Assignment {
public:
    Assignment(const Node& node, const std::vector<std::string>& present)
        : by_(node.approve->by),
          node_(node),
          present_(present),
          taken_(present.size(), by_.size()) {}

    std::size_t most() {
        std::size_t assigned = 0;
        for (std::size_t name = 0; name < by_.size(); ++name) {
            seen_.assign(present_.size(), false);
            if (place(name)) ++assigned;
        }
        return assigned;
    }

    bool may(std::size_t name, const std::string& person) const {
        const auto found = node_.approvers.find(by_[name]);
        // A name that the plan knows nobody for is taken for the person of that name.
        if (found == node_.approvers.end() || found->second.empty()) return person == by_[name];
        return std::ranges::find(found->second, person) != found->second.end();
    }

private:
    bool place(std::size_t name) {
        for (std::size_t person = 0; person < present_.size(); ++person) {
            if (seen_[person] || !may(name, present_[person])) continue;
            seen_[person] = true;
            if (taken_[person] == by_.size() || place(taken_[person])) {
                taken_[person] = name;
                return true;
            }
        }
        return false;
    }

    const std::vector<std::string>& by_;
    const Node& node_;
    const std::vector<std::string>& present_;
    std::vector<std::size_t> taken_;  // by person: the name it stands for
    std::vector<bool> seen_;
};

std::vector<std::string> everybody(const Node& node) {
    std::vector<std::string> people;
    for (const auto& [name, holders] : node.approvers) {
        people.insert(people.end(), holders.begin(), holders.end());
        if (holders.empty()) people.push_back(name);
    }
    std::ranges::sort(people);
    people.erase(std::unique(people.begin(), people.end()), people.end());
    return people;
}

}  // namespace

Duration backoff(const Node& node, unsigned failures) {
    Duration wait = node.backoff_first;
    for (unsigned i = 1; i < failures && wait < node.backoff_max; ++i) wait *= 2;
    return std::min(wait, node.backoff_max);
}

Duration poll_interval(unsigned polls, Duration elapsed) {
    Duration wait = poll_first;
    for (unsigned i = 0; i < polls && wait < poll_slow; ++i) wait *= 2;
    wait = std::min(wait, poll_slow);
    if (elapsed <= minutes(10)) return wait;
    return std::clamp(Duration(elapsed / 200), poll_slow, poll_slowest);
}

bool is_progress_worth_keeping(const StepState& step, const StepProgressed& progress, Instant at) {
    if (!step.progressed_at || step.poll_failures > 0) return true;
    if (progress.total != step.total || progress.unit != step.unit) return true;
    // A clock that jumped back must not silence progress.
    const Duration elapsed = step.operating_since ? at - *step.operating_since : Duration::zero();
    const Duration quiet = std::max(progress_every, Duration(elapsed / 100));
    if (at < *step.progressed_at || at - *step.progressed_at >= quiet) return true;
    const std::uint64_t moved =
        progress.done > step.done ? progress.done - step.done : step.done - progress.done;
    return progress.total > 0 && moved >= std::max<std::uint64_t>(progress.total / 20, 1);
}

bool may_repeat(const Node& node) {
    return !node.mutating || node.safety == plan::Safety::idempotent;
}

bool is_own_verb(const Node& node) {
    if (!node.component.empty()) return false;
    return node.verb == "approve" || (node.verb == "wait" && !node.arguments.contains("until"));
}

bool is_definite(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
        case ErrorKind::conflict:
        case ErrorKind::exhausted:
        case ErrorKind::corrupt:
        case ErrorKind::cancelled:
        case ErrorKind::unsupported:
            return true;
        case ErrorKind::not_found:
        case ErrorKind::denied:
        case ErrorKind::unavailable:
        case ErrorKind::unknown:
        case ErrorKind::timeout:
            return false;
    }
    return false;
}

bool is_retryable(const Error& error, plan::Safety safety) {
    switch (error.kind) {
        case ErrorKind::unavailable:
            return true;
        case ErrorKind::timeout:
        case ErrorKind::unknown:
            return safety != plan::Safety::once;
        // Repeating does not mend a wrong plan, a missing right, a full disk or a broken file.
        default:
            return false;
    }
}

bool is_approved(const Node& node, const std::vector<Approved>& approvals) {
    if (!node.approve) return true;
    std::vector<std::string> present;
    for (const Approved& approval : approvals) {
        if (approval.break_glass) return true;
        if (!approval.actor.proof.empty()) present.push_back(approval.actor.person);
    }
    if (present.empty()) return false;
    if (node.approve->by.empty()) return true;  // anybody, if proven
    std::ranges::sort(present);
    present.erase(std::unique(present.begin(), present.end()), present.end());
    Assignment given(node, present);
    for (std::size_t name = 0; name < node.approve->by.size(); ++name)
        if (std::ranges::none_of(present, [&](const auto& p) { return given.may(name, p); }))
            return false;
    const std::vector<std::string> all = everybody(node);
    return given.most() >= Assignment(node, all).most();
}

std::size_t rough_size(const Json& value) {
    switch (value.type()) {
        case Json::value_t::string:
            return value.get_ref<const std::string&>().size() + 3;
        case Json::value_t::array: {
            std::size_t size = 2;
            for (const Json& item : value) size += rough_size(item) + 1;
            return size;
        }
        case Json::value_t::object: {
            std::size_t size = 2;
            for (const auto& [key, item] : value.items()) size += key.size() + 4 + rough_size(item);
            return size;
        }
        default:
            return 12;
    }
}

Event bounded(Event event) {
    if (auto* done = std::get_if<StepSucceeded>(&event.body))
        done->outputs = bound_json(std::move(done->outputs));
    if (auto* probed = std::get_if<StepProbed>(&event.body)) {
        probed->outputs = bound_json(std::move(probed->outputs));
        cut(probed->explanation, message_max);
    }
    if (auto* bypassed = std::get_if<StepBypassed>(&event.body))
        bypassed->outputs = bound_json(std::move(bypassed->outputs));
    if (auto* recorded = std::get_if<StepRecorded>(&event.body))
        recorded->calls = bound_json(std::move(recorded->calls));
    if (auto* failed = std::get_if<StepFailed>(&event.body)) bound_error(failed->error);
    if (auto* failed = std::get_if<PollFailed>(&event.body)) bound_error(failed->error);
    if (auto* failed = std::get_if<ProbeFailed>(&event.body)) bound_error(failed->error);
    if (auto* cancelled = std::get_if<StepCancelled>(&event.body))
        if (cancelled->error) bound_error(*cancelled->error);
    return event;
}

}  // namespace lifeboat::runbook
