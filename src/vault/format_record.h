#pragma once
/// The record that makes a directory a vault: `vault.json`, readable without a key.
///
/// It names the vault, the format and its feature flags, and lets a wrong key, a damaged record and
/// a newer format be told apart before anything else is read. Pure.

#include <string>
#include <vector>

#include "platform/codec/json.h"
#include "vault/keys.h"

namespace lifeboat::vault {

constexpr const char* format_object = "vault.json";
constexpr std::int64_t format_version = 1;

struct FormatRecord {
    VaultId vault{};
    Instant created{};
    std::vector<std::string> read_features;   ///< who does not know them must not read
    std::vector<std::string> write_features;  ///< … must not write
};

/// The text of the record, authenticated with the keys of its vault.
std::string write_format_record(const FormatRecord& record, const crypto::Key& root);

struct OpenedRecord {
    FormatRecord record;
    Keys keys;
    /// Why nothing may be written, else "": write features that this build does not know.
    std::string read_only;
};
/// Errors: corrupt, unsupported (names version or flags), denied (the key of another vault).
Result<OpenedRecord> read_format_record(std::string_view text, const crypto::Key& root);

}  // namespace lifeboat::vault
