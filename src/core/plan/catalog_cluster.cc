#include "core/plan/catalog_tables.h"
#include "core/plan/specs.h"

namespace lifeboat::plan {
namespace {

using namespace std::chrono_literals;
using enum SettingType;
using specs::optional;
using specs::required;

KindSpec deployment() {
    KindSpec kind;
    kind.name = "kubernetes.deployment";
    kind.summary = "A deployment on Kubernetes.";
    kind.platform = "kubernetes";
    kind.settings = {optional("replicas", integer, "How many replicas it normally has."),
                     optional("selector", text, "Label of its pods; otherwise `app=` its name."),
                     optional("container", text, "The container whose environment is set."),
                     optional("environment", text_map,
                              "Connection settings that `repoint` sets, with templates.")};
    kind.verbs = {verbs::start(),
                  verbs::stop(),
                  verbs::taking(verbs::scale(), 2min),
                  verbs::taking(verbs::isolate(), 1min),
                  verbs::taking(verbs::release(), 2min),
                  verbs::taking(verbs::repoint(), 2min),
                  verbs::fence(),
                  verbs::deploy(),
                  verbs::verify(),
                  verbs::smoke(),
                  verbs::monitor()};
    kind.checks = {"ready", "tcp", "http", "exec"};
    return kind;
}

KindSpec cluster() {
    KindSpec kind;
    kind.name = "kubernetes.cluster";
    kind.summary = "A Kubernetes cluster, wherever it runs.";
    kind.platform = "kubernetes";
    kind.verbs = {
        verbs::with(
            verbs::drain(),
            {optional("node", text, "The node."),
             optional("zone", text, "Every node of this zone."),
             optional("ignore_daemonsets", boolean, "Leaves pods of daemon sets where they are."),
             optional("delete_emptydir_data", boolean, "Gives up data in emptyDir volumes.")}),
        verbs::release(), verbs::verify(), verbs::monitor(), verbs::fence()};
    kind.checks = {"ready", "tcp", "http", "exec"};
    return kind;
}

KindSpec resources() {
    KindSpec kind;
    kind.name = "kubernetes.resources";
    kind.summary = "Resources of a Kubernetes cluster, as Velero saves them.";
    kind.stateful = true;
    kind.platform = "kubernetes";
    kind.settings = {optional("namespaces", text_list, "Only these namespaces."),
                     optional("resources", text_list, "Only these kinds of resources.")};
    kind.protection = {optional("tool", text, "What makes the points.", "velero"),
                       optional("to", url, "Where the points go.")};
    kind.verbs = {
        verbs::restore(),
        verbs::with(verbs::backup(), {optional("namespaces", text_list, "Only these namespaces.")}),
        verbs::verify(), verbs::rebuild_protection()};
    kind.methods = {"velero", "export"};
    kind.checks = {"exec"};
    return kind;
}

KindSpec elasticsearch() {
    KindSpec kind;
    kind.name = "elasticsearch";
    kind.summary = "An Elasticsearch cluster.";
    kind.stateful = true;
    kind.settings = {optional("url", url, "Its address."), optional("user", text, "The user."),
                     optional("password", secret, "Its password."),
                     optional("indices", text_list, "Only these indices.")};
    kind.protection = {optional("repository", text, "The snapshot repository.")};
    kind.verbs = {verbs::taking(verbs::restore(), 30min),
                  verbs::fence(),
                  verbs::repoint(),
                  verbs::backup(),
                  verbs::rebuild_protection(),
                  verbs::verify(),
                  verbs::monitor()};
    kind.methods = {"snapshot"};
    kind.checks = {"tcp", "http", "exec"};
    return kind;
}

KindSpec terraform() {
    KindSpec kind;
    kind.name = "terraform";
    kind.summary = "A directory of Terraform.";
    kind.settings = {required("directory", path, "Where its files lie."),
                     optional("workspace", text, "The workspace."),
                     optional("variables", text_map, "Variables.")};
    const std::vector<SettingSpec> choice_of{optional("workspace", text, "Another workspace."),
                                             optional("variables", text_map, "More variables.")};
    VerbSpec destroy =
        specs::acts("destroy", "Removes everything that the workspace describes.", choice_of);
    destroy.destructive = true;
    kind.verbs = {verbs::taking(verbs::with(verbs::provision(), choice_of), 20min),
                  verbs::with(verbs::verify(), choice_of), std::move(destroy)};
    kind.checks = {"exec"};
    return kind;
}

KindSpec git() {
    KindSpec kind;
    kind.name = "git";
    kind.summary = "A repository that holds the declared state of a cluster.";
    kind.settings = {
        optional("url", url, "Address of the repository; without one, the plan's own."),
        optional("revision", text, "Branch, tag or commit."),
        optional("path", path, "The folder that is applied.")};
    kind.verbs = {
        verbs::taking(verbs::with(verbs::deploy(), {optional("path", path, "Another folder."),
                                                    optional("revision", text, "Another revision."),
                                                    optional("into", component, "The cluster.")}),
                      5min),
        verbs::verify()};
    kind.checks = {"exec"};
    return kind;
}

KindSpec dns() {
    KindSpec kind;
    kind.name = "dns";
    kind.summary = "A DNS name, changed by dynamic update (RFC 2136).";
    kind.settings = {required("record", text, "The name."),
                     optional("server", text, "The primary server of the zone."),
                     optional("zone", text, "The zone."),
                     optional("ttl", duration, "How long resolvers may keep the old answer."),
                     optional("key", secret, "The TSIG key.")};
    kind.verbs = {
        verbs::with(verbs::redirect(), {optional("to", text, "What the name shall point to.")}),
        verbs::verify(), verbs::monitor()};
    kind.checks = {"dns", "http", "exec"};
    return kind;
}

KindSpec channel_kind(std::string name, std::string summary, std::vector<SettingSpec> settings) {
    KindSpec kind;
    kind.name = std::move(name);
    kind.summary = std::move(summary);
    kind.settings = std::move(settings);
    VerbSpec send =
        specs::acts("send", "Sends a message.", {required("message", text, "The message.")});
    send.safety = Safety::idempotent;
    send.in_drill = DrillBehaviour::recorded;
    kind.verbs = {std::move(send)};
    return kind;
}

}  // namespace

std::vector<KindSpec> cluster_kinds() {
    return {deployment(), cluster(), resources(), elasticsearch(), terraform(), git(), dns()};
}

std::vector<KindSpec> channel_kinds() {
    return {channel_kind("pagerduty", "Pages people through PagerDuty.",
                         {optional("routing_key", secret, "Key of the integration."),
                          optional("url", url, "Its address, for people.")}),
            channel_kind("slack", "Writes to Slack.",
                         {optional("webhook", secret, "The webhook's URL."),
                          optional("channel", text, "The channel.")}),
            channel_kind(
                "mail", "Sends mail.",
                {required("to", text_list, "Who gets it."), optional("from", text, "The sender."),
                 optional("server", text, "The SMTP server, host:port."),
                 optional("password", secret, "Password for the server.")}),
            channel_kind("statuspage", "Updates a page of statuspage.io.",
                         {required("page", text, "Id of the page."),
                          optional("token", secret, "Token of its API."),
                          optional("api", url, "Address of its API."),
                          optional("url", url, "Address of the page, for people.")}),
            channel_kind("webhook", "Sends a request to any address.",
                         {required("url", url, "The address."),
                          optional("token", secret, "Bearer token for it.")})};
}

}  // namespace lifeboat::plan
