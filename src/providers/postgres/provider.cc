#include "providers/postgres/provider.h"

#include <fmt/core.h>

#include "platform/base/size.h"
#include "platform/observe/log.h"
#include "platform/task/scope.h"
#include "providers/postgres/backup.h"
#include "providers/postgres/canary.h"
#include "providers/postgres/kind.h"
#include "providers/postgres/observe.h"
#include "providers/postgres/power.h"
#include "providers/postgres/preview.h"
#include "providers/postgres/promote.h"
#include "providers/postgres/prove.h"
#include "providers/postgres/stream.h"

namespace lifeboat::postgres {
namespace {

constexpr Duration slot_patience = std::chrono::seconds(3);  // a backup holds the slot
constexpr Duration slot_look = std::chrono::milliseconds(100);

using namespace std::chrono_literals;
using providers::Observation;
using providers::Probed;
using providers::ProgressSink;
using providers::Started;
using providers::Target;
using providers::VerbCall;
using runbook::ProbeVerdict;

Probed absent(std::string why) {
    return {.verdict = ProbeVerdict::absent, .explanation = std::move(why)};
}
Probed done(Json outputs, std::string why) {
    return {.verdict = ProbeVerdict::done,
            .outputs = std::move(outputs),
            .explanation = std::move(why)};
}

Json backup_outputs(const vault::Point& point) {
    Json outputs{{"point", point.id.value}, {"size", point.size}, {"stored", point.stored}};
    for (const char* fact :
         {"start_lsn", "stop_lsn", "timeline", "bad_pages", "bad_pages_at", "slot"})
        if (point.facts.contains(fact)) outputs[fact] = point.facts[fact];
    return outputs;
}

/// The old instance, never the one that was just made: what fence and preserve are about.
Result<const Instance*> old_instance(const VerbCall& call) {
    if (call.candidate && call.candidate->endpoint == call.current.endpoint)
        return conflict(fmt::format("'{}' has been switched to {} already", call.component->name,
                                    call.current.endpoint),
                        "Put this step before the one that switches.");
    return &call.current;
}

class PostgresProvider final : public providers::Provider {
public:
    explicit PostgresProvider(Services& services) : services_(services) {}

    plan::KindSpec describe() const override { return describe_postgres(); }
    Result<Observation> observe(const Context& context, const Target& target) override {
        return postgres::observe(context, services_, target);
    }
    Result<std::vector<providers::Call>> preview(const Context& context,
                                                 const VerbCall& call) override {
        return postgres::preview(context, services_, call);
    }
    Result<Started> start(const Context& context, const VerbCall& call,
                          const ProgressSink& progress) override;
    Result<Probed> probe(const Context& context, const VerbCall& call) override;
    Result<void> protect(const Context& context, const Target& target,
                         const plan::Protection& protection,
                         const providers::StreamSink& sink) override;
    Result<std::vector<providers::RecoveryPoint>> points(const Context& context,
                                                         const Target& target) override;
    Result<providers::Proof> prove(const Context& context, const providers::ProofCall& call,
                                   const providers::ProofSink& sink) override {
        return postgres::prove(context, services_, call, sink);
    }
    Result<void> discard(const Context& context, const providers::ProofCall& call) override {
        return postgres::discard(context, services_, call);
    }

private:
    Result<Json> run(const Context& context, const VerbCall& call, const ProgressSink& progress);
    Result<Json> back_up(const Context& context, const VerbCall& call,
                         const ProgressSink& progress);
    Result<Json> rebuild(const Context& context, const VerbCall& call,
                         const ProgressSink& progress);
    Result<Json> take_down(const Context& context, const VerbCall& call);
    Result<Probed> probe_restore(const VerbCall& call);
    Result<Probed> probe_backup(const VerbCall& call);
    Result<Probed> probe_promotion(const Context& context, const VerbCall& call);
    Result<Probed> probe_power(const Context& context, const VerbCall& call);

