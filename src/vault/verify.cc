/// Verifies a vault: every kind of object, from what needs no key to every chunk. Damage is a
/// finding, never an error; an error is a store that cannot be read.

#include "vault/verify.h"

#include <fmt/core.h>

#include <algorithm>

#include "vault/format_record.h"
#include "vault/index.h"
#include "vault/pack_check.h"
#include "vault/sealed.h"

namespace lifeboat::vault {
namespace {

class Verifier {
public:
    Verifier(Access& access, History& history, LogCatalog& logs, const Context& context, bool deep,
             const Progress& progress)
        : access_(access),
          history_(history),
          logs_(logs),
          context_(context),
          deep_(deep),
          progress_(progress) {}

    Result<VerifyReport> run(const crypto::Key& root) {
        TRY(measure());
        TRY(check_format(root));
        TRY(check_manifests());
        TRY(check_chain());
        TRY(check_index());
        TRY(check_packs());
        TRY(check_sealed("documents/", "documents"));
        TRY(check_sealed("prunes/", "the proof that missing points were pruned"));
        TRY(check_logs());
        return std::move(report_);
    }

private:
    void find(const std::string& object, std::string what, std::vector<std::string> affects = {}) {
        report_.findings.push_back({object, std::move(what), std::move(affects)});
    }

    void count(std::uint64_t bytes) {
        ++report_.objects;
        report_.bytes += bytes;
        if (progress_) progress_(report_.bytes, total_);
    }

    Result<void> measure() {
        const auto objects = TRY(access_.store.list(""));
        for (const ObjectInfo& object : objects)
            if (deep_ || !object.name.starts_with("packs/")) total_ += object.size;
        return ok();
    }

    Result<void> check_format(const crypto::Key& root) {
        const Bytes text = TRY(access_.store.get(format_object));
        count(text.size());
        const auto record = read_format_record(as_text(text), root);
        if (!record.has_value()) find(format_object, record.error().message, {"the vault"});
        return ok();
    }

    Result<void> check_manifests() {
        const auto objects = TRY(access_.store.list("manifests/"));
        for (const ObjectInfo& object : objects) {
            TRY(context_.check("verifying the vault"));
            const auto sequence = manifest_sequence(object.name);
            if (!sequence) {
                find(object.name, "a name that no manifest has");
                continue;
            }
            auto bytes = access_.store.get(object.name);
            if (!bytes.has_value() && bytes.error().kind == ErrorKind::not_found) continue;
            if (!bytes.has_value()) return std::move(bytes).error();
            count(bytes->size());
            hashes_[*sequence] = crypto::sha256(*bytes);
            auto manifest = read_manifest(access_.keys, *sequence, *bytes);
            if (manifest.has_value())
                manifests_.push_back(std::move(*manifest));
            else
                find(object.name, manifest.error().message,
                     {fmt::format("the point with sequence {}", *sequence)});
        }
        return ok();
    }

    /// Every sequence is there or was pruned, and every manifest names its predecessor.
    Result<void> check_chain() {
        auto record = history_.pruned();
        if (!record.has_value() && record.error().kind != ErrorKind::corrupt)
            return std::move(record).error();
        if (!record.has_value()) return ok();  // check_sealed names it
        const auto hash_of = [&](std::uint64_t sequence) -> std::optional<Digest> {
            if (const auto here = hashes_.find(sequence); here != hashes_.end())
                return here->second;
            if (sequence == record->floor) return record->floor_hash;
            if (const auto gone = record->above.find(sequence); gone != record->above.end())
                return gone->second;
            return std::nullopt;
        };
        if (!hashes_.empty())
            for (std::uint64_t sequence = record->floor + 1; sequence <= hashes_.rbegin()->first;
                 ++sequence)
                if (!hash_of(sequence))
                    find(manifest_object(sequence), "is missing, and no prune has removed it",
                         {fmt::format("the point with sequence {}", sequence)});
        for (const Manifest& manifest : manifests_) {
            const auto before = hash_of(manifest.point.sequence - 1);
            if (manifest.point.sequence > 1 && before && *before != manifest.previous)
                find(manifest_object(manifest.point.sequence - 1),
                     fmt::format("is not the one that manifest '{}' follows",
                                 manifest_object(manifest.point.sequence)));
        }
        return ok();
    }

    Result<void> check_index() {
        const auto objects = TRY(access_.store.list("index/"));
        for (const ObjectInfo& object : objects) {
            TRY(context_.check("verifying the vault"));
            auto segment = IndexSegment::load(access_.store, access_.keys, object.name);
            if (!segment.has_value()) {
                if (segment.error().kind == ErrorKind::not_found) continue;
                if (segment.error().kind != ErrorKind::corrupt) return std::move(segment).error();
                find(object.name, segment.error().message + "; it will be rebuilt");
                continue;
            }
            count(object.size);
            for (const PackRef& pack : (*segment)->packs()) indexed_.emplace(pack.name, pack);
            for (std::size_t block = 0; deep_ && block < (*segment)->blocks(); ++block) {
                auto entries = (*segment)->read_block(access_.store, access_.keys, block);
                if (entries.has_value()) continue;
                if (entries.error().kind != ErrorKind::corrupt) return std::move(entries).error();
                find(object.name, entries.error().message + "; it will be rebuilt");
            }
            if (!deep_) continue;
            const Bytes bytes = TRY(access_.store.get(object.name));
            if (index_object(crypto::sha256(bytes)) != object.name)
                find(object.name, "its bytes do not match its name; it will be rebuilt");
        }
        return ok();
    }

