#include "core/plan/catalog_tables.h"
#include "core/plan/specs.h"

namespace lifeboat::plan {
namespace {

using namespace std::chrono_literals;
using enum SettingType;
using specs::choice;
using specs::optional;
using specs::required;

KindSpec rds() {
    KindSpec kind;
    kind.name = "aws.rds";
    kind.summary = "A database of Amazon RDS.";
    kind.stateful = true;
    kind.platform = "aws";
    kind.settings = {
        choice("engine", {"postgres", "mysql", "mariadb"}, "The database engine.", "postgres"),
        optional("class", text, "Instance class, for example `db.r5.2xlarge`."),
        optional("multi_az", boolean, "Runs in more than one zone."),
        optional("subnet_group", text, "Subnet group."),
        optional("security_groups", text_list, "Security groups."),
        optional("parameter_group", text, "Parameter group."),
        optional("port", port, "The port it listens on.", 5432U),
        optional("database", text, "Name of the database."),
        optional("user", text, "The user that checks connect as."),
        optional("password", secret, "Its password.")};
    const std::vector<SettingSpec> shape{
        optional("class", text, "Instance class of the new instance."),
        optional("multi_az", boolean, "In more than one zone."),
        optional("subnet_group", text, "Subnet group of the new one.")};
    kind.verbs = {verbs::taking(verbs::with(verbs::restore(), shape), 20min),
                  verbs::taking(verbs::promote(), 5min),
                  verbs::taking(verbs::fence(), 1min),
                  verbs::taking(verbs::isolate(), 1min),
                  verbs::taking(verbs::release(), 1min),
                  verbs::taking(verbs::preserve(), 10min),
                  verbs::taking(verbs::start(), 10min),
                  verbs::taking(verbs::stop(), 5min),
                  verbs::taking(verbs::backup(), 10min),
                  verbs::taking(verbs::rebuild_protection(), 10min),
                  verbs::verify(),
                  verbs::monitor()};
    kind.methods = {"snapshot", "continuous", "replica"};
    kind.checks = {"tcp", "sql", "exec"};
    return kind;
}

KindSpec elasticache() {
    KindSpec kind;
    kind.name = "aws.elasticache";
    kind.summary = "A Redis of Amazon ElastiCache.";
    kind.stateful = true;
    kind.platform = "aws";
    kind.settings = {optional("node_type", text, "Node type."),
                     optional("subnet_group", text, "Subnet group."),
                     optional("replicas", integer, "Replicas of each shard."),
                     optional("port", port, "The port it listens on.", 6379U),
                     optional("password", secret, "Its password.")};
    kind.verbs = {verbs::taking(verbs::restore(), 10min),
                  verbs::promote(),
                  verbs::fence(),
                  verbs::taking(verbs::backup(), 6min),
                  verbs::rebuild_protection(),
                  verbs::verify(),
                  verbs::monitor()};
    kind.methods = {"snapshot", "replica"};
    kind.checks = {"tcp", "redis", "exec"};
    return kind;
}

KindSpec s3() {
    KindSpec kind;
    kind.name = "aws.s3";
    kind.summary = "A bucket of Amazon S3.";
    kind.stateful = true;
    kind.platform = "aws";
    kind.settings = {optional("prefix", text, "Only what lies under it."),
                     optional("versioning", boolean, "Old versions of objects are kept.")};
    kind.protection = {
        optional("to", url, "The bucket and folder that copies go to."),
        choice(
            "storage_class", {"STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"},
            "Storage class of the copies: colder is cheaper, and slower to come back.", "STANDARD"),
        optional("lifecycle", boolean, "A rule of the bucket deletes what is older than `keep`.")};
    kind.verbs = {verbs::restore(), verbs::preserve(), verbs::backup(), verbs::rebuild_protection(),
                  verbs::verify(),  verbs::monitor()};
    kind.methods = {"versioning", "copy", "replica"};
    kind.checks = {"http", "exec"};
    return kind;
}

KindSpec route53() {
    KindSpec kind;
    kind.name = "aws.route53";
    kind.summary = "A DNS name in Amazon Route 53.";
    kind.platform = "aws";
    kind.settings = {required("zone", text, "Id of the hosted zone."),
                     optional("record", text, "The name whose record is changed."),
                     choice("type", {"A", "AAAA", "CNAME"}, "Type of the record.", "CNAME"),
                     optional("ttl", duration, "How long resolvers may keep the old answer.")};
    const std::vector<SettingSpec> change{
        optional("to", text, "What the name shall point to."),
        optional("change_batch", path, "A prepared change in Amazon's format.")};
    kind.verbs = {verbs::taking(verbs::with(verbs::redirect(), change), 1min), verbs::verify(),
                  verbs::monitor()};
    kind.checks = {"dns", "http", "exec"};
    return kind;
}

KindSpec eks() {
    KindSpec kind;
    kind.name = "aws.eks";
    kind.summary = "A Kubernetes cluster of Amazon EKS.";
    kind.platform = "aws";
    kind.settings = {optional("version", text, "Version of Kubernetes."),
                     optional("node_groups", text_list, "Node groups.")};
    const std::vector<SettingSpec> nodes{
        optional("node", text, "The node."), optional("zone", text, "Every node of this zone."),
        optional("ignore_daemonsets", boolean, "Leaves pods of daemon sets where they are."),
        optional("delete_emptydir_data", boolean, "Gives up data in emptyDir volumes.")};
    kind.verbs = {verbs::with(verbs::drain(), nodes),
                  verbs::release(),
                  verbs::scale(),
                  verbs::verify(),
                  verbs::monitor(),
                  verbs::fence()};
    kind.checks = {"ready", "tcp", "http", "exec"};
    return kind;
}

KindSpec secrets() {
    KindSpec kind;
    kind.name = "aws.secrets";
    kind.summary = "Secrets of AWS Secrets Manager.";
    kind.platform = "aws";
    kind.settings = {optional("prefix", text, "Only secrets under it."),
                     optional("script", command, "The script that restores them.")};
    kind.verbs = {
        verbs::with(verbs::restore_secrets(),
                    {optional("environment", text, "Whose secrets, for example `production`."),
                     optional("into", component, "The cluster that receives them.")}),
        verbs::verify()};
    kind.checks = {"exec"};
    return kind;
}

}  // namespace

std::vector<KindSpec> aws_kinds() {
    return {rds(), elasticache(), s3(), route53(), eks(), secrets()};
}

}  // namespace lifeboat::plan
