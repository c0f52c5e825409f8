#include "surface/cli/session.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "platform/state/open.h"
#include "providers/contract/registry.h"

namespace lifeboat::cli {
namespace {

constexpr std::string_view invalid_plan_message = "the plan has ";
constexpr std::string_view mend_hint = "Mend what `lifeboat check` names.";
constexpr std::string_view name_hint =
    "Name it with --plan FILE or $LIFEBOAT_PLAN; `lifeboat init` writes a first one.";

Path folder_of(const Path& file) {
    std::error_code problem;
    Path folder = std::filesystem::absolute(file, problem).parent_path();
    return problem ? file.parent_path() : folder;
}

/// A path of the plan, seen from the plan's folder.
Path beside_plan(const plan::Plan& plan, const std::string& path) {
    return Path(path).is_absolute() ? Path(path) : Path(plan.directory) / path;
}

}  // namespace

struct Session::Parts {
    std::optional<Output> output;
    std::unique_ptr<providers::Services> services;
    std::unique_ptr<SecretResolver> secrets;
    std::unique_ptr<providers::Registry> registry;
    std::optional<plan::Catalog> catalog;
    std::optional<plan::Parsed> parsed;
    bool shown = false;
    std::unique_ptr<State> state;
    std::unique_ptr<vault::Vault> vault;
    std::optional<Error> vault_error;
    std::unique_ptr<engine::Workspace> workspace;
};

Session::Session(Environment& environment, MakeProviders make_providers, std::stop_token interrupt,
                 std::stop_token abandon)
    : environment_(environment),
      make_providers_(std::move(make_providers)),
      interrupt_(std::move(interrupt)),
      abandon_(std::move(abandon)),
      parts_(std::make_unique<Parts>()) {
    parts_->secrets = std::make_unique<SecretResolver>(environment_);
    parts_->services = std::make_unique<providers::Services>(
        providers::Services{.environment = environment_, .secrets = *parts_->secrets});
}

Session::~Session() = default;

Context Session::context() const { return Context(environment_.clock, interrupt_); }

const Output& Session::output() {
    if (!parts_->output) {
        const bool always = globals.colour == "always";
        const bool never =
            globals.colour == "never" || environment_.processes.environment("NO_COLOR");
        const bool terminal = isatty(STDOUT_FILENO) != 0;
        parts_->output.emplace(
            Output::Options{.json = globals.json,
                            .colour = always || (terminal && !never),
                            .live = isatty(STDERR_FILENO) != 0 && terminal && !globals.json});
    }
    return *parts_->output;
}

void Session::make_registry(plan::Mode mode) {
    parts_->registry = std::make_unique<providers::Registry>();
    make_providers_(*parts_->registry, *parts_->services, mode);
    parts_->catalog = parts_->registry->catalog();
}

const plan::Catalog& Session::catalog() {
    if (!parts_->catalog) make_registry(plan::Mode::act);
    return *parts_->catalog;
}

Result<const plan::Parsed*> Session::parsed() {
    if (parts_->parsed) return &*parts_->parsed;
    const Path file = globals.plan_file;
    auto bytes = read_file(environment_.files, file);
    if (!bytes.has_value()) return unreadable_plan(std::move(bytes).error());
    const Path folder = folder_of(file);
    auto loader = [&](const std::string& path) -> Result<std::string> {
        const Path full = Path(path).is_absolute() ? Path(path) : folder / path;
        const Bytes text = TRY(read_file(environment_.files, full));
        return std::string(as_text(text));
    };
    parts_->parsed =
        plan::parse(globals.plan_file, std::string(as_text(*bytes)), catalog(), loader);
    parts_->parsed->plan.directory = folder.string();
    parts_->services->plan_directory = folder;
    parts_->services->plan_file = folder / file.filename();
    parts_->secrets->set_base(folder);
    if (parts_->parsed->plan.mode == plan::Mode::observe) make_registry(plan::Mode::observe);
    return &*parts_->parsed;
}

Result<const plan::Plan*> Session::plan() {
    const plan::Parsed* read = TRY(parsed());
    if (read->has_errors()) {
        std::size_t errors = 0;
        for (const plan::Diagnostic& diagnostic : read->diagnostics) {
            if (diagnostic.level != plan::DiagnosticLevel::error) continue;
            ++errors;
            if (!parts_->shown && !globals.json)
                output().note(plan::render(diagnostic, read->sources));
        }
        parts_->shown = true;
        return invalid_plan(errors);
    }
    return &read->plan;
}

Path Session::state_path() {
    if (!globals.state_directory.empty()) return globals.state_directory;
    const std::string name = parts_->parsed ? parts_->parsed->plan.name : std::string("default");
    if (environment_.processes.own_uid() == 0) return Path("/var/lib/lifeboat") / name;
    const std::string home = environment_.processes.environment("HOME").value_or(".");
    return Path(environment_.processes.environment("XDG_STATE_HOME")
                    .value_or(home + "/.local/state")) /
           "lifeboat" / name;
}

SecretResolver& Session::secrets() { return *parts_->secrets; }

Result<State*> Session::state() {
    if (parts_->state) return parts_->state.get();
    if (globals.state_directory.empty()) (void)TRY(plan());  // its name is part of the default path
    parts_->state = TRY(open_sqlite_state(state_path(), environment_));
    return parts_->state.get();
}

Result<Path> Session::vault_directory() {
    const plan::Plan* read = TRY(plan());
    if (!read->vault)
        return not_found("the plan names no vault",
                         "Add `vault: {directory: …, key: …}` and run `lifeboat vault init`.");
    return beside_plan(*read, read->vault->directory);
}

Result<Path> Session::vault_key() {
    const plan::Plan* read = TRY(plan());
    if (!read->vault) return not_found("the plan names no vault");
    return beside_plan(*read, read->vault->key);
}

Result<vault::Vault*> Session::vault() {
    if (parts_->vault) return parts_->vault.get();
    const Path directory = TRY(vault_directory());
    const Path key_file = TRY(vault_key());
    parts_->services->vault_directory = directory;
    parts_->services->vault_key = key_file;
    if (auto there = environment_.files.status(directory);
        !there.has_value() && there.error().kind == ErrorKind::not_found)
        return not_found(fmt::format("there is no vault in '{}'", directory.string()),
                         "Make it with `lifeboat vault init`; if it was there, see to its disk.");
    const crypto::Key key = TRY(vault::load_key(environment_, key_file));
    parts_->vault = TRY(vault::open_vault(environment_, directory, key));
    parts_->services->vault = parts_->vault.get();
    return parts_->vault.get();
}

Result<engine::Workspace*> Session::workspace() {
    if (parts_->workspace) return parts_->workspace.get();
    const plan::Plan* read = TRY(plan());
    State* opened = TRY(state());
    auto stored = vault();
    if (!stored.has_value()) parts_->services->vault_problem = stored.error().message;
    parts_->workspace =
        std::make_unique<engine::Workspace>(engine::Workspace{.environment = environment_,
                                                              .plan = *read,
                                                              .catalog = catalog(),
                                                              .registry = *parts_->registry,
                                                              .services = *parts_->services,
                                                              .state = *opened});
    return parts_->workspace.get();
}

Error invalid_plan(std::size_t errors) {
    return invalid(
        fmt::format("{}{} error{}", invalid_plan_message, errors, errors == 1 ? "" : "s"),
        std::string(mend_hint));
}

Error unreadable_plan(Error why) {
    why = std::move(why).in("the plan cannot be read");
    why.hint = name_hint;
    return why;
}

bool is_invalid_plan(const Error& error) {
    // By the hint: where there is more than one plan, its name stands before the message.
    return error.hint == mend_hint || error.hint == name_hint ||
           (error.kind == ErrorKind::invalid && error.message.starts_with(invalid_plan_message));
}

}  // namespace lifeboat::cli
