#include "platform/state/journal.h"

#include <fmt/core.h>

#include <cmath>

#include "platform/base/size.h"
#include "platform/codec/utf8.h"
#include "platform/observe/redact.h"

namespace lifeboat {
namespace {

constexpr int depth_max = 98;  // what parse_json reads back, with room for the event around it

struct Walk {
    bool too_deep = false;
    bool lossy = false;  // its text reads back as another value
};

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = decode_utf8(text, at);
        if (!c.valid) return false;
        at += c.size;
    }
    return true;
}

/// Masks the secrets in every string.
void mask(Json& value, int depth, Walk& walk) {
    walk.too_deep = walk.too_deep || depth > depth_max;
    if (walk.too_deep) return;
    if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        if (std::string masked = redact(text); masked != text) text = std::move(masked);
        walk.lossy = walk.lossy || !is_utf8(text);
    } else if (value.is_structured()) {
        for (auto& [key, child] : value.items()) {
            if (value.is_object()) walk.lossy = walk.lossy || !is_utf8(key);
            mask(child, depth + 1, walk);
        }
    } else if (value.is_number_float()) {
        walk.lossy = walk.lossy || !std::isfinite(value.get<double>());
    } else {
        walk.lossy = walk.lossy || value.is_binary() || value.is_discarded();
    }
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
    if (name.empty()) return invalid(fmt::format("the name of a {} is empty", what));
    if (name.size() > name_size_max)
        return invalid(fmt::format("the name of a {} is longer than {} bytes: '{}…'", what,
                                   name_size_max, name.substr(0, 40)));
    return ok();
}

Result<Json> prepare_value(const Json& value, const std::string& what) {
    Json masked = value;
    Walk walk;
    mask(masked, 0, walk);
    if (walk.too_deep)
        return invalid(fmt::format("{} is nested deeper than {} levels", what, depth_max));
    // Through text and back: bytes that are not UTF-8, or NaN, must not change on the first
    // reading.
    const std::string text = dump(masked);
    if (text.size() > event_size_max)
        return exhausted(fmt::format("{} has {}; at most {} are kept", what,
                                     human_size(text.size()), human_size(event_size_max)),
                         "Store what is large as an artifact, and its name in the event.");
    if (!walk.lossy) return masked;
    // Through text and back: what is hashed is what will be read.
    Result<Json> stored = parse_json(text);
    if (!stored) return std::move(stored).error().in(what);
    return stored;
}

Result<std::vector<StoredEvent>> prepare_events(const std::string& stream, std::uint64_t version,
                                                std::uint64_t epoch,
                                                const std::vector<NewEvent>& events) {
    if (events.size() > append_events_max)
        return exhausted(fmt::format("{} events at once for stream '{}'; at most {} fit",
                                     events.size(), stream, append_events_max));
    std::vector<StoredEvent> prepared;
    prepared.reserve(events.size());
    for (const NewEvent& event : events) {
        Json payload = TRY(prepare_value(
            event.payload, fmt::format("event '{}' of stream '{}'", event.type, stream)));
        prepared.push_back({.version = ++version,
                            .epoch = epoch,
                            .at = event.at,
                            .type = event.type,
                            .payload = std::move(payload)});
    }
    return prepared;
}

std::string chain_text(std::string_view stream, const StoredEvent& event) {
    return fmt::format(R"({{"at":{},"epoch":{},"payload":{},"stream":{},"type":{},"version":{}}})",
                       event.at.time_since_epoch().count(), event.epoch,
                       dump_canonical(event.payload), dump(Json(std::string(stream))),
                       dump(Json(event.type)), event.version);
}

crypto::Digest chain_hash(const crypto::Digest& previous, std::string_view stream,
                          const StoredEvent& event) {
    crypto::Sha256 hash;
    hash.update(previous);
    hash.update(as_bytes(chain_text(stream, event)));
    return hash.finish();
}

Error damaged(std::string_view stream, std::uint64_t version, std::string_view why) {
    return corrupt(fmt::format("stream '{}' is damaged at version {}: {}", stream, version, why),
                   "Keep the state directory for inspection and start with an empty one: plan, "
                   "vault and key are enough to go on.");
}

Error version_conflict(std::string_view stream, std::uint64_t actual, std::uint64_t expected) {
    return conflict(fmt::format("stream '{}' is at version {}, not {}", stream, actual, expected),
                    "Somebody else has appended to it; read it again.");
}

Error record_conflict(std::string_view key, std::uint64_t actual, std::uint64_t expected) {
    return conflict(fmt::format("record '{}' is at version {}, not {}", key, actual, expected),
                    "Somebody else has set it; read it again.");
}

}  // namespace lifeboat
