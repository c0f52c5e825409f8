#include "engine/verification.h"

#include <fmt/core.h>

#include "engine/evidence.h"
#include "engine/recovery.h"
#include "platform/observe/log.h"
#include "platform/task/scope.h"

namespace lifeboat::engine {
namespace {

using namespace std::chrono_literals;
using providers::Instance;
using providers::Proof;
using providers::ProofCall;
using providers::ProofSink;

constexpr Duration lease_ttl = 60s;
constexpr Duration renew_every = 15s;
constexpr Duration discard_time = 2min;

std::string record_key(const std::string& component) { return "verification/" + component; }
std::string lease_name(const std::string& component) { return "verify/" + component; }

/// Sets the component's record, whoever wrote it last: the lease says that it is ours to write.
Result<void> put_record(State& state, const std::string& component, const Json& changes) {
    const std::string key = record_key(component);
    for (int tries = 0;; ++tries) {
        Record record = TRY(state.get(key));
        if (!record.value.is_object()) record.value = Json::object();
        record.value.update(changes);
        auto written = state.put(key, record.version, record.value);
        if (written.has_value()) return ok();
        if (written.error().kind != ErrorKind::conflict || tries == 10) return written.error();
    }
}

/// Whoever was stopped still takes away what he made.
Result<void> discard(Workspace& workspace, providers::Provider& provider, const ProofCall& call) {
    const Context context = Context(workspace.environment.clock).within(discard_time);
    auto gone = provider.discard(context, call);
    if (!gone.has_value())
        return std::move(gone).error().in(fmt::format("the copy of {}", call.component.name));
    return put_record(workspace.state, call.component.name, Json{{"token", ""}});
}

/// Takes away what the record names. True when there was something.
Result<bool> clear(Workspace& workspace, providers::Provider& provider,
                   const plan::Component& component) {
    const Record record = TRY(workspace.state.get(record_key(component.name)));
    if (record.version == 0) return false;
    const std::string token = string_or(record.value, "token", "");
    if (token.empty()) return false;
    const Instance where =
        TRY(providers::instance_from_json(record.value.value("instance", Json::object())));
    const ProofCall call{
        .plan = workspace.plan, .component = component, .current = where, .token = token, .to = {}};
    log::info("verify", "{}: taking away what a killed verification has left ({})", component.name,
              token);
    TRY(discard(workspace, provider, call));
    return true;
}

Result<providers::Provider*> provider_of(Workspace& workspace, const plan::Component& component) {
    providers::Provider* provider = workspace.registry.find(component.kind);
    if (provider != nullptr) return provider;
    return unsupported(
        fmt::format("{}: no provider for kind '{}' in this build", component.name, component.kind));
}

/// The lease stays ours however long an exam takes.
class Keeper {
public:
    Keeper(const Context& context, State& state, const Lease& lease) : scope_(context) {
        scope_.spawn([&state, held = Lease(lease)](const Context& inner) mutable -> Result<void> {
            while (inner.sleep(renew_every).has_value())
                if (auto longer = state.renew(held, lease_ttl)) held = *longer;
            return ok();
        });
    }

private:
    TaskScope scope_;
};

Json document_of(Workspace& workspace, const Verification& verification) {
    Json document = to_json(verification.proof);
    document["id"] = verification.id;
    document["component"] = verification.component;
    document["verdict"] = verification.verdict;
    document["why"] = verification.why;
    document["at"] = format_instant(verification.at);
    document["plan"] = workspace.plan.digest;
    return document;
}

readiness::Fact fact_of(Workspace& workspace, const Verification& verification,
                        readiness::Objective objective) {
    Json versions = Json::object();
    for (const auto& [name, version] : verification.proof.versions.items())
        versions[verification.component] = version;
    readiness::Fact fact =
        new_fact(workspace.plan, verification.component, "", objective, versions);
    fact.at = verification.at;
    fact.source = readiness::Source::verification;
    fact.subject = verification.proof.point;
    fact.met = verification.verdict == "proven";
    Json exams = Json::array();
    for (const providers::Exam& exam : verification.proof.exams)
        exams.push_back(Json{{"name", exam.name}, {"outcome", providers::to_string(exam.outcome)}});
    fact.conditions =
        Json{{"verification", verification.id},
             {"point", verification.proof.point},
             {"position", verification.proof.position},
             {"as_of",
              verification.proof.at ? Json(format_instant(*verification.proof.at)) : Json(nullptr)},
             {"size", verification.proof.size},
             {"exams", std::move(exams)}};
    return fact;
}

/// What was proven, where everybody finds it. Trouble is told, not an Error: the proof was made.
void keep(Workspace& workspace, Verification& verification) {
    const auto trouble = [&](const Result<void>& kept, const char* where) {
        if (!kept.has_value())
            verification.warnings.push_back(
                fmt::format("not kept {}: {}", where, kept.error().message));
    };
    vault::Vault* vault = workspace.services.vault;
    if (vault != nullptr)
        trouble(providers::keep_proof(*vault, verification.component,
                                      document_of(workspace, verification)),
                "in the vault");
    if (verification.verdict == "undecided") return;
    trouble(
        record_fact(workspace, fact_of(workspace, verification, readiness::Objective::restorable)),
        "as evidence");
    const plan::Component* component = workspace.plan.component(verification.component);
    const bool measured_rpo = verification.proof.rpo && component->objectives.rpo;
    if (!measured_rpo || verification.verdict != "proven") return;
    readiness::Fact measured = fact_of(workspace, verification, readiness::Objective::rpo);
    measured.value = verification.proof.rpo;
    measured.met = *measured.value <= *component->objectives.rpo;
    trouble(record_fact(workspace, measured), "as evidence");
}

/// Records what it is about to make, makes it, and takes it away again.
Result<Proof> prove_and_discard(const Context& context, Workspace& workspace,
                                providers::Provider& provider, const ProofCall& call,
                                const ProofSink& sink) {
    TRY(put_record(workspace.state, call.component.name,
                   Json{{"token", call.token}, {"instance", providers::to_json(call.current)}}));
    auto proof = provider.prove(context, call, sink);
    if (sink.stage) sink.stage("taking the copy away");
    const auto gone = discard(workspace, provider, call);
    if (proof.has_value() && !gone.has_value()) return gone.error();
    return proof;
}

}  // namespace

Json to_json(const Verification& verification) {
    Json json{{"id", verification.id},
              {"component", verification.component},
              {"verdict", verification.verdict},
              {"why", verification.why},
              {"at", format_instant(verification.at)},
              {"took_s", std::chrono::duration<double>(verification.took).count()}};
    json.update(providers::to_json(verification.proof));
    if (!verification.warnings.empty()) json["warnings"] = verification.warnings;
    return json;
}

Result<Verification> verify(const Context& context, Workspace& workspace, Instances& instances,
                            const VerifyRequest& request, const ProofSink& sink) {
    const plan::Component* component = workspace.plan.component(request.component);
    if (component == nullptr)
        return not_found(fmt::format("no component '{}' in the plan", request.component));
    providers::Provider* provider = TRY(provider_of(workspace, *component));
    if (workspace.services.vault == nullptr)
        return unavailable(workspace.services.vault_problem,
                           "Make the vault with `lifeboat vault init`.");
    Environment& environment = workspace.environment;
    const Lease lease = TRY(
        workspace.state.acquire(lease_name(component->name),
                                own_holder(environment, "verify " + component->name), lease_ttl));
    const Monotonic began = environment.clock.monotonic();
    Verification verification;
    verification.id = make_id(environment, "verify");
    verification.component = component->name;
    const auto work = [&]() -> Result<Proof> {
        const Keeper keeper(Context(environment.clock), workspace.state, lease);
        TRY(clear(workspace, *provider, *component));
        const Instance current = TRY(instances.current(component->name));
        ProofCall call{.plan = workspace.plan,
                       .component = *component,
                       .current = current,
                       .token = fmt::format("lb-{}", verification.id),
                       .to = request.to};
        call.may_write = workspace.plan.mode == plan::Mode::act;
        call.damage = request.damage;
        return prove_and_discard(context, workspace, *provider, call, sink);
    };
    auto proof = work();
    if (proof.has_value()) {
        verification.proof = std::move(*proof);
        verification.verdict = providers::verdict_of(verification.proof);
        verification.why = providers::trouble_of(verification.proof);
        verification.at = workspace.now();
        verification.took = environment.clock.monotonic() - began;
        keep(workspace, verification);
        // Ignored: only the next estimate is poorer without it.
        (void)put_record(workspace.state, component->name,
                         Json{{"took", format_duration(verification.took)}});
    }
    (void)workspace.state.release(lease);  // Ignored: it expires.
    if (!proof.has_value()) return proof.error();
    return verification;
}

Result<std::vector<std::string>> clear_leftovers(const Context& context, Workspace& workspace) {
    std::vector<std::string> cleared;
    for (const plan::Component& component : workspace.plan.components) {
        TRY(context.check("taking away what is left"));
        providers::Provider* provider = workspace.registry.find(component.kind);
        if (provider == nullptr) continue;
        const Record record = TRY(workspace.state.get(record_key(component.name)));
        if (record.version == 0 || string_or(record.value, "token", "").empty()) continue;
        const auto lease = workspace.state.acquire(
            lease_name(component.name),
            own_holder(workspace.environment, "verify " + component.name), lease_ttl);
        if (!lease.has_value()) continue;  // somebody is at it
        const auto had = clear(workspace, *provider, component);
        (void)workspace.state.release(*lease);  // Ignored: it expires.
        if (!had.has_value()) return had.error();
        if (*had) cleared.push_back(component.name);
    }
    return cleared;
}

std::optional<Duration> last_verification_took(Workspace& workspace, const std::string& component) {
    const auto record = workspace.state.get(record_key(component));
    if (!record.has_value() || record->version == 0) return std::nullopt;
    const auto took = parse_duration(string_or(record->value, "took", ""));
    if (!took.has_value()) return std::nullopt;
    return *took;
}

}  // namespace lifeboat::engine
