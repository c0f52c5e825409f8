#include "providers/postgres/preview.h"

#include <fmt/core.h>

#include "platform/base/size.h"
#include "providers/postgres/power.h"

namespace lifeboat::postgres {
namespace {

using providers::Call;

Result<std::vector<Call>> preview_restore(const Context& context, const Services& services,
                                          const providers::VerbCall& call) {
    const RestoreRequest request = restore_request(call, {});
    const Choice choice = TRY(choose_for(context, services, request));
    const providers::LocalSite site =
        TRY(providers::local_site(call.plan, request.site, services.plan_directory));
    const Path directory = instance_directory(site, request.component.name, request.token);
    const vault::Point& point = choice.base.point;
    std::vector<Call> calls;
    calls.push_back({fmt::format("restore point {} ({}) into {}", point.id.value,
                                 human_size(point.size), (directory / "data").string()),
                     directory.string(), false});
    calls.push_back(
        {fmt::format("start postgres {} on a free port of {}-{}, as a standby",
                     integer_or(point.facts, "major", 0), site.port_first, site.port_last),
         directory.string(), false});
    calls.push_back({fmt::format("replay WAL of timeline {} from {} to {}{}", choice.timeline,
                                 format_lsn(choice.base.start), format_lsn(choice.until),
                                 choice.at ? ", the state of " + format_instant(*choice.at) : ""),
                     directory.string(), false});
    return calls;
}

Result<std::vector<Call>> preview_power(const Services& services, const providers::VerbCall& call) {
    const bool for_good = call.verb == "fence" || call.verb == "preserve";
    const Instance& instance = for_good ? call.current : call.subject();
    const Server server = TRY(server_of(services, call.plan, instance));
    const auto postmaster = TRY(living_postmaster(services, server, instance));
    const std::string data =
        server.data_directory ? server.data_directory->string() : "no data_directory";
    std::vector<Call> calls;
    if (call.verb == "start") {
        calls.push_back(
            {fmt::format("postgres -D {} -p {}", data, server.port), server.describe(), false});
        return calls;
    }
    if (for_good)
        calls.push_back({fmt::format("write {}/lifeboat.down", data), server.describe(), true});
    calls.push_back({postmaster
                         ? fmt::format("SIGINT to process {} (fast shutdown)", postmaster->pid)
                         : std::string("nothing to stop: prove it dead"),
                     server.describe(), true});
    return calls;
}

}  // namespace

RestoreRequest restore_request(const providers::VerbCall& call, providers::ProgressSink progress) {
    RestoreRequest request{call.plan,
                           *call.component,
                           providers::acting_site(call),
                           call.token,
                           string_or(call.arguments, "to", ""),
                           pinned_identifier(call.current),
                           std::move(progress)};
    return request;
}

Result<std::vector<Call>> preview(const Context& context, const Services& services,
                                  const providers::VerbCall& call) {
    const std::string& verb = call.verb;
    if (verb == "restore") return preview_restore(context, services, call);
    if (verb == "start" || verb == "stop" || verb == "fence" || verb == "preserve")
        return preview_power(services, call);
    const Server server = TRY(server_of(services, call.plan, call.subject()));
    const std::string object = server.describe();
    std::vector<Call> calls;
    if (verb == "promote") {
        calls.push_back(
            {"SELECT pg_promote(true), after proof that the old primary is fenced or dead", object,
             false});
        calls.push_back({"TIMELINE_HISTORY into the vault; restore_command out of postgresql.conf",
                         object, false});
    } else if (verb == "backup" || verb == "rebuild-protection") {
        calls.push_back(
            {fmt::format("CREATE_REPLICATION_SLOT {} PHYSICAL (RESERVE_WAL), unless it is there",
                         server.slot),
             object, false});
        calls.push_back(
            {fmt::format("BASE_BACKUP (CHECKPOINT 'fast', MANIFEST 'yes'{}) into the vault",
                         server.rate == 0 ? "" : ", at most " + human_size(server.rate) + "/s"),
             object, false});
        calls.push_back(
            {fmt::format(
                 "START_REPLICATION SLOT {} until the backup's end, unless it streams already",
                 server.slot),
             object, false});
    } else if (verb == "verify") {
        for (const plan::Check& check : call.component->verify)
            calls.push_back({fmt::format("check {} {}", check.type,
                                         dump(check.settings.value("value", Json()))),
                             object, false});
    } else {
        return unsupported(fmt::format("kind postgres has no verb '{}'", verb));
    }
    return calls;
}

}  // namespace lifeboat::postgres
