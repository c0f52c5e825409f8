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

Json entry_of(const std::string& hash, const Json& fact, const std::string& text) {
    return Json{{"hash", hash}, {"fact", fact}, {"text", text}};
}

Json document_of(const std::string& public_key, const std::string& signature,
                 const std::string& statement, Json entries) {
    return Json{{"format", format_name},
                {"public_key", public_key},
                {"signature", signature},
                {"signed", statement},
                {"entries", std::move(entries)}};
}

/// The first member that stands in `found` and not in `made`; "" when it is another difference.
std::string unsigned_member(const Json& found, const Json& made) {
    for (const auto& [name, value] : found.items())
        if (!made.contains(name)) return name;
    return {};
}

/// What is signed leads to one document only, and this must be it: a member more, or one written in
/// another way, is one that nobody signed.
Result<void> expect_nothing_else(const Json& document, const Json& made) {
    if (dump_canonical(document) == dump_canonical(made)) return ok();
    std::string where;
    std::string name = unsigned_member(document, made);
    for (std::size_t i = 0; name.empty() && i < made["entries"].size(); ++i) {
        name = unsigned_member(document["entries"][i], made["entries"][i]);
        where = fmt::format(" of entry {}", i + 1);
    }
    return does_not_fit(name.empty() ? std::string("it is written in another way")
                                     : fmt::format("nobody signed the '{}'{}", name, where));
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

struct Chain {
    std::string head;              ///< the hash at which it ends
    Json entries = Json::array();  ///< as they were exported
};

/// Follows the chain, and makes each entry anew from the text that the chain covers.
Result<Chain> follow(const Json& entries) {
    Chain chain;
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
        chain.entries.push_back(entry_of(to_hex(hash), event["payload"], text));
    }
    chain.head = to_hex(hash);
    return chain;
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
            entries.push_back(
                entry_of(event.hash, event.payload, chain_text(evidence_stream, event)));
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
    return document_of(to_hex(crypto::public_key(key)),
                       to_hex(crypto::sign(key, as_bytes(statement))), statement,
                       std::move(entries));
}

Result<ExportSummary> verify_export(const Json& document, const std::optional<std::string>& pinned,
                                    const Json* earlier) {
    const Json* entries_there = TRY(entries_of(document));
    const Json& entries = *entries_there;
    ExportSummary summary = TRY(check_signature(document));
    if (pinned && *pinned != summary.public_key)
        return does_not_fit(
            fmt::format("it is signed by {}, not by {}", summary.public_key, *pinned));
    Chain chain = TRY(follow(entries));
    if (entries.size() != summary.entries)
        return does_not_fit(
            fmt::format("{} entries were signed, {} are here", summary.entries, entries.size()));
    if (chain.head != summary.head)
        return does_not_fit("its entries are not those that were signed: the chain was made anew");
    const auto signature = TRY(bytes_of<64>(document, "signature"));
    const std::string statement = TRY(get_string(document, "signed"));
    TRY(expect_nothing_else(document, document_of(summary.public_key, to_hex(signature), statement,
                                                  std::move(chain.entries))));
    if (earlier != nullptr) TRY(check_continues(entries, *earlier));
    return summary;
}

}  // namespace lifeboat::engine
