#pragma once
/// Reads through a Redis snapshot (RDB, versions up to 12) as it streams by: counts the keys of
/// each database and proves the checksum at its end. Understands structure, not values.
///
/// Pulls its bytes from a source and hands every one it has consumed to a sink, so that a snapshot
/// is checked while it is stored. Pure but for these two; not thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "platform/base/bytes.h"
#include "platform/base/result.h"

namespace lifeboat::redis {

struct KeyCount {
    std::uint64_t keys = 0;
    std::uint64_t expiring = 0;  ///< of these: with an expiry
    bool operator==(const KeyCount&) const = default;
};

struct RdbSummary {
    unsigned version = 0;
    std::map<std::string, std::string> facts;     ///< "redis-ver", "ctime", "repl-id", …
    std::map<std::uint64_t, KeyCount> databases;  ///< without the empty ones
    /// Keys by type ("string", "hash", …) of each database.
    std::map<std::uint64_t, std::map<std::string, std::uint64_t>> types;
    std::uint64_t size = 0;        ///< bytes of the snapshot
    bool checksum_proven = false;  ///< false: the server writes none
};

class RdbScanner {
public:
    using Source = std::function<Result<Bytes>()>;  ///< the next bytes; empty at the end
    using Sink = std::function<Result<void>(ByteView)>;

    RdbScanner(Source source, Sink sink) : source_(std::move(source)), sink_(std::move(sink)) {}

    /// Reads exactly one snapshot. Errors: corrupt (not a snapshot, cut short, checksum),
    /// unsupported (a newer format: what was read so far has gone to the sink), and those of source
    /// and sink.
    Result<RdbSummary> scan();
    /// The bytes that were read from the source and have not gone to the sink.
    ByteView rest() const { return ByteView(buffer_).subspan(flushed_); }

private:
    struct Length {
        std::uint64_t value = 0;
        bool encoded = false;  ///< `value` says how
    };
    Result<void> fill();
    Result<std::uint8_t> byte();
    Result<std::uint64_t> little(unsigned bytes);
    Result<std::uint64_t> big(unsigned bytes);
    Result<void> skip(std::uint64_t count);
    Result<void> flush();
    Result<Length> length();
    Result<std::uint64_t> plain_length();
    Result<void> skip_lengths(unsigned count);
    Result<void> skip_string();
    Result<void> skip_strings(std::uint64_t count);
    Result<std::string> string();
    Result<void> skip_value(std::uint8_t type);
    Result<void> skip_stream(std::uint8_t type);
    Result<void> skip_stream_groups(std::uint8_t type);
    Result<void> skip_module_value();
    Result<void> skip_old_double();
    Result<bool> opcode(std::uint8_t code, RdbSummary& summary);
    Result<void> finish(RdbSummary& summary);

    Source source_;
    Sink sink_;
    Bytes buffer_;
    std::size_t at_ = 0;       ///< first byte not consumed
    std::size_t flushed_ = 0;  ///< first byte not handed to the sink
    std::uint64_t consumed_ = 0;
    std::uint64_t checksum_ = 0;
    std::uint64_t database_ = 0;
    bool expiring_ = false;
};

/// What TYPE says of a value that is stored as this; "module" for what modules have made.
std::string_view type_name(std::uint8_t stored);

/// CRC-64 as Redis computes it (Jones), continued from `seed`.
std::uint64_t crc64(std::uint64_t seed, ByteView bytes);

}  // namespace lifeboat::redis
