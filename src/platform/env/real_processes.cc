#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "platform/env/daemon.h"
#include "platform/env/group.h"
#include "platform/env/proc_table.h"
#include "platform/env/real.h"
#include "platform/env/run.h"
#include "platform/env/users.h"

namespace lifeboat {
namespace {

class RealProcesses final : public Processes {
public:
    Result<Exit> run(const Context& context, const Command& command) override {
        return run_command(context, command);
    }
    Result<ProcessIdentity> start_daemon(const Context& context, const Daemon& daemon) override {
        return launch_daemon(context, daemon);
    }
    Result<ProcessIdentity> identify(std::int64_t pid) override {
        const auto process = read_process(pid);
        if (!process || process->dead()) {
            return not_found(fmt::format("there is no process {}", pid));
        }
        return identity_of(*process);
    }
    Result<void> signal(const ProcessIdentity& identity, int signal_number) override {
        return signal_process(identity, signal_number);
    }
    Result<std::vector<ProcessIdentity>> group(const ProcessIdentity& identity) override {
        return find_group(identity);
    }
    Result<void> stop_group(const Context& context, const ProcessIdentity& identity,
                            Duration grace) override {
        return stop_whole_group(context, identity, grace);
    }
    Result<RunAs> user(const std::string& name) override {
        const auto found = find_user(name);
        if (!found) {
            return not_found(fmt::format("there is no user '{}' on this machine", name));
        }
        return RunAs{.uid = found->uid, .gid = found->gid};
    }
    std::int64_t own_pid() override { return ::getpid(); }
    std::uint32_t own_uid() override { return ::geteuid(); }
    std::string own_user() override {
        const User user = find_user(::geteuid());
        return user.name.empty() ? fmt::format("uid {}", user.uid) : user.name;
    }
    std::string host_name() override {
        std::string name(256, '\0');
        if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
        name.resize(name.find('\0'));
        return name;
    }
    std::string boot_id() override { return current_boot_id(); }
    Path own_program() override {
        auto link = real_files().read_symlink("/proc/self/exe");
        if (!link.has_value()) return {};
        // A program that was replaced while it runs: what stands there now is the next of us.
        std::string path = link->string();
        constexpr std::string_view replaced = " (deleted)";
        if (path.ends_with(replaced)) path.resize(path.size() - replaced.size());
        return path;
    }
    std::optional<std::string> environment(const std::string& name) override {
        // Nothing in lifeboat changes its environment, so reading it needs no lock.
        const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
        if (value == nullptr) return std::nullopt;
        return std::string(value);
    }
};

}  // namespace

Processes& real_processes() {
    static RealProcesses processes;
    return processes;
}

}  // namespace lifeboat
