#include "platform/state/journal.h"

#include <fmt/core.h>

#include "platform/base/size.h"
#include "platform/observe/redact.h"

namespace lifeboat {
namespace {

constexpr int depth_max = 98;  // what parse_json reads back, with room for the event around it

/// False when nested too deep.
bool redact_strings(Json& value, int depth) {
    if (depth > depth_max) return false;
    if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        if (std::string masked = redact(text); masked != text) text = std::move(masked);
    } else if (value.is_structured()) {
        for (Json& child : value)
            if (!redact_strings(child, depth + 1)) return false;
    }
    return true;
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
    if (!redact_strings(masked, 0))
        return invalid(fmt::format("{} is nested deeper than {} levels", what, depth_max));
    // Through text and back: bytes that are not UTF-8, or NaN, must not change on the first
    // reading.
    const std::string text = dump(masked);
    if (text.size() > event_size_max)
        return exhausted(fmt::format("{} has {}; at most {} are kept", what,
                                     human_size(text.size()), human_size(event_size_max)),
                         "Store what is large as an artifact, and its name in the event.");
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

crypto::Digest chain_hash(const crypto::Digest& previous, std::string_view stream,
                          const StoredEvent& event) {
    // The canonical form written out: sorted keys, no blanks.
    const std::string canonical =
        fmt::format(R"({{"at":{},"epoch":{},"payload":{},"stream":{},"type":{},"version":{}}})",
                    event.at.time_since_epoch().count(), event.epoch, dump_canonical(event.payload),
                    dump(Json(std::string(stream))), dump(Json(event.type)), event.version);
    crypto::Sha256 hash;
    hash.update(previous);
    hash.update(as_bytes(canonical));
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
