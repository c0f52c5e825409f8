#include <fmt/core.h>

#include <algorithm>

#include "engine/evidence.h"
#include "engine/evidence_export.h"
#include "engine/look.h"
#include "platform/base/text.h"
#include "surface/cli/commands.h"
#include "surface/cli/promises.h"
#include "surface/cli/result_file.h"

namespace lifeboat::cli {
namespace {

using readiness::Fact;

constexpr const char* group = "Plan";
constexpr Duration look_limit = std::chrono::seconds(3);
constexpr std::string_view standard_stream = "-";  // as every tool calls it
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::uint64_t export_max = 1U << 30U;  // bytes

struct EvidenceOptions {
    bool all = false;
    std::string file, key, after;
};

std::string value_of(const Fact& fact) {
    if (fact.value) return human_duration(*fact.value);
    if (fact.objective == readiness::Objective::restorable) return fact.met ? "passed" : "failed";
    return "-";
}

Result<Json> versions_now(Session& session, engine::Workspace& workspace) {
    engine::Instances instances(workspace);
    const engine::Look seen = engine::look(session.context(), workspace, instances, {}, look_limit);
    return engine::versions_in_use(seen.observations);
}

void show_all(const Output& output, const std::vector<Fact>& facts, Instant now) {
    std::vector<std::vector<std::string>> table{
        {"measured", "by", "component", "objective", "value", "", "scenario", "environment", "on"}};
    for (std::size_t i = facts.size(); i-- > 0;) {
        const Fact& fact = facts[i];
        table.push_back({ago(fact.at, now), std::string(to_string(fact.source)), fact.component,
                         std::string(words_for(fact.objective)), value_of(fact),
                         fact.met ? "met" : output.paint(Tone::bad, "MISSED"), fact.scenario,
                         fact.environment, output.paint(Tone::faint, fact.subject)});
    }
    output.table(table);
}

void show_promises(const Output& output, const std::vector<Promise>& promises, Instant now) {
    std::vector<std::vector<std::string>> table{
        {"component", "objective", "promised", "standing", "measured", "age", "scenario", "by"}};
    for (const Promise& promise : promises) {
        const auto& fact = promise.proof.fact;
        const readiness::Standing standing = promise.proof.standing;
        table.push_back(
            {promise.component->name, std::string(words_for(promise.objective)),
             promise.promised ? human_duration(*promise.promised) : "",
             output.paint(tone_of(standing), words_for(standing)), fact ? value_of(*fact) : "",
             fact ? ago(fact->at, now) : "", fact ? fact->scenario : "",
             fact ? output.paint(Tone::faint,
                                 fmt::format("{} {}", to_string(fact->source), fact->subject))
                  : ""});
    }
    output.table(table);
}

std::string entries_text(std::size_t count) {
    return fmt::format("{} {}", count, count == 1 ? "entry" : "entries");
}

/// An objective that was really measured, on what the plan is now, and missed.
ExitCode verdict_on(const std::vector<Promise>& promises) {
    const bool missed = std::ranges::any_of(promises, [](const Promise& promise) {
        return promise.proof.standing == readiness::Standing::missed;
    });
    return missed ? ExitCode::finding : ExitCode::done;
}

Result<ExitCode> list(Session& session, const EvidenceOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    TRY(engine::record_missing_runs(workspace));
    const auto facts = TRY(engine::load_facts(workspace.state));
    const Json versions = TRY(versions_now(session, workspace));
    const Instant now = workspace.now();
    const auto promises = weigh_promises(workspace.plan, facts, versions, now, true);
    const Output& output = session.output();
    if (output.json()) {
        Json rows = Json::array();
        for (const Promise& promise : promises) rows.push_back(to_json(promise));
        Json kept = Json::array();
        for (const Fact& fact : facts) kept.push_back(readiness::to_json(fact));
        output.document(Json{{"at", format_instant(now)},
                             {"environment", engine::environment_of(workspace.plan)},
                             {"versions", versions},
                             {"evidence", rows},
                             {"facts", kept}});
        return verdict_on(promises);
    }
    if (options.all)
        show_all(output, facts, now);
    else
        show_promises(output, promises, now);
    return verdict_on(promises);
}

/// The vault's key signs by what is derived from it; a plan without a vault gets a key of its own
/// beside the state.
Result<crypto::Key> signing_key(Session& session) {
    const plan::Plan* plan = TRY(session.plan());
    Environment& environment = session.environment();
    if (plan->vault) {
        const Path file = TRY(session.vault_key());
        const crypto::Key key = TRY(vault::load_key(environment, file));
        return engine::evidence_key(key);
    }
    const Path file = session.state_path() / "evidence.key";
    auto made = vault::make_key(environment, file);
    if (!made.has_value() && made.error().kind != ErrorKind::conflict) return made.error();
    const crypto::Key key = TRY(vault::load_key(environment, file));
    return engine::evidence_key(key);
}

Result<ExitCode> write_export(Session& session, const EvidenceOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    TRY(engine::record_missing_runs(workspace));
    const crypto::Key key = TRY(signing_key(session));
    const Json document =
        TRY(engine::export_evidence(workspace.state, workspace.plan, key, workspace.now()));
    const Output& output = session.output();
    const std::string public_key = to_hex(crypto::public_key(key));
    if (options.file.empty() || options.file == standard_stream) {
        output.document(document);
        output.note("public key: " + public_key);
        return ExitCode::done;
    }
    TRY(write_result_file(session.environment().files, options.file, dump_pretty(document) + "\n"));
    const std::size_t entries = document["entries"].size();
    if (output.json()) {
        output.document(
            Json{{"file", options.file}, {"entries", entries}, {"public_key", public_key}});
        return ExitCode::done;
    }
    output.line(fmt::format("{} written to {}", entries_text(entries), options.file));
    output.line("public key: " + public_key);
    output.note("Give the key to whoever will check the file, by another way than the file.");
    return ExitCode::done;
}

Result<Json> read_export(Session& session, const std::string& file) {
    const Bytes bytes =
        TRY(file == standard_stream ? read_standard_input(session.context(), export_max)
                                    : read_file(session.environment().files, file, export_max));
    auto document = as_text(bytes).starts_with(byte_order_mark)
                        ? invalid("a byte order mark stands before it")
                        : parse_json(as_text(bytes));
    // A torn or altered file is what this is here to find: no mistake on the command line.
    if (!document.has_value())
        return corrupt(fmt::format("{}: {}", file, document.error().message),
                       "Ask for the file again, from where it was made.");
    return document;
}

/// As people copy a key: in capitals, perhaps with blanks around it.
Result<std::optional<std::string>> pinned_key(const std::string& given) {
    if (given.empty()) return std::optional<std::string>();
    const auto bytes = from_hex(to_lower(trim(given)));
    if (!bytes.has_value() || bytes->size() != crypto::PublicKey().size())
        return invalid(fmt::format("--key '{}' is no public key", given),
                       "It has 64 hexadecimal digits; `lifeboat evidence export` prints it.");
    return std::optional(to_hex(*bytes));
}

Result<engine::ExportSummary> verified(Session& session, const EvidenceOptions& options,
                                       const std::optional<std::string>& pinned) {
    const Json document = TRY(read_export(session, options.file));
    std::optional<Json> earlier;
    if (!options.after.empty()) earlier = TRY(read_export(session, options.after));
    auto checked = engine::verify_export(document, pinned, earlier ? &*earlier : nullptr);
    if (checked.has_value()) return checked;
    Error error = std::move(checked).error().in(options.file);
    error.kind = ErrorKind::corrupt;  // whatever it stumbled over: it is not what was exported
    return error;
}

Result<ExitCode> check_export(Session& session, const EvidenceOptions& options) {
    const std::optional<std::string> pinned = TRY(pinned_key(options.key));
    auto checked = verified(session, options, pinned);
    if (!checked.has_value()) {
        if (checked.error().kind != ErrorKind::corrupt) return checked.error();
        session.output().error(std::move(checked).error());
        return ExitCode::finding;
    }
    const Output& output = session.output();
    if (output.json()) {
        output.document(Json{{"file", options.file},
                             {"plan", checked->plan},
                             {"exported_at", format_instant(checked->exported_at)},
                             {"entries", checked->entries},
                             {"head", checked->head},
                             {"public_key", checked->public_key},
                             {"pinned", pinned.has_value()}});
        return ExitCode::done;
    }
    output.line(fmt::format("{}: {} of plan {}, exported {}; the chain is whole", options.file,
                            entries_text(checked->entries), checked->plan,
                            format_instant(checked->exported_at)));
    output.line(
        fmt::format("signed by {}{}", checked->public_key, pinned ? ", the key you named" : ""));
    if (!pinned) output.note("Compare the key with the one you were told, or say --key KEY.");
    return ExitCode::done;
}

Command export_command() {
    CommandOf<EvidenceOptions> command("export", group,
                                       "Write all evidence into one signed file for an auditor");
    command.option("FILE", "FILE", "Where to; left out, or '-': standard output",
                   &command.values->file, false, "file");
    return std::move(command).run(write_export);
}

Command verify_command() {
    CommandOf<EvidenceOptions> command("verify", group,
                                       "Check an export: chain, signature, nothing left out");
    auto& values = *command.values;
    command.option("FILE", "FILE", "The export; '-': standard input", &values.file, true, "file")
        .option("--key", "KEY", "The public key that must have signed it", &values.key)
        .option("--after", "FILE", "An earlier export that it must continue", &values.after, false,
                "file");
    command.command.details =
        "Needs neither plan nor state. docs/verify_evidence.py does the same without Lifeboat. "
        "Exit "
        "status\n"
        "1: the file is not what was exported.";
    return std::move(command).run(check_export);
}

}  // namespace

Command evidence_command() {
    CommandOf<EvidenceOptions> command(
        "evidence", group, "What was really measured of each objective, and what it is worth now");
    command.option("--all", "", "Every fact that was ever recorded, newest first",
                   &command.values->all);
    command.command.details =
        "Evidence lapses with age (`evidence: {valid: 30d}` in the plan) and at once when its part "
        "of the\n"
        "plan or the versions it was measured with change. What was measured against emulated "
        "services\n"
        "is shown and proves nothing. Exit status 1: an objective was measured and is missed.";
    command.command.subcommands = {export_command(), verify_command()};
    return std::move(command).run(list);
}

}  // namespace lifeboat::cli
