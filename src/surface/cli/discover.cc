#include "surface/cli/discover.h"

#include <fmt/core.h>

#include <charconv>
#include <map>
#include <set>

#include "platform/base/text.h"
#include "platform/http/client.h"

namespace lifeboat::cli {
namespace {

constexpr std::string_view listening = "0A";  ///< TCP_LISTEN in /proc/net/tcp

std::string slurp(Environment& environment, const Path& path) {
    // Files of /proc have no size: read to the end in one piece.
    auto file = environment.files.open(path, OpenMode::read);
    if (!file.has_value()) return {};
    std::string text(std::size_t{1} << 20U, '\0');
    auto count = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    text.resize(count.has_value() ? *count : 0);
    return text;
}

std::vector<std::string> fields(std::string_view line) {
    std::vector<std::string> found;
    for (const std::string_view part : split(line, ' '))
        if (!part.empty()) found.emplace_back(part);
    return found;
}

/// Listening ports by the inode of their socket.
std::map<std::string, std::uint16_t> listening_ports(Environment& environment) {
    std::map<std::string, std::uint16_t> ports;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const std::string text = slurp(environment, table);
        for (const std::string_view line : split(text, '\n')) {
            const auto columns = fields(line);
            if (columns.size() < 10 || columns[3] != listening) continue;
            const std::string hex = columns[1].substr(columns[1].rfind(':') + 1);
            std::uint16_t port = 0;
            std::from_chars(hex.data(), hex.data() + hex.size(), port, 16);
            ports[columns[9]] = port;
        }
    }
    return ports;
}

/// The systemd unit in the process's cgroup path: ".../postgresql@15-main.service".
std::string unit_of(Environment& environment, const Path& process) {
    const std::string text = slurp(environment, process / "cgroup");
    for (const std::string_view line : split(text, '\n')) {
        const auto slash = line.rfind('/');
        if (slash != std::string_view::npos && line.ends_with(".service"))
            return std::string(line.substr(slash + 1));
    }
    return {};
}

std::string kind_of(const std::string& program) {
    if (program == "postgres") return "postgres";
    if (program == "redis-server") return "redis";
    return {};
}

bool speaks_http(const Context& context, std::uint16_t port) {
    http::Request request;
    request.url = fmt::format("http://127.0.0.1:{}/", port);
    return http::send(context.within(std::chrono::milliseconds(500)), request).has_value();
}

std::string unique_name(const std::string& base, std::set<std::string>& taken) {
    std::string name = base;
    for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}-{}", base, i);
    return name;
}

}  // namespace

std::vector<Found> discover(const Context& context, Environment& environment) {
    const auto ports = listening_ports(environment);
    std::vector<Found> all;
    std::set<std::uint16_t> seen;
    std::set<std::string> names;
    auto entries = environment.files.list("/proc");
    if (!entries.has_value()) return all;
    // By number: a server is found before the children that share its sockets.
    std::set<std::int64_t> processes;
    for (const std::string& entry : *entries)
        if (const auto pid = parse_integer(entry)) processes.insert(*pid);
    for (const std::int64_t pid : processes) {
        const std::string entry = std::to_string(pid);
        const Path process = Path("/proc") / entry;
        auto descriptors = environment.files.list(process / "fd");
        if (!descriptors.has_value()) continue;
        const std::string program(trim(slurp(environment, process / "comm")));
        for (const std::string& descriptor : *descriptors) {
            auto target = environment.files.read_symlink(process / "fd" / descriptor);
            if (!target.has_value() || !target->string().starts_with("socket:[")) continue;
            const std::string text = target->string();
            const auto port = ports.find(text.substr(8, text.size() - 9));
            if (port == ports.end() || seen.contains(port->second)) continue;
            Found found{.kind = kind_of(program),
                        .name = {},
                        .program = program,
                        .pid = pid,
                        .port = port->second,
                        .unit = unit_of(environment, process),
                        .directory = {}};
            seen.insert(found.port);
            if (found.kind.empty() && speaks_http(context, found.port)) found.kind = "http";
            if (found.kind.empty()) continue;
            if (auto directory = environment.files.read_symlink(process / "cwd"))
                found.directory = *directory;
            static const std::map<std::string, std::string> bases = {
                {"postgres", "database"}, {"redis", "cache"}, {"http", "service"}};
            found.name = unique_name(bases.at(found.kind), names);
            all.push_back(std::move(found));
        }
    }
    return all;
}

}  // namespace lifeboat::cli
