#include "core/plan/catalog_tables.h"
#include "core/plan/specs.h"

namespace lifeboat::plan {
namespace verbs {

using enum SettingType;
using specs::acts;
using specs::looks;
using specs::optional;

VerbSpec with(VerbSpec verb, std::vector<SettingSpec> arguments) {
    for (SettingSpec& argument : arguments) verb.arguments.push_back(std::move(argument));
    return verb;
}

VerbSpec taking(VerbSpec verb, Duration estimate) {
    verb.estimate = estimate;
    return verb;
}

VerbSpec start() { return acts("start", "Starts it."); }

VerbSpec stop() {
    VerbSpec verb = acts("stop", "Stops it.");
    verb.destructive = true;
    verb.undo = "start";
    return verb;
}

VerbSpec restore() {
    VerbSpec verb =
        acts("restore", "Makes a new instance from a recovery point; never over an existing one.",
             {optional("to", text,
                       "A time, a position or a point's name; otherwise the newest usable point."),
              optional("from", text, "The method whose points to use, for example `snapshot`."),
              optional("name", text, "Name of the new instance.")});
    verb.makes_instance = true;
    verb.outputs = {"instance", "endpoint", "host", "port", "point"};
    return verb;
}

VerbSpec promote() {
    VerbSpec verb = acts("promote", "Makes a standby or a restored instance writable.");
    verb.needs_fenced = true;
    verb.outputs = {"instance", "endpoint"};
    return verb;
}

VerbSpec fence() {
    VerbSpec verb = acts("fence", "Makes sure that the old instance cannot write any more.");
    verb.destructive = true;
    verb.in_drill = DrillBehaviour::refused;
    return verb;
}

VerbSpec verify() { return looks("verify", "Runs the component's `verify:` checks."); }
VerbSpec smoke() { return looks("smoke", "Tries it from outside, as a customer would."); }

VerbSpec monitor() {
    return looks("monitor", "Watches it for a while and reports what turns bad.",
                 {optional("for", duration, "How long."),
                  optional("dashboard", text, "A link of the plan to look at meanwhile.")});
}

VerbSpec repoint() {
    VerbSpec verb =
        acts("repoint", "Gives it the current addresses of what it needs, and restarts it.",
             {optional("environment", text_map,
                       "Connection settings to set, where the plan says them.")});
    verb.takes_instance = true;
    return verb;
}

VerbSpec redirect() {
    VerbSpec verb = acts("redirect", "Sends traffic to another site.");
    verb.takes_instance = true;
    verb.in_drill = DrillBehaviour::recorded;
    return verb;
}

VerbSpec scale() {
    return acts("scale", "Sets the number of replicas.",
                {specs::required("replicas", integer, "How many.")});
}

VerbSpec isolate() {
    VerbSpec verb = acts("isolate", "Cuts it off: no traffic, no writes.");
    verb.in_drill = DrillBehaviour::recorded;
    verb.undo = "release";
    return verb;
}

VerbSpec release() {
    return acts("release", "Takes an isolation back.",
                {optional("replicas", integer, "How many replicas; otherwise as before.")});
}

VerbSpec preserve() {
    VerbSpec verb = acts("preserve", "Keeps the compromised instance for investigation.");
    verb.outputs = {"evidence"};
    return verb;
}

VerbSpec provision() { return acts("provision", "Creates infrastructure from its description."); }
VerbSpec deploy() { return acts("deploy", "Brings the declared state onto the cluster."); }

VerbSpec restore_secrets() {
    return acts("restore-secrets", "Puts secrets from their store where the services read them.");
}

VerbSpec drain() {
    VerbSpec verb = acts("drain", "Moves work off a node or a zone.");
    verb.in_drill = DrillBehaviour::recorded;
    verb.undo = "release";
    return verb;
}

VerbSpec backup() {
    VerbSpec verb =
        acts("backup", "Makes a recovery point now.",
             {optional("method", text, "The method; otherwise that of its protections."),
              optional("name", text, "Name of the point.")});
    verb.outputs = {"point"};
    return verb;
}

VerbSpec rebuild_protection() {
    return acts("rebuild-protection", "Protects the new instance: new points, new streams.");
}

}  // namespace verbs

std::vector<KindSpec> placeholder_kinds() {
    std::vector<KindSpec> kinds;
    for (auto make : {aws_kinds, cluster_kinds, channel_kinds})
        for (KindSpec& kind : make()) {
            kind.available = false;
            kinds.push_back(std::move(kind));
        }
    return kinds;
}

}  // namespace lifeboat::plan
