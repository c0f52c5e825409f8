#include "core/plan/shape_tables.h"

namespace lifeboat::plan {
namespace {

using enum SettingType;

Section top() {
    return {
        .name = "plan",
        .title = "The plan",
        .summary = "What stands at the top level of the file.",
        .keys = {
            required(value("lifeboat", integer, "Version of this format: 1.")),
            required(value("plan", text, "Name of the plan: lower case, digits and hyphens.")),
            {.name = "include",
             .type = path,
             .summary = "More files of the plan, relative to this one. Their sections are added to "
                        "those here; a name may be defined once only.",
             .holds = Holds::list},
            value("title", text, "Title, for people."),
            value("summary", text, "What the plan is about, for people."),
            value("owner", text, "Who answers for it."),
            value("revision", text, "Version of the written plan."),
            value("classification", text, "Who may read it."),
            value("document", path, "The written plan; drift between the two is reported."),
            value("updated", instant, "When the plan was last changed."),
            words("mode", {"act", "observe"},
                  "`observe` refuses every step that changes something."),
            nested("review", "review", Holds::one, "When the plan is looked at again."),
            nested("evidence", "evidence", Holds::one, "How long a proof counts."),
            nested("vault", "vault", Holds::one, "Lifeboat's own store of recovery points."),
            nested("sites", "site", Holds::map, "The places where things run."),
            nested("components", "component", Holds::map, "What must survive, or is acted on."),
            nested("scenarios", "scenario", Holds::map,
                   "The disasters, and the steps out of them."),
            nested("drills", "drill", Holds::map, "Rehearsals: isolated, measured, cleaned up."),
            nested("procedures", "procedure", Holds::map, "Steps that belong to no disaster."),
            nested("people", "person", Holds::map, "Who can be reached, and who may approve."),
            nested("roles", "role", Holds::map, "The contact tree."),
            nested("severities", "severity", Holds::map,
                   "How bad an incident is, and who responds."),
            nested("channels", "channel", Holds::map, "Ways to tell people."),
            {.name = "links",
             .type = url,
             .summary = "Addresses worth having at hand.",
             .holds = Holds::map},
            nested("status_page", "status_page", Holds::one, "The page that customers look at."),
            nested("post_mortem", "post_mortem", Holds::one,
                   "The template of a review after an incident.")}};
}

Section review() {
    return {.name = "review",
            .title = "review",
            .summary =
                "`last_test` may be a placeholder in brackets, `\"[Date]\"`: then nobody knows it.",
            .keys = {value("every", duration, "How often the plan is reviewed."),
                     value("last", instant, "The last review."),
                     value("next", instant, "The next review."),
                     value("next_drill", instant, "The next drill."),
                     value("last_test", text, "The last successful recovery test.")}};
}

Section site_section() {
    return {.name = "site",
            .title = "sites",
            .summary =
                "A place where things run: a region, a cluster, a machine. It may have several "
                "platforms; a component's kind says which one it uses.",
            .keys = {value("title", text, "For people."),
                     nested("local", "local", Holds::one, "A directory and ports of this machine."),
                     nested("aws", "aws", Holds::one, "A region of AWS."),
                     nested("kubernetes", "kubernetes", Holds::one, "A namespace of a cluster.")}};
}

Section local() {
    return {.name = "local",
            .title = "sites: local",
            .summary = "",
            .keys = {required(value("directory", path,
                                    "Where its components keep their data; relative to the plan.")),
                     value("ports", text,
                           "Range for instances that Lifeboat makes, for example `15500-15599`."),
                     value("run_as", text, "User for servers that refuse to run as root.")}};
}

Section aws() {
    return {.name = "aws",
            .title = "sites: aws",
            .summary = "",
            .keys = {required(value("region", text, "The region.")),
                     value("account", text, "The account."),
                     value("profile", text, "Profile of the credentials."),
                     value("role", text, "Role to assume."),
                     value("endpoint", url, "Another address for its services: an emulator.")}};
}

Section kubernetes() {
    return {.name = "kubernetes",
            .title = "sites: kubernetes",
            .summary = "",
            .keys = {value("context", text, "Context of the kubeconfig."),
                     value("namespace", text, "The namespace."),
                     value("kubeconfig", path, "The kubeconfig, if not the usual one."),
                     value("cluster", text, "Name of the cluster.")}};
}

}  // namespace

std::vector<Section> plan_sections() {
    return {
        top(),
        site_section(),
        local(),
        aws(),
        kubernetes(),
        review(),
        {.name = "evidence",
         .title = "evidence",
         .summary = "",
         .keys = {required(value("valid", duration, "How old a proof may be."))}},
        {.name = "vault",
         .title = "vault",
         .summary = "Both paths are relative to the plan's folder.",
         .keys = {
             required(value("directory", path, "The folder that holds the recovery points.")),
             required(value("key", path,
                            "The file with the key; keep it, and a copy, outside the vault."))}}};
}

}  // namespace lifeboat::plan
