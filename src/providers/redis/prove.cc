#include "providers/redis/prove.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/size.h"
#include "providers/redis/backup.h"
#include "providers/redis/copy.h"
#include "providers/redis/launch.h"
#include "providers/redis/restore.h"

namespace lifeboat::redis {
namespace {

using namespace std::chrono_literals;
using providers::Exam;
using providers::Proof;
using providers::ProofCall;
using providers::ProofSink;
using providers::Services;
using providers::VerbCall;

constexpr std::uint64_t spare_bytes = 16U << 20U;  // configuration, log, temporary files
constexpr Duration try_again = 200ms;
constexpr int tries_max = 5;

using Examination = Result<Exam> (*)(const Context&, Copy&);

/// The copy as the verb `restore` would make it.
VerbCall restore_call(const ProofCall& call, const vault::Point& point) {
    VerbCall made{.plan = call.plan};
    made.component = &call.component;
    made.verb = "restore";
    made.step = StepId("verify");
    made.token = call.token;
    made.site = call.current.site;
    made.current = call.current;
    made.arguments = Json{{"to", point.id.value}, {aside_argument, true}};
    return made;
}

Result<void> require_room(const Services& services, const providers::LocalSite& site,
                          const vault::Point& point) {
    Path folder = site.directory;
    while (!services.environment.files.status(folder).has_value() && folder.has_relative_path())
        folder = folder.parent_path();
    const std::uint64_t free = TRY(services.environment.files.free_space(folder));
    const std::uint64_t needed = point.size + point.size / 20 + spare_bytes;
    if (free >= needed) return ok();
    return exhausted(
        fmt::format("a copy of {} needs {} in {}, and {} are free there: {} are missing",
                    point.id.value, human_size(needed), site.directory.string(), human_size(free),
                    human_size(needed - free)),
        "Make room there, or put the site's directory on a larger disk; nothing was written.");
}

Result<void> examine(const Context& context, Copy& copy, const ProofSink& sink, const char* name,
                     Examination ask, Proof& proof) {
    if (sink.stage) sink.stage(name);
    const Monotonic began = context.clock().monotonic();
    auto exam = ask(context, copy);
    TRY(context.check("proving a recovery point"));
    if (!exam.has_value()) {
        const ErrorKind kind = exam.error().kind;
        Exam failed{.outcome = Exam::Outcome::failed, .name = name, .detail = exam.error().message};
        if (kind == ErrorKind::denied || kind == ErrorKind::unsupported)
            failed.outcome = Exam::Outcome::unseen;
        if (kind == ErrorKind::timeout) failed.outcome = Exam::Outcome::unfinished;
        exam = std::move(failed);
    }
    exam->took = context.clock().monotonic() - began;
    if (sink.exam) sink.exam(*exam);
    proof.exams.push_back(*std::move(exam));
    return ok();
}

/// Nothing where the plan's check looks from outside.
Result<void> examine_plan(const Context& context, Copy& copy, const ProofSink& sink, Proof& proof) {
    const plan::Component& component = copy.call.component;
    std::size_t asked = 0;
    for (const plan::Check& check :
         component.verify.empty() ? component.health : component.verify) {
        if (check.type != "redis" || check.settings.contains("host")) continue;
        const probe::Place place{.host = copy.address.host,
                                 .port = copy.address.port,
                                 .user = copy.address.user,
                                 .password = copy.address.password};
        plan::Check own = check;
        own.settings.erase("port");
        const auto result = probe::run_check(context, copy.services.environment, own, place);
        TRY(context.check("asking the copy"));
        Exam exam{.name = result.name, .detail = result.detail, .took = result.took};
        if (!result.passed) exam.outcome = Exam::Outcome::failed;
        if (result.timed_out) exam.outcome = Exam::Outcome::unfinished;
        if (sink.exam) sink.exam(exam);
        proof.exams.push_back(std::move(exam));
        ++asked;
    }
    if (asked > 0) return ok();
    proof.exams.push_back({.outcome = Exam::Outcome::unseen,
                           .name = "the plan's checks",
                           .detail = "the plan asks nothing of the data: `verify:` has no redis"});
    if (sink.exam) sink.exam(proof.exams.back());
    return ok();
}

Proof proof_of(const vault::Point& point) {
    Proof proof;
    proof.point = point.id.value;
    proof.position = fmt::format("{}:{}", string_or(point.facts, "replication_id", "?"),
                                 integer_or(point.facts, "offset", 0));
    proof.at = time_of(point);
    proof.size = point.size;
    proof.versions = Json{{"redis", string_or(point.facts, "redis_version", "")}};
    return proof;
}

bool is_the_points_fault(const Error& error, const std::optional<Marker>& marker) {
    if (error.kind == ErrorKind::corrupt) return true;
    return error.kind == ErrorKind::unavailable && marker && marker->server;
}

/// What a crash has left of a copy; nothing when there is nothing.
Result<std::optional<Marker>> own_marker(const Services& services, const Path& folder,
                                         const ProofCall& call) {
    auto marker = TRY(load_marker(services.environment.files, folder));
    if (marker && (marker->token != call.token || !marker->is_aside))
        return conflict(fmt::format("{} is no copy of this verification", folder.string()),
                        "Nothing was touched: look at it, and remove it by hand.");
    if (!marker && services.environment.files.status(folder).has_value())
        marker = Marker{.token = call.token, .component = call.component.name};
    return marker;
}

}  // namespace

Result<Proof> prove(const Context& context, Services& services, const ProofCall& call,
                    const ProofSink& sink) {
    const providers::LocalSite site =
        TRY(providers::local_site(call.plan, call.current.site, services.plan_directory));
    const vault::Point point = TRY(choose_point(services, call.component.name, call.to, true));
    TRY(require_room(services, site, point));
    Proof proof = proof_of(point);
    if (sink.stage) sink.stage("restoring");
    const Monotonic began = context.clock().monotonic();
    const auto outputs = restore(context, services, restore_call(call, point), sink.progress);
    TRY(context.check("restoring a copy"));
    proof.restored_in = context.clock().monotonic() - began;
    const Path folder = folder_of(site, call.component.name, call.token);
    const auto marker = TRY(load_marker(services.environment.files, folder));
    if (!outputs.has_value() && !is_the_points_fault(outputs.error(), marker))
        return outputs.error();
    Exam started{.name = "starts", .took = proof.restored_in};
    started.outcome = outputs.has_value() ? Exam::Outcome::passed : Exam::Outcome::failed;
    started.detail = outputs.has_value() ? "restored, started, and it has loaded every key"
                                         : outputs.error().message;
    if (sink.exam) sink.exam(started);
    proof.exams.push_back(std::move(started));
    if (!outputs.has_value()) return proof;
    const auto made = TRY(providers::instance_from_json((*outputs)["instance"]));
    const Address address = TRY(address_of(services, made));
    Client client = TRY(Client::connect(context, address));
    Copy copy{.services = services,
              .call = call,
              .address = address,
              .point = point,
              .client = std::move(client)};
    TRY(examine_plan(context, copy, sink, proof));
    TRY(examine(context, copy, sink, "keys by type", examine_types, proof));
    TRY(examine(context, copy, sink, "expiries", examine_expiries, proof));
    TRY(examine(context, copy, sink, "digest", examine_digest, proof));
    if (!copy.digest.empty()) proof.conditions["digest"] = copy.digest;
    return proof;
}

Result<void> discard(const Context& context, Services& services, const ProofCall& call) {
    const providers::LocalSite site =
        TRY(providers::local_site(call.plan, call.current.site, services.plan_directory));
    const Path folder = folder_of(site, call.component.name, call.token);
    Result<void> removed;
    for (int i = 0; i < tries_max; ++i) {
        const auto marker = TRY(own_marker(services, folder, call));
        if (!marker) break;
        const auto server = TRY(find_server(services, *marker));
        if (server)
            TRY(services.environment.processes.stop_group(context, *server, Duration::zero()));
        removed = services.environment.files.remove_tree(folder);
        if (removed.has_value()) continue;  // and look again whether somebody has written meanwhile
        TRY(context.sleep(try_again));
    }
    TRY(std::move(removed));
    return providers::release_port(services.environment, site, call.token);
}

}  // namespace lifeboat::redis
