#include "core/plan/reference.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/plan/shape.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

/// A bar would end the cell of a table, and `<…>` would be taken for HTML.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|' || c == '<') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string code_list(const std::vector<std::string>& words) {
    std::vector<std::string> quoted;
    for (const std::string& word : words) quoted.push_back(fmt::format("`{}`", word));
    return join(quoted, ", ");
}

std::string singular(std::string_view section_name) {
    if (section_name == "check") return "checks";
    if (section_name == "step") return "steps";
    return fmt::format("{}s", section_name);
}

std::string holds(const Key& key) {
    if (!key.choices.empty()) return code_list(key.choices);
    std::string what(describe(key.type));
    if (key.refers != Refers::nothing) {
        constexpr std::string_view sorts[] = {"text",     "site",    "component", "scenario",
                                              "severity", "channel", "role",      "person or role"};
        what = fmt::format("a {}", sorts[static_cast<std::size_t>(key.refers)]);
    }
    if (!key.section.empty())
        what = key.holds == Holds::one ? std::string("a mapping") : singular(key.section);
    if (key.holds == Holds::map)
        return key.section.empty() ? fmt::format("names, each with {}", what)
                                   : "names, each a mapping";
    if (key.holds == Holds::list)
        return key.section.empty() ? fmt::format("{}, or a list", what)
                                   : fmt::format("a list of {}", what);
    return what;
}

std::string default_of(const SettingSpec& spec) {
    if (spec.fallback.is_null()) return {};
    const bool is_text = spec.fallback.is_string();
    return fmt::format(" Default: `{}`.",
                       is_text ? spec.fallback.get<std::string>() : dump(spec.fallback));
}

std::string settings_table(const std::vector<SettingSpec>& settings, std::string_view title) {
    if (settings.empty()) return {};
    std::string out = fmt::format("| {} | holds | |\n|---|---|---|\n", title);
    for (const SettingSpec& spec : settings)
        out += fmt::format(
            "| `{}`{} | {} | {}{} |\n", spec.name, spec.required ? " (required)" : "",
            spec.choices.empty() ? std::string(describe(spec.type)) : code_list(spec.choices),
            cell(spec.summary), cell(default_of(spec)));
    return out;
}

std::string keys_table(const Section& table) {
    std::string out = table.summary.empty() ? std::string() : fmt::format("{}\n\n", table.summary);
    out += "| key | holds | |\n|---|---|---|\n";
    for (const Key& key : table.keys)
        out += fmt::format("| `{}`{} | {} | {} |\n", key.name, key.required ? " (required)" : "",
                           cell(holds(key)), cell(key.summary));
    return out;
}

std::string behaviour(const VerbSpec& verb) {
    std::vector<std::string> words;
    if (!verb.mutating) words.emplace_back("looks only");
    if (verb.destructive) words.emplace_back("destructive");
    if (verb.makes_instance) words.emplace_back("makes an instance");
    if (verb.takes_instance) words.emplace_back("switches to the new instance");
    if (verb.needs_fenced) words.emplace_back("the old one must be fenced");
    if (verb.in_drill == DrillBehaviour::recorded) words.emplace_back("only recorded in a drill");
    if (verb.in_drill == DrillBehaviour::refused) words.emplace_back("refused in a drill");
    if (verb.safety == Safety::once) words.emplace_back("never repeated without asking");
    return join(words, "; ");
}

std::string verbs_table(const std::vector<VerbSpec>& verbs) {
    if (verbs.empty()) return {};
    std::string out = "| verb | arguments | gives | |\n|---|---|---|---|\n";
    for (const VerbSpec& verb : verbs) {
        std::vector<std::string> arguments;
        for (const SettingSpec& argument : verb.arguments)
            if (argument.name != "site")
                arguments.push_back(argument.name + (argument.required ? " (required)" : ""));
        std::vector<std::string> outputs = verb.outputs;
        std::ranges::replace(outputs, std::string(any_output),
                             std::string("what it prints as `::output name=value`"));
        const std::string how = behaviour(verb);
        out += fmt::format("| `{}` | {} | {} | {}{} |\n", verb.name, join(arguments, ", "),
                           join(outputs, ", "), cell(verb.summary),
                           how.empty() ? std::string() : fmt::format(" ({})", how));
    }
    return out;
}

std::string core_verbs() {
    const Catalog catalog;
    const KindSpec* core = catalog.kind("");
    std::string out;
    for (const VerbSpec& verb : core->verbs)
        out += fmt::format("**`{}`** {}\n\n{}\n", verb.name, verb.summary,
                           settings_table(verb.arguments, "argument"));
    out.pop_back();
    return out;
}

std::string kind_reference(const KindSpec& kind) {
    std::string out =
        fmt::format("\n## {}\n\n{}{}\n", kind.name, kind.summary,
                    kind.available ? "" : " Not in this build: read and checked, not acted on.");
    if (!kind.platform.empty()) out += fmt::format("Its site needs `{}:`.\n", kind.platform);
    for (const std::string& part :
         {settings_table(kind.settings, "setting"),
          kind.methods.empty() ? std::string()
                               : fmt::format("Protections: {}.\n", code_list(kind.methods)),
          settings_table(kind.protection, "of a protection"),
          kind.checks.empty() ? std::string()
                              : fmt::format("Checks: {}.\n", code_list(kind.checks)),
          verbs_table(kind.verbs)})
        if (!part.empty()) out += "\n" + part;
    return out;
}

}  // namespace

std::string reference_block(std::string_view name) {
    if (name == "checks") return settings_table(check_types(), "check");
    if (name == "core-verbs") return core_verbs();
    const auto found = std::ranges::find(sections(), name, &Section::name);
    return found == sections().end() ? std::string() : keys_table(*found);
}

std::string reference_of_kinds(const Catalog& catalog) {
    std::string out =
        "# Kinds of components and channels\n\nMade from the catalog of the build; `./dev test` "
        "fails "
        "when it is stale.\nWhat every component may have stands in [plan.md](plan.md).\n";
    for (const bool available : {true, false})
        for (const auto& [name, kind] : catalog.kinds())
            if (!name.empty() && kind.available == available) out += kind_reference(kind);
    return out;
}

std::string with_fresh_blocks(std::string_view text) {
    constexpr std::string_view open = "<!-- table: ";
    constexpr std::string_view close = " -->\n";
    constexpr std::string_view end = "<!-- end -->";
    std::string out;
    while (true) {
        const std::size_t begin = text.find(open);
        if (begin == std::string_view::npos) break;
        const std::size_t name_end = text.find(close, begin);
        const std::size_t stop = text.find(end, begin);
        if (name_end == std::string_view::npos || stop == std::string_view::npos) break;
        const std::string_view name =
            text.substr(begin + open.size(), name_end - begin - open.size());
        out += text.substr(0, name_end + close.size());
        out += fmt::format("\n{}\n", reference_block(name));
        text.remove_prefix(stop);
        out += end;
        text.remove_prefix(end.size());
    }
    return out + std::string(text);
}

}  // namespace lifeboat::plan
