#include "providers/redis/spec.h"

namespace lifeboat::redis {
namespace {

using plan::DrillBehaviour;
using plan::Safety;
using plan::SettingSpec;
using plan::SettingType;
using plan::VerbSpec;

VerbSpec restore() {
    VerbSpec spec;
    spec.name = "restore";
    spec.summary = "Starts a new server from a point, in a directory and on a port of its own.";
    spec.makes_instance = true;
    spec.arguments = {
        {.name = "to", .summary = "A time, a point's id, or `latest`; the newest when absent."},
        {.name = "site",
         .type = SettingType::site,
         .summary = "Where; where it stands now when absent."}};
    spec.outputs = {"instance", "endpoint", "host", "port", "point", "target_time", "keys"};
    spec.estimate = std::chrono::seconds(2);
    spec.timeout = std::chrono::hours(2);
    return spec;
}

/// It enters the source as a replica and makes it fork: `mode: observe` refuses that, as it refuses
/// the slot of a PostgreSQL backup.
VerbSpec backup(const char* name, const char* summary) {
    VerbSpec spec;
    spec.name = name;
    spec.summary = summary;
    spec.in_drill = DrillBehaviour::recorded;
    spec.arguments = {{.name = "method", .summary = "snapshot.", .choices = {"snapshot"}}};
    spec.outputs = {"point", "keys", "size", "target_time"};
    spec.estimate = std::chrono::seconds(8);
    spec.timeout = std::chrono::hours(1);
    return spec;
}

VerbSpec verify() {
    VerbSpec spec;
    spec.name = "verify";
    spec.summary = "Runs its health and verify checks until all pass.";
    spec.safety = Safety::idempotent;
    spec.mutating = false;
    spec.outputs = {"checks", "keys"};
    spec.estimate = std::chrono::seconds(1);
    spec.timeout = std::chrono::minutes(2);
    return spec;
}

VerbSpec change(const char* name, const char* summary, DrillBehaviour in_drill) {
    VerbSpec spec;
    spec.name = name;
    spec.summary = summary;
    spec.safety = Safety::idempotent;
    spec.in_drill = in_drill;
    spec.estimate = std::chrono::seconds(1);
    spec.timeout = std::chrono::minutes(5);
    spec.outputs = {"proof"};
    return spec;
}

}  // namespace

plan::KindSpec describe_redis() {
    plan::KindSpec kind;
    kind.name = "redis";
    kind.summary = "A Redis server of one's own.";
    kind.stateful = true;
    kind.platform = "local";
    kind.settings = {
        {.name = "host", .summary = "Where it listens.", .fallback = "127.0.0.1"},
        {.name = "port", .type = SettingType::port, .required = true, .summary = "Its port."},
        {.name = "user", .summary = "Whom Lifeboat logs in as; Redis' default user when absent."},
        {.name = "password", .type = SettingType::secret, .summary = "The password for that."},
        {.name = "data_directory",
         .type = SettingType::path,
         .summary = "Where its files lie: proves that it is this server before it is stopped."},
        {.name = "bin",
         .type = SettingType::path,
         .summary = "The server program.",
         .fallback = "redis-server"},
        {.name = "run_as", .summary = "The user that restored servers run as."}};
    VerbSpec stop = change("stop", "Ends the server, which saves first when it is set to.",
                           DrillBehaviour::scoped);
    stop.destructive = true;
    VerbSpec renewed = backup("rebuild-protection", "Makes the first point of the new server.");
    renewed.takes_instance = true;  // where nothing has to be told, this is the switch
    VerbSpec fence =
        change("fence", "Ends the server for good, and proves that nobody serves there.",
               DrillBehaviour::recorded);
    fence.destructive = true;
    kind.verbs = {restore(),
                  backup("backup", "Makes a point now."),
                  std::move(renewed),
                  verify(),
                  change("start", "Starts a server again that Lifeboat has restored.",
                         DrillBehaviour::scoped),
                  std::move(stop),
                  std::move(fence)};
    kind.methods = {"snapshot"};
    kind.checks = {"tcp", "redis", "exec", "http"};
    return kind;
}

}  // namespace lifeboat::redis
