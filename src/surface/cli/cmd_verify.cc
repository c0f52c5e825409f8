#include <fmt/core.h>

#include <algorithm>

#include "engine/verification.h"
#include "surface/cli/commands.h"
#include "surface/cli/progress_line.h"

namespace lifeboat::cli {
namespace {

using engine::Verification;
using providers::Exam;

struct VerifyOptions {
    std::string what, to;
    bool clean = false;
};

/// Test hook: flips a byte of the copy, so that a test sees it found.
constexpr const char* damage_variable = "LIFEBOAT_TEST_FLIP";

struct Wanted {
    std::string component, to;
};

/// Protected components whose kind keeps points.
std::vector<Wanted> all_protected(const plan::Plan& plan) {
    std::vector<Wanted> wanted;
    for (const plan::Component& component : plan.components)
        if (!component.protect.empty()) wanted.push_back({component.name, "latest"});
    return wanted;
}

Result<std::vector<Wanted>> wanted_of(engine::Workspace& workspace, const VerifyOptions& options) {
    if (options.what.empty()) {
        if (!options.to.empty())
            return invalid("--to needs a component", "Say `lifeboat verify COMPONENT --to POINT`.");
        auto wanted = all_protected(workspace.plan);
        if (!wanted.empty()) return wanted;
        return invalid("the plan protects no component", "Give one a `protect:`.");
    }
    if (workspace.plan.component(options.what) != nullptr)
        return std::vector<Wanted>{{options.what, options.to.empty() ? "latest" : options.to}};
    if (workspace.services.vault != nullptr) {
        const auto points = TRY(workspace.services.vault->points());
        for (const vault::Point& point : points)
            if (point.id.value == options.what)
                return std::vector<Wanted>{{point.component, point.id.value}};
    }
    return not_found(fmt::format("'{}' is neither a component nor a point", options.what),
                     "`lifeboat points` lists both.");
}

std::string mark_of(const Output& output, Exam::Outcome outcome) {
    switch (outcome) {
        case Exam::Outcome::passed:
            return output.paint(Tone::good, "✓");
        case Exam::Outcome::failed:
            return output.paint(Tone::bad, "✗");
        case Exam::Outcome::unseen:
            return output.paint(Tone::faint, "–");
        default:
            return output.paint(Tone::warning, "?");
    }
}

void show_exam(const Output& output, const Exam& exam) {
    output.line(fmt::format("  {} {}: {}{}", mark_of(output, exam.outcome), exam.name, exam.detail,
                            exam.took > std::chrono::milliseconds(100)
                                ? output.paint(Tone::faint, " · " + human_duration(exam.took))
                                : ""));
    for (const std::string& object : exam.objects)
        output.line("      " + output.paint(Tone::bad, object));
}

void show_end(const Output& output, const Verification& verification) {
    const bool proven = verification.verdict == "proven";
    const Tone tone = proven                          ? Tone::good
                      : verification.verdict == "bad" ? Tone::bad
                                                      : Tone::warning;
    const auto unseen =
        std::ranges::count(verification.proof.exams, Exam::Outcome::unseen, &Exam::outcome);
    std::string text =
        fmt::format("{}: {} in {}", verification.component,
                    output.paint(tone, verification.verdict), human_duration(verification.took));
    if (unseen > 0) text += fmt::format(", {} not seen", unseen);
    if (verification.proof.rpo)
        text += fmt::format(", RPO measured {}", human_duration(*verification.proof.rpo));
    output.line(text);
    if (verification.verdict == "bad")
        output.line(fmt::format("  {} is marked bad: no recovery takes it unless it is named",
                                verification.proof.point));
    for (const std::string& warning : verification.warnings)
        output.note("lifeboat: warning: " + warning);
}

/// What people see while it goes on: a line per exam, and the stage that is at work.
class View {
public:
    View(Session& session, std::string component)
        : output_(session.output()),
          clock_(session.environment().clock),
          component_(std::move(component)) {}

