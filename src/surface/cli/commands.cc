#include "surface/cli/commands.h"

namespace lifeboat::cli {

std::vector<Command> all_commands() {
    std::vector<Command> commands;
    commands.push_back(init_command());
    commands.push_back(check_command());
    commands.push_back(simulate_command());
    commands.push_back(schema_command());
    commands.push_back(status_command());
    commands.push_back(evidence_command());
    commands.push_back(protect_command());
    commands.push_back(backup_command());
    commands.push_back(points_command());
    commands.push_back(verify_points_command());
    commands.push_back(vault_command());
    commands.push_back(recover_command());
    commands.push_back(runs_command());
    commands.push_back(resume_command());
    commands.push_back(approve_command());
    commands.push_back(retry_command());
    commands.push_back(skip_command());
    commands.push_back(bypass_command());
    commands.push_back(pause_command());
    commands.push_back(abort_command());
    commands.push_back(completion_command());
    commands.push_back(version_command());
    commands.push_back(complete_command());
    commands.push_back(commands_page_command());
    return commands;
}

ExitCode finish(Session& session, const Result<ExitCode>& result) {
    if (result.has_value()) return *result;
    session.output().error(result.error());
    return is_invalid_plan(result.error()) ? ExitCode::invalid_plan : exit_code_for(result.error());
}

}  // namespace lifeboat::cli
