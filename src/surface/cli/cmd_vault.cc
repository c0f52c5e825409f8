#include <fmt/core.h>

#include <set>

#include "platform/base/size.h"
#include "surface/cli/commands.h"
#include "surface/cli/progress_line.h"

namespace lifeboat::cli {
namespace {

struct VaultOptions {
    std::string copy, point, directory, grace = "24h";
    bool shallow = false, dry_run = false;
    unsigned keep_newest = 1;
};

constexpr const char* group = "Vault";

Result<ExitCode> init(Session& session) {
    const Path directory = TRY(session.vault_directory());
    const Path key_file = TRY(session.vault_key());
    Environment& environment = session.environment();
    const Output& output = session.output();
    bool made_key = false;
    if (!environment.files.status(key_file).has_value()) {
        TRY(environment.files.make_directories(key_file.parent_path()));
        TRY(vault::make_key(environment, key_file));
        made_key = true;
    }
    const crypto::Key key = TRY(vault::load_key(environment, key_file));
    TRY(vault::init_vault(environment, directory, key));
    if (output.json()) {
        output.document(Json{
            {"vault", directory.string()}, {"key", key_file.string()}, {"key_made", made_key}});
        return ExitCode::done;
    }
    output.line(fmt::format("vault made in {}", directory.string()));
    output.line(fmt::format("{} {}", made_key ? "key made:" : "key found:", key_file.string()));
    output.line(
        "\nWithout this key nothing in the vault can ever be read. Keep a second copy now, away "
        "from this\n"
        "machine and from everything the plan protects (print it, or put it into a safe): it is "
        "one line\n"
        "of text. Then prove the copy:");
    output.line("  lifeboat vault key test COPY");
    return ExitCode::done;
}

Result<ExitCode> key_test(Session& session, const VaultOptions& options) {
    Environment& environment = session.environment();
    const Path directory = TRY(session.vault_directory());
    const crypto::Key copy = TRY(vault::load_key(environment, options.copy));
    auto opened = TRY(vault::open_vault(environment, directory, copy));
    if (session.output().json()) {
        session.output().document(Json{{"copy", options.copy}, {"opens", opened->id()}});
    } else {
        session.output().line(
            fmt::format("{} opens vault {} in {}", options.copy, opened->id(), directory.string()));
    }
    return ExitCode::done;
}

Json to_json(const vault::LogStatus& log) {
    Json gaps = Json::array();
    for (const vault::Gap& gap : log.gaps)
        gaps.push_back(Json{{"from", gap.from}, {"to", gap.to}, {"reason", gap.reason}});
    return Json{{"component", log.name.component},
                {"lineage", log.name.lineage},
                {"branch", log.name.branch},
                {"begin", log.begin},
                {"end", log.end},
                {"boundary", log.boundary},
                {"gaps", gaps},
                {"stored", log.stored}};
}

Result<ExitCode> status(Session& session) {
    vault::Vault* vault = TRY(session.vault());
    std::vector<vault::Finding> damaged;
    const auto points = TRY(vault->points("", &damaged));
    const auto logs = TRY(vault->logs());
    const std::uint64_t free = TRY(vault->store().free_space());
    std::uint64_t size = 0;
    std::uint64_t stored = 0;
    for (const vault::Point& point : points) {
        size += point.size;
        stored += point.stored;
    }
    const Output& output = session.output();
    if (output.json()) {
        Json log_rows = Json::array();
        for (const vault::LogStatus& log : logs) log_rows.push_back(to_json(log));
        Json findings = Json::array();
        for (const vault::Finding& finding : damaged)
            findings.push_back(Json{{"object", finding.object}, {"what", finding.what}});
        output.document(Json{{"id", vault->id()},
                             {"store", vault->store().describe()},
                             {"points", points.size()},
                             {"size", size},
                             {"stored", stored},
                             {"free", free},
                             {"logs", log_rows},
                             {"damaged", findings}});
        return damaged.empty() ? ExitCode::done : ExitCode::finding;
    }
    output.line(fmt::format("vault {} in {}", vault->id(), vault->store().describe()));
    output.line(fmt::format("{} points, {} of files in {}; {} free on its disk", points.size(),
                            human_size(size), human_size(stored), human_size(free)));
    for (const vault::LogStatus& log : logs) {
        output.line(fmt::format("log {} of {} branch {}: {}{}", log.name.lineage,
                                log.name.component, log.name.branch,
                                human_size(log.end - log.begin),
                                log.gaps.empty() ? "" : output.paint(Tone::bad, ", with gaps")));
    }
    for (const vault::Finding& finding : damaged)
        output.line(fmt::format("{} {}: {}", output.paint(Tone::bad, "damaged:"), finding.object,
                                finding.what));
    return damaged.empty() ? ExitCode::done : ExitCode::finding;
}

/// The vault counts bytes.
vault::Progress into(ProgressLine& line) {
    return [&line](std::uint64_t done, std::uint64_t total) { line.update(done, total, "bytes"); };
}

Result<ExitCode> verify(Session& session, const VaultOptions& options) {
    vault::Vault* vault = TRY(session.vault());
    const Output& output = session.output();
    auto verified = [&] {
        ProgressLine line(output, session.environment().clock, "verifying");
        return vault->verify(session.context(), !options.shallow, into(line));
    }();
    const auto report = TRY(std::move(verified));
    if (output.json()) {
        Json findings = Json::array();
        for (const vault::Finding& finding : report.findings)
            findings.push_back(Json{
                {"object", finding.object}, {"what", finding.what}, {"affects", finding.affects}});
        output.document(
            Json{{"objects", report.objects}, {"bytes", report.bytes}, {"findings", findings}});
        return report.findings.empty() ? ExitCode::done : ExitCode::finding;
    }
    for (const vault::Finding& finding : report.findings) {
        output.line(fmt::format("{} {}: {}", output.paint(Tone::bad, "damaged:"), finding.object,
                                finding.what));
        for (const std::string& affected : finding.affects)
            output.line("    cannot be restored: " + affected);
    }
    output.line(fmt::format("{} objects, {} read, {} findings", report.objects,
                            human_size(report.bytes), report.findings.size()));
    return report.findings.empty() ? ExitCode::done : ExitCode::finding;
}

Result<ExitCode> restore(Session& session, const VaultOptions& options) {
    vault::Vault* vault = TRY(session.vault());
    const Output& output = session.output();
    auto reader = TRY(vault->open_point(PointId(options.point)));
    auto restored = [&] {
        ProgressLine line(output, session.environment().clock, "restoring");
        return reader->restore(session.context(), options.directory, vault::RestoreOptions{},
                               into(line));
    }();
    TRY(std::move(restored));
    if (output.json()) {
        output.document(Json{{"point", options.point},
                             {"directory", options.directory},
                             {"size", reader->point().size},
                             {"facts", reader->point().facts}});
    } else {
        output.line(fmt::format("{} restored into {}: {} in {} entries", options.point,
                                options.directory, human_size(reader->point().size),
                                reader->entries().size()));
    }
    return ExitCode::done;
}

Result<ExitCode> prune(Session& session, const VaultOptions& options) {
    vault::Vault* vault = TRY(session.vault());
    const plan::Plan* plan = TRY(session.plan());
    const Duration grace = TRY(parse_duration(options.grace));
    vault::PruneRule rule;
    rule.keep_newest = options.keep_newest;
    for (const plan::Component& component : plan->components) {
        for (const plan::Protection& protection : component.protect) {
            if (!protection.keep) continue;
            Duration& keep = rule.keep[component.name];
            keep = std::max(keep, *protection.keep);
        }
    }
    const auto report = TRY(vault->prune(session.context(), rule, grace, options.dry_run));
    const Output& output = session.output();
    if (output.json()) {
        Json removed = Json::array();
        for (const PointId& point : report.removed) removed.push_back(point.value);
        output.document(Json{{"dry_run", options.dry_run},
                             {"points_removed", removed},
                             {"objects_removed", report.objects_removed},
                             {"bytes_freed", report.bytes_freed}});
        return ExitCode::done;
    }
    for (const PointId& point : report.removed)
        output.line(
            fmt::format("{} {}", options.dry_run ? "would remove" : "removed", point.value));
    output.line(fmt::format("{}{} points, {} objects, {}",
                            options.dry_run ? "would remove " : "removed ", report.removed.size(),
                            report.objects_removed, human_size(report.bytes_freed)));
    return ExitCode::done;
}

Command key_command() {
    CommandOf<VaultOptions> test("test", "", "Prove that a copy of the key opens this vault");
    test.option("COPY", "FILE", "The copy", &test.values->copy, true, "file");
    Command key;
    key.name = "key";
    key.summary = "The vault's key";
    key.subcommands.push_back(std::move(test).run(key_test));
    return key;
}

Command restore_command() {
    CommandOf<VaultOptions> command("restore", "", "Write a point's files into an empty directory");
    command
        .option("POINT", "POINT", "Its id, from `lifeboat points`", &command.values->point, true,
                "point")
        .option("DIRECTORY", "DIR", "Absent or empty", &command.values->directory, true, "file");
    command.command.details =
        "Only the files: starting a server from them is what `lifeboat recover` does.";
    return std::move(command).run(restore);
}

Command prune_command() {
    CommandOf<VaultOptions> command("prune", "", "Remove points beyond their `keep:`, and garbage");
    command.option("--dry-run", "", "Only tell", &command.values->dry_run)
        .option("--grace", "DURATION", "Leave unreferred objects alone for this long",
                &command.values->grace);
    return std::move(command).run(prune);
}

Command verify_command() {
    CommandOf<VaultOptions> command("verify", "", "Read and authenticate every byte of the vault");
    command.option("--shallow", "", "Names, sizes and manifests only", &command.values->shallow);
    return std::move(command).run(verify);
}

}  // namespace

Command vault_command() {
    Command vault;
    vault.name = "vault";
    vault.group = group;
    vault.summary = "Its recovery points: init, status, verify, restore, prune, key";
    vault.subcommands.push_back(
        CommandOf<VaultOptions>("init", "", "Make the vault of the plan, and its key")
            .run([](Session& session, const VaultOptions&) { return init(session); }));
    vault.subcommands.push_back(
        CommandOf<VaultOptions>("status", "", "What it holds, and its free disk")
            .run([](Session& session, const VaultOptions&) { return status(session); }));
    vault.subcommands.push_back(verify_command());
    vault.subcommands.push_back(restore_command());
    vault.subcommands.push_back(prune_command());
    vault.subcommands.push_back(key_command());
    return vault;
}

}  // namespace lifeboat::cli
