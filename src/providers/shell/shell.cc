#include "providers/shell/shell.h"

#include <fmt/core.h>

#include <array>

#include "platform/base/text.h"
#include "platform/observe/redact.h"
#include "providers/contract/health.h"
#include "providers/contract/local_site.h"
#include "providers/probe/check.h"
#include "providers/shell/capture.h"

namespace lifeboat::providers {
namespace {

using plan::Safety;
using plan::SettingType;
using runbook::ProbeVerdict;

constexpr std::size_t head_max = std::size_t{8} << 10U;
constexpr std::size_t tail_max = std::size_t{24} << 10U;
constexpr int exit_try_again = 75;  // EX_TEMPFAIL of sysexits(3)
constexpr std::array<std::string_view, 5> own_outputs{"exit", "output", "error", "dropped", "took"};

std::vector<plan::SettingSpec> arguments() {
    return {
        {.name = "command",
         .type = SettingType::any,
         .summary = "What to run: a list of arguments, or a text for /bin/sh."},
        {.name = "environment",
         .type = SettingType::text_map,
         .summary = "Its environment; values may be secret references."},
        {.name = "working_directory",
         .type = SettingType::path,
         .summary = "Where it runs; the plan's folder when absent."},
        {.name = "run_as", .summary = "The user it runs as; Lifeboat's own when absent."},
        {.name = "idempotent",
         .type = SettingType::boolean,
         .summary = "It may be run again when nobody knows what became of it."},
        {.name = "probe",
         .type = SettingType::any,
         .summary = "A command that tells what became of it: exit code 0 done, 1 not done."},
    };
}

plan::KindSpec describe_shell() {
    plan::VerbSpec run;
    run.name = "run";
    run.summary = "Runs a command.";
    run.safety = Safety::probeable;
    run.in_drill = plan::DrillBehaviour::recorded;
    run.arguments = arguments();
    run.outputs.assign(own_outputs.begin(), own_outputs.end());
    run.outputs.emplace_back(plan::any_output);
    run.timeout = std::chrono::minutes(10);
    plan::VerbSpec verify;
    verify.name = "verify";
    verify.summary = "Runs its health and verify checks.";
    verify.safety = Safety::idempotent;
    verify.mutating = false;
    verify.outputs = {"checks"};
    plan::KindSpec kind;
    kind.name = "shell";
    kind.summary = "Something that only commands of one's own know how to handle.";
    kind.settings = arguments();
    kind.verbs = {std::move(run), std::move(verify)};
    kind.checks = {"tcp", "http", "sql", "redis", "exec"};
    return kind;
}

/// The step's arguments over the component's settings.
Result<Json> options_of(const VerbCall& call) {
    Json options = Json::object();
    if (call.component != nullptr)
        options = TRY(resolve_settings(call.subject().settings, call.instances));
    options.update(call.arguments);
    if (!options.contains("command") && options.contains("value"))
        options["command"] = options["value"];
    return options;
}

Result<std::vector<std::string>> words_of(const Json& command) {
    if (command.is_string() && !command.get<std::string>().empty())
        return std::vector<std::string>{"/bin/sh", "-c", command.get<std::string>()};
    std::vector<std::string> words;
    if (command.is_array())
        for (const Json& one : command)
            words.push_back(one.is_string() ? one.get<std::string>() : dump(one));
    if (words.empty()) return invalid("run: no command", "Write `run: {command: \"…\"}`.");
    return words;
}

std::string shown(const Json& command) {
    return redact(command.is_string() ? command.get<std::string>() : dump(command));
}

Result<Command> command_of(const Services& services, const VerbCall& call, const Json& options,
                           const char* which) {
    Command command;
    command.arguments = TRY(words_of(options.value(which, Json())));
    std::error_code ignored;  // absolute() only fails without a working directory
    command.directory =
        std::filesystem::absolute(
            services.plan_directory / string_or(options, "working_directory", ""), ignored)
            .lexically_normal();
    // What Lifeboat itself was given, keys among it, is nobody else's business.
    command.clear_environment = true;
    const Json environment = options.value("environment", Json::object());
    for (const auto& [name, value] : environment.items()) {
        auto text =
            reveal(services.secrets, value.is_string() ? value.get<std::string>() : dump(value));
        if (!text.has_value())
            return std::move(text).error().in(fmt::format("environment {}", name));
        command.environment[name] = *std::move(text);
    }
    command.environment["LIFEBOAT_TOKEN"] = call.token;    // names what it makes, so that a repeat
    command.environment["LIFEBOAT_RUN"] = call.run.value;  // makes no second one
    command.environment["LIFEBOAT_STEP"] = call.step.value;
    command.environment["LIFEBOAT_SCOPE"] = call.scope;
    const std::string user = string_or(options, "run_as", "");
    if (!user.empty()) command.run_as = TRY(services.environment.processes.user(user));
    command.output_limit = 0;  // kept by the capture, head and tail
    return command;
}

struct Done {
    Exit exit;
    Json outputs = Json::object();
    std::string last_words;
};

std::string last_line(const std::string& text) {
    const std::string_view all = trim(text);
    return std::string(all.substr(all.rfind('\n') + 1));  // npos + 1 is 0: the only line
}

/// As `$(…)` of a shell does: the value goes into other words.
std::string without_last_newline(std::string text) {
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

Result<Done> carry_out(const Context& context, Environment& environment, Command command) {
    shell::Capture output(head_max, tail_max), error(head_max, tail_max);
    command.on_output = [&](bool is_error, std::string_view text) {
        (is_error ? error : output).add(text);
    };
    Done done;
    done.exit = TRY(environment.processes.run(context, command));
    output.finish();
    error.finish();
    done.outputs = Json{{"exit", done.exit.code},
                        {"output", redact(without_last_newline(output.text()))},
                        {"error", redact(without_last_newline(error.text()))},
                        {"dropped", output.dropped() + error.dropped()},
                        {"took", format_duration(done.exit.took)}};
    for (const auto& [name, value] : output.values())
        if (std::ranges::find(own_outputs, name) == own_outputs.end())
            done.outputs[name] = redact(value);
    done.last_words = redact(last_line(error.text()));
    if (done.last_words.empty()) done.last_words = redact(last_line(output.text()));
    return done;
}

class ShellProvider final : public Provider {
public:
    explicit ShellProvider(Services& services) : services_(services) {}

    plan::KindSpec describe() const override { return describe_shell(); }

    Result<Observation> observe(const Context& context, const Target& target) override {
        Observation seen;
        if (target.component.health.empty()) {
            seen.why = "it has no health check";
            return seen;
        }
        seen.health = watch::Health::healthy;
        const probe::Place place{.directory = services_.plan_directory};
        for (const plan::Check& check : target.component.health) {
            const auto result = probe::run_check(context, services_.environment, check, place);
            seen.why = fmt::format("{}: {}", result.name, result.detail);
            seen.health = health_of(result);
            if (!result.passed) break;
        }
        return seen;
    }

    Result<std::vector<Call>> preview(const Context&, const VerbCall& call) override {
        const std::string object =
            call.component == nullptr ? "this machine" : call.component->name;
        if (call.verb == "verify")
            return std::vector<Call>{{.action = "its health and verify checks", .object = object}};
        auto options = options_of(call);
        const Json& best = options.has_value() ? *options : call.arguments;
        return std::vector<Call>{
            {.action = "run: " + shown(best.value("command", Json(""))), .object = object}};
    }

    Result<Started> start(const Context& context, const VerbCall& call,
                          const ProgressSink&) override {
        if (call.verb == "verify") return verify(context, call);
        if (call.verb != "run")
            return unsupported(fmt::format("kind 'shell' cannot '{}'", call.verb));
        const Json options = TRY(options_of(call));
        Command command = TRY(command_of(services_, call, options, "command"));
        const bool idempotent = bool_or(options, "idempotent", false);
        const std::string what = fmt::format("'{}'", shown(options["command"]));
        auto done = carry_out(context, services_.environment, std::move(command));
        if (!done.has_value()) return failed(std::move(done).error(), what);
        if (done->exit.code == 0) return Started{.outputs = std::move(done->outputs)};
        const std::string message =
            fmt::format("{} ended with {}{}", what,
                        done->exit.signal != 0 ? fmt::format("signal {}", done->exit.signal)
                                               : fmt::format("exit code {}", done->exit.code),
                        done->last_words.empty() ? "" : ": " + done->last_words);
        if (idempotent || done->exit.code == exit_try_again) return unavailable(message);
        return invalid(message, "Mend what it complains about, then `lifeboat retry` the step.");
    }

    Result<Probed> probe(const Context& context, const VerbCall& call) override {
        if (call.verb == "verify") return Probed{.verdict = ProbeVerdict::absent};
        const Json options = TRY(options_of(call));
        if (!options.contains("probe")) {
            if (bool_or(options, "idempotent", false))
                return Probed{.verdict = ProbeVerdict::absent,
                              .explanation = "it may be run again"};
            return Probed{.explanation = "only a person can tell what the command has done"};
        }
        Command command = TRY(command_of(services_, call, options, "probe"));
        Done done = TRY(carry_out(context, services_.environment, std::move(command)));
        Probed probed{.outputs = std::move(done.outputs),
                      .explanation = fmt::format("its probe ended with {}", done.exit.code)};
        if (done.exit.code == 0) probed.verdict = ProbeVerdict::done;
        if (done.exit.code == 1) probed.verdict = ProbeVerdict::absent;
        return probed;
    }

private:
    /// A command that was ended half-way has done something: nobody knows what.
    static Error failed(Error error, const std::string& what) {
        if (error.kind == ErrorKind::timeout)
            return unknown(what + " was ended with its children: its time is over",
                           "Give the step a longer `timeout:`, or see why it takes so long.");
        if (error.kind == ErrorKind::cancelled)
            return unknown(what + " was ended with its children: the run was stopped");
        return std::move(error).in(what);
    }

    Result<Started> verify(const Context& context, const VerbCall& call) {
        const probe::Place place{.directory = services_.plan_directory};
        std::vector<plan::Check> checks = call.component->health;
        checks.insert(checks.end(), call.component->verify.begin(), call.component->verify.end());
        for (const plan::Check& check : checks) {
            const auto result = probe::run_check(context, services_.environment, check, place);
            if (!result.passed)
                return unavailable(
                    fmt::format("{}: {}: {}", call.component->name, result.name, result.detail));
        }
        return Started{.outputs = Json{{"checks", checks.size()}}};
    }

    Services& services_;
};

}  // namespace

std::unique_ptr<Provider> make_shell_provider(Services& services) {
    return std::make_unique<ShellProvider>(services);
}

}  // namespace lifeboat::providers
