#include "platform/env/spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "platform/base/text.h"
#include "platform/env/users.h"

namespace lifeboat {
namespace {

constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::map<std::string, std::string> environment_of(const Command& command, const User& user) {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string name(text.substr(0, equals));
        if (command.clear_environment && name != "PATH" && name != "HOME" && name != "LANG") {
            continue;
        }
        variables[name] = text.substr(equals + 1);
    }
    variables.try_emplace("PATH", default_path);
    if (command.run_as) {
        // Our home is not theirs: tools would look there for files they may not read.
        variables["HOME"] = user.home.empty() ? "/" : user.home;
        if (!command.clear_environment && !user.name.empty()) {
            variables["USER"] = user.name;
            variables["LOGNAME"] = user.name;
        }
    }
    for (const auto& [name, value] : command.environment) variables[name] = value;
    return variables;
}

bool is_program(const std::string& path) {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
           (found.st_mode & 0111U) != 0;
}

Result<std::string> find_program(const std::string& name, const std::string& search_path) {
    // With a slash it is a path already; exec says what is wrong with it, in the new directory.
    if (name.find('/') != std::string::npos) return name;
    for (const std::string_view directory : split(search_path, ':')) {
        std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, name);
        if (is_program(candidate)) return candidate;
    }
    return not_found(fmt::format("unable to find the program '{}' in PATH {}", name, search_path),
                     "Install it, or write its absolute path.");
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

[[noreturn]] void report_and_exit(int report, ExecStage stage) {
    const ExecFailure failure{.stage = stage, .error_number = errno};
    (void)!::write(report, &failure, sizeof failure);  // Ignored: exit status 127 says it, too.
    ::_exit(127);
}

/// Marks every descriptor from 3 up to be closed by exec.
bool close_rest_on_exec() {
    if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return true;
    if (errno != ENOSYS && errno != EINVAL) return false;
    constexpr int descriptors_max = 65536;  // before Linux 5.11
    for (int fd = 3; fd < descriptors_max; ++fd) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return true;
}

bool become_user(const Prepared& prepared) {
    // Raw calls: those of the C library tell all threads, and here is only one.
    return ::syscall(SYS_setgroups, prepared.groups.size(), prepared.groups.data()) == 0 &&
           ::syscall(SYS_setresgid, prepared.gid, prepared.gid, prepared.gid) == 0 &&
           ::syscall(SYS_setresuid, prepared.uid, prepared.uid, prepared.uid) == 0;
}

}  // namespace

Result<std::unique_ptr<Prepared>> prepare(const Command& command) {
    if (command.arguments.empty() || command.arguments.front().empty()) {
        return invalid("a command has no program");
    }
    auto prepared = std::make_unique<Prepared>();
    User user;
    if (command.run_as) {
        user = find_user(command.run_as->uid);
        prepared->uid = command.run_as->uid;
        prepared->gid = command.run_as->gid;
        // An ordinary user who asks to run as himself needs no rights for it.
        prepared->change_user =
            ::geteuid() == 0 || prepared->uid != ::geteuid() || prepared->gid != ::getegid();
        prepared->groups = groups_of(user, prepared->gid);
    }
    const auto variables = environment_of(command, user);
    prepared->program = TRY(find_program(command.arguments.front(), variables.at("PATH")));
    prepared->arguments = command.arguments;
    for (const auto& [name, value] : variables) {
        prepared->environment.push_back(fmt::format("{}={}", name, value));
    }
    prepared->argv = pointers_to(prepared->arguments);
    prepared->envp = pointers_to(prepared->environment);
    prepared->directory = command.directory.string();
    return prepared;
}

void reset_signal_actions() {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) (void)::sigaction(number, &standard, nullptr);
}

void exec_in_child(const Prepared& prepared, const ChildDescriptors& descriptors) {
    // The streams might be given as one of 0, 1, 2: out of each other's way first.
    constexpr int above_streams = 10;
    const int report = ::fcntl(descriptors.report, F_DUPFD_CLOEXEC, above_streams);
    if (report < 0) ::_exit(127);
    if (::setsid() < 0 && ::getsid(0) != ::getpid()) report_and_exit(report, ExecStage::session);
    const int streams[] = {::fcntl(descriptors.input, F_DUPFD_CLOEXEC, above_streams),
                           ::fcntl(descriptors.output, F_DUPFD_CLOEXEC, above_streams),
                           ::fcntl(descriptors.error, F_DUPFD_CLOEXEC, above_streams)};
    for (int i = 0; i < 3; ++i) {
        if (streams[i] < 0 || ::dup2(streams[i], i) < 0) {
            report_and_exit(report, ExecStage::descriptors);
        }
    }
    if (!close_rest_on_exec()) report_and_exit(report, ExecStage::descriptors);
    if (prepared.private_files) (void)::umask(077);
    if (prepared.change_user && !become_user(prepared)) report_and_exit(report, ExecStage::user);
    if (!prepared.directory.empty() && ::chdir(prepared.directory.c_str()) != 0) {
        report_and_exit(report, ExecStage::directory);
    }
    reset_signal_actions();
    sigset_t none;
    ::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.envp.data());
    report_and_exit(report, ExecStage::program);
}

Error exec_error(const Prepared& prepared, const ExecFailure& failure) {
    const std::string& name = prepared.arguments.front();
    switch (failure.stage) {
        case ExecStage::user:
            return from_errno(fmt::format("run '{}' as uid {}", name, prepared.uid),
                              failure.error_number)
                .with_hint("Run lifeboat as root, or as that user.");
        case ExecStage::directory:
            return from_errno(fmt::format("run '{}' in '{}'", name, prepared.directory),
                              failure.error_number);
        case ExecStage::session:
        case ExecStage::descriptors:
        case ExecStage::program:
            break;
    }
    Error error = from_errno(fmt::format("run '{}'", name), failure.error_number);
    if (failure.error_number == ENOEXEC) error.kind = ErrorKind::invalid;
    return error;
}

pid_t fork_quietly() {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
    // Not fork(2): its handlers take locks that another thread may hold for long.
    const pid_t child = ::_Fork();
    const int failed = errno;
    if (child != 0) (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = failed;
    return child;
}

}  // namespace lifeboat
