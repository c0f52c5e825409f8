#include "core/plan/step_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/plan/component_rules.h"
#include "platform/base/text.h"

namespace lifeboat::plan {

using yaml::Entry;
using yaml::Node;

namespace {

constexpr std::string_view parallel = "parallel";

OnFailure on_failure_from(std::string_view word) {
    if (word == "carry_on") return OnFailure::carry_on;
    if (word == "roll_back") return OnFailure::roll_back;
    return OnFailure::stop;
}

InDrill in_drill_from(std::string_view word) {
    if (word == "run") return InDrill::run;
    if (word == "record") return InDrill::record;
    if (word == "skip") return InDrill::skip;
    return InDrill::by_verb;
}

/// Table of the common keys without those that the verb uses as arguments.
const Section& approve_only() {
    static const Section table = [] {
        Section section_table = section("step");
        std::erase_if(section_table.keys, [](const Key& key) { return key.name == "approve"; });
        return section_table;
    }();
    return table;
}

}  // namespace

StepReader::StepReader(Reader& reader, const Plan& plan)
    : reader_(reader), plan_(plan), verbs_(reader.catalog.verb_names()) {
    std::erase(verbs_, "send");  // of channels: `notify` is the verb of steps
    verbs_.emplace_back(parallel);
    std::ranges::sort(verbs_);
}

const Entry* StepReader::find_verb(const Node& node) {
    const Entry* approve = nullptr;
    for (const Entry& entry : node.entries) {
        // Beside a verb `approve` is a key; alone it is a verb.
        if (entry.key == "approve")
            approve = &entry;
        else if (std::ranges::binary_search(verbs_, entry.key))
            return &entry;
    }
    return approve;
}

void StepReader::no_verb(const Node& node) {
    for (const Entry& entry : node.entries) {
        if (section("step").key(entry.key) != nullptr) continue;
        std::string hint = reader_.suggest(entry.key, verbs_);
        if (hint.empty()) hint = fmt::format("There is {}.", join(verbs_, ", "));
        reader_.error(entry.key_at, "unknown-verb", fmt::format("unknown verb '{}'", entry.key),
                      std::move(hint));
        return;
    }
    reader_.error(node.at, "unknown-verb", "a step without a verb",
                  "Say what it does, for example `- restore: database`.");
}

Step StepReader::read(const Node& node) {
    Step step{.at = node.at};
    if (!node.is_mapping()) {
        reader_.wrong_type(node, "a step", "a verb and what it acts on, `restore: database`");
        return step;
    }
    const Entry* verb = find_verb(node);
    if (verb == nullptr) {
        no_verb(node);
        return step;
    }
    step.verb = verb->key;
    if (step.verb == parallel) {
        static const std::vector<SettingSpec> none;
        read_common(fields(node, *verb, step, none, false), step);
        read_parallel(*verb, step);
    } else if (const VerbSpec* spec = reader_.catalog.verb("", step.verb)) {
        read_core(node, *verb, *spec, step);
    } else {
        read_targets(*verb, step);
        const std::vector<SettingSpec> arguments = arguments_of(step);
        const Fields read = fields(node, *verb, step, arguments, step.targets.empty());
        read_common(read, step);
        step.arguments = read.settings();
        if (read.has("site")) step.arguments["site"] = read.text("site");
        judge_sites(step);
    }
    second_verbs(node, *verb, step);
    if (const Node* needs = node.find("needs")) {
        if (needs->type == yaml::Type::null)
            reader_.error(
                needs->at, "missing-value", "'needs' has no value",
                "Write [] if it waits for no step; without the key it waits for the one before.");
        place_needs(*needs, step);
    }
    return step;
}

/// "needs.0", "needs.1", …: where each of them stands.
void StepReader::place_needs(const Node& needs, Step& step) {
    std::size_t index = 0;
    for (const Node& item : needs.items)
        if (item.is_scalar()) step.key_at.emplace(fmt::format("needs.{}", index++), item.at);
}

Fields StepReader::fields(const Node& node, const Entry& verb, const Step& step,
                          const std::vector<SettingSpec>& arguments, bool partial) {
    std::vector<std::string_view> ignore{verb.key};
    for (const std::string& other : verbs_)
        if (std::ranges::find(arguments, other, &SettingSpec::name) == arguments.end() &&
            section("step").key(other) == nullptr)
            ignore.push_back(other);
    return Fields(reader_, node, section("step"),
                  {.what = fmt::format("step '{}'", step.verb),
                   .settings = &arguments,
                   .ignore = std::move(ignore),
                   .open = partial && !step.verb.empty() && step.verb != parallel,
                   .templates = true,
                   .partial = partial,
                   .unknown = "argument"});
}

void StepReader::second_verbs(const Node& node, const Entry& verb, const Step& step) {
    for (const Entry& entry : node.entries) {
        if (&entry == &verb || entry.key == "approve" || step.arguments.contains(entry.key))
            continue;
        if (std::ranges::binary_search(verbs_, entry.key) &&
            section("step").key(entry.key) == nullptr)
            reader_.error(entry.key_at, "two-verbs",
                          fmt::format("a step does one thing; '{}' is a second verb", entry.key),
                          "Make it a step of its own.");
    }
}

/// A verb of the core: its arguments stand in its value, or beside it, or its value is the first
/// one.
void StepReader::read_core(const Node& node, const Entry& verb, const VerbSpec& spec, Step& step) {
    Node merged{.type = yaml::Type::mapping, .at = node.at};
    if (verb.value.is_mapping()) {
        merged.entries = verb.value.entries;
    } else if (verb.value.type != yaml::Type::null) {
        merged.entries.push_back(
            {.key = spec.arguments.front().name, .key_at = verb.key_at, .value = verb.value});
    }
    for (const Entry& entry : node.entries) {
        if (&entry == &verb) continue;
        if (const Entry* twice = merged.entry(entry.key)) {
            reader_.error(entry.key_at, "duplicate-key",
                          fmt::format("'{}' stands in the step and under its verb", entry.key),
                          fmt::format("The other one is in line {}.", twice->key_at.line));
            continue;
        }
        merged.entries.push_back(entry);
    }
    // A null verb still needs to say where something is missing.
    const bool is_approve = step.verb == "approve";
    const Section& common = is_approve ? approve_only() : section("step");
    const Fields read(reader_, merged, common,
                      {.what = fmt::format("step '{}'", step.verb),
                       .settings = &spec.arguments,
                       .templates = true,
                       .unknown = "argument"});
    read_common(read, step);
    step.key_at.emplace(verb.key, verb.value.at.line == 0 ? verb.key_at : verb.value.at);
    step.arguments = read.settings();
    if (read.has("site")) step.arguments["site"] = read.text("site");
    if (is_approve) {
        Approval approval{.at = verb.key_at};
        if (step.arguments.contains("by"))
            approval.by = step.arguments["by"].get<std::vector<std::string>>();
        if (const auto within = parse_duration(string_or(step.arguments, "within", ""));
            within.has_value())
            approval.within = *within;
        approval.statement = string_or(step.arguments, "statement", "");
        step.approve = std::move(approval);
    }
    if (step.verb == "wait" && !merged.entry("for") && !merged.entry("until"))
        reader_.error(verb.key_at, "missing-key", "step 'wait' does not say for what",
                      "Write `- wait: 30s` or `- wait: {until: {healthy: database}}`.");
    if (step.verb == "notify" && !merged.entry("channel") && !merged.entry("to"))
        reader_.error(verb.key_at, "missing-key", "step 'notify' does not say whom",
                      "Name a `channel:`, or people or roles with `to:`.");
}

void StepReader::read_targets(const Entry& verb, Step& step) {
    if (verb.value.is_mapping() || verb.value.type == yaml::Type::null) {
        reader_.wrong_type(verb.value, verb.key, "a component or a list of them");
        return;
    }
    auto names = reader_.texts(verb.value, {.key = verb.key});
    if (names.empty() && verb.value.is_sequence())
        reader_.error(verb.value.at, "missing-value",
                      fmt::format("'{}' names no component", verb.key),
                      "Name one, or remove the step.");
    for (auto& [name, at] : names) {
        if (!reader_.refers(name, at, Refers::component)) continue;
        if (std::ranges::find(step.targets, name) != step.targets.end()) {
            reader_.error(at, "duplicate-name",
                          fmt::format("'{}' stands twice in this step", name));
            continue;
        }
        const Component* component = plan_.component(name);
        const KindSpec* kind =
            component == nullptr ? nullptr : reader_.catalog.kind(component->kind);
        if (kind != nullptr && kind->verb(verb.key) == nullptr) {
            std::vector<std::string> can;
            for (const VerbSpec& other : kind->verbs) can.push_back(other.name);
            reader_.error(
                at, "wrong-verb",
                fmt::format("kind '{}' cannot '{}' ('{}')", kind->name, verb.key, name),
                can.empty() ? "It has no verbs." : fmt::format("It can {}.", join(can, ", ")));
            continue;
        }
        step.targets.push_back(std::move(name));
    }
}

/// What all targets understand.
std::vector<SettingSpec> StepReader::arguments_of(const Step& step) {
    std::vector<SettingSpec> arguments;
    bool first = true;
    for (const std::string& target : step.targets) {
        const Component* component = plan_.component(target);
        if (component == nullptr || reader_.catalog.kind(component->kind) == nullptr) continue;
        const VerbSpec* spec = reader_.catalog.verb(component->kind, step.verb);
        if (spec == nullptr) continue;
        if (first) {
            arguments = spec->arguments;
            first = false;
            continue;
        }
        std::erase_if(arguments, [&](const SettingSpec& argument) {
            return std::ranges::find(spec->arguments, argument.name, &SettingSpec::name) ==
                   spec->arguments.end();
        });
    }
    // `site` belongs to every step; a verb that lists it again says nothing new.
    std::erase_if(arguments, [](const SettingSpec& argument) { return argument.name == "site"; });
    return arguments;
}

void StepReader::read_common(const Fields& fields, Step& step) {
    step.id = fields.text("id");
    step.needs = fields.texts("needs");
    step.key_at = fields.places();
    step.needs_given = step.key_at.contains("needs");
    step.timeout = fields.duration("timeout");
    step.estimate = fields.duration("estimate");
    if (const auto retries = fields.number("retries")) {
        constexpr std::uint64_t retries_max = 1000;
        if (*retries > retries_max)
            reader_.error(fields.at("retries"), "bad-value", "'retries' is above 1000",
                          "A step that fails so often needs a person.");
        step.retries = static_cast<unsigned>(std::min(*retries, retries_max));
    } else if (const Json* negative = fields.json("retries"); negative != nullptr) {
        reader_.error(fields.at("retries"), "bad-value", "'retries' is negative",
                      "Write 0 for none.");
    }
    if (const Node* approve = fields.nested("approve"))
        step.approve = read_approval(reader_, *approve);
    step.on_failure = on_failure_from(fields.text("on_failure"));
    step.in_drill = in_drill_from(fields.text("in_drill"));
    step.note = fields.text("note");
    step.written = fields.text("written");
}

void StepReader::read_parallel(const Entry& verb, Step& step) {
    if (!verb.value.is_sequence()) {
        reader_.wrong_type(verb.value, verb.key, "a list of steps");
        return;
    }
    for (const Node& item : verb.value.items) {
        Step child = read(item);
        if (!child.verb.empty()) step.parallel.push_back(std::move(child));
    }
}

void StepReader::judge_sites(const Step& step) {
    if (!step.arguments.contains("site")) return;
    const std::string site = step.arguments["site"].get<std::string>();
    for (const std::string& target : step.targets) {
        const Component* component = plan_.component(target);
        const KindSpec* kind =
            component == nullptr ? nullptr : reader_.catalog.kind(component->kind);
        if (kind != nullptr && !site.contains("{{"))
            judge_platform(reader_, plan_, site, *kind, step.key_at.at("site"));
    }
}

std::optional<Approval> read_approval(Reader& reader, const Node& node) {
    Approval approval{.at = node.at};
    if (!node.is_mapping()) {
        for (auto& [name, at] : reader.texts(node, {.key = "approve", .refers = Refers::contact}))
            approval.by.push_back(std::move(name));
        return approval;
    }
    const Fields fields(reader, node, section("approval"), {.what = "'approve'"});
    approval.by = fields.texts("by");
    approval.within = fields.duration("within");
    approval.statement = fields.text("statement");
    return approval;
}

}  // namespace lifeboat::plan
