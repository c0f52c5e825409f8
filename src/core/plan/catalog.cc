#include "core/plan/catalog.h"

#include <algorithm>
#include <set>

#include "core/plan/catalog_tables.h"
#include "core/plan/specs.h"

namespace lifeboat::plan {
namespace {

using enum SettingType;
using specs::optional;
using specs::required;

VerbSpec wait_verb() {
    VerbSpec verb = specs::looks(
        "wait", "Waits for a time, or until a check passes.",
        {optional("for", duration, "How long to wait; with `until`, at most."),
         optional("until", check, "What to wait for, for example `{healthy: database}`.")});
    return verb;
}

VerbSpec approve_verb() {
    VerbSpec verb = specs::looks(
        "approve", "Waits until people have said yes; each approval is recorded with its proof.",
        {optional("by", contacts, "People or roles; one of each must approve. Empty: anybody."),
         optional("within", duration, "How long to wait for them."),
         optional("statement", text, "What is approved, for the record.")});
    verb.in_drill = DrillBehaviour::recorded;
    return verb;
}

VerbSpec notify_verb() {
    VerbSpec verb = specs::acts("notify", "Tells people, over a channel.",
                                {required("message", text, "What to say."),
                                 optional("channel", channel, "Where to say it."),
                                 optional("to", contacts, "Whom to tell: people or roles.")});
    verb.safety = Safety::idempotent;
    verb.mutating = false;  // telling people is what `mode: observe` is for
    verb.in_drill = DrillBehaviour::recorded;
    return verb;
}

VerbSpec run_verb() {
    VerbSpec verb = specs::acts(
        "run", "Runs a command on this machine.",
        {required("command", command, "The command: a text for the shell, or a list of words."),
         optional("environment", text_map,
                  "Variables for it; a value may be a reference to a secret (`env:`, `file:`)."),
         optional("directory", path, "Where to run it; relative to the plan's folder.")});
    verb.safety = Safety::once;
    verb.in_drill = DrillBehaviour::recorded;
    verb.outputs = {"exit", "output", "error", "dropped", "took", std::string(any_output)};
    return verb;
}

VerbSpec http_verb() {
    VerbSpec verb = specs::acts(
        "http", "Sends one HTTP request.",
        {required("url", url, "Where to send it."),
         specs::choice("method", {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
                       "The request's method.", "GET"),
         optional("headers", text_map, "Headers; a value may be a reference to a secret."),
         optional("body", text, "What to send."),
         optional("expect", text, "The status that is success; otherwise any of 2xx.")});
    verb.safety = Safety::once;
    verb.in_drill = DrillBehaviour::recorded;
    verb.outputs = {"status", "body"};
    return verb;
}

KindSpec core_kind() {
    KindSpec kind;
    kind.summary = "The verbs that need no component.";
    kind.verbs = {wait_verb(), approve_verb(), notify_verb(), run_verb(), http_verb()};
    return kind;
}

}  // namespace

std::string_view describe(SettingType type) {
    switch (type) {
        case text:
            return "a text";
        case integer:
            return "a whole number";
        case boolean:
            return "true or false";
        case duration:
            return "a duration";
        case size:
            return "a size";
        case rate:
            return "a rate";
        case port:
            return "a port";
        case path:
            return "a path";
        case url:
            return "a URL";
        case secret:
            return "a reference to a secret";
        case text_list:
            return "one or a list of texts";
        case text_map:
            return "names with texts";
        case any:
            return "any value";
        case command:
            return "a command";
        case instant:
            return "a date or time";
        case site:
            return "a site";
        case component:
            return "a component";
        case channel:
            return "a channel";
        case contacts:
            return "people or roles";
        case check:
            return "a check";
    }
    return "a value";
}

const SettingSpec* KindSpec::setting(std::string_view setting) const {
    const auto found = std::ranges::find(settings, setting, &SettingSpec::name);
    return found == settings.end() ? nullptr : &*found;
}

const VerbSpec* KindSpec::verb(std::string_view verb) const {
    const auto found = std::ranges::find(verbs, verb, &VerbSpec::name);
    return found == verbs.end() ? nullptr : &*found;
}

Catalog::Catalog() {
    add(core_kind());
    for (KindSpec& kind : placeholder_kinds()) add(std::move(kind));
}

void Catalog::add(KindSpec kind) {
    // The core's `run` and `http` are carried out by these kinds, who know best what they take.
    for (const auto& [doer, verb] : {std::pair("shell", "run"), std::pair("http", "http")})
        if (const VerbSpec* done = kind.name == doer ? kind.verb(verb) : nullptr) take_over(*done);
    std::string name = kind.name;
    kinds_.insert_or_assign(std::move(name), std::move(kind));
}

void Catalog::take_over(const VerbSpec& done) {
    const auto core = kinds_.find("");
    if (core == kinds_.end()) return;
    const auto verb = std::ranges::find(core->second.verbs, done.name, &VerbSpec::name);
    if (verb == core->second.verbs.end()) return;
    SettingSpec main = verb->arguments.front();
    *verb = done;
    std::erase_if(verb->arguments,
                  [&](const SettingSpec& argument) { return argument.name == main.name; });
    verb->arguments.insert(verb->arguments.begin(), std::move(main));
}

const KindSpec* Catalog::kind(std::string_view name) const {
    const auto found = kinds_.find(name);
    return found == kinds_.end() ? nullptr : &found->second;
}

const VerbSpec* Catalog::verb(std::string_view kind, std::string_view verb) const {
    const KindSpec* found = this->kind(kind);
    return found == nullptr ? nullptr : found->verb(verb);
}

std::vector<std::string> Catalog::verb_names() const {
    std::set<std::string> names;
    for (const auto& [name, kind] : kinds_)
        for (const VerbSpec& verb : kind.verbs) names.insert(verb.name);
    return {names.begin(), names.end()};
}

std::vector<std::string> Catalog::kind_names() const {
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds_)
        if (!name.empty()) names.push_back(name);
    return names;
}

}  // namespace lifeboat::plan