    Services& services_;
};

Result<Json> PostgresProvider::back_up(const Context& context, const VerbCall& call,
                                       const ProgressSink& progress) {
    const Instance& instance = call.subject();
    const Server server = TRY(server_of(services_, call.plan, instance));
    const BackupDone made =
        TRY(take_backup(context, services_, server, {instance, call.token, progress}));
    return backup_outputs(made.point);
}

Result<Json> PostgresProvider::rebuild(const Context& context, const VerbCall& call,
                                       const ProgressSink& progress) {
    const Server server = TRY(server_of(services_, call.plan, call.subject()));
    const Identity identity =
        TRY(prove_identity(context.within(30s), services_.environment, server));
    if (identity.in_recovery)
        return conflict(
            fmt::format("{} is a standby: there is nothing to protect yet", server.describe()),
            "Promote it first.");
    // Slot, histories, backup, and the WAL that the backup needs: in this order.
    return back_up(context, call, progress);
}

Result<Json> PostgresProvider::take_down(const Context& context, const VerbCall& call) {
    const bool for_good = call.verb != "stop";
    const Instance* instance = &call.subject();
    if (for_good) instance = TRY(old_instance(call));
    const Server server = TRY(server_of(services_, call.plan, *instance));
    if (for_good && server.data_directory)
        TRY(keep_down(services_, server, call.verb == "fence" ? "fenced" : "preserved",
                      call.token));
    const std::string proof = TRY(stop_instance(context, services_, call.plan, *instance));
    Json outputs{{"proof", proof}};
    if (call.verb == "preserve") outputs["evidence"] = server.data_directory->string();
    return outputs;
}

Result<Json> PostgresProvider::run(const Context& context, const VerbCall& call,
                                   const ProgressSink& progress) {
    const std::string& verb = call.verb;
    if (verb == "backup") return back_up(context, call, progress);
    if (verb == "rebuild-protection") return rebuild(context, call, progress);
    if (verb == "restore") return restore(context, services_, restore_request(call, progress));
    if (verb == "promote") return promote(context, services_, call);
    if (verb == "start")
        return start_instance(context, services_, call.plan, call.subject(), progress);
    if (verb == "stop" || verb == "fence" || verb == "preserve") return take_down(context, call);
    if (verb == "verify")
        return verify(context, services_, call.plan, *call.component, call.subject());
    return unsupported(fmt::format("kind postgres has no verb '{}'", verb));
}

Result<Started> PostgresProvider::start(const Context& context, const VerbCall& call,
                                        const ProgressSink& progress) {
    Json outputs = TRY(run(context, call, progress));
    return Started{.operation = std::nullopt, .outputs = std::move(outputs)};
}

Result<Probed> PostgresProvider::probe_restore(const VerbCall& call) {
    const RestoreRequest request = restore_request(call, {});
    const RestoreFound found = TRY(find_restore(services_, request));
    if (!found.marker) return absent(fmt::format("there is no {}", found.directory.string()));
    if (found.marker->state < Marker::State::ready)
        return absent(fmt::format("{} is not finished", found.directory.string()));
    if (!found.alive && found.marker->state == Marker::State::ready)
        return absent(fmt::format("the server in {} does not run", found.directory.string()));
    const Instance made = TRY(candidate_of(request, found.directory, *found.marker));
    return done(restore_outputs(made, found.directory, *found.marker),
                fmt::format("{} stands at {}", made.endpoint, format_lsn(found.marker->target)));
}

Result<Probed> PostgresProvider::probe_backup(const VerbCall& call) {
    vault::Vault* vault = TRY(require_vault(services_));
    const auto point = TRY(point_with_token(*vault, call.component->name, call.token));
    if (!point) return absent("the vault holds no point of this step");
    return done(backup_outputs(*point), fmt::format("point {} is in the vault", point->id.value));
}

Result<Probed> PostgresProvider::probe_promotion(const Context& context, const VerbCall& call) {
    auto promoted = find_promotion(context.within(30s), services_, call);
    if (!promoted.has_value())
        return Probed{.verdict = ProbeVerdict::undecided, .explanation = promoted.error().message};
    if (!*promoted)
        return absent("it is in recovery, or its promotion is not complete: the step goes on");
    return done(std::move(**promoted), "it is writable on its new timeline");
}

Result<Probed> PostgresProvider::probe_power(const Context& context, const VerbCall& call) {
    const bool for_good = call.verb == "fence" || call.verb == "preserve";
    const Instance* instance = &call.subject();
    if (for_good) instance = TRY(old_instance(call));
    const Server server = TRY(server_of(services_, call.plan, *instance));
    if (call.verb == "start") {
        const auto postmaster = TRY(living_postmaster(services_, server, *instance));
        if (!postmaster) return absent("it does not run");
        const auto identity = prove_identity(context.within(10s), services_.environment, server);
        if (!identity.has_value()) return absent(identity.error().message);
        Instance running = *instance;
        running.identity.update(to_json(*identity, server));
        return done(
            Json{{"instance", providers::to_json(running)}, {"endpoint", server.endpoint()}},
            "it answers");
    }
    const Death death = TRY(prove_dead(context, services_.environment, server, instance->identity));
    if (!death.proven) return absent(death.why);
    const bool marked = !for_good || !server.data_directory ||
                        !services_.environment.files.status(*server.data_directory).has_value() ||
                        !kept_down(services_.environment.files, *server.data_directory).empty();
    if (!marked) return absent("it is dead, but may be started again");
    Json outputs{{"proof", death.why}};
    if (call.verb == "preserve" && server.data_directory)
        outputs["evidence"] = server.data_directory->string();
    return done(std::move(outputs), death.why);
}

Result<Probed> PostgresProvider::probe(const Context& context, const VerbCall& call) {
    const std::string& verb = call.verb;
    if (verb == "backup" || verb == "rebuild-protection") return probe_backup(call);
    if (verb == "restore") return probe_restore(call);
    if (verb == "promote") return probe_promotion(context, call);
    if (verb == "verify") return absent("it only looks");
    return probe_power(context, call);
}

Result<void> PostgresProvider::protect(const Context& context, const Target& target,
                                       const plan::Protection& protection,
                                       const providers::StreamSink& sink) {
    if (protection.method != "continuous")
        return unsupported(fmt::format("protection '{}' of '{}' is no stream", protection.method,
                                       target.component.name),
                           "It is made by `backup`, as often as `every:` says.");
    vault::Vault* vault = TRY(require_vault(services_));
    const Server server = TRY(server_of(services_, target.plan, target.instance));
    const auto identity = prove_identity(context.within(30s), services_.environment, server);
    if (!identity.has_value()) {
        if (context.stopped()) return ok();
        return identity.error();
    }
    TRY(require_known(*vault, server, identity->system_identifier));
    const Json settings = providers::settings_at(target.component, target.instance.site);
    TaskScope scope(context);
    if (target.plan.mode == plan::Mode::act && bool_or(settings, "canary", false))
        scope.spawn([&](const Context& task) {
            return release_canaries(task, server, [&](const std::string& why) {
                log::warning("postgres", "{}: no canary: {}", target.component.name, why);
            });
        });
    const Monotonic began = context.clock().monotonic();
    while (true) {
        WalStream stream(services_, server, {sink, {}});
        const auto ended = stream.run(context);
        if (context.stopped()) return ok();
        // A base backup that streamed for itself is about to end, and every moment counts then.
        const bool waits = !ended.has_value() && stream.slot_in_use() &&
                           context.clock().monotonic() - began < slot_patience;
        if (!waits) return ended;
        if (!context.sleep(slot_look).has_value()) return ok();
    }
}

Result<std::vector<providers::RecoveryPoint>> PostgresProvider::points(const Context&,
                                                                       const Target& target) {
    vault::Vault* vault = TRY(require_vault(services_));
    const auto pinned = pinned_identifier(target.instance);
    const Holdings holdings = TRY(load_holdings(*vault, target.component.name, pinned));
    VaultWalIndex index(*vault, holdings);
    return list_points(holdings, index);
}

}  // namespace
}  // namespace lifeboat::postgres

namespace lifeboat::providers {

std::unique_ptr<Provider> make_postgres_provider(Services& services) {
    return std::make_unique<postgres::PostgresProvider>(services);
}

}  // namespace lifeboat::providers
