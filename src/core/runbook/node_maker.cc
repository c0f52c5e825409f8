#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/runbook/compile.h"
#include "core/runbook/policy.h"

namespace lifeboat::runbook {
namespace {

using plan::DrillBehaviour;
using plan::InDrill;
using plan::VerbSpec;

constexpr unsigned attempts_default = 3;
constexpr Duration timeout_least = std::chrono::minutes(10);
constexpr int timeout_over_estimate = 4;

/// What takes a verb back where the kind does not say.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> opposites{{
    {"isolate", "release"},
    {"stop", "start"},
}};

std::string argument_text(const Json& arguments, const char* name) {
    const auto found = arguments.find(name);
    return found != arguments.end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
}

std::string undo_verb(const VerbSpec& spec) {
    if (!spec.undo.empty()) return spec.undo;
    for (const auto& [verb, undo] : opposites)
        if (spec.name == verb) return std::string(undo);
    return {};
}

Duration default_timeout(const VerbSpec& spec) {
    if (spec.timeout != Duration::zero()) return spec.timeout;
    return std::max(timeout_least, spec.estimate * timeout_over_estimate);
}

void copy_spec(const VerbSpec& spec, Node& node) {
    node.safety = spec.safety;
    node.mutating = spec.mutating;
    node.destructive = spec.destructive;
    node.makes_instance = spec.makes_instance;
    node.needs_fenced = spec.needs_fenced;
    node.estimate = spec.estimate;
    node.timeout = default_timeout(spec);
    node.attempts_max = attempts_default;
    node.backoff_first = backoff_first_default;
    node.backoff_max = backoff_max_default;
}

/// `for:` of a step that watches that long. Of a check (`until:`) it is the most, not the time.
std::optional<Duration> watched_time(const Node& node) {
    if (node.mutating || node.arguments.contains("until")) return std::nullopt;
    const auto given = parse_duration(argument_text(node.arguments, "for"));
    return given.has_value() ? std::optional(*given) : std::nullopt;
}

bool satisfies(const plan::Person& person, const std::string& name) {
    if (person.placeholder) return false;
    return person.name == name || std::ranges::find(person.roles, name) != person.roles.end();
}

}  // namespace

const VerbSpec* NodeMaker::find_verb(const std::string& kind, const std::string& verb) const {
    if (const VerbSpec* spec = catalog_.verb(kind, verb)) return spec;
    return kind.empty() ? nullptr : catalog_.verb("", verb);
}

Result<Node> NodeMaker::make(const plan::Step& step, const std::string& target) const {
    Node node;
    node.verb = step.verb;
    node.arguments = step.arguments.is_object() ? step.arguments : Json::object();
    const std::string label =
        !step.id.empty() ? step.id : (target.empty() ? step.verb : step.verb + " " + target);
    if (!target.empty()) {
        const plan::Component* component = plan_.component(target);
        if (component == nullptr)
            return invalid(fmt::format("step '{}': there is no component '{}'", label, target));
        node.component = target;
        node.kind = component->kind;
        node.site = component->site;
        node.priority = component->priority;
    }
    const VerbSpec* spec = find_verb(node.kind, node.verb);
    if (spec == nullptr)
        return invalid(fmt::format(
            "step '{}': {} cannot '{}'", label,
            node.kind.empty() ? "a step without a component" : fmt::format("kind '{}'", node.kind),
            node.verb));
    copy_spec(*spec, node);
    node.conduct = conduct(step, *spec);
    if (const plan::KindSpec* kind = catalog_.kind(node.kind);
        node.conduct == Conduct::act && kind != nullptr && !kind->available)
        return unsupported(
            fmt::format("step '{}': kind '{}' has no provider in this build", label, node.kind),
            "Look at the run with --preview; leave the step out to run the rest.");
    if (const std::string site = argument_text(node.arguments, "site"); !site.empty())
        node.site = site;
    if (node.verb == "restore" && options_.overrides.is_object())
        for (const auto& [name, value] : options_.overrides.items()) node.arguments[name] = value;
    if (step.estimate) {
        // The plan knows its own steps better than their kind does.
        node.estimate = *step.estimate;
        if (spec->timeout == Duration::zero())
            node.timeout = std::max(node.timeout, *step.estimate * timeout_over_estimate);
    }
    if (const auto fixed = watched_time(node); fixed && *fixed > node.estimate) {
        node.estimate = *fixed;
        node.timeout = std::max(node.timeout, *fixed * timeout_over_estimate);
    }
    if (step.timeout) node.timeout = *step.timeout;
    if (step.retries) node.attempts_max = *step.retries + 1;
    node.on_failure = step.on_failure;
    node.note = step.note;
    // A drill in its own scope endangers nothing that people would have to approve.
    const bool scoped = options_.mode == RunMode::drill && node.conduct == Conduct::act &&
                        spec->in_drill == DrillBehaviour::scoped;
    if (!scoped) add_approval(step, node);
    if (const std::string undo = undo_verb(*spec);
        node.conduct == Conduct::act && catalog_.verb(node.kind, undo) != nullptr)
        node.undo = undo;
    return node;
}

