#include "providers/postgres/prove.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "platform/base/size.h"
#include "platform/base/text.h"
#include "providers/postgres/backup.h"
#include "providers/postgres/canary.h"
#include "providers/postgres/copy.h"
#include "providers/postgres/restore.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
using providers::Exam;
using providers::Proof;
using providers::ProofCall;
using providers::ProofSink;

constexpr std::uint64_t spare_bytes = 64U << 20U;  // configuration, sockets, log, temporary files
constexpr std::uint64_t wal_bytes_max = 1536U << 20U;  // what a replaying server keeps of its WAL

constexpr int port_tries = 4;
constexpr Duration canary_patience = 8s;
constexpr Duration canary_look = 50ms;

using Examination = Result<std::vector<Exam>> (*)(const Context&, Copy&);

/// Asks one thing, and makes an exam of whatever comes back. Errors: only those that end the whole
/// proof: we were stopped, or its time is over.
Result<void> examine(const Context& context, Copy& copy, const char* name, Examination ask,
                     Proof& proof) {
    copy.stage(name);
    const Monotonic began = context.clock().monotonic();
    auto found = ask(context, copy);
    TRY(context.check("proving a recovery point"));
    if (!found.has_value()) {
        const Error& error = found.error();
        Exam exam{.outcome = Exam::Outcome::failed, .name = name, .detail = error.message};
        const bool blind = error.kind == ErrorKind::denied || error.kind == ErrorKind::not_found ||
                           error.kind == ErrorKind::unsupported;
        if (blind) {
            exam.outcome = Exam::Outcome::unseen;
        } else if (!is_of_the_data(error, copy)) {
            exam.outcome = Exam::Outcome::unfinished;
            if (copy.was_killed())
                exam.detail += "; the copy's server was killed: is memory short?";
        }
        found = std::vector<Exam>{std::move(exam)};
    }
    const Duration took = context.clock().monotonic() - began;
    for (Exam& exam : *found) {
        if (exam.took == Duration::zero()) exam.took = found->size() == 1 ? took : Duration::zero();
        if (copy.sink.exam) copy.sink.exam(exam);
        proof.exams.push_back(std::move(exam));
    }
    return ok();
}

RestoreRequest request_of(const ProofCall& call, const ProofSink& sink) {
    RestoreRequest request{.plan = call.plan,
                           .component = call.component,
                           .site = call.current.site,
                           .token = call.token,
                           .to = call.to,
                           .system_identifier = pinned_identifier(call.current),
                           .progress = sink.progress};
    request.is_aside = true;
    return request;
}

/// Of the nearest folder above that exists.
Result<std::uint64_t> free_space_at(Files& files, Path folder) {
    while (!files.status(folder).has_value() && folder.has_relative_path())
        folder = folder.parent_path();
    return files.free_space(folder);
}

/// Refuses up front what would fill the disk that others live on as well.
Result<void> require_room(const Services& services, const ProofCall& call, const Choice& choice) {
    const providers::LocalSite site =
        TRY(providers::local_site(call.plan, call.current.site, services.plan_directory));
    std::uint64_t wal = 0;
    for (Lsn from = choice.base.start; const Stretch& stretch : choice.stretches) {
        if (stretch.end > from) wal += stretch.end - from;
        from = stretch.end;
    }
    const std::uint64_t files = choice.base.point.size;
    const std::uint64_t needed = files + files / 20 + std::min(2 * wal, wal_bytes_max) +
                                 4 * std::uint64_t{choice.base.segment_size} + spare_bytes;
    const std::uint64_t free = TRY(free_space_at(services.environment.files, site.directory));
    if (free >= needed) return ok();
    return exhausted(
        fmt::format("a copy of {} needs {} in {}, and {} are free there: {} are missing",
                    choice.base.point.id.value, human_size(needed), site.directory.string(),
                    human_size(free), human_size(needed - free)),
        "Make room there, or put the site's directory on a larger disk; nothing was written.");
}