    Result<void> check_packs() {
        PackCheck check(access_, manifests_, context_);
        TRY(check.run(indexed_, deep_, [&](std::uint64_t bytes) { count(bytes); }));
        // Ignored: a vault that cannot be written to can still be verified.
        (void)check.mark(deep_);
        for (Finding& finding : check.take_findings())
            report_.findings.push_back(std::move(finding));
        return ok();
    }

    Result<void> check_sealed(const std::string& prefix, const std::string& affected) {
        const auto objects = TRY(access_.store.list(prefix));
        for (const ObjectInfo& object : objects) {
            TRY(context_.check("verifying the vault"));
            auto bytes = access_.store.get(object.name);
            if (!bytes.has_value() && bytes.error().kind == ErrorKind::not_found) continue;
            if (!bytes.has_value()) return std::move(bytes).error();
            count(bytes->size());
            const auto plain = open_object(access_, object.name, *bytes);
            if (!plain.has_value()) find(object.name, plain.error().message, {affected});
        }
        return ok();
    }

    Result<void> check_logs() {
        const auto files = TRY(logs_.files("logs/"));
        std::map<LogName, std::vector<std::shared_ptr<LogFile>>> by_name;
        for (const auto& file : files) {
            const auto parsed = parse_log_object(file->object());
            const LogFinding found = [&](const Error& error, std::optional<Span> span) {
                find(file->object(), error.message, affected_by(parsed->name, span));
            };
            if (deep_) TRY(file->verify(context_, found));
            count(file->content().size);
            by_name[parsed->name].push_back(file);
        }
        for (const auto& [name, own] : by_name)
            for (const Gap& gap : log_status(name, own).gaps)
                if (gap.damaged) note_hole(name, own, gap);
        return ok();
    }

    /// A hole whose cause was not named yet: a file that is gone, or the shallow look.
    void note_hole(const LogName& name, const std::vector<std::shared_ptr<LogFile>>& files,
                   const Gap& gap) {
        const bool known = std::ranges::any_of(
            report_.findings, [&](const Finding& finding) { return gap.reason == finding.what; });
        if (known) return;
        const auto near = std::ranges::find_if(
            files, [&](const auto& file) { return file->content().end >= gap.from; });
        find((near == files.end() ? files.back() : *near)->object(),
             fmt::format("positions {} to {}: {}", gap.from, gap.to, gap.reason),
             affected_by(name, Span{gap.from, gap.to}));
    }

    std::vector<std::string> affected_by(const LogName& name, std::optional<Span> lost) const {
        std::vector<std::string> affected;
        if (!lost) return affected;
        const std::uint64_t end = lost->to > lost->from ? lost->to : UINT64_MAX;
        affected.push_back(fmt::format("log {}/{}/{}", name.component, name.lineage, name.branch));
        for (const Manifest& manifest : manifests_) {
            const auto need = log_need(manifest.point);
            if (manifest.point.component == name.component && need &&
                need->lineage == name.lineage && need->branch == name.branch && need->from < end &&
                lost->from < need->to)
                affected.push_back(manifest.point.id.value);
        }
        return affected;
    }

    Access& access_;
    History& history_;
    LogCatalog& logs_;
    const Context& context_;
    const bool deep_;
    const Progress& progress_;
    VerifyReport report_;
    std::uint64_t total_ = 0;
    std::vector<Manifest> manifests_;
    std::map<std::uint64_t, Digest> hashes_;  ///< of the manifests that are there
    std::map<Digest, PackRef> indexed_;
};

}  // namespace

std::optional<LogNeed> log_need(const Point& point) {
    const auto found = point.facts.find("log");
    if (found == point.facts.end() || !found->is_object()) return std::nullopt;
    const auto lineage = get_string(*found, "lineage");
    const auto branch = get_unsigned(*found, "branch");
    const auto from = get_unsigned(*found, "from");
    const auto to = get_unsigned(*found, "to");
    if (!lineage.has_value() || !branch.has_value() || !from.has_value()) return std::nullopt;
    return LogNeed{*lineage, static_cast<std::uint32_t>(*branch), *from,
                   to.has_value() ? *to : *from};
}

Result<VerifyReport> verify_vault(Access& access, History& history, LogCatalog& logs,
                                  const crypto::Key& root, const Context& context, bool deep,
                                  const Progress& progress) {
    return Verifier(access, history, logs, context, deep, progress).run(root);
}

}  // namespace lifeboat::vault