Conduct NodeMaker::conduct(const plan::Step& step, const VerbSpec& spec) const {
    Conduct conduct = Conduct::act;
    if (options_.mode == RunMode::preview) {
        conduct = Conduct::record;
    } else if (options_.mode == RunMode::drill) {
        switch (step.in_drill) {
            case InDrill::run:
                conduct = Conduct::act;
                break;
            case InDrill::record:
                conduct = Conduct::record;
                break;
            case InDrill::skip:
                conduct = Conduct::skip;
                break;
            case InDrill::by_verb:
                if (spec.in_drill == DrillBehaviour::recorded) conduct = Conduct::record;
                if (spec.in_drill == DrillBehaviour::refused) conduct = Conduct::refuse;
                break;
        }
    }
    const bool forbidden = options_.observe_only && spec.mutating;
    return conduct == Conduct::act && forbidden ? Conduct::refuse : conduct;
}

void NodeMaker::add_approval(const plan::Step& step, Node& node) const {
    node.approve = step.approve;
    if (!node.approve && node.verb == "approve") {
        // The step is nothing but its approval: `approve:` with its arguments.
        plan::Approval approval;
        if (const auto by = node.arguments.find("by"); by != node.arguments.end()) {
            if (by->is_string()) approval.by.push_back(by->get<std::string>());
            if (by->is_array())
                for (const Json& name : *by)
                    if (name.is_string()) approval.by.push_back(name.get<std::string>());
        }
        if (auto within = parse_duration(argument_text(node.arguments, "within"));
            within.has_value())
            approval.within = *within;
        approval.statement = argument_text(node.arguments, "statement");
        node.approve = std::move(approval);
    }
    if (!node.approve) return;
    node.approve->at = {};
    for (const std::string& name : node.approve->by) {
        std::vector<std::string>& people = node.approvers[name];
        for (const plan::Person& person : plan_.people)
            if (satisfies(person, name)) people.push_back(person.name);
    }
}

bool NodeMaker::takes_instance(const Node& node) const {
    const VerbSpec* spec = find_verb(node.kind, node.verb);
    return spec != nullptr && spec->takes_instance && !node.component.empty();
}

std::optional<Node> NodeMaker::compensation(const Node& node) const {
    if (node.undo.empty()) return std::nullopt;
    const VerbSpec* spec = catalog_.verb(node.kind, node.undo);
    if (spec == nullptr) return std::nullopt;
    Node undo;
    copy_spec(*spec, undo);
    undo.id = StepId("undo-" + node.id.value);
    undo.verb = node.undo;
    undo.component = node.component;
    undo.kind = node.kind;
    undo.site = node.site;
    undo.priority = node.priority;
    undo.token = make_token(options_.run, undo.id);
    undo.undoes = node.id;
    return undo;
}

std::string make_token(const RunId& run, const StepId& step) {
    constexpr std::size_t longest = 63;  // of a PostgreSQL, DNS or RDS name
    auto clean = [](std::string_view text) {
        std::string out;
        for (const char c : text) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            if (letter)
                out += c;
            else if (c >= 'A' && c <= 'Z')
                out += static_cast<char>(c - 'A' + 'a');
            else if (!out.empty() && out.back() != '-')
                out += '-';
        }
        while (out.ends_with('-')) out.pop_back();
        return out;
    };
    std::string_view suffix = run.value;
    if (suffix.starts_with("run-")) suffix.remove_prefix(4);
    std::string token = fmt::format("lb-{}-{}", clean(suffix), clean(step.value));
    const bool exact = clean(suffix) == suffix && clean(step.value) == step.value;
    if (token.size() <= longest && exact) return token;
    // What was cut or replaced must still tell two steps apart.
    std::uint32_t hash = 2166136261U;
    for (const char c : run.value + "/" + step.value)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    token.resize(std::min(token.size(), longest - 9));
    while (token.ends_with('-')) token.pop_back();
    return fmt::format("{}-{:08x}", token, hash);
}

}  // namespace lifeboat::runbook