/// Flips one byte of the copy. `where` is "base/5/16385:8200".
Result<void> damage(Files& files, const Path& data, const std::string& where) {
    const std::size_t colon = where.rfind(':');
    const auto offset = colon == std::string::npos
                            ? std::nullopt
                            : parse_integer(std::string_view(where).substr(colon + 1));
    if (!offset || *offset < 0)
        return invalid(fmt::format("'{}' is no place in a file", where),
                       "Write base/5/16385:8200, the file and the byte in it.");
    auto file = TRY(files.open(data / where.substr(0, colon), OpenMode::update));
    std::array<std::byte, 1> byte{};
    const std::size_t read = TRY(file->read_at(static_cast<std::uint64_t>(*offset), byte));
    if (read != 1) return invalid(fmt::format("'{}' lies behind the end of the file", where));
    byte[0] = ~byte[0];
    TRY(file->write_at(static_cast<std::uint64_t>(*offset), byte));
    return file->sync();
}

/// What a server says that could not start where it is, whatever its data.
constexpr std::array<std::string_view, 10> machine_troubles{
    "Address already in use",  "could not create any TCP/IP sockets",
    "No space left on device", "could not create shared memory",
    "could not map anonymous", "could not create semaphores",
    "out of memory",           "was terminated by signal 9",
    "could not load library",  "could not access file"};

bool lost_its_port(const Services& services, const RestoreRequest& request,
                   const Result<Json>& outputs) {
    if (outputs.has_value()) return false;
    const auto found = find_restore(services, request);
    if (!found.has_value()) return false;
    // While it replays, the only conflict is that somebody else answers there.
    const bool replays = found->marker && found->marker->state == Marker::State::replaying;
    if (replays && outputs.error().kind == ErrorKind::conflict) return true;
    const auto log = read_file(services.environment.files, found->directory / "server.log");
    return log.has_value() &&
           as_text(*log).find("could not create any TCP/IP sockets") != std::string_view::npos;
}

/// What did not start may be the point's fault, or that of this machine.
bool is_the_points_fault(Environment& environment, const Error& error, const RestoreFound& found) {
    if (error.kind == ErrorKind::corrupt) return true;
    const bool began = found.marker && found.marker->state >= Marker::State::replaying;
    if (error.kind != ErrorKind::unavailable || !began) return false;
    const auto log = read_file(environment.files, found.directory / "server.log");
    return log.has_value() && std::ranges::none_of(machine_troubles, [&](std::string_view trouble) {
               return as_text(*log).find(trouble) != std::string_view::npos;
           });
}

Proof proof_of(const Choice& choice) {
    Proof proof;
    proof.point = choice.base.point.id.value;
    proof.position = format_lsn(choice.until);
    proof.at = choice.at;
    proof.size = choice.base.point.size;
    const Json& facts = choice.base.point.facts;
    proof.versions = Json{{"postgres", string_or(facts, "version", "")}};
    proof.conditions =
        Json{{"timeline", choice.timeline}, {"checksums", bool_or(facts, "checksums", false)}};
    return proof;
}

/// What is known of the canary before anything is restored.
struct CanaryWatch {
    std::shared_ptr<const WrittenCanary> written;
    std::optional<Duration> arrival;
    std::string problem;
};

/// Writes a canary at the source, and waits a little until the vault has it: `protect` may be at
/// work.
Result<CanaryWatch> release_canary(const Context& context, const Services& services,
                                   const ProofCall& call, const Server& source) {
    CanaryWatch watch;
    // As the plan reads now, whatever it said when the instance was recorded.
    const Json settings = providers::settings_at(call.component, call.current.site);
    const bool wanted = call.may_write && call.to == "latest" && bool_or(settings, "canary", false);
    if (!wanted) return watch;
    auto written = write_canary(context.within(canary_write_time), source);
    TRY(context.check("writing a canary"));
    if (!written.has_value()) {
        watch.problem = fmt::format("none could be written: {}", written.error().message);
        return watch;
    }
    watch.written = std::make_shared<const WrittenCanary>(*written);
    const Monotonic until = context.clock().monotonic() + canary_patience;
    while (context.clock().monotonic() < until) {
        const auto logs = TRY(services.vault->logs(call.component.name));
        const bool there = std::ranges::any_of(
            logs, [&](const vault::LogStatus& log) { return log.boundary >= written->durable; });
        if (there) {
            watch.arrival = context.clock().monotonic() - written->at;
            return watch;
        }
        TRY(context.sleep(canary_look));
    }
    return watch;
}

