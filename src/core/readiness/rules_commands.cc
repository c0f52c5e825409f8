// Rules about what steps say literally: points by name, commands without a target.

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/plan/templates.h"
#include "core/readiness/rule_tools.h"
#include "core/readiness/shell_calls.h"
#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

bool is_position(std::string_view text) {  // of PostgreSQL's log: 0/3000060
    const std::size_t slash = text.find('/');
    const auto hex = [](std::string_view part) {
        return !part.empty() && part.size() <= 8 &&
               part.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    };
    return slash != std::string_view::npos && hex(text.substr(0, slash)) &&
           hex(text.substr(slash + 1));
}

/// A restore whose `to:` says one point for ever; f(step, place, the text, it is a time).
template <class F>
void for_each_literal_point(const plan::Plan& plan, const F& act) {
    for_each_step(plan, [&](const plan::Step& step, const Whereabouts& where) {
        if (step.verb != "restore") return;
        const std::string to = string_or(step.arguments, "to", "");
        if (to.empty() || to == "latest" || plan::has_template(to)) return;
        act(step, where, to, parse_instant(to).has_value() || is_position(to));
    });
}

void fixed_point(const Subject& subject, std::vector<Finding>& found) {
    for_each_literal_point(subject.plan, [&](const plan::Step& step, const Whereabouts& where,
                                             const std::string& to, bool is_time) {
        if (is_time) return;
        const bool newest = to.contains("latest");
        found.push_back(
            {.at = place_of(step, "to"),
             .message =
                 newest ? fmt::format("{} restores '{}', which names no point by itself",
                                      where.name(), to)
                        : fmt::format("{} always restores the same point, '{}'", where.name(), to),
             .note = newest ? "somebody has to make sure that it exists, and is the newest"
                            : "every day it is older, and one day it has been deleted",
             .component = step.targets.empty() ? std::string() : step.targets.front(),
             .scenario = where.scenario == nullptr ? std::string() : where.scenario->name});
    });
}

void fixed_time(const Subject& subject, std::vector<Finding>& found) {
    for_each_literal_point(subject.plan, [&](const plan::Step& step, const Whereabouts& where,
                                             const std::string& to, bool is_time) {
        if (!is_time) return;
        found.push_back(
            {.at = place_of(step, "to"),
             .message = fmt::format("{} always restores the state of {}", where.name(), to),
             .note = "right for one incident, wrong for every other",
             .component = step.targets.empty() ? std::string() : step.targets.front(),
             .scenario = where.scenario == nullptr ? std::string() : where.scenario->name});
    });
}

void point_by_position(const Subject& subject, std::vector<Finding>& found) {
    constexpr std::array<std::string_view, 4> positions{"[0]", "[-1]", "head -1", "tail -1"};
    for_each_step(subject.plan, [&](const plan::Step& step, const Whereabouts& where) {
        if (step.verb != "run") return;
        const std::string command = string_or(step.arguments, "command", "");
        const std::string lower = to_lower(command);
        if (!lower.contains("snapshot") && !lower.contains("backup")) return;
        std::size_t place = std::string::npos;
        for (const std::string_view one : positions) place = std::min(place, command.find(one));
        if (place == std::string::npos) return;
        found.push_back(
            {.at = place_in_command(subject, step, place),
             .message = fmt::format("{} takes a point by its position in a list", where.name()),
             .note = "the order of the list is not promised; the first may be the "
                     "oldest, or unfinished",
             .scenario = where.scenario == nullptr ? std::string() : where.scenario->name});
    });
}

struct Kubectl {
    bool namespaced = false;  ///< it acts inside of a namespace
    bool has_namespace = false;
    bool has_context = false;
};

