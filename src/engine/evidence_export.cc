#include "engine/evidence_export.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "engine/evidence.h"
#include "platform/state/journal.h"

namespace lifeboat::engine {
namespace {

constexpr std::string_view format_name = "lifeboat-evidence-1";
constexpr std::size_t page = 10'000;

Error does_not_fit(std::string message) {
    return corrupt("this is not what was exported: " + std::move(message),
                   "Ask for the file again, from where it was made.");
}

template <std::size_t N>
Result<std::array<std::byte, N>> bytes_of(const Json& object, const char* name) {
    const std::string text = TRY(get_string(object, name));
    const Bytes bytes = TRY(from_hex(text));
    if (bytes.size() != N) return corrupt(fmt::format("'{}' has {} bytes", name, bytes.size()));
    std::array<std::byte, N> out{};
    std::ranges::copy(bytes, out.begin());
    return out;
}

/// Follows the chain; the hash at which it ends.
Result<std::string> follow(const Json& entries) {
    crypto::Digest hash{};
    std::uint64_t number = 0;
    for (const Json& entry : entries) {
        ++number;
        const std::string text = TRY(get_string(entry, "text"));
        crypto::Sha256 next;
        next.update(hash);
        next.update(as_bytes(text));
        hash = next.finish();
        if (string_or(entry, "hash", "") != to_hex(hash))
            return does_not_fit(fmt::format("the chain breaks at entry {}", number));
        const Json event = TRY(parse_json(text));
        if (string_or(event, "stream", "") != evidence_stream || !event.contains("payload") ||
            integer_or(event, "version", 0) != static_cast<std::int64_t>(number))
            return does_not_fit(fmt::format("entry {} stands in the wrong place", number));
        if (!entry.contains("fact") ||
            dump_canonical(entry["fact"]) != dump_canonical(event["payload"]))
            return does_not_fit(fmt::format("entry {} shows another fact than it holds", number));
    }
    return to_hex(hash);
}

/// Members that the rest relies on are there and of their type.
Result<const Json*> entries_of(const Json& document) {
    if (!document.is_object() || string_or(document, "format", "") != format_name)
        return invalid(fmt::format("this is no export of evidence ('{}')", format_name),
                       "Make one with `lifeboat evidence export FILE`.");
    const auto entries = document.find("entries");
    if (entries == document.end() || !entries->is_array()) return does_not_fit("it has no entries");
    return &*entries;
}

Result<ExportSummary> check_signature(const Json& document) {
    ExportSummary summary;
    const std::string text = TRY(get_string(document, "signed"));
    const auto key = TRY(bytes_of<32>(document, "public_key"));
    const auto signature = TRY(bytes_of<64>(document, "signature"));
    if (!crypto::verify(key, as_bytes(text), signature))
        return does_not_fit("the signature does not match");
    const Json statement = TRY(parse_json(text));
    if (string_or(statement, "format", "") != format_name)
        return does_not_fit("what is signed is no export of evidence");
    summary.plan = TRY(get_string(statement, "plan"));
    summary.exported_at = TRY(get_instant(statement, "exported_at"));
    summary.entries = TRY(get_unsigned(statement, "entries"));
    summary.head = TRY(get_string(statement, "head"));
    summary.public_key = to_hex(key);
    return summary;
}

/// The older export must be a beginning of this one: a chain that only grows.
Result<void> check_continues(const Json& entries, const Json& earlier) {
    const ExportSummary before = TRY(verify_export(earlier));
    if (before.entries == 0) return ok();
    if (entries.size() < before.entries)
        return does_not_fit(fmt::format("it has {} entries, the earlier export had {}",
                                        entries.size(), before.entries));
    if (string_or(entries[before.entries - 1], "hash", "") != before.head)
        return does_not_fit("it does not continue the earlier export: its past was written anew");
    return ok();
}

}  // namespace

crypto::Key evidence_key(const crypto::Key& vault_key) {
    return crypto::hkdf_sha256(vault_key, {}, "lifeboat evidence 1");
}

Result<Json> export_evidence(State& state, const plan::Plan& plan, const crypto::Key& key,
                             Instant now) {
    Json entries = Json::array();
    std::string head = to_hex(crypto::Digest{});
    std::uint64_t version = 0;
    for (bool more = true; more;) {
        const auto events = TRY(state.read(evidence_stream, version, page));
        for (const StoredEvent& event : events) {
            version = event.version;
            head = event.hash;
            entries.push_back(Json{{"hash", event.hash},
                                   {"fact", event.payload},
                                   {"text", chain_text(evidence_stream, event)}});
        }
        more = events.size() == page;
    }
    const std::string statement = dump_canonical(Json{{"format", format_name},
                                                      {"plan", plan.name},
                                                      {"plan_digest", plan.digest},
                                                      {"exported_at", format_instant(now)},
                                                      {"lifeboat", LIFEBOAT_VERSION},
                                                      {"entries", entries.size()},
                                                      {"head", head}});
    return Json{{"format", format_name},
                {"public_key", to_hex(crypto::public_key(key))},
                {"signature", to_hex(crypto::sign(key, as_bytes(statement)))},
                {"signed", statement},
                {"entries", entries}};
}

Result<ExportSummary> verify_export(const Json& document, const std::optional<std::string>& pinned,
                                    const Json* earlier) {
    const Json* entries_there = TRY(entries_of(document));
    const Json& entries = *entries_there;
    ExportSummary summary = TRY(check_signature(document));
    if (pinned && *pinned != summary.public_key)
        return does_not_fit(
            fmt::format("it is signed by {}, not by {}", summary.public_key, *pinned));
    const std::string head = TRY(follow(entries));
    if (entries.size() != summary.entries || head != summary.head)
        return does_not_fit(
            fmt::format("{} entries were signed, {} are here", summary.entries, entries.size()));
    if (earlier != nullptr) TRY(check_continues(entries, *earlier));
    return summary;
}

}  // namespace lifeboat::engine