Exam started(const Proof& proof) {
    return {.name = "starts",
            .detail = fmt::format("restored, started and replayed to exactly {}", proof.position),
            .took = proof.restored_in};
}

/// In this order: what compares the copy with the source at its exact position, before what may
/// promote it, before what ends its server.
Result<void> examine_all(const Context& context, Copy& copy, Proof& proof) {
    TRY(examine(context, copy, "the plan's checks", examine_checks, proof));
    TRY(examine(context, copy, "canary", examine_canary, proof));
    TRY(examine(context, copy, "row counts", examine_rows, proof));
    TRY(examine(context, copy, "pg_dump to nowhere", examine_dump, proof));
    TRY(examine(context, copy, "amcheck", examine_structure, proof));
    return examine(context, copy, "page checksums", examine_pages, proof);
}

}  // namespace

Result<Proof> prove(const Context& context, const Services& services, const ProofCall& call,
                    const ProofSink& sink) {
    RestoreRequest request = request_of(call, sink);
    if (!call.damage.empty())
        request.on_files = [&](const Path& data) {
            return damage(services.environment.files, data, call.damage);
        };
    TRY(require_vault(services));
    const Server source = TRY(server_of(services, call.plan, call.current));
    if (sink.stage) sink.stage("choosing a point");
    const Choice first = TRY(choose_for(context, services, request));
    TRY(require_room(services, call, first));
    const CanaryWatch watch = TRY(release_canary(context, services, call, source));
    const Choice choice = TRY(choose_for(context, services, request));
    const Instant decided = context.clock().now();
    Proof proof = proof_of(choice);
    if (sink.stage) sink.stage("restoring");
    const Monotonic began = context.clock().monotonic();
    auto outputs = restore(context, services, request);
    // Two who look for a free port at the same moment find the same one: the later looks again.
    for (int i = 1; i < port_tries && lost_its_port(services, request, outputs); ++i) {
        TRY(discard(context, services, call));
        outputs = restore(context, services, request);
    }
    TRY(context.check("restoring a copy"));
    proof.restored_in = context.clock().monotonic() - began;
    const RestoreFound found = TRY(find_restore(services, request));
    if (!outputs.has_value()) {
        if (!is_the_points_fault(services.environment, outputs.error(), found))
            return outputs.error();
        proof.exams.push_back({.outcome = Exam::Outcome::failed,
                               .name = "starts",
                               .detail = outputs.error().message,
                               .took = proof.restored_in});
        if (sink.exam) sink.exam(proof.exams.back());
        return proof;
    }
    // "latest" may have moved on meanwhile.
    proof.position = format_lsn(found.marker->target);
    proof.at = found.marker->target_at;
    proof.exams.push_back(started(proof));
    if (sink.exam) sink.exam(proof.exams.back());
    const Instance made = TRY(candidate_of(request, found.directory, *found.marker));
    const Server server = TRY(server_of(services, call.plan, made));
    Copy copy{.services = services,
              .call = call,
              .sink = sink,
              .server = server,
              .inside = inside_of(context, server, found.directory),
              .source = source,
              .directory = found.directory,
              .marker = *found.marker,
              .point = choice.base.point,
              .canary = watch.written,
              .canary_arrival = watch.arrival,
              .canary_problem = watch.problem};
    copy.asked_for_latest = call.to == "latest";
    copy.decided_at = decided;
    TRY(examine_all(context, copy, proof));
    proof.rpo = copy.rpo;
    return proof;
}

}  // namespace lifeboat::postgres
