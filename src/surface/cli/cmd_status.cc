#include <fmt/core.h>
#include <unistd.h>

#include <limits>

#include "surface/cli/board.h"
#include "surface/cli/commands.h"
#include "surface/cli/names.h"

namespace lifeboat::cli {
namespace {

constexpr Duration interval_least = std::chrono::milliseconds(100);

struct StatusOptions {
    std::vector<std::string> components;
    bool watch = false;
    std::string interval = "2s";
};

/// Shows one board after the other: redrawn in place on a terminal, one block or one line of JSON
/// after the other elsewhere.
class Screen {
public:
    Screen(const Output& output, bool repeats)
        : output_(output), repeats_(repeats), terminal_(isatty(STDOUT_FILENO) != 0) {}

    void show(const Board& board) {
        if (output_.json()) {
            repeats_ ? output_.event(to_json(board)) : output_.document(to_json(board));
            return;
        }
        const TerminalSize size = terminal_size();
        const std::size_t width = terminal_ ? size.width : std::numeric_limits<std::size_t>::max();
        std::vector<std::string> lines = render(output_, board, width);
        if (board.rows.empty()) lines = {"the plan has no components"};
        if (repeats_)
            lines.insert(lines.begin(), output_.paint(Tone::faint, format_instant(board.at)));
        const std::vector<std::string> problems = problems_of(board);
        if (repeats_ && output_.live()) {
            for (const std::string& problem : problems)
                lines.push_back(output_.paint(Tone::bad, problem));
            redraw(lines, size);
            return;
        }
        for (const std::string& line : lines) output_.line(line);
        for (const std::string& problem : problems) output_.note(problem);
        if (repeats_) output_.line();
    }

private:
    void redraw(const std::vector<std::string>& lines, const TerminalSize& size) {
        // A terminal made narrower since has folded the rows that we wrote.
        std::size_t above = 0;
        for (const std::size_t width : drawn_)
            above += std::max<std::size_t>(1, (width + size.width - 1) / size.width);
        std::string text = above > 0 ? fmt::format("\x1b[{}F\x1b[J", above) : "";
        drawn_.clear();
        for (const std::string& line : lines) {
            if (drawn_.size() + 1 >= size.height) break;
            const std::string fitting = clip(line, size.width);
            text += fitting + "\x1b[0m\n";
            drawn_.push_back(visible_width(fitting));
        }
        output_.drawing(text);
    }

    const Output& output_;
    const bool repeats_, terminal_;
    std::vector<std::size_t> drawn_;  ///< columns of each row that stands on the screen
};

Result<ExitCode> status(Session& session, const StatusOptions& options) {
    const Duration interval = TRY(parse_duration(options.interval));
    if (interval < interval_least)
        return invalid(fmt::format("--interval {} is too short", options.interval),
                       "Give at least 100ms.");
    engine::Workspace& workspace = *TRY(session.workspace());
    TRY(require_components(workspace.plan, options.components));
    Screen screen(session.output(), options.watch);
    engine::LastAnswers answers(workspace);
    while (true) {
        const Board board = look_at_board(session, workspace, options.components, answers);
        // Interrupted while it looked: half of it is unknown only because of that.
        if (session.context().stopped())
            return options.watch ? Result<ExitCode>(ExitCode::done) : cancelled("interrupted");
        screen.show(board);
        if (!options.watch) return board.trouble ? ExitCode::finding : ExitCode::done;
        if (session.output().is_lost()) return ExitCode::done;  // nobody watches
        if (!session.context().sleep(interval).has_value()) return ExitCode::done;
    }
}

}  // namespace

Command status_command() {
    CommandOf<StatusOptions> command("status", "Plan",
                                     "The board: health, what would be lost now, what is proven");
    auto& values = *command.values;
    command.option("COMPONENT", "COMPONENT", "Only these", &values.components, false, "component")
        .option("--watch", "", "Look again and again, until Ctrl-C", &values.watch)
        .option("--interval", "TIME", "Between two looks; default 2s", &values.interval);
    command.command.details =
        "Green is only what is healthy, and what was really measured, on this plan, with these "
        "versions,\n"
        "not too long ago. What does not answer is unknown; what it last said is not shown as if "
        "it still\n"
        "held. Exit status 1: something is unhealthy, or would lose more than it may.";
    return std::move(command).run(status);
}

}  // namespace lifeboat::cli