/// Nothing when the call is not kubectl's, or touches no cluster.
std::optional<Kubectl> kubectl_of(const Call& call) {
    constexpr std::array<std::string_view, 7> wide{"drain", "cordon", "uncordon",    "taint",
                                                   "top",   "apply",  "cluster-info"};
    constexpr std::array<std::string_view, 5> wide_things{"node", "nodes", "no", "namespaces",
                                                          "pv"};
    const std::vector<std::string>& words = call.words;
    if (words.front() != "kubectl") return std::nullopt;
    Kubectl found{.has_context = call.sets("KUBECONFIG")};
    std::vector<std::string_view> plain;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word == "--") break;
        const bool apart = word == "-n" || word == "--namespace" || word == "--context" ||
                           word == "--kubeconfig" || word == "-l" || word == "-o";
        if (word.starts_with("-n") || word.starts_with("--namespace") || word == "-A" ||
            word == "--all-namespaces")
            found.has_namespace = true;
        else if (word.starts_with("--context") || word.starts_with("--kubeconfig"))
            found.has_context = true;
        else if (!word.starts_with('-'))
            plain.push_back(word);
        if (apart) ++i;  // its value is the next word
    }
    if (plain.size() < 2 || plain[1] == "config" || plain[1] == "version") return std::nullopt;
    const auto in = [](const auto& list, std::string_view word) {
        return std::ranges::find(list, word) != list.end();
    };
    found.namespaced = !in(wide, plain[1]) && (plain.size() < 3 || !in(wide_things, plain[2]));
    return found;
}

void kubectl_unscoped(const Subject& subject, std::vector<Finding>& found) {
    for_each_step(subject.plan, [&](const plan::Step& step, const Whereabouts& where) {
        // What a step does itself goes where its site says; what it quotes is pasted by people.
        const bool runs = step.verb == "run";
        const std::string text = runs ? string_or(step.arguments, "command", "") : step.written;
        if (!text.contains("kubectl")) return;
        for (const Call& call : calls_of(text)) {
            const auto kubectl = kubectl_of(call);
            if (!kubectl) continue;
            const bool no_namespace = kubectl->namespaced && !kubectl->has_namespace;
            const bool no_context = runs && !kubectl->has_context;
            if (!no_namespace && !no_context) continue;
            found.push_back(
                {.at = runs ? place_in_command(subject, step, call.at)
                            : place_in_written(subject, step, call.at),
                 .message = fmt::format("{} calls kubectl without {}", where.name(),
                                        no_namespace && no_context ? "namespace and context"
                                        : no_namespace             ? "a namespace"
                                                                   : "a context"),
                 .note = no_context ? "it acts on whatever cluster is current there and then"
                                    : "it acts in whatever namespace is current",
                 .scenario = where.scenario == nullptr ? std::string() : where.scenario->name});
            return;
        }
    });
}

}  // namespace

std::vector<Rule> command_rules() {
    constexpr std::string_view theme = "Steps";
    return {
        {.id = "fixed-point",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A restore names one point for ever, or a name that is no identifier.",
         .reason = "The point grows older every day until it is deleted; `latest-automated` is a "
                   "wish, not a snapshot.",
         .mend = "leave `to:` out: the newest usable point is taken.",
         .find = fixed_point},
        {.id = "fixed-time",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A restore goes back to a time that is written into the plan.",
         .reason = "It was right for the incident that it was copied from.",
         .mend = "to: \"{{ incident.last_known_good }}\"",
         .find = fixed_time},
        {.id = "point-by-position",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A command picks a recovery point by its position in a list.",
         .reason = "Lists of snapshots are not sorted by age, and hold unfinished ones.",
         .mend = "`restore:` without `to:`, which takes the newest usable point.",
         .find = point_by_position},
        {.id = "kubectl-unscoped",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "kubectl is called without a namespace, or by a `run:` without a context.",
         .reason = "At night, in the wrong terminal, it acts on another cluster, and says nothing.",
         .mend = "-n NAMESPACE and --context CONTEXT, or the verb itself, which takes both from "
                 "the site.",
         .find = kubectl_unscoped},
    };
}

}  // namespace lifeboat::readiness
