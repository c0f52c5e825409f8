#include "surface/cli/run_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "platform/base/size.h"
#include "platform/observe/redact.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;
using rb::StepStatus;

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

/// Redraws its block in place, about ten times a second.
class LiveView final : public RunView {
public:
    LiveView(const Output& output, const Clock& clock, Duration objective)
        : output_(output), clock_(clock), objective_(objective) {}

    void event(const rb::RunState& run, const rb::Event&) override { draw(run, false); }
    void progress(const rb::RunState&, const engine::LiveProgress& progress) override {
        live_[progress.step] = progress;
    }
    void tick(const rb::RunState& run) override {
        const Monotonic now = clock_.monotonic();
        if (now - drawn_ < std::chrono::milliseconds(100)) return;
        drawn_ = now;
        draw(run, true);
    }
    void finish(const rb::RunState& run, const std::vector<engine::Measured>& measured) override {
        draw(run, false);
        show_measured(output_, measured);
    }

private:
    void draw(const rb::RunState& run, bool spinning) {
        if (run.status == rb::RunStatus::none) return;
        std::string text;
        if (lines_ > 0) text += fmt::format("\x1b[{}F\x1b[J", lines_);
        lines_ = 0;
        add(text, head(run));
        for (const rb::Node& node : run.start.graph.nodes) add(text, row(run, node, spinning));
        const std::string safe = redact(text);
        (void)std::fwrite(safe.data(), 1, safe.size(), stderr);
        (void)std::fflush(stderr);
    }

    void add(std::string& text, std::string row) {
        while (visible_width(row) > output_.width() && !row.empty()) row.pop_back();
        text += row + "\x1b[0m\n";
        ++lines_;
    }

    std::string head(const rb::RunState& run) const {
        const Duration elapsed = elapsed_of(run, clock_.now());
        const bool late = objective_ > Duration::zero() && elapsed > objective_;
        return fmt::format(
            "{}  {}  {}", output_.paint(Tone::strong, run.start.scenario),
            output_.paint(late ? Tone::bad : Tone::good, clock_text(elapsed, objective_)),
            output_.paint(Tone::faint, run.start.run.value + left(run)));
    }

    /// What is still to come by the estimates of the steps that have not ended.
    static std::string left(const rb::RunState& run) {
        rb::Graph open;
        for (rb::Node node : run.start.graph.nodes) {
            const auto state = run.steps.find(node.id);
            if (state != run.steps.end() && state->second.ended) node.estimate = Duration::zero();
            open.nodes.push_back(std::move(node));
        }
        const Duration rest = engine::critical_path(open);
        if (rest == Duration::zero() || run.status == rb::RunStatus::finished) return "";
        return "  about " + human_duration(rest) + " left";
    }

    std::string row(const rb::RunState& run, const rb::Node& node, bool spinning) {
        static const rb::StepState untouched;
        const auto found = run.steps.find(node.id);
        const rb::StepState& state = found == run.steps.end() ? untouched : found->second;
        const auto [mark, tone] = mark_of(state.status, spinning);
        std::string time;
        if (state.began) {
            const Instant end = state.ended.value_or(clock_.now());
            time = human_duration(std::max(Duration::zero(), Duration(end - *state.began)));
        }
        return fmt::format("  {} {:<28} {:>7}  {}", output_.paint(tone, mark), node.id.value, time,
                           bar(node.id, state) + output_.paint(tone, describe(state, node)));
    }

    std::string bar(const StepId& step, const rb::StepState& state) const {
        std::uint64_t done = state.done;
        std::uint64_t total = state.total;
        std::string unit = state.unit;
        if (const auto live = live_.find(step); live != live_.end()) {
            done = live->second.done;
            total = live->second.total;
            unit = live->second.unit;
        }
        const bool works =
            state.status == StepStatus::starting || state.status == StepStatus::operating;
        if (!works || total == 0) return "";
        const std::uint64_t filled = std::min<std::uint64_t>(20, done * 20 / total);
        std::string text = "[";
        for (std::uint64_t i = 0; i < 20; ++i) text += i < filled ? "█" : "·";
        const std::string amounts =
            unit == "bytes" ? fmt::format("{} of {}", human_size(done), human_size(total))
                            : fmt::format("{} of {} {}", done, total, unit);
        return fmt::format("{}] {} ", text, amounts);
    }

    std::pair<std::string, Tone> mark_of(StepStatus status, bool spinning) {
        static constexpr std::string_view spin[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"};
        switch (status) {
            case StepStatus::pending:
                return {"·", Tone::faint};
            case StepStatus::done:
            case StepStatus::recorded:
                return {"✓", Tone::good};
            case StepStatus::bypassed:
            case StepStatus::skipped:
                return {"↷", Tone::warning};
            case StepStatus::failed:
            case StepStatus::cancelled:
                return {"✗", Tone::bad};
            case StepStatus::awaiting_approval:
            case StepStatus::needs_person:
                return {"?", Tone::warning};
            default:
                break;
        }
        if (spinning) ++frame_;
        return {std::string(spin[frame_ % 8]), Tone::plain};
    }

    const Output& output_;
    const Clock& clock_;
    const Duration objective_;
    std::map<StepId, engine::LiveProgress> live_;
    std::size_t lines_ = 0;
    std::size_t frame_ = 0;
    Monotonic drawn_{};
};

}  // namespace

std::unique_ptr<RunView> make_run_view(const Output& output, const Clock& clock,
                                       Duration objective) {
    if (output.json()) return std::make_unique<JsonView>(output);
    if (output.live()) return std::make_unique<LiveView>(output, clock, objective);
    return std::make_unique<PlainView>(output, clock, objective);
}

}  // namespace lifeboat::cli
