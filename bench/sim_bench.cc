/// Whole recoveries per second on one core: the trials of `lifeboat simulate` on the plan of the
/// written document, and the runs of `./dev sim` that look for defects.

#include <benchmark/benchmark.h>

#include <fstream>
#include <sstream>

#include "core/plan/parse.h"
#include "engine/sim/simulation.h"
#include "engine/sim/tally.h"
#include "platform/env/real.h"
#include "providers/contract/registry.h"
#include "surface/app/providers.h"

namespace lifeboat::engine::sim {
namespace {

std::string read_all(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// What the real providers say of themselves.
const plan::Catalog& catalog() {
    static const plan::Catalog* const made = [] {
        static SecretResolver secrets(real_environment());
        static providers::Services services{.environment = real_environment(), .secrets = secrets};
        static providers::Registry registry;
        app::add_providers(registry, services, plan::Mode::act);
        return new plan::Catalog(registry.catalog());
    }();
    return *made;
}

const Stage& stage() {
    const std::string path = "examples/ecommerce-aws.yaml";
    static const plan::Parsed parsed =
        plan::parse(path, read_all(path), catalog(),
                    [](const std::string& file) -> Result<std::string> { return read_all(file); });
    static const Result<Stage> made = Stage::make(parsed.plan, catalog(), {});
    if (!made.has_value()) {
        fmt::print(stderr, "{}\n", made.error().message);
        std::abort();
    }
    return *made;
}

/// One disaster after another, all kinds of the plan, counted into a tally.
void trials(benchmark::State& state) {
    Tally tally(stage());
    std::uint64_t seed = 1;
    for (auto _ : state) tally.add(run_trial(stage(), {.seed = seed++}));
    state.SetItemsProcessed(static_cast<std::int64_t>(tally.trials()));
    state.counters["events per recovery"] =
        static_cast<double>(tally.events()) / static_cast<double>(tally.trials());
}
BENCHMARK(trials)->Unit(benchmark::kMicrosecond);

/// Only disasters that the plan answers with a run.
void recoveries(benchmark::State& state) {
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t seed = 1; seeds.size() < 2000; ++seed)
        if (draw_strikes(stage(), seed).started) seeds.push_back(seed);
    std::size_t next = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(run_trial(stage(), {.seed = seeds[next++ % seeds.size()]}));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(recoveries)->Unit(benchmark::kMicrosecond);

/// The same recoveries over the real driver, with its journal as text, hashed record by record.
void faithful_trials(benchmark::State& state) {
    std::uint64_t seed = 1;
    for (auto _ : state)
        benchmark::DoNotOptimize(run_trial(stage(), {.seed = seed++, .faithful = true}));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(faithful_trials)->Unit(benchmark::kMicrosecond);

/// Runs of made-up plans in a hostile world, every invariant checked after each event.
void hostile_runs(benchmark::State& state) {
    std::uint64_t seed = 1;
    for (auto _ : state) benchmark::DoNotOptimize(simulate({.seed = seed++}));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hostile_runs)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lifeboat::engine::sim

BENCHMARK_MAIN();
