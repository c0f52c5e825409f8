#include "providers/postgres/kind.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
using plan::DrillBehaviour;
using plan::Safety;
using plan::SettingSpec;
using plan::SettingType;
using plan::VerbSpec;

SettingSpec setting(const char* name, SettingType type, const char* summary, Json fallback = {}) {
    SettingSpec spec;
    spec.name = name;
    spec.type = type;
    spec.summary = summary;
    spec.fallback = std::move(fallback);
    return spec;
}

std::vector<SettingSpec> settings() {
    std::vector<SettingSpec> all{
        setting("host", SettingType::text, "Where it listens.", "127.0.0.1"),
        setting("port", SettingType::port, "Its port."),
        setting("database", SettingType::text, "The database that checks ask.", "postgres"),
        setting("user", SettingType::text,
                "A superuser, or a role with REPLICATION and the rights of pg_monitor.",
                "postgres"),
        setting("password", SettingType::secret, "Its password, as a reference."),
        setting("data_directory", SettingType::path,
                "The data directory on this machine, relative to the plan's folder; needed to "
                "stop, fence and "
                "prove it dead, and to see its free disk."),
        setting("bin_directory", SettingType::path,
                "Where the `postgres` program lies; found by the major version when absent."),
        setting("config_file", SettingType::path,
                "postgresql.conf, when it lies outside the data directory; used by `start`."),
        setting("run_as", SettingType::text,
                "The user that servers run as when lifeboat runs as root; `postgres` when absent."),
        setting("accept_unbounded_slot", SettingType::boolean,
                "Accept that WAL kept for lifeboat may fill the server's disk "
                "(max_slot_wal_keep_size is -1).",
                false),
        setting("rate", SettingType::rate, "The most that a base backup reads."),
        setting(
            "canary", SettingType::boolean,
            "Let `verify` write a row to lifeboat.canary, and `protect` one a minute: they measure "
            "the RPO.",
            false),
        setting("slot", SettingType::text,
                "Name of the replication slot; `lifeboat_` and the component's name when absent."),
        setting("start_timeout", SettingType::duration,
                "How long a server may make no progress while it starts or replays.", "10m"),
    };
    all[1].required = true;
    return all;
}

VerbSpec verb(const char* name, const char* summary, Duration estimate, Duration timeout) {
    VerbSpec spec;
    spec.name = name;
    spec.summary = summary;
    spec.estimate = estimate;
    spec.timeout = timeout;
    return spec;
}

VerbSpec restore() {
    VerbSpec spec = verb(
        "restore",
        "Restores into a new directory on a new port, as a standby that has replayed to exactly "
        "the chosen position.",
        10s, 12h);
    spec.makes_instance = true;
    spec.arguments = {
        setting("to", SettingType::text,
                "`latest`, a time, an LSN, the id of a point, or the name of a restore point.",
                "latest"),
        setting("site", SettingType::site, "Where; where it stands now when absent.")};
    spec.outputs = {"instance",    "endpoint", "host",  "port",     "target_lsn",
                    "target_time", "timeline", "point", "directory"};
    return spec;
}

VerbSpec promote() {
    VerbSpec spec = verb(
        "promote",
        "Makes the restored standby writable, on a new timeline; refuses unless it stands at its "
        "target and the old primary is fenced or dead.",
        2s, 10min);
    spec.needs_fenced = true;
    spec.outputs = {"instance", "endpoint", "timeline", "switch_lsn", "old_primary"};
    return spec;
}

VerbSpec fence() {
    VerbSpec spec =
        verb("fence", "Stops the old primary for good: `start` refuses it from then on.", 3s, 5min);
    spec.destructive = true;
    spec.in_drill = DrillBehaviour::refused;
    spec.outputs = {"proof"};
    return spec;
}

VerbSpec stop() {
    VerbSpec spec = verb("stop", "Stops the server with a fast shutdown.", 3s, 5min);
    spec.destructive = true;
    spec.in_drill = DrillBehaviour::recorded;
    spec.undo = "start";
    spec.outputs = {"proof"};
    return spec;
}

VerbSpec start() {
    VerbSpec spec = verb("start", "Starts the server and waits until it answers.", 3s, 1h);
    spec.in_drill = DrillBehaviour::recorded;
    spec.outputs = {"instance", "endpoint"};
    return spec;
}

VerbSpec backup() {
    VerbSpec spec =
        verb("backup", "Takes a base backup, and sees to it that the WAL it needs is in the vault.",
             60s, 24h);
    spec.in_drill = DrillBehaviour::recorded;
    spec.arguments = {setting("method", SettingType::text, "`base`.", "base")};
    spec.outputs = {"point", "start_lsn", "stop_lsn", "timeline", "size", "stored", "bad_pages"};
    return spec;
}

VerbSpec rebuild_protection() {
    VerbSpec spec = verb(
        "rebuild-protection",
        "Protects the new primary: slot, timeline history, a base backup and its WAL.", 60s, 24h);
    spec.takes_instance = true;  // where nothing has to be told, this is the switch
    spec.in_drill = DrillBehaviour::recorded;
    spec.outputs = {"point", "start_lsn", "stop_lsn", "timeline", "slot"};
    return spec;
}

VerbSpec preserve() {
    VerbSpec spec = verb(
        "preserve",
        "Stops the server and keeps its directory as evidence: `start` refuses it from then on.",
        3s, 5min);
    spec.destructive = true;
    spec.in_drill = DrillBehaviour::recorded;
    spec.outputs = {"evidence"};
    return spec;
}

VerbSpec verify() {
    VerbSpec spec = verb("verify", "Runs the component's `verify:` checks against it.", 1s, 10min);
    spec.safety = Safety::idempotent;
    spec.mutating = false;
    spec.outputs = {"checks", "role"};
    return spec;
}

}  // namespace

plan::KindSpec describe_postgres() {
    plan::KindSpec kind;
    kind.name = "postgres";
    kind.summary = "A PostgreSQL cluster of one's own (15 or newer).";
    kind.stateful = true;
    kind.platform = "local";
    kind.settings = settings();
    kind.verbs = {backup(), restore(),  promote(),           start(), stop(), fence(),
                  verify(), preserve(), rebuild_protection()};
    kind.methods = {"continuous", "base"};
    kind.checks = {"tcp", "sql"};
    return kind;
}

}  // namespace lifeboat::postgres
