#pragma once
/// For tests: a catalog with kinds that this build has providers for, without the providers.
///
/// The names and settings are those of the real ones as far as plans of the tests use them. Pure.

#include "core/plan/catalog.h"
#include "core/plan/catalog_tables.h"
#include "core/plan/specs.h"

namespace lifeboat::plan {

inline KindSpec demo_postgres() {
    using enum SettingType;
    KindSpec kind;
    kind.name = "postgres";
    kind.summary = "A PostgreSQL cluster of one's own.";
    kind.stateful = true;
    kind.platform = "local";
    kind.settings = {specs::optional("host", text, "Its address.", "127.0.0.1"),
                     specs::optional("port", port, "Its port.", 5432U),
                     specs::optional("database", text, "The database that checks ask.", "postgres"),
                     specs::optional("user", text, "The user.", "postgres"),
                     specs::optional("password", secret, "Its password."),
                     specs::optional("data_directory", path, "Its data directory."),
                     specs::optional("bin_directory", path, "Where its programs are."),
                     specs::optional("run_as", text, "The user that the server runs as."),
                     specs::optional("accept_unbounded_slot", boolean, "See the manual.", false),
                     specs::optional("rate", rate, "Bound of a base backup.")};
    kind.verbs = {verbs::start(),  verbs::stop(),     verbs::restore(),           verbs::promote(),
                  verbs::fence(),  verbs::isolate(),  verbs::release(),           verbs::verify(),
                  verbs::backup(), verbs::preserve(), verbs::rebuild_protection()};
    kind.methods = {"continuous", "base"};
    kind.checks = {"tcp", "sql", "exec"};
    return kind;
}

inline KindSpec demo_redis() {
    using enum SettingType;
    KindSpec kind;
    kind.name = "redis";
    kind.summary = "A Redis server of one's own.";
    kind.stateful = true;
    kind.platform = "local";
    kind.settings = {specs::optional("host", text, "Its address.", "127.0.0.1"),
                     specs::optional("port", port, "Its port.", 6379U),
                     specs::optional("password", secret, "Its password."),
                     specs::optional("data_directory", path, "Its data directory.")};
    kind.verbs = {verbs::start(),  verbs::stop(),   verbs::restore(),           verbs::fence(),
                  verbs::verify(), verbs::backup(), verbs::rebuild_protection()};
    kind.methods = {"snapshot"};
    kind.checks = {"tcp", "redis", "exec"};
    return kind;
}

inline KindSpec demo_process() {
    using enum SettingType;
    KindSpec kind;
    kind.name = "process";
    kind.summary = "A service on this machine.";
    kind.platform = "local";
    kind.settings = {specs::optional("command", command, "What to run."),
                     specs::optional("environment", text_map, "Its environment."),
                     specs::optional("replicas", integer, "How many run.", 1U),
                     specs::optional("ports", any, "One port per replica, or `auto`."),
                     specs::optional("unit", text, "A systemd unit instead.")};
    kind.verbs = {verbs::start(),   verbs::stop(),    verbs::scale(), verbs::isolate(),
                  verbs::release(), verbs::repoint(), verbs::fence(), verbs::verify()};
    kind.checks = {"tcp", "http", "process", "exec"};
    return kind;
}

inline KindSpec demo_http() {
    using enum SettingType;
    KindSpec kind;
    kind.name = "http";
    kind.summary = "Something that answers at a URL.";
    kind.settings = {specs::required("url", url, "What people open."),
                     specs::optional("admin", url, "Where a proxy takes its targets."),
                     specs::optional("token", secret, "Token of the admin side.")};
    kind.verbs = {verbs::smoke(), verbs::verify(), verbs::redirect()};
    kind.checks = {"tcp", "http", "exec"};
    return kind;
}

inline KindSpec demo_shell() {
    using enum SettingType;
    KindSpec kind;
    kind.name = "shell";
    kind.summary = "Any command.";
    kind.settings = {specs::optional("command", command, "What to run.")};
    kind.verbs = {verbs::start(), verbs::verify()};
    kind.checks = {"exec"};
    return kind;
}

inline Catalog demo_catalog() {
    Catalog catalog;
    for (auto make : {demo_postgres, demo_redis, demo_process, demo_http, demo_shell})
        catalog.add(make());
    return catalog;
}

}  // namespace lifeboat::plan
