#include <fmt/core.h>

#include "engine/protection.h"
#include "platform/base/size.h"
#include "platform/task/mutex.h"
#include "surface/cli/commands.h"
#include "surface/cli/names.h"
#include "surface/cli/progress_line.h"
#include "surface/cli/promises.h"

namespace lifeboat::cli {
namespace {

struct BackupOptions {
    std::vector<std::string> components;
    bool all = false;
    std::string method;
};

struct ProtectCommandOptions {
    std::vector<std::string> components;
};

Result<std::vector<std::string>> chosen(const plan::Plan& plan, const BackupOptions& options) {
    TRY(require_components(plan, options.components));
    if (!options.components.empty()) return options.components;
    std::vector<std::string> names;
    for (const plan::Component& component : plan.components)
        if (!component.protect.empty()) names.push_back(component.name);
    if (!options.all && names.size() != 1)
        return invalid("name the components to back up", "Or say --all.");
    return names;
}

Result<ExitCode> backup(Session& session, const BackupOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    engine::Instances instances(workspace);
    const std::vector<std::string> names = TRY(chosen(workspace.plan, options));
    const Output& output = session.output();
    Json arguments = Json::object();
    if (!options.method.empty()) arguments["method"] = options.method;
    Json results = Json::array();
    std::size_t failures = 0;
    std::optional<Error> last;
    for (const std::string& name : names) {
        auto made = [&] {
            ProgressLine line(output, session.environment().clock, name);
            return engine::backup(session.context(), workspace, instances, name, arguments,
                                  [&](std::uint64_t done, std::uint64_t total,
                                      const std::string& unit) { line.update(done, total, unit); });
        }();
        if (!made.has_value()) {
            ++failures;
            last = made.error();
            results.push_back(Json{{"component", name}, {"error", to_json(made.error())}});
            if (!output.json() && names.size() > 1) output.error(Error(made.error()).in(name));
            continue;
        }
        results.push_back(Json{{"component", name},
                               {"took_s", std::chrono::duration<double>(made->took).count()},
                               {"outputs", made->outputs}});
        if (!output.json())
            output.line(fmt::format("{}: {} in {}", name,
                                    string_or(made->outputs, "point", "a point was made"),
                                    human_duration(made->took)));
    }
    if (output.json()) output.document(Json{{"backups", results}});
    if (failures == 0) return ExitCode::done;
    if (failures < names.size()) return ExitCode::partial;
    if (names.size() == 1 && !output.json()) return *last;
    return exit_code_for(*last);
}

constexpr std::size_t verdict_width = 72;  // the rest stands in --json

/// "proven 4m ago", "up to 0/3000148, as of 4m ago", "bad 4m ago: amcheck: table public.orders: 3
/// rows"; "never" when nobody looked.
std::string verified(Session& session, const providers::RecoveryPoint& point) {
    const Output& output = session.output();
    const Instant now = session.environment().clock.now();
    if (!point.proven_to.empty()) {
        const std::string as_of =
            point.proven_as_of ? ", as of " + ago(*point.proven_as_of, now) : "";
        return fmt::format("up to {}{}", point.proven_to, as_of);
    }
    if (!point.verified_at) return output.paint(Tone::faint, "never");
    const std::string text = fmt::format("{} {}", point.verdict, ago(*point.verified_at, now));
    if (point.verdict == "bad")
        return output.paint(Tone::bad, clip(text + ": " + point.verdict_why, verdict_width));
    const bool counts = point.verdict == "proven" && *point.verified_at <= now;
    return output.paint(counts ? Tone::good : Tone::warning, text);
}

Result<ExitCode> points(Session& session, const BackupOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    engine::Instances instances(workspace);
    const Output& output = session.output();
    Json all = Json::array();
    std::vector<std::vector<std::string>> rows{
        {"component", "point", "as of", "from", "position", "size", "verified", ""}};
    std::optional<Error> problem;
    TRY(require_components(workspace.plan, options.components));
    (void)TRY(session.vault());
    for (const plan::Component& component : workspace.plan.components) {
        const bool wanted = options.components.empty() ||
                            std::find(options.components.begin(), options.components.end(),
                                      component.name) != options.components.end();
        providers::Provider* provider = workspace.registry.find(component.kind);
        if (!wanted || provider == nullptr) continue;
        const providers::Instance instance = TRY(instances.current(component.name));
        auto found = provider->points(session.context(),
                                      providers::Target{workspace.plan, component, instance});
        if (!found.has_value()) {
            problem = Error(found.error()).in(component.name);
            continue;
        }
        for (const providers::RecoveryPoint& point : *found) {
            rows.push_back({component.name, point.id, format_instant(point.at),
                            point.from ? format_instant(*point.from) : "", point.position,
                            human_size(point.size), verified(session, point),
                            point.problem.empty() ? "" : output.paint(Tone::bad, point.problem)});
            all.push_back(
                Json{{"component", component.name},
                     {"point", point.id},
                     {"method", point.method},
                     {"at", format_instant(point.at)},
                     {"from", point.from ? Json(format_instant(*point.from)) : Json(nullptr)},
                     {"position", point.position},
                     {"size", point.size},
                     {"identity", point.identity},
                     {"verdict", point.verdict},
                     {"verdict_why", point.verdict_why},
                     {"verified_at",
                      point.verified_at ? Json(format_instant(*point.verified_at)) : Json(nullptr)},
                     {"proven_to", point.proven_to},
                     {"proven_as_of", point.proven_as_of ? Json(format_instant(*point.proven_as_of))
                                                         : Json(nullptr)},
                     {"problem", point.problem}});
        }
    }
    if (output.json()) {
        output.document(Json{{"points", all}});
    } else if (rows.size() == 1) {
        output.line("no recovery points; `lifeboat backup --all` makes some");
    } else {
        output.table(rows);
    }
    if (problem) return *problem;
    return ExitCode::done;
}

Result<ExitCode> protect(Session& session, const ProtectCommandOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    TRY(require_components(workspace.plan, options.components));
    if (workspace.services.vault == nullptr)
        return unavailable(
            fmt::format("nothing can be protected: {}", workspace.services.vault_problem),
            "Make the vault with `lifeboat vault init`.");
    engine::Instances instances(workspace);
    const Output& output = session.output();
    Mutex mutex;
    engine::ProtectOptions protect_options;
    protect_options.components = options.components;
    protect_options.on_news = [&](const engine::ProtectionNews& news) {
        MutexLock lock(mutex);
        if (output.json()) {
            output.event(Json{{"at", format_instant(news.at)},
                              {"component", news.component},
                              {"method", news.method},
                              {"message", news.message},
                              {"trouble", news.trouble}});
            return;
        }
        output.line(fmt::format(
            "{}  {:<14} {:<10} {}", format_instant(news.at), news.component, news.method,
            news.trouble ? output.paint(Tone::warning, news.message) : news.message));
    };
    auto ended = engine::protect(session.context(), workspace, instances, protect_options);
    if (!ended.has_value() && ended.error().kind != ErrorKind::cancelled) return ended.error();
    return ExitCode::done;
}

}  // namespace

Command backup_command() {
    CommandOf<BackupOptions> command("backup", "Protection", "Make a recovery point now");
    command
        .option("COMPONENT", "COMPONENT", "Which ones", &command.values->components, false,
                "component")
        .option("--all", "", "Every component that the plan protects", &command.values->all)
        .option("--method", "METHOD", "One of the kind's methods; default: its own choice",
                &command.values->method);
    return std::move(command).run(backup);
}

Command points_command() {
    CommandOf<BackupOptions> command("points", "Protection", "What one can go back to");
    command.option("COMPONENT", "COMPONENT", "Only these", &command.values->components, false,
                   "component");
    return std::move(command).run(points);
}

Command protect_command() {
    CommandOf<ProtectCommandOptions> command(
        "protect", "Protection", "Keep protection flowing as the plan says, until stopped");
    command.option("COMPONENT", "COMPONENT", "Only these", &command.values->components, false,
                   "component");
    command.command.details =
        "Streams what is continuous and makes points at their intervals; follows a component to "
        "its new\n"
        "instance after a recovery. `recover` and `backup` work beside it.";
    return std::move(command).run(protect);
}

}  // namespace lifeboat::cli
