#include <fmt/core.h>
#include <unistd.h>

#include "engine/sim/campaign.h"
#include "platform/base/text.h"
#include "surface/cli/commands.h"
#include "surface/cli/progress_line.h"
#include "surface/cli/readiness_input.h"
#include "surface/cli/simulate_view.h"

namespace lifeboat::cli {
namespace {

namespace sim = engine::sim;

struct SimulateOptions {
    std::string file, runs = "10000", seed = "1", jobs, scenario;
};

Result<std::uint64_t> number(const std::string& name, const std::string& text, std::uint64_t least,
                             std::uint64_t most) {
    const auto value = parse_integer(text);
    if (!value || *value < 0 || static_cast<std::uint64_t>(*value) < least ||
        static_cast<std::uint64_t>(*value) > most)
        return invalid(
            fmt::format("{} must be a number from {} to {}, not '{}'", name, least, most, text));
    return static_cast<std::uint64_t>(*value);
}

unsigned cores() {
    const auto count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? static_cast<unsigned>(count) : 1U;
}

Result<ExitCode> simulate(Session& session, const SimulateOptions& options) {
    if (!options.file.empty()) session.globals.plan_file = options.file;
    const plan::Plan& plan = *TRY(session.plan());
    const ReadinessInput input = TRY(readiness_input(session));
    sim::CampaignOptions campaign;
    campaign.runs = TRY(number("--runs", options.runs, 1, 1'000'000'000));
    campaign.seed = TRY(number("--seed", options.seed, 0, 1'000'000'000'000'000));
    campaign.jobs = cores();
    const sim::Stage stage = TRY(sim::Stage::make(
        plan, session.catalog(), {.scenario = options.scenario, .history = input.history}));
    const Monotonic began = session.environment().clock.monotonic();
    ProgressLine progress(session.output(), session.environment().clock, "simulating");
    campaign.progress = [&](std::uint64_t done) {
        progress.update(done, campaign.runs, "disasters");
    };
    const sim::Tally tally = sim::run_campaign(stage, campaign, session.context());
    const Monotonic took = session.environment().clock.monotonic() - began;
    SimulatedRuns runs{.asked = campaign.runs,
                       .seed = campaign.seed,
                       .seconds = std::chrono::duration<double>(took).count(),
                       .jobs = campaign.jobs,
                       .again = fmt::format("lifeboat simulate {}", session.globals.plan_file)};
    if (!options.scenario.empty()) runs.again += " --scenario " + options.scenario;
    const std::vector<Simulated> plans{{session.globals.plan_file, &tally}};
    if (session.output().json())
        session.output().document(simulated_json(plans, runs));
    else
        show_simulated(session.output(), plans, runs);
    return session.context().stopped() ? ExitCode::interrupted : ExitCode::done;
}

}  // namespace

Command simulate_command() {
    CommandOf<SimulateOptions> command("simulate", "Plan",
                                       "Take the plan through thousands of disasters");
    auto& values = *command.values;
    command.option("PLAN", "FILE", "The plan file; the same as --plan", &values.file, false, "file")
        .option("--runs", "N", "How many disasters (10000)", &values.runs)
        .option("--seed", "N", "Seed of the first one (1)", &values.seed)
        .option("--scenario", "NAME", "Only this scenario", &values.scenario, false, "scenario");
    return std::move(command).run(simulate);
}

}  // namespace lifeboat::cli
