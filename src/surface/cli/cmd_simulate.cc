#include <fmt/core.h>
#include <unistd.h>

#include <memory>

#include "engine/sim/campaign.h"
#include "engine/sim/explain.h"
#include "platform/base/text.h"
#include "surface/cli/commands.h"
#include "surface/cli/progress_line.h"
#include "surface/cli/readiness_input.h"
#include "surface/cli/result_file.h"
#include "surface/cli/simulate_page.h"
#include "surface/cli/simulate_view.h"
#include "surface/cli/what_if.h"

namespace lifeboat::cli {
namespace {

namespace sim = engine::sim;

constexpr std::uint64_t runs_max = 1'000'000'000;
constexpr std::uint64_t seed_max = 1'000'000'000'000'000;

struct SimulateOptions {
    std::string file, runs = "10000", seed = "1", jobs, scenario, against, explain, html;
    std::vector<std::string> changes;
};

/// A plan, or a change of it, with all that trying it needs. Stays where it is: the stage refers to
/// the plan.
struct Variant {
    std::string name, file;
    bool is_changed = false;
    plan::Parsed parsed;
    std::optional<sim::Stage> stage;
    std::optional<sim::Tally> tally;
};
using Variants = std::vector<std::unique_ptr<Variant>>;

Result<std::uint64_t> number(const char* name, const std::string& text, std::uint64_t least,
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

Result<std::string> read_text(Session& session, const Path& file) {
    const Bytes bytes = TRY(read_file(session.environment().files, file));
    return std::string(as_text(bytes));
}

Result<std::unique_ptr<Variant>> load(Session& session, const std::string& file,
                                      const SimulateOptions& options, bool with_the_changes,
                                      const readiness::History& history) {
    auto variant = std::make_unique<Variant>();
    variant->name = variant->file = file;
    variant->is_changed = with_the_changes;
    auto bytes = read_text(session, file);
    if (!bytes.has_value()) return unreadable_plan(std::move(bytes).error());
    std::string text = *std::move(bytes);
    if (with_the_changes) {
        text = TRY(with_changes(text, options.changes));
        variant->name = "with " + join(options.changes, ", ");
    }
    const Path folder = Path(file).parent_path();
    variant->parsed = plan::parse(
        file, text, session.catalog(), [&](const std::string& path) -> Result<std::string> {
            return read_text(session, Path(path).is_absolute() ? Path(path) : folder / path);
        });
    std::size_t errors = 0;
    for (const plan::Diagnostic& one : variant->parsed.diagnostics) {
        if (one.level != plan::DiagnosticLevel::error) continue;
        ++errors;
        // Lines of a changed text are nobody's lines.
        if (!session.output().json())
            session.output().note(with_the_changes ? one.message
                                                   : plan::render(one, variant->parsed.sources));
    }
    if (errors > 0) return invalid_plan(errors).in(variant->name);
    variant->stage = TRY(sim::Stage::make(variant->parsed.plan, session.catalog(),
                                          {.scenario = options.scenario, .history = history}));
    return variant;
}

Result<Variants> load_all(Session& session, const SimulateOptions& options) {
    (void)TRY(session.plan());  // shows its mistakes as every command does
    const ReadinessInput input = readiness_input_or_note(session);
    Variants variants;
    const std::string& file = session.globals.plan_file;
    variants.push_back(TRY(load(session, file, options, false, input.history)));
    if (!options.changes.empty())
        variants.push_back(TRY(load(session, file, options, true, input.history)));
    if (!options.against.empty())
        variants.push_back(TRY(load(session, options.against, options, false, {})));
    return variants;
}

/// A word as a shell takes it.
std::string shell_word(const std::string& text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:=@%+/-";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

/// The command that tries this variant alone.
std::string command_again(const Session& session, const SimulateOptions& options,
                          const Variant& variant) {
    std::string command = "lifeboat simulate " + shell_word(variant.file);
    if (!options.scenario.empty()) command += " --scenario " + shell_word(options.scenario);
    if (variant.is_changed)
        for (const std::string& change : options.changes) command += " --set " + shell_word(change);
    if (!session.globals.state_directory.empty())
        command += " --state " + shell_word(session.globals.state_directory);
    return command;
}

ExitCode tell_one(const Output& output, const sim::Explanation& told) {
    bool met = true;
    for (const bool one : told.met) met = met && one;
    if (output.json()) {
        Json timeline = Json::array();
        for (const incident::Entry& entry : told.incident.timeline)
            timeline.push_back(
                Json{{"at", format_instant(entry.at)}, {"who", entry.who}, {"what", entry.what}});
        output.document(Json{{"seed", told.trial.seed},
                             {"disaster", told.disaster},
                             {"severity", told.incident.severity},
                             {"circumstances", told.circumstances},
                             {"timeline", timeline},
                             {"results", told.results},
                             {"met", met}});
    } else {
        output.line(
            output.paint(Tone::strong, fmt::format("seed {}: {}", told.trial.seed, told.disaster)));
        for (const std::string& line : told.circumstances) output.line(line);
        output.line();
        for (const std::string& line : incident::timeline_text(told.incident)) output.line(line);
        output.line();
        for (std::size_t i = 0; i < told.results.size(); ++i)
            output.line(output.paint(told.met[i] ? Tone::good : Tone::bad, told.results[i]));
        if (told.results.empty()) output.line("no objective is concerned");
    }
    return met ? ExitCode::done : ExitCode::finding;
}

Result<void> write_page(Session& session, const std::string& file,
                        const std::vector<Simulated>& plans, const SimulatedRuns& runs) {
    TRY(write_result_file(session.environment().files, file, simulated_page(plans, runs)));
    session.output().note(fmt::format("page: {}", file));
    return ok();
}

Result<ExitCode> simulate(Session& session, const SimulateOptions& options) {
    if (!options.file.empty()) session.globals.plan_file = options.file;
    sim::CampaignOptions campaign;
    campaign.runs = TRY(number("--runs", options.runs, 1, runs_max));
    campaign.seed = TRY(number("--seed", options.seed, 0, seed_max));
    campaign.jobs = cores();
    if (!options.jobs.empty())
        campaign.jobs = static_cast<unsigned>(TRY(number("--jobs", options.jobs, 1, 1024)));
    std::uint64_t told_seed = 0;
    if (!options.explain.empty())
        told_seed = TRY(number("--explain", options.explain, 0, seed_max));
    if (!options.html.empty())
        TRY(expect_writable(session.environment().files, options.html));  // not after all runs
    const Variants variants = TRY(load_all(session, options));
    if (!options.explain.empty())
        return tell_one(session.output(), sim::explain(*variants.back()->stage, told_seed));

    const Clock& clock = session.environment().clock;
    const Monotonic began = clock.monotonic();
    std::vector<Simulated> plans;
    {
        ProgressLine line(session.output(), clock, "simulating");
        std::uint64_t before = 0;
        campaign.progress = [&](std::uint64_t done) {
            line.update(before + done, campaign.runs * variants.size(), "disasters");
        };
        for (const auto& variant : variants) {
            variant->tally = sim::run_campaign(*variant->stage, campaign, session.context());
            plans.push_back(
                {variant->name, command_again(session, options, *variant), &*variant->tally});
            before += campaign.runs;
        }
    }
    const std::chrono::duration<double> took = clock.monotonic() - began;
    const SimulatedRuns runs{.asked = campaign.runs,
                             .seed = campaign.seed,
                             .seconds = took.count(),
                             .jobs = campaign.jobs,
                             .at = session.environment().clock.now()};
    if (session.output().json())
        session.output().document(simulated_json(plans, runs));
    else
        show_simulated(session.output(), plans, runs);
    if (!options.html.empty()) TRY(write_page(session, options.html, plans, runs));
    if (session.context().stopped()) return ExitCode::interrupted;
    for (const Simulated& plan : plans)
        if (!plan.tally->broken().empty()) return ExitCode::failed;
    return ExitCode::done;
}

}  // namespace

Command simulate_command() {
    CommandOf<SimulateOptions> command("simulate", "Plan",
                                       "Take the plan through thousands of disasters");
    auto& values = *command.values;
    command.option("PLAN", "FILE", "The plan file; the same as --plan", &values.file, false, "file")
        .option("--runs", "N", "How many disasters (10000)", &values.runs)
        .option("--seed", "N", "Seed of the first one; the next has the next (1)", &values.seed)
        .option("--scenario", "NAME", "Only this scenario", &values.scenario, false, "scenario")
        .option("--set", "PATH=VALUE",
                "What if the plan said so: side by side; several may be given", &values.changes)
        .option("--against", "FILE", "Another plan, side by side", &values.against, false, "file")
        .option("--explain", "SEED", "Tell this one disaster as a story", &values.explain)
        .option("--html", "FILE", "Write a page for people who decide: one file, no network",
                &values.html, false, "file")
        .option("--jobs", "N", "Threads; otherwise one per core", &values.jobs);
    command.command.details =
        "Each disaster is drawn from its seed: what is lost, when, how late it is noticed, how\n"
        "people and providers answer. Its run is carried out by the same machine that `recover`\n"
        "uses, on a virtual clock. Nothing real is touched.\n\n"
        "  lifeboat simulate --set components.cache.protect.every=50m\n"
        "  lifeboat simulate --scenario region-failure --explain 17";
    return std::move(command).run(simulate);
}

}  // namespace lifeboat::cli
