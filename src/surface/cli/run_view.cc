#include "surface/cli/run_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace lifeboat::cli {

namespace rb = runbook;

std::string clock_text(Duration elapsed, Duration objective) {
    std::string text = human_duration(elapsed);
    if (objective > Duration::zero()) text += " of " + human_duration(objective);
    return text;
}

Duration elapsed_of(const rb::RunState& run, Instant now) {
    const Instant from = run.start.disaster_at.value_or(run.began);
    const Instant to = run.status == rb::RunStatus::finished ? run.ended : now;
    return std::max(Duration::zero(), Duration(to - from));
}

namespace {

class PlainView final : public RunView {
public:
    PlainView(const Output& output, const Clock& clock, Duration objective)
        : output_(output), clock_(clock), objective_(objective) {}

    void event(const rb::RunState& run, const rb::Event& event) override {
        const std::string text = describe(run, event);
        if (text.empty()) return;
        output_.line(fmt::format("{:>8}  {}", human_duration(elapsed_of(run, event.at)), text));
    }
    void progress(const rb::RunState& run, const engine::LiveProgress& progress) override {
        // A pipe gets a line for each tenth of the way, not for each byte.
        if (progress.total == 0) return;
        const auto tenth = progress.done * 10 / progress.total;
        auto& last = tenths_[progress.step];
        if (tenth <= last) return;
        last = tenth;
        output_.line(fmt::format("{:>8}  {:<28} {}%", human_duration(elapsed_of(run, clock_.now())),
                                 progress.step.value, tenth * 10));
    }
    void tick(const rb::RunState&) override {}
    void finish(const rb::RunState& run, const std::vector<engine::Measured>& measured) override {
        output_.line(
            fmt::format("time: {}", clock_text(elapsed_of(run, clock_.now()), objective_)));
        show_measured(output_, measured);
    }

private:
    const Output& output_;
    const Clock& clock_;
    const Duration objective_;
    std::map<StepId, std::uint64_t> tenths_;
};

class JsonView final : public RunView {
public:
    explicit JsonView(const Output& output) : output_(output) {}

    void event(const rb::RunState&, const rb::Event& event) override {
        Json line{{"type", rb::type_name(event)}, {"at", format_instant(event.at)}};
        line["payload"] = rb::to_json(event);
        output_.event(line);
    }
    void progress(const rb::RunState&, const engine::LiveProgress& progress) override {
        output_.event(Json{{"type", "progress"},
                           {"step", progress.step.value},
                           {"done", progress.done},
                           {"total", progress.total},
                           {"unit", progress.unit}});
    }
    void tick(const rb::RunState&) override {}
    void finish(const rb::RunState& run, const std::vector<engine::Measured>& measured) override {
        static constexpr std::string_view outcomes[] = {"done", "partial", "failed", "aborted",
                                                        "refused"};
        output_.event(
            Json{{"type", "result"},
                 {"run", run.start.run.value},
                 {"outcome", run.outcome ? Json(outcomes[static_cast<std::size_t>(*run.outcome)])
                                         : Json(nullptr)},
                 {"waiting", run.status != rb::RunStatus::finished},
                 {"measured", to_json(measured)}});
    }

private:
    const Output& output_;
};

}  // namespace

std::unique_ptr<RunView> make_run_view(const Output& output, const Clock& clock,
                                       Duration objective) {
    if (output.json()) return std::make_unique<JsonView>(output);
    if (output.live()) return make_live_view(output, clock, objective);
    return std::make_unique<PlainView>(output, clock, objective);
}

}  // namespace lifeboat::cli