    providers::ProofSink sink() {
        return {.stage =
                    [this](const std::string& stage) {
                        line_.emplace(output_, clock_, component_ + ": " + stage);
                    },
                .progress =
                    [this](std::uint64_t done, std::uint64_t total, const std::string& unit) {
                        if (line_) line_->update(done, total, unit);
                    },
                .exam =
                    [this](const Exam& exam) {
                        line_.reset();
                        if (!output_.json()) show_exam(output_, exam);
                    }};
    }
    void end() { line_.reset(); }

private:
    const Output& output_;
    const Clock& clock_;
    const std::string component_;
    std::optional<ProgressLine> line_;
};

ExitCode code_of(const Result<Verification>& result) {
    if (!result.has_value()) {
        // The disk is too small: refused before anything was written.
        if (result.error().kind == ErrorKind::exhausted) return ExitCode::refused;
        return exit_code_for(result.error());
    }
    if (result->verdict == "bad") return ExitCode::finding;
    return result->verdict == "proven" ? ExitCode::done : ExitCode::failed;
}

Result<Verification> verify_one(Session& session, engine::Workspace& workspace,
                                engine::Instances& instances, const Wanted& wanted) {
    const Output& output = session.output();
    if (!output.json()) {
        const auto last = engine::last_verification_took(workspace, wanted.component);
        output.line(fmt::format(
            "{}: restoring {} aside{}", wanted.component, wanted.to,
            last ? fmt::format("; about {}, as last time", human_duration(*last)) : ""));
    }
    View view(session, wanted.component);
    engine::VerifyRequest request{.component = wanted.component, .to = wanted.to, .damage = {}};
    request.damage =
        session.environment().processes.environment(damage_variable).value_or(std::string());
    auto verified = engine::verify(session.context(), workspace, instances, request, view.sink());
    view.end();
    return verified;
}

Result<ExitCode> clean(Session& session, engine::Workspace& workspace) {
    const auto cleared = TRY(engine::clear_leftovers(session.context(), workspace));
    const Output& output = session.output();
    if (output.json()) {
        output.document(Json{{"cleared", cleared}});
        return ExitCode::done;
    }
    for (const std::string& name : cleared)
        output.line(fmt::format("{}: what a killed verification had left is gone", name));
    if (cleared.empty()) output.line("no verification has left anything");
    return ExitCode::done;
}

Result<ExitCode> verify(Session& session, const VerifyOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    engine::Instances instances(workspace);
    if (options.clean) return clean(session, workspace);
    const std::vector<Wanted> wanted = TRY(wanted_of(workspace, options));
    TRY(engine::clear_leftovers(session.context(), workspace));
    const Output& output = session.output();
    Json results = Json::array();
    ExitCode worst = ExitCode::done;
    for (const Wanted& one : wanted) {
        const auto verified = verify_one(session, workspace, instances, one);
        worst = std::max(worst, code_of(verified));
        if (verified.has_value()) {
            results.push_back(engine::to_json(*verified));
            if (!output.json()) show_end(output, *verified);
            continue;
        }
        results.push_back(Json{{"component", one.component}, {"error", to_json(verified.error())}});
        if (!output.json()) output.error(Error(verified.error()).in(one.component));
        if (verified.error().kind == ErrorKind::cancelled) break;
    }
    if (output.json()) output.document(Json{{"verifications", results}});
    return worst;
}

}  // namespace

Command verify_points_command() {
    CommandOf<VerifyOptions> command("verify", "Protection",
                                     "Restore a point aside, start it, check it, throw it away");
    command
        .option("WHAT", "COMPONENT|POINT", "What to prove; default: the newest of each component",
                &command.values->what, false, "component")
        .option("--to", "TIME|LSN|POINT", "This state of the component instead of the newest",
                &command.values->to)
        .option("--clean", "", "Only take away what killed verifications have left",
                &command.values->clean);
    command.command.details =
        "Starts a copy in a new directory and on a private port, isolated: nothing of it reaches "
        "what\n"
        "runs. Looks at it from the plan's `verify:` down to every page, and keeps the proof in "
        "the\n"
        "vault and as evidence. A point where a difference is found is marked bad: no recovery "
        "takes\n"
        "it unless it is named.\n"
        "\n"
        "Exit status: 0 proven, 1 a difference was found, 5 refused (the disk is too small), 7\n"
        "another verification of the component goes on, 8 it could not be carried out: the point "
        "is as\n"
        "unproven as before, 130 interrupted.\n"
        "\n"
        "Test hook: LIFEBOAT_TEST_FLIP=base/5/16385:8200 flips that byte of the copy.";
    return std::move(command).run(verify);
}

}  // namespace lifeboat::cli
