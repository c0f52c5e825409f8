#include "providers/process/record.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/codec/crypto.h"
#include "providers/contract/marks.h"

namespace lifeboat::providers::process {
namespace {

constexpr std::size_t record_max = std::size_t{64} << 10U;
constexpr std::string_view suffix = ".json";
constexpr const char* standing_name = "standing";

Json to_json(const Record& record) {
    Json value{{"replica", record.replica},
               {"nonce", record.nonce},
               {"token", record.token},
               {"salt", record.salt},
               {"configuration", record.digest},
               {"port", record.port},
               {"started", format_instant(record.started)}};
    if (record.identity)
        value["process"] = Json{{"pid", record.identity->pid},
                                {"start_ticks", record.identity->start_ticks},
                                {"boot_id", record.identity->boot_id}};
    return value;
}

Result<Record> record_from(const Json& value) {
    Record record;
    record.replica = static_cast<unsigned>(TRY(get_unsigned(value, "replica")));
    record.nonce = TRY(get_string(value, "nonce"));
    record.token = TRY(get_string(value, "token"));
    record.salt = TRY(get_string(value, "salt"));
    record.digest = TRY(get_string(value, "configuration"));
    record.port = static_cast<std::uint16_t>(TRY(get_unsigned(value, "port")));
    record.started = TRY(get_instant(value, "started"));
    if (value.contains("process")) {
        ProcessIdentity identity;
        identity.pid = TRY(get_integer(value["process"], "pid"));
        identity.start_ticks = TRY(get_unsigned(value["process"], "start_ticks"));
        identity.boot_id = TRY(get_string(value["process"], "boot_id"));
        record.identity = identity;
    }
    return record;
}

Result<std::optional<Json>> read_json(Environment& environment, const Path& path) {
    auto bytes = read_file(environment.files, path, record_max);
    if (!bytes.has_value()) {
        if (bytes.error().kind == ErrorKind::not_found) return std::optional<Json>();
        return std::move(bytes).error();
    }
    auto value = parse_json(as_text(*bytes));
    if (!value.has_value())
        return corrupt(fmt::format("'{}' is damaged: {}", path.string(), value.error().message),
                       "Stop the service by hand and remove the file.");
    return std::optional<Json>(*std::move(value));
}

/// Live processes of this service, by their environment.
Result<std::vector<MarkedProcess>> marked(Environment& environment, const Service& service) {
    auto found = TRY(marked_processes(environment));
    const std::string prefix = service.directory.string() + "/";
    std::erase_if(found,
                  [&](const MarkedProcess& one) { return !one.service.starts_with(prefix); });
    return found;
}

Result<void> write(Environment& environment, const Service& service, const std::string& name,
                   const Json& value) {
    TRY(make_site_directory(environment, service.site));
    TRY(make_durable_directory(environment.files, service.directory));
    return write_file_durably(environment.files, service.directory / (name + std::string(suffix)),
                              as_bytes(dump_pretty(value) + "\n"));
}

Result<void> remove(Environment& environment, const Service& service, const std::string& name) {
    const Path path = service.directory / (name + std::string(suffix));
    auto removed = environment.files.remove(path);
    if (!removed.has_value()) {
        if (removed.error().kind == ErrorKind::not_found) return ok();
        return removed;
    }
    return environment.files.sync_directory(service.directory);
}

Result<Json> standing_record(Environment& environment, const Service& service) {
    auto value =
        TRY(read_json(environment, service.directory / (standing_name + std::string(suffix))));
    return value ? *std::move(value) : Json::object();
}

}  // namespace

std::string mark_of(const Service& service, unsigned replica) {
    return (service.directory / std::to_string(replica)).string();
}

std::string digest_of(const Record& record, const std::string& configuration) {
    // Salted: a short secret must not be found by trying.
    return to_hex(crypto::sha256(as_bytes(record.salt + configuration)));
}

Result<std::map<unsigned, Replica>> look_up(Environment& environment, const Service& service) {
    std::map<unsigned, Replica> replicas;
    auto names = environment.files.list(service.directory);
    if (!names.has_value()) {
        if (names.error().kind == ErrorKind::not_found) return replicas;
        return std::move(names).error();
    }
    bool unfinished = false;
    for (const std::string& name : *names) {
        if (!name.ends_with(suffix)) continue;
        if (!parse_integer(name.substr(0, name.size() - suffix.size()))) continue;
        auto value = TRY(read_json(environment, service.directory / name));
        if (!value) continue;  // removed meanwhile
        auto record = record_from(*value);
        if (!record.has_value())
            return std::move(record).error().in((service.directory / name).string());
        Replica replica{.record = *std::move(record), .alive = std::nullopt};
        const auto& identity = replica.record.identity;
        if (identity && environment.processes.is_alive(*identity)) replica.alive = identity;
        unfinished = unfinished || !identity;
        replicas.emplace(replica.record.replica, std::move(replica));
    }
    if (!unfinished) return replicas;
    // Somebody died between starting a process and writing down which.
    const auto found = TRY(marked(environment, service));
    for (auto& [number, replica] : replicas)
        for (const MarkedProcess& one : found)
            if (!replica.record.identity && one.token == replica.record.nonce)
                replica.alive = one.identity;
    return replicas;
}

Result<std::vector<ProcessIdentity>> strays(Environment& environment, const Service& service,
                                            const std::map<unsigned, Replica>& known) {
    std::vector<ProcessIdentity> result;
    const auto found = TRY(marked(environment, service));
    for (const MarkedProcess& one : found) {
        const bool is_known = std::ranges::any_of(known, [&](const auto& entry) {
            return entry.second.alive == one.identity || entry.second.record.nonce == one.token;
        });
        if (!is_known) result.push_back(one.identity);
    }
    return result;
}

Result<void> save(Environment& environment, const Service& service, const Record& record) {
    return write(environment, service, std::to_string(record.replica), to_json(record));
}

Result<void> forget(Environment& environment, const Service& service, unsigned replica) {
    return remove(environment, service, std::to_string(replica));
}

Result<Standing> standing(Environment& environment, const Service& service) {
    const Json value = TRY(standing_record(environment, service));
    Standing found;
    found.kept_down = string_or(value, "kept_down", "");
    found.by = string_or(value, "by", "");
    if (const auto replicas = integer_or(value, "replicas", -1); replicas >= 0)
        found.replicas = static_cast<unsigned>(replicas);
    return found;
}

Result<void> keep_down(Environment& environment, const Service& service, const std::string& how,
                       const std::string& token) {
    Json value = TRY(standing_record(environment, service));
    // What is fenced stays fenced when somebody isolates it as well.
    if (string_or(value, "kept_down", "") == "fenced") return ok();
    value["kept_down"] = how;
    value["by"] = token;
    value["at"] = format_instant(environment.clock.now());
    return write(environment, service, standing_name, value);
}

Result<void> let_up(Environment& environment, const Service& service) {
    Json value = TRY(standing_record(environment, service));
    if (!value.contains("kept_down")) return ok();
    value.erase("kept_down");
    value.erase("by");
    value.erase("at");
    return write(environment, service, standing_name, value);
}

Result<void> keep_replicas(Environment& environment, const Service& service, unsigned replicas) {
    Json value = TRY(standing_record(environment, service));
    value["replicas"] = replicas;
    return write(environment, service, standing_name, value);
}

}  // namespace lifeboat::providers::process
