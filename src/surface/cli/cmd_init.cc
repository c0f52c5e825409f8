#include <fmt/core.h>

#include "core/plan/parse.h"
#include "surface/cli/commands.h"
#include "surface/cli/discover.h"
#include "surface/cli/result_file.h"

namespace lifeboat::cli {
namespace {

struct InitOptions {
    std::string name = "platform";
    bool force = false, print = false;
};

std::string postgres_text(const Found& found) {
    return fmt::format(R"(
  {0}:
    kind: postgres                # found: {1}, pid {2}{3}
    site: primary
    objectives: {{rto: 15m, rpo: 1m}}   # what the business can bear: change this first
    port: {4}
    # user: postgres              # needs the REPLICATION right and `max_slot_wal_keep_size` set
    # database: postgres
    # password: file:secrets/{0}.password
    data_directory: {5}
    protect:
      - {{method: continuous}}               # every WAL record, as it is written
      - {{method: base, every: 24h, keep: 14d}}
    health: [{{tcp: true}}, {{sql: "SELECT 1"}}]
    verify: [{{sql: "SELECT 1", expect: "= 1"}}]   # better: a count that must not be zero
)",
                       found.name, found.program, found.pid,
                       found.unit.empty() ? "" : ", unit " + found.unit, found.port,
                       found.directory.string());
}

std::string redis_text(const Found& found) {
    return fmt::format(R"(
  {0}:
    kind: redis                   # found: {1}, pid {2}{3}
    site: primary
    objectives: {{rto: 15m, rpo: 1h}}
    port: {4}
    # password: file:secrets/{0}.password
    data_directory: {5}
    protect:
      - {{method: snapshot, every: 30m, keep: 7d}}
    health: [{{tcp: true}}, {{redis: PING, expect: PONG}}]
)",
                       found.name, found.program, found.pid,
                       found.unit.empty() ? "" : ", unit " + found.unit, found.port,
                       found.directory.string());
}

std::string http_text(const Found& found) {
    return fmt::format(R"(
  {0}:
    kind: http                    # found: {1}, pid {2}{3}
    site: primary
    # objectives: {{rto: 30m}}      # once a scenario below brings it back; stateless: no rpo
    url: http://127.0.0.1:{4}
    health: [{{http: /}}]
)",
                       found.name, found.program, found.pid,
                       found.unit.empty() ? "" : ", unit " + found.unit, found.port);
}

std::string scenario_text(const Found& found) {
    if (found.kind == "http") return {};
    std::string text = fmt::format(R"(
  {0}-lost:
    severity: SEV-1
    detect: {{any: [{{unhealthy: {0}, for: 30s}}]}}
    steps:
      - restore: {0}              # the newest usable point, into a NEW instance on a new port
)",
                                   found.name);
    if (found.kind == "postgres")
        text += fmt::format(
            "      - promote: {}              # refuses while the old primary may live\n",
            found.name);
    text +=
        fmt::format(R"(      # - repoint: [your-service]   # connection settings of what needs it
      - verify: {0}
      - rebuild-protection: {0}
)",
                    found.name);
    return text;
}

std::string plan_text(const std::string& name, const std::vector<Found>& found) {
    std::string text = fmt::format(
        R"(# The plan: what must survive, how it is protected, and the steps out of each disaster.
# Check it with `lifeboat check`; every key is in docs/plan.md; `lifeboat schema` serves editors.
lifeboat: 1
plan: {}
owner: your team

sites:
  primary: {{local: {{directory: sites/primary, ports: 15500-15599}}}}   # where restored servers go

vault: {{directory: vault, key: keys/vault.key}}   # put it on another disk, better another machine

severities:
  SEV-1: {{when: [complete outage, data loss risk], response: page everybody}}

components:)",
        name);
    std::string scenarios;
    bool any = false;
    for (const Found& one : found) {
        if (one.kind == "postgres") text += postgres_text(one);
        if (one.kind == "redis") text += redis_text(one);
        if (one.kind == "http") text += http_text(one);
        scenarios += scenario_text(one);
        any = true;
    }
    if (!any)
        text += "\n  # nothing was found running here; see docs/plan.md for the kinds\n  {}\n";
    text += "\nscenarios:";
    text += scenarios.empty() ? " {}\n" : scenarios;
    return text;
}

Result<ExitCode> init(Session& session, const InitOptions& options) {
    Environment& environment = session.environment();
    const Path file = session.globals.plan_file;
    const Output& output = session.output();
    if (!options.print && !options.force && environment.files.status(file).has_value())
        return conflict(fmt::format("{} exists", file.string()),
                        "Choose another with --plan FILE, or say --force.");
    const std::vector<Found> found = discover(session.context(), environment);
    const std::string text = plan_text(options.name, found);
    if (options.print) {
        if (output.json())
            output.document(Json{{"text", text}});
        else
            output.line(text);
        return ExitCode::done;
    }
    TRY(write_result_file(environment.files, file.string(), text));
    if (output.json()) {
        Json rows = Json::array();
        for (const Found& one : found)
            rows.push_back(Json{{"kind", one.kind}, {"component", one.name}, {"port", one.port}});
        output.document(Json{{"plan", file.string()}, {"found", rows}});
        return ExitCode::done;
    }
    for (const Found& one : found)
        output.line(fmt::format("found {} on port {} (pid {}): component '{}'", one.kind, one.port,
                                one.pid, one.name));
    output.line(fmt::format("wrote {}", file.string()));
    output.line(
        "next: edit it, then `lifeboat check`, `lifeboat vault init`, `lifeboat backup --all`");
    return ExitCode::done;
}

}  // namespace

Command init_command() {
    CommandOf<InitOptions> command("init", "Plan",
                                   "Write a first plan, commented, from what runs here");
    command.option("--name", "NAME", "The plan's name", &command.values->name)
        .option("--force", "", "Overwrite the file", &command.values->force)
        .option("--print", "", "Print it instead", &command.values->print);
    return std::move(command).run(init);
}

}  // namespace lifeboat::cli
