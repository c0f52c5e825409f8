#include "platform/state/wal_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace lifeboat {
namespace {

// The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t header_size = 32;
constexpr std::size_t frame_header_size = 24;
constexpr std::uint32_t magic = 0x377f0682;  // the last bit: checksums over big-endian words
constexpr std::uint64_t log_size_max = 256U << 20U;

struct Checksum {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    bool operator==(const Checksum&) const = default;

    void update(ByteView bytes, bool big_endian) {
        const auto word = [&](std::size_t at) {
            return big_endian ? load_be<std::uint32_t>(bytes, at)
                              : load_le<std::uint32_t>(bytes, at);
        };
        for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
            first += word(at) + second;
            second += word(at + 4) + first;
        }
    }
    static Checksum load(ByteView bytes, std::size_t at) {
        return {.first = load_be<std::uint32_t>(bytes, at),
                .second = load_be<std::uint32_t>(bytes, at + 4)};
    }
};

struct Log {
    ByteView bytes;
    bool big_endian = false;
    std::size_t frame_size = 0;
    Checksum sum;  // of the header

    std::size_t frames() const { return (bytes.size() - header_size) / frame_size; }
    ByteView frame(std::size_t i) const {
        return bytes.subspan(header_size + i * frame_size, frame_size);
    }
    /// Written since the log was begun anew; older frames stand behind the newer ones.
    bool is_current(ByteView frame) const {
        return std::ranges::equal(frame.subspan(8, 8), bytes.subspan(16, 8));
    }
    static bool is_commit(ByteView frame) { return load_be<std::uint32_t>(frame, 4) != 0; }
};

Result<Bytes> read_header_bytes(Files& files, const Path& path) {
    const std::unique_ptr<File> file = TRY(files.open(path, OpenMode::read));
    Bytes bytes(header_size);
    const std::size_t size = TRY(file->read_at(0, bytes));
    bytes.resize(size);
    return bytes;
}

/// Nothing when the header is damaged.
std::optional<Log> read_header(ByteView bytes) {
    const auto found = load_be<std::uint32_t>(bytes, 0);
    const auto page_size = load_be<std::uint32_t>(bytes, 8);
    if ((found & ~1U) != magic || page_size < 512 || page_size > 65536) return std::nullopt;
    Log log{.bytes = bytes,
            .big_endian = (found & 1U) != 0,
            .frame_size = frame_header_size + page_size};
    log.sum.update(bytes.first(24), log.big_endian);
    if (log.sum != Checksum::load(bytes, 24)) return std::nullopt;
    return log;
}

std::size_t first_bad_frame(const Log& log) {
    Checksum sum = log.sum;
    for (std::size_t i = 0; i < log.frames(); ++i) {
        const ByteView frame = log.frame(i);
        sum.update(frame.first(8), log.big_endian);
        sum.update(frame.subspan(frame_header_size), log.big_endian);
        if (!log.is_current(frame) || sum != Checksum::load(frame, 16)) return i;
    }
    return log.frames();
}

Error damaged_log(const Path& path, const std::string& where) {
    return corrupt(fmt::format("'{}' is damaged at {}", path.string(), where),
                   "It holds events that were acknowledged. Keep the state directory for "
                   "inspection and start with an empty one: plan, vault and key are enough to go "
                   "on.");
}

/// Errors: corrupt; not_found when the log's last user closes it meanwhile.
Result<void> check_log(Files& files, const Path& path) {
    const FileStatus status = TRY(files.status(path));
    if (status.size < header_size || status.size > log_size_max) return ok();
    const Bytes bytes = TRY(read_file(files, path, 2 * log_size_max));
    const Bytes header = TRY(read_header_bytes(files, path));
    // Another process has begun the log anew meanwhile: it checked the log when it opened it.
    if (bytes.size() < header_size ||
        !std::ranges::equal(ByteView(bytes).first(header_size), header))
        return ok();

    const std::optional<Log> log = read_header(bytes);
    if (!log) return damaged_log(path, "its header");
    const std::size_t bad = first_bad_frame(*log);
    int commits = 0;
    for (std::size_t i = bad; i < log->frames(); ++i)
        if (log->is_current(log->frame(i)) && Log::is_commit(log->frame(i))) ++commits;
    if (commits < 2) return ok();
    return damaged_log(path, fmt::format("frame {} of {}", bad + 1, log->frames()));
}

}  // namespace

Result<void> check_wal(Files& files, const Path& path) {
    Result<void> checked = check_log(files, path.string() + "-wal");
    if (!checked && checked.error().kind == ErrorKind::not_found) return ok();
    return checked;
}

}  // namespace lifeboat
