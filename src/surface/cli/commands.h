#pragma once
/// One function per command: its place in the list, its help, and what it does.

#include "surface/cli/command.h"

namespace lifeboat::cli {

Command init_command();
Command check_command();
Command simulate_command();
Command schema_command();
Command status_command();
Command evidence_command();
Command backup_command();
Command points_command();
Command verify_points_command();
Command protect_command();
Command recover_command();
Command runs_command();
Command resume_command();
Command approve_command();
Command retry_command();
Command skip_command();
Command bypass_command();
Command pause_command();
Command abort_command();
Command vault_command();
Command completion_command();
Command complete_command();       ///< what the completion scripts ask
Command commands_page_command();  ///< what docs/commands.md is made from
Command version_command();

/// Runs `body`; an Error is shown and becomes its exit status.
ExitCode finish(Session& session, const Result<ExitCode>& result);

/// A command whose options live in a shared struct of type T.
template <class T>
struct CommandOf {
    Command command;
    std::shared_ptr<T> values = std::make_shared<T>();
    explicit CommandOf(std::string name, std::string group, std::string summary) {
        command.name = std::move(name);
        command.group = std::move(group);
        command.summary = std::move(summary);
        command.values = values;
    }
    CommandOf& option(std::string name, std::string value, std::string help, auto* target,
                      bool required = false, std::string completes = {}) {
        command.options.push_back(Option{std::move(name), std::move(value), std::move(help), target,
                                         required, std::move(completes)});
        return *this;
    }
    Command run(auto body) && {
        command.run = [values = values, body](Session& session) {
            return finish(session, body(session, *values));
        };
        return std::move(command);
    }
};

}  // namespace lifeboat::cli
