#pragma once
/// Log files: append files of sealed frames, each bound to the one before. Pure.
///
///     header 88 | frame … | trailer 24, when the file was closed
///     frame: header 64 | sealed marks | sealed data
///
/// A frame repeats the tag that ends the frame before it: they are a chain, and yet damage to one
/// does not make the next unreadable. `durable` in a frame says how many frames were synced when it
/// was written: so damage is told from a tail that a crash tore.

#include <vector>

#include "vault/pack.h"
#include "vault/vault.h"

namespace lifeboat::vault {

constexpr std::size_t log_header_size = 88;
constexpr std::size_t frame_header_size = 64;
constexpr std::size_t log_trailer_size = 24;
constexpr std::size_t frame_data_max = std::size_t{1} << 20U;
constexpr std::size_t close_data_max = std::size_t{256} << 20U;
constexpr std::size_t frame_marks_max = std::size_t{4} << 20U;

/// "logs/<component>/<lineage>/<branch>/<begin>-<random>"
std::string log_folder(const LogName& name);
std::string log_object(const LogName& name, std::uint64_t begin, const std::string& random);
struct LogObject {
    LogName name;
    std::uint64_t begin = 0;
};
/// What an object's name says, or nothing.
std::optional<LogObject> parse_log_object(std::string_view object);

using Tag = std::array<std::byte, crypto::tag_size>;

/// What frames of one file are sealed with.
struct LogKeys {
    VaultId vault{};
    Salt salt{};
    crypto::Key key;
    Tag first{};  ///< stands for the tag before the first frame
};
/// The header of a new file, and the keys of its frames.
Bytes write_log_header(const Keys& keys, const std::string& object, std::uint64_t begin,
                       const Salt& salt, LogKeys& frame_keys);
/// Errors: corrupt.
Result<LogKeys> read_log_header(const Keys& keys, const std::string& object, ByteView header);

enum class FrameKind : std::uint8_t { data = 1, gap = 2, close = 3 };

struct FrameHeader {
    Tag before{};  ///< at the end of the frame before; for the first, LogKeys::first
    FrameKind kind = FrameKind::data;
    Encoding encoding = Encoding::raw;
    std::uint32_t ordinal = 0;
    std::uint32_t durable = 0;  ///< frames of this file that were durable when this one was written
    std::uint64_t position = 0;  ///< of its first byte in the log
    std::uint64_t boundary = 0;
    std::uint32_t plain = 0;  ///< bytes of the log in it
    std::uint32_t data = 0;   ///< sealed
    std::uint32_t marks = 0;  ///< sealed

    std::size_t size() const { return frame_header_size + marks + data; }
};

/// A whole frame. `head` is what stands in its sealed marks, `plain` in its sealed data; lengths
/// and encoding of `header` are filled in.
Bytes write_frame(const LogKeys& keys, FrameHeader& header, ByteView head, ByteView plain);
/// Nothing when the bytes cannot be a frame header.
std::optional<FrameHeader> read_frame_header(ByteView bytes);
/// The marks part, which authenticates the header too. Errors: corrupt.
Result<Bytes> open_frame_head(const LogKeys& keys, const FrameHeader& header, ByteView header_bytes,
                              ByteView sealed_marks);
/// The data part. Errors: corrupt.
Result<Bytes> open_frame_data(const LogKeys& keys, const FrameHeader& header, ByteView header_bytes,
                              ByteView sealed_marks, ByteView sealed_data);
Tag tag_at_end(ByteView bytes);

void append_marks(Bytes& out, const std::vector<Mark>& marks);
std::vector<Mark> read_marks(Decoder& in);
void append_gap(Bytes& out, const Gap& gap);
Gap read_gap(Decoder& in);

/// The trailer of a closed file: where its close frame begins.
Bytes write_log_trailer(const LogKeys& keys, std::uint64_t close_offset);
std::optional<std::uint64_t> read_log_trailer(ByteView bytes);

}  // namespace lifeboat::vault
