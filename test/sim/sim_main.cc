// lifeboat_sim: disasters by seed, as many as asked for, on all cores. `./dev sim` runs it.
//
// Exit code: 0 when every invariant held, 1 with the failing seed and the command that replays it.

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "core/plan/parse.h"
#include "core/runbook/names.h"
#include "engine/sim/disasters.h"
#include "engine/sim/simulation.h"
#include "providers/contract/registry.h"
#include "surface/app/providers.h"

namespace lifeboat::engine::sim {
namespace {

struct Arguments {
    std::uint64_t seed = 1;
    std::uint64_t runs = 1000;
    unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
    bool verbose = false;
    std::string mutant = "none";
    std::uint64_t crash_at = 0;
    bool crash_before = false;
    std::string plan;
    std::string scenario;
    unsigned seconds = 0;
    bool all_mutants = false;
};

/// What all runs came to.
struct Totals {
    std::uint64_t runs = 0, events = 0, crashes = 0;
    std::map<std::string, std::uint64_t> ends;
    std::vector<SimulationReport> failed;

    void add(const SimulationReport& report) {
        ++runs;
        events += report.events;
        crashes += report.crashes;
        const auto end = report.outcome ? runbook::to_string(*report.outcome)
                                        : runbook::to_string(report.status);
        ++ends[std::string(end)];
        if (report.violation) failed.push_back(report);
    }
};

Mutant mutant_called(const std::string& name) {
    for (const MutantName& one : mutants)
        if (one.name == name) return one.mutant;
    return Mutant::none;
}

Result<std::string> read_text(const std::string& path) {
    std::ifstream file(path);
    if (!file) return not_found(fmt::format("cannot read '{}'", path));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// What the real providers say of themselves; kinds without one are simulated all the same.
plan::Catalog real_catalog() {
    SecretResolver secrets(real_environment());
    providers::Services services{.environment = real_environment(), .secrets = secrets};
    providers::Registry registry;
    app::add_providers(registry, services, plan::Mode::act);
    plan::Catalog catalog = registry.catalog();
    for (const std::string& name : catalog.kind_names()) {
        plan::KindSpec kind = *catalog.kind(name);
        kind.available = true;
        catalog.add(std::move(kind));
    }
    return catalog;
}

/// The plan's scenarios as runs.
Result<std::vector<runbook::RunStarted>> plan_runs(const Arguments& arguments) {
    const std::string text = TRY(read_text(arguments.plan));
    const plan::Catalog catalog = real_catalog();
    const plan::Parsed parsed = plan::parse(arguments.plan, text, catalog, read_text);
    if (parsed.has_errors()) {
        for (const plan::Diagnostic& diagnostic : parsed.diagnostics)
            if (diagnostic.level == plan::DiagnosticLevel::error)
                fmt::print(stderr, "{}\n", plan::render(diagnostic, parsed.sources));
        return invalid(fmt::format("'{}' is no valid plan", arguments.plan));
    }
    std::vector<runbook::RunStarted> runs;
    for (const plan::Scenario& scenario : parsed.plan.scenarios) {
        if (!arguments.scenario.empty() && scenario.name != arguments.scenario) continue;
        auto start = TRY(scenario_run(parsed.plan, scenario.name, catalog, runbook::RunMode::real));
        runs.push_back(std::move(start));
    }
    if (runs.empty()) return not_found(fmt::format("no scenario '{}'", arguments.scenario));
    return runs;
}

SimulationReport run_one(const Arguments& arguments, const std::vector<runbook::RunStarted>& starts,
                         std::uint64_t seed) {
    SimulationOptions options{.seed = seed,
                              .mutant = mutant_called(arguments.mutant),
                              .crash_at = arguments.crash_at,
                              .crash_before = arguments.crash_before};
    if (!starts.empty()) options.start = &starts[seed % starts.size()];
    if (arguments.verbose)
        options.story = [](const std::string& line) { fmt::print("{}\n", line); };
    return simulate(options);
}

Totals run_all(const Arguments& arguments, const std::vector<runbook::RunStarted>& starts) {
    constexpr std::size_t failures_max = 5;
    Totals totals;
    std::mutex mutex;
    std::atomic<std::uint64_t> next{0};
    using std::chrono::steady_clock;
    const auto until = arguments.seconds == 0
                           ? steady_clock::time_point::max()
                           : steady_clock::now() + std::chrono::seconds(arguments.seconds);
    const auto work = [&] {
        for (std::uint64_t i = next++; i < arguments.runs; i = next++) {
            if (steady_clock::now() > until) return;
            const SimulationReport report = run_one(arguments, starts, arguments.seed + i);
            const std::lock_guard lock(mutex);
            totals.add(report);
            if (totals.failed.size() >= failures_max) return;
        }
    };
    std::vector<std::jthread> threads;
    const unsigned jobs = arguments.verbose ? 1 : arguments.jobs;
    for (unsigned i = 1; i < jobs; ++i) threads.emplace_back(work);
    work();
    threads.clear();
    return totals;
}

/// Each deliberate defect of engine/sim/mutants.h: after how many runs it is caught, and by what.
int catch_mutants(const Arguments& arguments) {
    unsigned unnoticed = 0;
    fmt::print("{:<22} {:>5}  caught because\n", "defect", "runs");
    for (const MutantName& mutant : mutants) {
        std::optional<SimulationReport> caught;
        for (std::uint64_t i = 0; i < arguments.runs && !caught; ++i) {
            SimulationReport report =
                simulate({.seed = arguments.seed + i, .mutant = mutant.mutant});
            if (report.violation) caught = std::move(report);
        }
        if (caught)
            fmt::print("{:<22} {:>5}  {}\n", mutant.name, caught->seed - arguments.seed + 1,
                       *caught->violation);
        else
            fmt::print("{:<22} {:>5}  NOT CAUGHT\n", mutant.name, arguments.runs);
        unnoticed += caught ? 0U : 1U;
    }
    return unnoticed == 0 ? 0 : 1;
}

std::string replay_command(const Arguments& arguments, std::uint64_t seed) {
    std::string command = fmt::format("./dev sim --seed {} --runs 1 --verbose", seed);
    if (!arguments.plan.empty()) command += " --plan " + arguments.plan;
    if (!arguments.scenario.empty()) command += " --scenario " + arguments.scenario;
    if (arguments.mutant != "none") command += " --mutant " + arguments.mutant;
    if (arguments.crash_at != 0) command += fmt::format(" --crash-at {}", arguments.crash_at);
    if (arguments.crash_before) command += " --crash-before";
    return command;
}

int report(const Arguments& arguments, const Totals& totals, double took) {
    fmt::print("{} runs, {} events, {} crashes in {:.2f} s: {:.0f} runs per second\n", totals.runs,
               totals.events, totals.crashes, took, static_cast<double>(totals.runs) / took);
    std::string ends;
    for (const auto& [end, count] : totals.ends)
        ends += fmt::format("{}{} {}", ends.empty() ? "" : ", ", count, end);
    fmt::print("ended: {}\n", ends);
    for (const SimulationReport& failed : totals.failed)
        fmt::print("seed {}: {}\n  replay: {}\n", failed.seed, *failed.violation,
                   replay_command(arguments, failed.seed));
    if (totals.failed.empty()) fmt::print("every invariant held\n");
    return totals.failed.empty() ? 0 : 1;
}

int main_of(int count, char** words) {
    Arguments arguments;
    CLI::App app("Runs simulated disasters and checks what must always hold.");
    app.add_option("--seed", arguments.seed, "Seed of the first run");
    app.add_option("--runs", arguments.runs, "How many runs, with seeds from the first one on");
    app.add_option("--jobs", arguments.jobs, "Threads; by default one per core");
    app.add_flag("--verbose", arguments.verbose, "Tell all that happens, one thread");
    app.add_option("--plan", arguments.plan, "Simulate the scenarios of this plan, in turn");
    app.add_option("--scenario", arguments.scenario, "Only this scenario of the plan");
    app.add_option("--mutant", arguments.mutant, "With this deliberate defect");
    app.add_flag("--mutants", arguments.all_mutants,
                 "Catch every deliberate defect, each within --runs");
    app.add_option("--seconds", arguments.seconds, "Stop after so many seconds");
    app.add_option("--crash-at", arguments.crash_at, "One crash only, at this append");
    app.add_flag("--crash-before", arguments.crash_before, "That crash comes before it is durable");
    CLI11_PARSE(app, count, words);
    if (arguments.all_mutants) return catch_mutants(arguments);
    std::vector<runbook::RunStarted> starts;
    if (!arguments.plan.empty()) {
        auto runs = plan_runs(arguments);
        if (!runs.has_value()) {
            fmt::print(stderr, "lifeboat_sim: {}\n", runs.error().message);
            return 3;
        }
        starts = std::move(*runs);
    }
    const auto begin = std::chrono::steady_clock::now();
    const Totals totals = run_all(arguments, starts);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return report(arguments, totals, took.count());
}

}  // namespace
}  // namespace lifeboat::engine::sim

int main(int count, char** words) { return lifeboat::engine::sim::main_of(count, words); }
