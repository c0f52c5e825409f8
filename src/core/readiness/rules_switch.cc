// A rule about what a recovery makes and nobody turns to.

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "core/readiness/reach.h"
#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

/// Who needs what, for plans of thousands.
using Users = std::map<std::string_view, std::vector<const plan::Component*>>;

/// For each component the last place in the steps that turns to it; children of one `parallel`
/// have one place.
using Switches = std::map<std::string, std::size_t, std::less<>>;

class Order {
public:
    Order(const plan::Plan& plan, const Users& users, const std::vector<plan::Step>& steps)
        : plan_(plan), users_(users) {
        for (std::size_t i = 0; i < steps.size(); ++i) place_all(steps[i], i + 1);
    }

    /// f(component, the step that makes it anew), for each that no later step turns to.
    template <class F>
    void for_each_left(const F& act) const {
        for (const auto& [name, made] : made_) {
            const auto last = switches_.find(name);
            if (last == switches_.end() || last->second <= made.first) act(name, *made.second);
        }
    }

private:
    void turn(std::string_view name, std::size_t at) {
        std::size_t& last = switches_[std::string(name)];
        last = std::max(last, at);
    }

    void place_all(const plan::Step& step, std::size_t at) {
        place(step, at);
        for_each_step(step.parallel, [&](const plan::Step& child) { place(child, at); });
    }

    void place(const plan::Step& step, std::size_t at) {
        const bool makes = step.verb == "restore" || step.verb == "promote";
        const bool own = step.verb == "repoint" || step.verb == "rebuild-protection";
        const bool turns = is_switch(step.verb);
        if (!makes && !own && !turns) return;
        for (const std::string& target : step.targets) {
            if (makes) made_.insert_or_assign(target, std::pair(at, &step));
            if (own) turn(target, at);
            if (!turns) continue;
            for (const std::string& need : plan_.component(target)->needs) turn(need, at);
            if (step.verb != "deploy") continue;
            // What is deployed anew is configured anew.
            if (const auto found = users_.find(target); found != users_.end())
                for (const plan::Component* user : found->second)
                    for (const std::string& need : user->needs) turn(need, at);
        }
    }

    const plan::Plan& plan_;
    const Users& users_;
    Switches switches_;
    std::map<std::string, std::pair<std::size_t, const plan::Step*>> made_;
};

/// What one could write, or nothing where no verb of any kind does it.
std::string mend_of(const Subject& subject, const Users& users, const std::string& name) {
    const auto can = [&](const plan::Component& component, std::string_view verb) {
        return subject.catalog.verb(component.kind, verb) != nullptr;
    };
    if (const auto found = users.find(name); found != users.end())
        for (const plan::Component* user : found->second)
            if (can(*user, "repoint")) return fmt::format("- repoint: {}", user->name);
    const plan::Component& component = *subject.plan.component(name);
    for (const char* verb : {"rebuild-protection", "repoint"})
        if (can(component, verb)) return fmt::format("- {}: {}", verb, name);
    return {};
}

void never_switched(const Subject& subject, std::vector<Finding>& found) {
    Users users;
    for (const plan::Component& component : subject.plan.components)
        for (const std::string& need : component.needs) users[need].push_back(&component);
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const auto look = [&](const std::vector<plan::Step>& steps) {
            Order(subject.plan, users, steps)
                .for_each_left([&](const std::string& name, const plan::Step& made) {
                    std::string mend = mend_of(subject, users, name);
                    if (mend.empty()) return;
                    found.push_back(
                        {.at = made.at,
                         .message = fmt::format(
                             "{} {} {}, and no later step turns to the new one", scenario.name,
                             made.verb == "promote" ? "promotes" : "restores", name),
                         .note = "the old one goes on being watched and protected",
                         .mend = mend + ", behind it",
                         .component = name,
                         .scenario = scenario.name});
                });
        };
        look(scenario.steps);
        look(scenario.rollback);
    }
}

}  // namespace

std::vector<Rule> switch_rules() {
    return {
        {.id = "never-switched",
         .level = DiagnosticLevel::warning,
         .theme = "Recovery",
         .finds = "A scenario makes a component anew, and no later step turns to the new one.",
         .reason = "Lifeboat goes on watching and protecting the old one, and so does everybody "
                   "else. What turns to it: `repoint`, `redirect`, `start` or `deploy` of what "
                   "needs it, `repoint` or `rebuild-protection` of itself.",
         .mend = "- repoint: what uses it, or - rebuild-protection: itself, behind it.",
         .find = never_switched},
    };
}

}  // namespace lifeboat::readiness
