#include "vault/format_record.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"

namespace lifeboat::vault {
namespace {

constexpr std::string_view format_name = "lifeboat-vault";
// What version 1 consists of needs no flag; the lists are for what comes later.
const std::vector<std::string> known_read;
const std::vector<std::string> known_write;

/// Proves that a key belongs to this vault without telling anything about it.
std::string key_check(const Keys& keys) {
    const Digest mac = crypto::hmac_sha256(keys.format, as_bytes("lifeboat vault 1 key check"));
    return to_hex(ByteView(mac).first(16));
}

/// Covers every member written so far; needs no key.
std::string checksum(const Json& value) {
    return to_hex(crypto::sha256(as_bytes(dump_canonical(value))));
}

std::string mac(const Json& value, const Keys& keys) {
    return to_hex(crypto::hmac_sha256(keys.format, as_bytes(dump_canonical(value))));
}

Result<std::vector<std::string>> read_flags(const Json& value, std::string_view key) {
    std::vector<std::string> flags;
    if (!value.is_object() || !value.contains(key) || !value[key].is_array())
        return corrupt(fmt::format("'{}' is not a list", key));
    for (const Json& flag : value[key]) {
        if (!flag.is_string()) return corrupt(fmt::format("'{}' holds no text", key));
        flags.push_back(flag.get<std::string>());
    }
    return flags;
}

std::vector<std::string> unknown_of(const std::vector<std::string>& flags,
                                    const std::vector<std::string>& known) {
    std::vector<std::string> unknown;
    std::ranges::copy_if(flags, std::back_inserter(unknown), [&](const std::string& flag) {
        return std::ranges::find(known, flag) == known.end();
    });
    return unknown;
}

constexpr const char* newer_hint = "Use the newer lifeboat that made this vault.";

/// The record without judging its key. Errors: corrupt, unsupported.
Result<FormatRecord> parse(std::string_view text, Json& value) {
    value = TRY(parse_json(text));
    // The text is what this program writes, to the byte: any other byte is damage.
    if (dump_pretty(value) + "\n" != text) return corrupt("a byte was changed");
    const std::string sum = TRY(get_string(value, "checksum"));
    value.erase("checksum");
    if (checksum(value) != sum) return corrupt("the checksum does not match");
    const std::string name = TRY(get_string(value, "format"));
    if (name != format_name) return corrupt(fmt::format("the format is '{}'", name));
    const std::int64_t version = TRY(get_integer(value, "version"));
    if (version != format_version)
        return unsupported(
            fmt::format("format version {}, this build knows {}", version, format_version),
            newer_hint);

    FormatRecord record;
    const Json features = value.value("features", Json::object());
    record.read_features = TRY(read_flags(features, "read"));
    record.write_features = TRY(read_flags(features, "write"));
    const auto unknown = unknown_of(record.read_features, known_read);
    if (!unknown.empty())
        return unsupported(fmt::format("unknown format features: {}", join(unknown, ", ")),
                           newer_hint);
    record.created = TRY(get_instant(value, "created"));
    const std::string id = TRY(get_string(value, "vault"));
    const Bytes raw = TRY(from_hex(id));
    if (raw.size() != record.vault.size()) return corrupt("the vault id has a wrong length");
    std::ranges::copy(raw, record.vault.begin());
    return record;
}

}  // namespace

std::string write_format_record(const FormatRecord& record, const crypto::Key& root) {
    const Keys keys = derive_keys(root, record.vault);
    Json value = Json::object();
    value["format"] = format_name;
    value["version"] = format_version;
    value["vault"] = to_hex(record.vault);
    value["created"] = format_instant(record.created);
    value["features"] = {{"read", record.read_features}, {"write", record.write_features}};
    value["key_check"] = key_check(keys);
    value["public_key"] = to_hex(keys.verify);
    value["mac"] = mac(value, keys);
    value["checksum"] = checksum(value);
    return dump_pretty(value) + "\n";
}

Result<OpenedRecord> read_format_record(std::string_view text, const crypto::Key& root) {
    Json value;
    auto parsed = parse(text, value);
    if (!parsed.has_value()) {
        Error error = std::move(parsed).error().in(fmt::format("object '{}'", format_object));
        // A text that is no JSON is damage here, not a mistake of the caller.
        if (error.kind == ErrorKind::invalid) error.kind = ErrorKind::corrupt;
        return error;
    }
    OpenedRecord opened{.record = std::move(parsed).value(), .keys = {}, .read_only = {}};
    opened.keys = derive_keys(root, opened.record.vault);
    if (string_or(value, "key_check", "") != key_check(opened.keys))
        return denied(
            fmt::format("the key is not that of vault {}", to_hex(opened.record.vault)),
            "It is a whole key, but of another vault: name the key file made with this one.");
    const std::string code = string_or(value, "mac", "");
    value.erase("mac");
    if (code != mac(value, opened.keys))
        return corrupt(
            fmt::format("object '{}': changed by somebody without the key", format_object));
    const auto unknown = unknown_of(opened.record.write_features, known_write);
    if (!unknown.empty())
        opened.read_only = fmt::format("unknown format features: {}", join(unknown, ", "));
    return opened;
}

}  // namespace lifeboat::vault
