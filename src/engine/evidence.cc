#include "engine/evidence.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "platform/codec/crypto.h"
#include "platform/observe/log.h"

namespace lifeboat::engine {
namespace {

using readiness::Fact;

constexpr std::string_view fact_type = "fact";
constexpr std::size_t page = 10'000;
constexpr int tries_max = 20;

struct Kept {
    std::vector<Fact> facts;
    std::uint64_t version = 0;
};

Result<void> read_on(State& state, Kept& kept) {
    while (true) {
        const auto events = TRY(state.read(evidence_stream, kept.version, page));
        for (const StoredEvent& event : events) {
            kept.version = event.version;
            if (event.type != fact_type) continue;
            auto fact = readiness::fact_from_json(event.payload);
            if (!fact.has_value())
                return corrupt(fmt::format("stream '{}', version {}: {}", evidence_stream,
                                           event.version, fact.error().message),
                               "A newer Lifeboat may have written it; use that one.");
            kept.facts.push_back(*std::move(fact));
        }
        if (events.size() < page) return ok();
    }
}

/// The same measurement, whoever records it and how often.
std::string key_of(const Fact& fact) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", fact.subject, fact.component,
                       to_string(fact.objective), fact.scenario, to_string(fact.source),
                       format_instant(fact.at));
}

/// "15.18 (Debian 15.18-0+deb12u1)" is 15.18, however the server was asked.
std::string bare(const std::string& version) { return version.substr(0, version.find(' ')); }

bool has_endpoint(const Json& settings) {
    return settings.is_object() && settings.contains("endpoint");
}

constexpr std::string_view document_prefix = "evidence/";

std::string document_of(const Fact& fact) {
    return fmt::format("{}{:020}-{}", document_prefix, fact.at.time_since_epoch().count(),
                       to_hex(crypto::sha256(as_bytes(key_of(fact)))).substr(0, 16));
}

/// What the vault remembers, in the order in which it was measured.
Result<std::vector<Fact>> remembered(Workspace& workspace) {
    std::map<std::string, Fact> by_name;
    for (const plan::Component& component : workspace.plan.components) {
        const auto names = TRY(workspace.services.vault->documents(component.name));
        for (const std::string& name : names) {
            if (!name.starts_with(document_prefix)) continue;
            const Bytes bytes = TRY(workspace.services.vault->get_document(component.name, name));
            const Json json = TRY(parse_json(as_text(bytes)));
            Fact fact = TRY(readiness::fact_from_json(json));
            by_name.emplace(name, std::move(fact));
        }
    }
    std::vector<Fact> facts;
    for (auto& [name, fact] : by_name) facts.push_back(std::move(fact));
    return facts;
}

}  // namespace

Result<void> record_facts(State& state, const std::vector<Fact>& facts) {
    Kept kept;
    for (int tries = 0; tries < tries_max; ++tries) {
        TRY(read_on(state, kept));
        std::set<std::string> known;
        for (const Fact& fact : kept.facts) known.insert(key_of(fact));
        std::vector<NewEvent> events;
        for (const Fact& fact : facts)
            if (known.insert(key_of(fact)).second)
                events.push_back({.type = std::string(fact_type),
                                  .payload = readiness::to_json(fact),
                                  .at = fact.at});
        if (events.empty()) return ok();
        auto appended = state.append(evidence_stream, kept.version, events);
        if (appended.has_value()) return ok();
        if (appended.error().kind != ErrorKind::conflict) return appended.error();
    }
    return conflict("evidence: too many record at once", "Try again.");
}

Result<void> record_facts(Workspace& workspace, const std::vector<Fact>& facts) {
    recall_evidence(workspace);
    TRY(record_facts(workspace.state, facts));
    if (workspace.services.vault == nullptr) return ok();
    for (const Fact& fact : facts) {
        if (fact.source == readiness::Source::backup) continue;  // the point itself is there
        auto kept = workspace.services.vault->put_document(fact.component, document_of(fact),
                                                           as_bytes(dump(to_json(fact))));
        if (!kept.has_value())
            log::warning("evidence", "{}: the vault does not know what was measured: {}",
                         fact.component, kept.error().message);
    }
    return ok();
}

Result<void> record_fact(Workspace& workspace, const Fact& fact) {
    return record_facts(workspace, {fact});
}

void recall_evidence(Workspace& workspace) {
    if (workspace.services.vault == nullptr) return;
    const auto version = workspace.state.version(evidence_stream);
    if (!version.has_value() || *version != 0) return;
    auto facts = remembered(workspace);
    auto taken =
        facts.has_value() ? record_facts(workspace.state, *facts) : Result<void>(facts.error());
    if (!taken.has_value())
        log::warning("evidence", "what the vault remembers cannot be taken over: {}",
                     taken.error().message);
}

Result<std::vector<Fact>> load_facts(State& state) {
    Kept kept;
    TRY(read_on(state, kept));
    return std::move(kept.facts);
}

std::string environment_of(const plan::Plan& plan) {
    const auto overridden = [](const plan::Component& component) {
        return has_endpoint(component.settings) ||
               std::ranges::any_of(component.at_site,
                                   [](const auto& at) { return has_endpoint(at.second); });
    };
    for (const plan::Site& site : plan.sites)
        for (const auto& [platform, settings] : site.platforms.items())
            if (has_endpoint(settings)) return "emulated";
    return std::ranges::any_of(plan.components, overridden) ? "emulated" : "real";
}

Json versions_in_use(const std::map<std::string, providers::Observation>& observations) {
    Json versions{{"lifeboat", LIFEBOAT_VERSION}};
    for (const auto& [name, seen] : observations)
        if (const std::string version = string_or(seen.facts, "version", ""); !version.empty())
            versions[name] = bare(version);
    return versions;
}

Json versions_for(const plan::Plan& plan, const std::string& component, const Json& versions) {
    Json found = Json::object();
    std::set<std::string> seen;
    std::vector<std::string> open{"lifeboat", component};
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        if (!seen.insert(name).second) continue;
        if (const std::string version = string_or(versions, name, ""); !version.empty())
            found[name] = bare(version);
        if (const plan::Component* declared = plan.component(name))
            open.insert(open.end(), declared->needs.begin(), declared->needs.end());
    }
    return found;
}

Fact new_fact(const plan::Plan& plan, const std::string& component, const std::string& scenario,
              readiness::Objective objective, const Json& versions) {
    Fact fact;
    fact.component = component;
    fact.scenario = scenario;
    fact.objective = objective;
    fact.environment = environment_of(plan);
    fact.plan_digest = plan.digest;
    fact.part_digest = readiness::part_digest(plan, component, scenario);
    fact.versions = versions_for(plan, component, versions);
    return fact;
}

}  // namespace lifeboat::engine
