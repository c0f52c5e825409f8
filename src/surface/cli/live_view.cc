#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "platform/base/size.h"
#include "surface/cli/notices.h"
#include "surface/cli/run_view.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;
using rb::StepStatus;

constexpr std::chrono::milliseconds frame_every{100};
constexpr unsigned columns_for_bar = 90;   ///< a narrower terminal gets percentages only
constexpr unsigned rows_beside_steps = 3;  ///< the head, the line of what is left out, the cursor

const rb::StepState& state_of(const rb::RunState& run, const rb::Node& node) {
    static const rb::StepState untouched;
    const auto found = run.steps.find(node.id);
    return found == run.steps.end() ? untouched : found->second;
}

/// How much a person wants to see the step when not all fit: 0 first.
int rank(const rb::StepState& state) {
    switch (state.status) {
        case StepStatus::pending:
            return 1;
        case StepStatus::done:
        case StepStatus::recorded:
        case StepStatus::skipped:
        case StepStatus::bypassed:
        case StepStatus::cancelled:
            return 2;
        default:
            return 0;
    }
}

/// The steps that are shown, in the order of the graph: what goes on and what failed, then what
/// comes next, then what was done last.
std::set<std::size_t> chosen(const rb::RunState& run, std::size_t most) {
    const std::vector<rb::Node>& nodes = run.start.graph.nodes;
    std::set<std::size_t> shown;
    for (int wanted = 0; wanted < 3; ++wanted) {
        for (std::size_t i = 0; i < nodes.size() && shown.size() < most; ++i) {
            const std::size_t at = wanted == 2 ? nodes.size() - 1 - i : i;
            if (rank(state_of(run, nodes[at])) == wanted) shown.insert(at);
        }
    }
    return shown;
}

/// What is still to come by the estimates of the steps that have not ended.
std::string left(const rb::RunState& run) {
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

class LiveView final : public RunView {
public:
    LiveView(const Output& output, const Clock& clock, Duration objective)
        : output_(output), clock_(clock), objective_(objective) {}

    void event(const rb::RunState& run, const rb::Event& event) override {
        if (std::holds_alternative<rb::PauseRequested>(event.body))
            footer_ = "pausing: what runs is finished first; Ctrl-C again leaves it as it stands";
        if (std::holds_alternative<rb::ResumeRequested>(event.body)) footer_.clear();
        tick(run);
    }
    void progress(const rb::RunState&, const engine::LiveProgress& progress) override {
        live_[progress.step] = progress;
    }
    void tick(const rb::RunState& run) override {
        const Monotonic now = clock_.monotonic();
        if (!rows_.empty() && now - drawn_ < frame_every) return;
        if (output_.is_behind()) return;
        drawn_ = now;
        ++frame_;
        draw(run);
    }
    void finish(const rb::RunState& run, const std::vector<engine::Measured>& measured) override {
        footer_.clear();
        draw(run);
        show_measured(output_, measured);
    }

private:
    void draw(const rb::RunState& run) {
        if (run.status == rb::RunStatus::none) return;
        const TerminalSize size = terminal_size();
        std::string text;
        // A terminal made narrower since has folded the rows that we wrote.
        std::size_t above = 0;
        for (const std::size_t width : rows_)
            above += std::max<std::size_t>(1, (width + size.width - 1) / size.width);
        if (above > 0) text += fmt::format("\x1b[{}F\x1b[J", above);
        rows_.clear();
        // Above the frame, where the next one leaves them alone.
        for (const std::string& notice : shelf_.take()) text += notice + "\n";
        const std::vector<rb::Node>& nodes = run.start.graph.nodes;
        const std::size_t most =
            std::max<std::size_t>(1, size.height - std::min(size.height - 1, rows_beside_steps));
        const auto shown = chosen(run, most);
        add(text, size, head(run));
        for (const std::size_t at : shown) add(text, size, row(run, nodes[at], size));
        if (shown.size() < nodes.size())
            add(text, size, fmt::format("  … and {} more steps", nodes.size() - shown.size()));
        if (!footer_.empty()) add(text, size, footer_);
        output_.frame(text);
    }

    void add(std::string& text, const TerminalSize& size, const std::string& row) {
        const std::string fitting = clip(row, size.width);
        text += fitting + "\x1b[0m\n";
        rows_.push_back(visible_width(fitting));
    }

    std::string head(const rb::RunState& run) const {
        const Duration elapsed = elapsed_of(run, clock_.now());
        const bool late = objective_ > Duration::zero() && elapsed > objective_;
        return fmt::format(
            "{}  {}  {}",
            output_.paint(late ? Tone::bad : Tone::good, clock_text(elapsed, objective_)),
            output_.paint(Tone::strong, run.start.scenario),
            output_.paint(Tone::faint, run.start.run.value + left(run)));
    }

    std::string row(const rb::RunState& run, const rb::Node& node, const TerminalSize& size) const {
        const rb::StepState& state = state_of(run, node);
        const auto [mark, tone] = mark_of(state.status);
        std::string time;
        if (state.began) {
            const Instant end = state.ended.value_or(clock_.now());
            time = human_duration(std::max(Duration::zero(), Duration(end - *state.began)));
        }
        const std::size_t name_width = std::clamp<std::size_t>(size.width / 3, 12, 28);
        return fmt::format("  {} {:<{}} {:>7}  {}", output_.paint(tone, mark),
                           clip(node.id.value, name_width), name_width, time,
                           bar(node.id, state, size) + output_.paint(tone, describe(state, node)));
    }

    std::string bar(const StepId& step, const rb::StepState& state,
                    const TerminalSize& size) const {
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
        if (size.width < columns_for_bar)
            return fmt::format("{}% ", std::min<std::uint64_t>(100, done * 100 / total));
        const std::uint64_t filled = std::min<std::uint64_t>(20, done * 20 / total);
        std::string text = "[";
        for (std::uint64_t i = 0; i < 20; ++i) text += i < filled ? "█" : "·";
        const std::string amounts =
            unit == "bytes" ? fmt::format("{} of {}", human_size(done), human_size(total))
                            : fmt::format("{} of {} {}", done, total, unit);
        return fmt::format("{}] {} ", text, amounts);
    }

    std::pair<std::string, Tone> mark_of(StepStatus status) const {
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
                return {std::string(spin[frame_ % 8]), Tone::plain};
        }
    }

    const Output& output_;
    const Clock& clock_;
    NoticeShelf shelf_;
    const Duration objective_;
    std::map<StepId, engine::LiveProgress> live_;
    std::vector<std::size_t> rows_;  ///< columns of each row that stands on the screen
    std::string footer_;
    std::size_t frame_ = 0;
    Monotonic drawn_{};
};

}  // namespace

std::unique_ptr<RunView> make_live_view(const Output& output, const Clock& clock,
                                        Duration objective) {
    return std::make_unique<LiveView>(output, clock, objective);
}

}  // namespace lifeboat::cli
