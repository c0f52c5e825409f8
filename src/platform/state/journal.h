#pragma once
/// How an event is made fit for storing, and how the chain of hashes is built and checked. Pure but
/// for the redactor's list. Shared by every implementation of State.

#include <string>
#include <string_view>
#include <vector>

#include "platform/codec/crypto.h"
#include "platform/state/state.h"

namespace lifeboat {

constexpr std::size_t name_size_max = 200;         // bytes of a stream's, lease's or record's name
constexpr std::size_t append_events_max = 10'000;  // events of one append

/// Where a stream ends.
struct Head {
    std::uint64_t version = 0;
    crypto::Digest hash{};  ///< of the last event; zero for a stream without events
};

/// Errors: invalid (empty, too long, not UTF-8).
Result<void> check_name(std::string_view what, std::string_view name);
/// The value with secrets masked in every string. Errors: invalid (cannot be read back, for example
/// nested too deep), exhausted (larger than event_size_max), both naming `what`.
Result<Json> prepare_value(const Json& value, const std::string& what);
/// The events as they follow version `version` of the stream, fit for storing; without hashes.
/// Errors: as prepare_value.
Result<std::vector<StoredEvent>> prepare_events(const std::string& stream, std::uint64_t version,
                                                std::uint64_t epoch,
                                                const std::vector<NewEvent>& events);
/// The event in canonical form: one line, sorted keys. What the chain covers, beside the hash of
/// the event before it.
std::string chain_text(std::string_view stream, const StoredEvent& event);
/// SHA-256 over the previous hash and the event in canonical form. What the hash of a StoredEvent
/// is.
crypto::Digest chain_hash(const crypto::Digest& previous, std::string_view stream,
                          const StoredEvent& event);
/// The error for damage in a stream: names stream and version.
Error damaged(std::string_view stream, std::uint64_t version, std::string_view why);

Error version_conflict(std::string_view stream, std::uint64_t actual, std::uint64_t expected);
Error record_conflict(std::string_view key, std::uint64_t actual, std::uint64_t expected);

}  // namespace lifeboat
