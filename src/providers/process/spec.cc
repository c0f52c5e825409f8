#include "providers/process/spec.h"

namespace lifeboat::providers::process {
namespace {

using plan::DrillBehaviour;
using plan::Safety;
using plan::SettingSpec;
using plan::SettingType;
using plan::VerbSpec;

constexpr std::chrono::seconds estimate_start{2};
constexpr std::chrono::seconds estimate_stop{1};
constexpr std::chrono::minutes timeout_change{2};

SettingSpec site() {
    return {.name = "site",
            .type = SettingType::site,
            .summary = "The site to act at; the one where the component runs when absent."};
}

std::vector<SettingSpec> settings() {
    return {
        {.name = "command",
         .type = SettingType::any,
         .summary = "What to run: a list of arguments, or a text for /bin/sh."},
        {.name = "environment",
         .type = SettingType::text_map,
         .summary = "Its environment; values may hold templates and secret references."},
        {.name = "replicas",
         .type = SettingType::integer,
         .summary = "How many run.",
         .fallback = 1},
        {.name = "ports",
         .type = SettingType::any,
         .summary = "A list with one port per replica, or `auto`: from the site's range."},
        {.name = "port", .type = SettingType::port, .summary = "The port of a single replica."},
        {.name = "working_directory",
         .type = SettingType::path,
         .summary = "Where it runs; the plan's folder when absent."},
        {.name = "run_as", .summary = "The user it runs as; Lifeboat's own when absent."},
        {.name = "log_limit",
         .type = SettingType::size,
         .summary = "Each replica's log is cut to this when Lifeboat looks at it.",
         .fallback = "16MiB"},
        {.name = "stop_timeout",
         .type = SettingType::duration,
         .summary = "From SIGTERM to SIGKILL.",
         .fallback = "10s"},
        {.name = "ready_within",
         .type = SettingType::duration,
         .summary = "Time for its health checks to pass after a start.",
         .fallback = "30s"},
        {.name = "unit", .summary = "A systemd unit that is the service, instead of `command`."},
    };
}

VerbSpec verb(std::string name, std::string summary, DrillBehaviour in_drill, Duration estimate) {
    VerbSpec spec;
    spec.name = std::move(name);
    spec.summary = std::move(summary);
    spec.safety = Safety::idempotent;
    spec.in_drill = in_drill;
    spec.arguments = {site()};
    spec.estimate = estimate;
    spec.timeout = timeout_change;
    return spec;
}

VerbSpec start() {
    VerbSpec spec = verb("start", "Brings all replicas up and waits for their health checks.",
                         DrillBehaviour::scoped, estimate_start);
    spec.makes_instance = true;
    spec.takes_instance = true;
    spec.arguments.push_back({.name = "replicas",
                              .type = SettingType::integer,
                              .summary = "How many; as last scaled, or as the plan says."});
    spec.outputs = {"replicas", "endpoints", "started", "replaced", "instance"};
    return spec;
}

VerbSpec repoint() {
    VerbSpec spec =
        verb("repoint", "Gives the replicas the present addresses of what they need, one by one.",
             DrillBehaviour::recorded, estimate_start);
    spec.takes_instance = true;
    spec.outputs = {"replicas", "endpoints", "started", "replaced"};
    return spec;
}

VerbSpec scale() {
    VerbSpec spec =
        verb("scale", "Changes the number of replicas.", DrillBehaviour::scoped, estimate_start);
    spec.arguments.push_back({.name = "replicas",
                              .type = SettingType::integer,
                              .required = true,
                              .summary = "How many shall run."});
    spec.outputs = {"replicas", "endpoints", "started", "stopped"};
    return spec;
}

VerbSpec ending(const char* name, const char* summary, DrillBehaviour in_drill) {
    VerbSpec spec = verb(name, summary, in_drill, estimate_stop);
    spec.outputs = {"stopped"};
    return spec;
}

VerbSpec fence() {
    VerbSpec spec = ending("fence", "Stops it for good: no start brings it back before `release`.",
                           DrillBehaviour::recorded);
    spec.destructive = true;
    return spec;
}

VerbSpec release() {
    VerbSpec spec = verb("release", "Lifts isolation or fence, and starts it again.",
                         DrillBehaviour::recorded, estimate_start);
    spec.takes_instance = true;
    spec.outputs = {"replicas", "endpoints", "started"};
    return spec;
}

VerbSpec verify() {
    VerbSpec spec = verb("verify", "Runs its health and verify checks on every replica.",
                         DrillBehaviour::scoped, std::chrono::seconds(1));
    spec.mutating = false;
    spec.outputs = {"checks", "replicas"};
    return spec;
}

}  // namespace

plan::KindSpec describe_process() {
    plan::KindSpec kind;
    kind.name = "process";
    kind.summary = "A service on this machine: processes that Lifeboat starts and observes.";
    kind.platform = "local";
    kind.settings = settings();
    kind.verbs = {
        start(),
        ending("stop", "Ends every process of it and proves that its ports are closed.",
               DrillBehaviour::scoped),
        scale(),
        repoint(),
        ending("isolate", "Stops it, and keeps it down until `release`.", DrillBehaviour::recorded),
        release(),
        fence(),
        verify()};
    kind.checks = {"tcp", "http", "sql", "redis", "process", "exec"};
    return kind;
}

}  // namespace lifeboat::providers::process
