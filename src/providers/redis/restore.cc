#include "providers/redis/restore.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/redis/backup.h"
#include "providers/redis/launch.h"

namespace lifeboat::redis {
namespace {

using providers::Instance;
using providers::LocalSite;
using providers::Probed;
using providers::Services;
using providers::VerbCall;
using runbook::ProbeVerdict;

constexpr std::chrono::milliseconds look_again{50};
/// A copy that is only looked at: it writes nothing, and tells its digest.
constexpr const char* aside_configuration = "save \"\"\nenable-debug-command local\n";

/// All that is known before anything is written.
struct Job {
    LocalSite site;
    Path folder;
    Json settings;
    std::optional<RunAs> user;
};

Result<Job> job_of(const Services& services, const VerbCall& call) {
    Job job;
    const std::string named = providers::acting_site(call);
    job.site = TRY(providers::local_site(call.plan, named, services.plan_directory));
    job.folder = folder_of(job.site, call.component->name, call.token);
    job.settings = providers::settings_at(*call.component, named);
    job.user = TRY(server_user(services, job.settings, job.site));
    return job;
}

Instance instance_of(const VerbCall& call, const Job& job, const Marker& marker) {
    Instance instance;
    instance.component = call.component->name;
    instance.site = job.site.name;
    instance.name = job.folder.filename().string();
    instance.settings = job.settings;
    instance.settings["host"] = "127.0.0.1";
    instance.settings["port"] = marker.port;
    instance.settings["data_directory"] = (job.folder / "data").string();
    instance.identity = Json{{"data_id", (job.folder / "data").string()}};
    instance.endpoint = to_string(Endpoint{"127.0.0.1", marker.port});
    instance.made_by = call.token;
    return instance;
}

Json outputs_of(const VerbCall& call, const Job& job, const Marker& marker) {
    const Instance instance = instance_of(call, job, marker);
    return Json{{"instance", to_json(instance)}, {"endpoint", instance.endpoint},
                {"host", "127.0.0.1"},           {"port", marker.port},
                {"point", marker.point},         {"target_time", marker.target_time},
                {"keys", marker.counts}};
}

/// A folder to write into: new, or what an earlier attempt of this very step left unfinished.
Result<void> prepare_folder(const Context& context, Services& services, const Job& job,
                            const std::optional<Marker>& left) {
    Files& files = services.environment.files;
    if (left) {
        const auto server = TRY(find_server(services, *left));
        if (server)
            TRY(services.environment.processes.stop_group(context, *server,
                                                          std::chrono::seconds(5)));
        TRY(files.remove_tree(job.folder));
    } else if (files.status(job.folder).has_value()) {
        auto names = TRY(files.list(job.folder));
        // A crash may have left the first marker half written.
        std::erase_if(names, [](const std::string& name) { return name.starts_with("."); });
        if (!names.empty())
            return conflict(fmt::format("{} is there and is not of this step", job.folder.string()),
                            "Move it away; nothing is ever restored over anything.");
    }
    TRY(providers::make_site_directory(services.environment, job.site));
    return providers::make_durable_directory(files, job.folder);
}

Result<Json> write_files(const Context& context, Services& services, const Job& job,
                         const vault::Point& point, const providers::ProgressSink& progress) {
    auto reader = TRY(services.vault->open_point(point.id));
    const Bytes text = TRY(reader->read_file(settings_file));
    const Json kept = TRY(parse_json(as_text(text)));
    vault::RestoreOptions options;
    options.owner = job.user;
    options.map = [](const vault::Entry& entry) -> std::optional<std::string> {
        if (entry.path == settings_file) return std::nullopt;
        return entry.path;
    };
    const auto tell = [&](std::uint64_t done, std::uint64_t total) {
        if (progress) progress(done, total, "bytes");
    };
    const Path data = job.folder / "data";
    TRY(reader->restore(context, data, options, tell));
    TRY(services.environment.files.set_permissions(data, 0700));
    if (job.user) TRY(services.environment.files.set_owner(data, job.user->uid, job.user->gid));
    return kept;
}

/// Exactly the keys of the point are there: those without an expiry all, of the others at most as
/// many, for some have expired since.
Result<void> prove_keys(const vault::Point& point, const std::map<std::string, std::string>& info,
                        Json& counts) {
    const auto loaded = keyspace(info);
    for (const auto& [number, count] : loaded) counts[std::to_string(number)] = count.first;
    if (!point.facts.contains("databases")) return ok();  // a format that was stored uncounted
    const Json& databases = point.facts["databases"];
    for (const auto& [number, count] : loaded)
        if (!databases.contains(std::to_string(number)))
            return corrupt(fmt::format("database {} has {} keys, the point has none there", number,
                                       count.first));
    for (const auto& [name, expected] : databases.items()) {
        const auto keys = TRY(get_unsigned(expected, "keys"));
        const auto expiring = TRY(get_unsigned(expected, "expiring"));
        const auto number = parse_integer(name);
        const auto found = loaded.find(static_cast<std::uint64_t>(number.value_or(-1)));
        const auto have =
            found == loaded.end() ? std::pair<std::uint64_t, std::uint64_t>() : found->second;
        if (have.first - have.second == keys - expiring && have.second <= expiring) continue;
        return corrupt(fmt::format("database {} has {} keys ({} expiring), the point {} ({})", name,
                                   have.first, have.second, keys, expiring),
                       "Restore another point; `lifeboat vault verify` looks for damage.");
    }
    return ok();
}

/// Turned on in the running server: it writes what it has loaded, and from then on every change.
Result<void> turn_on_append_only(const Context& context, Services& services, const Job& job,
                                 const Json& kept, Client& client) {
    const Json source = kept.value("settings", Json::object());
    if (string_or(source, "appendonly", "no") != "yes") return ok();
    TRY(client.command(context, {"CONFIG", "SET", "appendonly", "yes"}));
    while (true) {
        const auto info = TRY(client.info(context, "persistence"));
        const auto busy = info.find("aof_rewrite_in_progress");
        const auto scheduled = info.find("aof_rewrite_scheduled");
        if ((busy == info.end() || busy->second == "0") &&
            (scheduled == info.end() || scheduled->second == "0"))
            break;
        TRY(context.sleep(look_again));
    }
    // From now on its files are the append-only ones: the next start must take those.
    const Path path = job.folder / "redis.conf";
    const Bytes bytes = TRY(read_file(services.environment.files, path));
    std::string text(as_text(bytes));
    const std::string off = "\nappendonly no\n", on = "\nappendonly yes\n";
    const std::size_t at = text.find(off);
    CHECK(at != std::string::npos);  // we have written it
    text.replace(at, off.size(), on);
    return write_owned(services.environment.files, path, text, job.user);
}

Result<Address> address_at(const Services& services, const Job& job, std::uint16_t port) {
    Instance instance;
    instance.settings = job.settings;
    instance.settings["host"] = "127.0.0.1";
    instance.settings["port"] = port;
    return address_of(services, instance);
}

}  // namespace

Result<Json> restore(const Context& context, Services& services, const VerbCall& call,
                     const providers::ProgressSink& progress) {
    const Job job = TRY(job_of(services, call));
    Files& files = services.environment.files;
    const auto left = TRY(load_marker(files, job.folder));
    if (left && left->token == call.token && left->state == Marker::State::complete) {
        Marker marker = *left;
        const Address address = TRY(address_at(services, job, marker.port));
        TRY(launch(context, services, job.settings, job.folder, marker, address, job.user));
        return outputs_of(call, job, marker);
    }
    if (left && left->token != call.token)
        return conflict(
            fmt::format("{} is of another step ({})", job.folder.string(), left->token));
    const vault::Point point =
        TRY(choose_point(services, call.component->name, string_or(call.arguments, "to", "")));
    TRY(prepare_folder(context, services, job, left));
    Marker marker{.token = call.token, .component = call.component->name};
    marker.is_aside = bool_or(call.arguments, aside_argument, false);
    marker.point = point.id.value;
    marker.target_time = format_instant(time_of(point));
    marker.port = TRY(providers::reserve_free_port(services.environment, job.site, call.token));
    TRY(save_marker(files, job.folder, marker));

    const Json kept = TRY(write_files(context, services, job, point, progress));
    std::string conf = TRY(configuration(services, job.settings, kept, job.folder, marker.port));
    if (marker.is_aside) conf += aside_configuration;
    TRY(write_owned(files, job.folder / "redis.conf", conf, job.user));
    const Address address = TRY(address_at(services, job, marker.port));
    Client client =
        TRY(launch(context, services, job.settings, job.folder, marker, address, job.user));
    const auto info = TRY(client.info(context, "keyspace"));
    TRY(prove_keys(point, info, marker.counts));
    if (!marker.is_aside) TRY(turn_on_append_only(context, services, job, kept, client));
    // Its first point shall not wait for replicas that it does not have. Until its next start only:
    // its configuration is that of the source. Ignored: then the point takes some seconds longer.
    (void)client.command(context, {"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
    marker.state = Marker::State::complete;
    TRY(save_marker(files, job.folder, marker));
    return outputs_of(call, job, marker);
}

Result<Probed> probe_restore(const Context& context, Services& services, const VerbCall& call) {
    const Job job = TRY(job_of(services, call));
    const auto left = TRY(load_marker(services.environment.files, job.folder));
    Probed absent{.verdict = ProbeVerdict::absent};
    if (!left) {
        absent.explanation = job.folder.string() + " is not there";
        return absent;
    }
    if (left->state != Marker::State::complete) {
        absent.explanation = "it was not finished; a further attempt begins anew";
        return absent;
    }
    const Address address = TRY(address_at(services, job, left->port));
    auto client = Client::connect(context, address);
    if (!client.has_value()) {
        absent.explanation = "it was restored, and does not answer: " + client.error().message;
        return absent;
    }
    return Probed{.verdict = ProbeVerdict::done, .outputs = outputs_of(call, job, *left)};
}

Result<std::vector<providers::Call>> preview_restore(Services& services, const VerbCall& call) {
    const Job job = TRY(job_of(services, call));
    const auto point =
        choose_point(services, call.component->name, string_or(call.arguments, "to", ""));
    const std::string what =
        point.has_value()
            ? fmt::format("point {} (of {}, {} keys)", point->id.value,
                          format_instant(time_of(*point)), dump(point->facts.value("keys", Json())))
            : "no point: " + point.error().message;
    return std::vector<providers::Call>{
        {.action = fmt::format("write {} to {}", what, (job.folder / "data").string()),
         .object = call.component->name},
        {.action = fmt::format("start {} {}/redis.conf on a free port of {}-{}",
                               string_or(job.settings, "bin", "redis-server"), job.folder.string(),
                               job.site.port_first, job.site.port_last),
         .object = call.component->name},
        {.action = "compare the keys of each database with the point's",
         .object = call.component->name}};
}

}  // namespace lifeboat::redis
