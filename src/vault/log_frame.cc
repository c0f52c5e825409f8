#include "vault/log_frame.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "platform/base/text.h"
#include "platform/codec/compress.h"

namespace lifeboat::vault {
namespace {

constexpr std::string_view magic = "LBLOG001";
constexpr std::string_view trailer_magic = "LBLGEND1";
constexpr std::uint32_t frame_magic = 0x5246424cU;  // "LBFR"
constexpr std::size_t compress_min = 256;
// Parts of a frame have numbers of their own in the nonce; these do not occur in other objects.
constexpr Part head_part = Part::head;
constexpr Part data_part = Part::body;

Bytes header_bytes_of(const FrameHeader& header) {
    Bytes out;
    append_le(out, frame_magic);
    append_le(out, static_cast<std::uint8_t>(header.kind));
    append_le(out, static_cast<std::uint8_t>(header.encoding));
    append_le(out, std::uint16_t{0});
    append_le(out, header.ordinal);
    append_le(out, header.durable);
    append_le(out, header.position);
    append_le(out, header.boundary);
    append_le(out, header.plain);
    append_le(out, header.data);
    append_le(out, header.marks);
    append_le(out, std::uint32_t{0});
    append(out, header.before);
    CHECK(out.size() == frame_header_size);
    return out;
}

/// `head_tag`: of the marks part, for the data part behind it.
Bytes associated(const LogKeys& keys, ByteView header, ByteView head_tag) {
    Bytes out;
    out.reserve(16 + 32 + frame_header_size + 16);
    append(out, keys.vault);
    append(out, keys.salt);
    append(out, header);
    append(out, head_tag);
    return out;
}

template <class T>
std::optional<T> number(std::string_view text) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Digest header_mac(const Keys& keys, const std::string& object, ByteView header, const Salt& salt) {
    Bytes covered;
    append(covered, keys.vault);
    append(covered, header);
    append(covered, as_bytes(object));
    return crypto::hmac_sha256(object_key(keys.log, salt, "log header"), covered);
}

LogKeys frame_keys_of(const Keys& keys, const Salt& salt, const Digest& mac) {
    LogKeys frames{.vault = keys.vault,
                   .salt = salt,
                   .key = object_key(keys.log, salt, "log frames"),
                   .first = {}};
    std::copy_n(mac.begin(), frames.first.size(), frames.first.begin());
    return frames;
}

}  // namespace

std::string log_folder(const LogName& name) {
    return fmt::format("logs/{}/{}/{:08x}/", name.component, name.lineage, name.branch);
}

std::string log_object(const LogName& name, std::uint64_t begin, const std::string& random) {
    return fmt::format("{}{:016x}-{}", log_folder(name), begin, random);
}

std::optional<LogObject> parse_log_object(std::string_view object) {
    const auto parts = split(object, '/');
    if (parts.size() != 5 || parts[0] != "logs" || parts[3].size() != 8 || parts[4].size() < 18 ||
        parts[4][16] != '-')
        return std::nullopt;
    const auto branch = number<std::uint32_t>(parts[3]);
    const auto begin = number<std::uint64_t>(parts[4].substr(0, 16));
    if (!branch || !begin) return std::nullopt;
    return LogObject{{std::string(parts[1]), std::string(parts[2]), *branch}, *begin};
}

Bytes write_log_header(const Keys& keys, const std::string& object, std::uint64_t begin,
                       const Salt& salt, LogKeys& frame_keys) {
    Bytes out = to_bytes(as_bytes(magic));
    append_le(out, std::uint16_t{1});  // version
    append_le(out, std::uint16_t{0});  // flags
    append_le(out, std::uint32_t{0});  // reserved
    append_le(out, begin);
    append(out, salt);
    const Digest mac = header_mac(keys, object, out, salt);
    append(out, mac);
    CHECK(out.size() == log_header_size);
    frame_keys = frame_keys_of(keys, salt, mac);
    return out;
}

Result<LogKeys> read_log_header(const Keys& keys, const std::string& object, ByteView header) {
    const auto damaged = [&](std::string_view what) {
        return corrupt(fmt::format("log file '{}': header at offset 0: {}", object, what));
    };
    if (header.size() < log_header_size) return damaged("too short");
    if (as_text(header.first(8)) != magic || load_le<std::uint16_t>(header, 8) != 1)
        return damaged("not a log of version 1");
    const Salt salt = Decoder(header.subspan(24)).array<32>();
    const Digest mac = header_mac(keys, object, header.first(56), salt);
    if (!std::ranges::equal(mac, header.subspan(56, 32))) return damaged("authentication failed");
    const auto named = parse_log_object(object);
    if (!named || named->begin != load_le<std::uint64_t>(header, 16))
        return damaged("it begins elsewhere than its name says");
    return frame_keys_of(keys, salt, mac);
}

Bytes write_frame(const LogKeys& keys, FrameHeader& header, ByteView head, ByteView plain) {
    CHECK(plain.size() <= (header.kind == FrameKind::close ? close_data_max : frame_data_max));
    CHECK(head.size() <= frame_marks_max);
    Bytes packed;
    ByteView body = plain;
    header.encoding = Encoding::raw;
    if (plain.size() >= compress_min) {
        packed = compress(plain);
        if (packed.size() < plain.size()) {
            body = packed;
            header.encoding = Encoding::zstd;
        }
    }
    header.plain = static_cast<std::uint32_t>(plain.size());
    header.data = static_cast<std::uint32_t>(body.size() + crypto::tag_size);
    header.marks = static_cast<std::uint32_t>(head.size() + crypto::tag_size);
    Bytes out = header_bytes_of(header);
    const Bytes fixed = out;
    const Bytes marks = crypto::seal(keys.key, nonce_of(header.ordinal, head_part),
                                     associated(keys, fixed, {}), head);
    append(out, marks);
    append(out, crypto::seal(keys.key, nonce_of(header.ordinal, data_part),
                             associated(keys, fixed, tag_at_end(marks)), body));
    return out;
}

std::optional<FrameHeader> read_frame_header(ByteView bytes) {
    if (bytes.size() < frame_header_size) return std::nullopt;
    Decoder in(bytes.first(frame_header_size));
    if (in.le<std::uint32_t>() != frame_magic) return std::nullopt;
    FrameHeader header;
    header.kind = static_cast<FrameKind>(in.le<std::uint8_t>());
    header.encoding = static_cast<Encoding>(in.le<std::uint8_t>());
    (void)in.le<std::uint16_t>();
    header.ordinal = in.le<std::uint32_t>();
    header.durable = in.le<std::uint32_t>();
    header.position = in.le<std::uint64_t>();
    header.boundary = in.le<std::uint64_t>();
    header.plain = in.le<std::uint32_t>();
    header.data = in.le<std::uint32_t>();
    header.marks = in.le<std::uint32_t>();
    (void)in.le<std::uint32_t>();
    header.before = in.array<16>();
    const std::size_t limit = header.kind == FrameKind::close ? close_data_max : frame_data_max;
    if (header.plain > limit || header.data > limit + crypto::tag_size ||
        header.data < crypto::tag_size || header.marks < crypto::tag_size ||
        header.marks > frame_marks_max + crypto::tag_size)
        return std::nullopt;
    return header;
}

Result<Bytes> open_frame_head(const LogKeys& keys, const FrameHeader& header, ByteView header_bytes,
                              ByteView sealed_marks) {
    return crypto::open(keys.key, nonce_of(header.ordinal, head_part),
                        associated(keys, header_bytes.first(frame_header_size), {}), sealed_marks);
}

Result<Bytes> open_frame_data(const LogKeys& keys, const FrameHeader& header, ByteView header_bytes,
                              ByteView sealed_marks, ByteView sealed_data) {
    Bytes body = TRY(crypto::open(
        keys.key, nonce_of(header.ordinal, data_part),
        associated(keys, header_bytes.first(frame_header_size), tag_at_end(sealed_marks)),
        sealed_data));
    if (header.encoding == Encoding::zstd) return decompress(body, header.plain);
    if (body.size() != header.plain) return corrupt("a wrong length");
    return body;
}

Tag tag_at_end(ByteView bytes) {
    CHECK(bytes.size() >= crypto::tag_size);
    Tag tag{};
    std::ranges::copy(bytes.last(crypto::tag_size), tag.begin());
    return tag;
}

void append_marks(Bytes& out, const std::vector<Mark>& marks) {
    append_le(out, static_cast<std::uint32_t>(marks.size()));
    for (const Mark& mark : marks) {
        append_instant(out, mark.at);
        append_le(out, mark.position);
        append_text(out, mark.label);
    }
}

std::vector<Mark> read_marks(Decoder& in) {
    std::vector<Mark> marks;
    const auto count = in.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
        Mark mark;
        mark.at = in.instant();
        mark.position = in.le<std::uint64_t>();
        mark.label = in.text();
        marks.push_back(std::move(mark));
    }
    return marks;
}

void append_gap(Bytes& out, const Gap& gap) {
    append_le(out, gap.from);
    append_le(out, gap.to);
    append_text(out, gap.reason);
}

Gap read_gap(Decoder& in) {
    Gap gap;
    gap.from = in.le<std::uint64_t>();
    gap.to = in.le<std::uint64_t>();
    gap.reason = in.text();
    return gap;
}

Bytes write_log_trailer(const LogKeys& keys, std::uint64_t close_offset) {
    Bytes out;
    append_le(out, close_offset);
    Bytes covered = to_bytes(as_bytes("log trailer"));
    append_le(covered, close_offset);
    append(out, ByteView(crypto::hmac_sha256(keys.key, covered)).first(8));
    append(out, as_bytes(trailer_magic));
    CHECK(out.size() == log_trailer_size);
    return out;
}

std::optional<std::uint64_t> read_log_trailer(ByteView bytes) {
    if (bytes.size() != log_trailer_size || as_text(bytes.last(8)) != trailer_magic)
        return std::nullopt;
    return load_le<std::uint64_t>(bytes, 0);
}

}  // namespace lifeboat::vault
