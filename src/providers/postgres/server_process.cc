#include "providers/postgres/server_process.h"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration fast_time = 60s;       // rolls back and writes its checkpoint
constexpr Duration immediate_time = 10s;  // drops everything
constexpr std::size_t tail_lines = 4;
constexpr std::uint64_t tail_bytes = 8192;

/// True when it died within `limit`.
Result<bool> wait_for_death(const Context& context, Environment& environment,
                            const ProcessIdentity& process, Duration limit) {
    const Monotonic until = context.clock().monotonic() + limit;
    while (environment.processes.is_alive(process)) {
        if (context.clock().monotonic() >= until) return false;
        TRY(context.sleep(20ms));
    }
    return true;
}

}  // namespace

Result<ProcessIdentity> start_server(const Context& context, Environment& environment,
                                     const StartOptions& options) {
    Daemon daemon;
    daemon.command.arguments = {(options.programs / "postgres").string(), "-D",
                                options.data_directory.string()};
    if (options.config_file) {
        daemon.command.arguments.emplace_back("-c");
        daemon.command.arguments.push_back("config_file=" + options.config_file->string());
    }
    if (options.port) {
        daemon.command.arguments.emplace_back("-p");
        daemon.command.arguments.push_back(fmt::format("{}", *options.port));
    }
    // Our own environment is none of the server's business: PG* variables, and whatever secrets
    // stand in it.
    daemon.command.clear_environment = true;
    daemon.command.directory = options.data_directory;
    daemon.command.run_as = options.run_as;
    daemon.log = options.log;
    return environment.processes.start_daemon(context, daemon);
}

Result<void> stop_server(const Context& context, Environment& environment,
                         const ProcessIdentity& postmaster) {
    struct Stage {
        int signal;
        Duration limit;
    };
    for (const Stage stage : {Stage{SIGINT, fast_time}, Stage{SIGQUIT, immediate_time}}) {
        const auto sent = environment.processes.signal(postmaster, stage.signal);
        if (!sent.has_value() && sent.error().kind != ErrorKind::not_found) return sent;
        const bool dead = TRY(wait_for_death(context, environment, postmaster, stage.limit));
        if (dead) return ok();
    }
    return environment.processes.stop_group(context, postmaster, 0s);
}

std::string log_tail(Environment& environment, const Path& log) {
    auto file = environment.files.open(log, OpenMode::read);
    if (!file.has_value()) return {};
    const std::uint64_t size = (*file)->size().value_or(0);
    Bytes bytes(static_cast<std::size_t>(std::min(size, tail_bytes)));
    const auto read = (*file)->read_at(size - bytes.size(), bytes);
    if (!read.has_value()) return {};
    bytes.resize(*read);
    const auto lines = split(trim(as_text(bytes)), '\n');
    std::vector<std::string> last;
    for (std::size_t i = lines.size() > tail_lines ? lines.size() - tail_lines : 0;
         i < lines.size(); ++i)
        last.emplace_back(trim(lines[i]));
    return join(last, " | ");
}

}  // namespace lifeboat::postgres
