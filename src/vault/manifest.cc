#include "vault/manifest.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace lifeboat::vault {
namespace {

constexpr std::string_view magic = "LBMANI01";
constexpr std::string_view folder = "manifests/";
constexpr std::size_t signature_size = 64;
constexpr std::size_t head_size_max = std::size_t{16} << 20U;

Bytes associated(const Keys& keys, std::uint64_t sequence, ByteView header) {
    Bytes out;
    append(out, keys.vault);
    append_le(out, sequence);
    append(out, header);
    return out;
}

Bytes signed_message(const Keys& keys, std::uint64_t sequence, ByteView header_and_head) {
    Bytes message = to_bytes(as_bytes("lifeboat manifest 1"));
    append(message, keys.vault);
    append_le(message, sequence);
    append(message, header_and_head);
    return message;
}

Json head_json(const Manifest& manifest, const Digest& body) {
    const Point& point = manifest.point;
    Json head = Json::object();
    head["id"] = point.id.value;
    head["component"] = point.component;
    head["method"] = point.method;
    head["began"] = format_instant(point.began);
    head["ended"] = format_instant(point.ended);
    head["size"] = point.size;
    head["stored"] = point.stored;
    head["facts"] = point.facts;
    head["instance"] = point.instance;
    head["sequence"] = point.sequence;
    head["previous"] = to_hex(manifest.previous);
    head["root"] = to_hex(manifest.root);
    head["entries"] = manifest.entries;
    head["body"] = to_hex(body);
    return head;
}

Result<Digest> get_digest(const Json& object, std::string_view key) {
    const std::string text = TRY(get_string(object, key));
    auto raw = from_hex(text);
    if (!raw.has_value() || raw->size() != 32)
        return corrupt(fmt::format("'{}' is no digest", key));
    return Decoder(*raw).array<32>();
}

Result<Point> point_from(const Json& head) {
    Point point;
    point.id = PointId(TRY(get_string(head, "id")));
    point.component = TRY(get_string(head, "component"));
    point.method = TRY(get_string(head, "method"));
    point.began = TRY(get_instant(head, "began"));
    point.ended = TRY(get_instant(head, "ended"));
    point.size = TRY(get_unsigned(head, "size"));
    point.stored = TRY(get_unsigned(head, "stored"));
    point.sequence = TRY(get_unsigned(head, "sequence"));
    point.facts = head.value("facts", Json::object());
    point.instance = head.value("instance", Json::object());
    return point;
}

Bytes body_bytes(const Manifest& manifest) {
    Bytes body;
    append_le(body, static_cast<std::uint32_t>(manifest.packs.size()));
    for (const PackRef& pack : manifest.packs) append_pack_ref(body, pack);
    append_le(body, static_cast<std::uint32_t>(manifest.tree.size()));
    for (const Extent& extent : manifest.tree) {
        append_le(body, extent.pack);
        append_slot(body, extent.slot);
        append(body, extent.id);
    }
    return body;
}

Result<void> parse_body(ByteView body, Manifest& manifest) {
    Decoder in(body);
    const auto packs = in.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < packs && !in.failed(); ++i)
        manifest.packs.push_back(read_pack_ref(in));
    const auto chunks = in.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < chunks && !in.failed(); ++i) {
        Extent extent;
        extent.pack = in.le<std::uint32_t>();
        extent.slot = read_slot(in);
        extent.size = extent.slot.plain;
        extent.id = in.array<32>();
        if (extent.pack >= manifest.packs.size()) return corrupt("a tree chunk in no known pack");
        manifest.tree.push_back(extent);
    }
    return in.done("the body");
}

/// The parts of a manifest, checked for shape only.
struct Parts {
    ByteView header, head, signature, body;
};
Result<Parts> parts_of(ByteView bytes, bool whole) {
    const ManifestExtent extent = TRY(manifest_extent(bytes));
    if (bytes.size() < extent.head_end) return corrupt("it ends within its head");
    if (whole && bytes.size() != extent.total)
        return corrupt(fmt::format("it has {} bytes where {} belong", bytes.size(), extent.total));
    const std::size_t head_size = extent.head_end - manifest_header_size - signature_size;
    return Parts{.header = bytes.first(manifest_header_size),
                 .head = bytes.subspan(manifest_header_size, head_size),
                 .signature = bytes.subspan(manifest_header_size + head_size, signature_size),
                 .body = bytes.subspan(extent.head_end)};
}

crypto::Key key_of(const Keys& keys, ByteView header) {
    return object_key(keys.manifest, Decoder(header.subspan(24)).array<32>(), "manifest");
}

Result<Json> open_head(const Keys& keys, std::uint64_t sequence, const Parts& parts) {
    auto plain = crypto::open(key_of(keys, parts.header), nonce_of(0, Part::head),
                              associated(keys, sequence, parts.header), parts.head);
    if (!plain.has_value())
        return corrupt(
            fmt::format("head at offset {}: authentication failed", manifest_header_size));
    const std::size_t covered = manifest_header_size + parts.head.size();
    crypto::Signature signature{};
    std::ranges::copy(parts.signature, signature.begin());
    if (!crypto::verify(keys.verify, signed_message(keys, sequence, {parts.header.data(), covered}),
                        signature))
        return corrupt(fmt::format("signature at offset {}: does not match", covered));
    auto head = parse_json(as_text(*plain));
    if (!head.has_value() || !head->is_object()) return corrupt("its head is no object");
    return std::move(head).value();
}

Error named(Error error, std::uint64_t sequence) {
    error.kind = ErrorKind::corrupt;
    return std::move(error).in(fmt::format("manifest '{}'", manifest_object(sequence)));
}

Result<Manifest> parse_manifest(const Keys& keys, std::uint64_t sequence, ByteView bytes) {
    const Parts parts = TRY(parts_of(bytes, true));
    const Json head = TRY(open_head(keys, sequence, parts));
    Manifest manifest;
    manifest.point = TRY(point_from(head));
    if (manifest.point.sequence != sequence) return corrupt("it has another sequence number");
    manifest.previous = TRY(get_digest(head, "previous"));
    manifest.root = TRY(get_digest(head, "root"));
    manifest.entries = TRY(get_unsigned(head, "entries"));
    const Digest body = TRY(get_digest(head, "body"));
    const std::size_t body_at = bytes.size() - parts.body.size();
    if (crypto::sha256(parts.body) != body)
        return corrupt(
            fmt::format("body at offset {}: another one than the signed head says", body_at));
    auto plain = crypto::open(key_of(keys, parts.header), nonce_of(0, Part::body),
                              associated(keys, sequence, parts.header), parts.body);
    if (!plain.has_value())
        return corrupt(fmt::format("body at offset {}: authentication failed", body_at));
    TRY(parse_body(*plain, manifest));
    return manifest;
}

Result<Point> parse_head(const Keys& keys, std::uint64_t sequence, ByteView bytes) {
    const Parts parts = TRY(parts_of(bytes, false));
    const Json head = TRY(open_head(keys, sequence, parts));
    Point point = TRY(point_from(head));
    if (point.sequence != sequence) return corrupt("it has another sequence number");
    return point;
}

}  // namespace

std::string manifest_object(std::uint64_t sequence) {
    return fmt::format("{}{:016x}", folder, sequence);
}

std::optional<std::uint64_t> manifest_sequence(std::string_view object) {
    if (!object.starts_with(folder) || object.size() != folder.size() + 16) return std::nullopt;
    std::uint64_t sequence = 0;
    const char* end = object.data() + object.size();
    const auto [stop, error] = std::from_chars(object.data() + folder.size(), end, sequence, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return sequence;
}

Bytes write_manifest(const Keys& keys, const Manifest& manifest, const Salt& salt) {
    const std::uint64_t sequence = manifest.point.sequence;
    const Bytes body = body_bytes(manifest);
    const std::uint64_t body_size = body.size() + crypto::tag_size;
    // The head's length stands in the header, which the body's seal covers: so the head, which
    // holds the body's hash, is laid out first with a hash of the same length.
    const std::size_t head_size =
        dump_canonical(head_json(manifest, Digest{})).size() + crypto::tag_size;
    CHECK(head_size <= head_size_max);
    Bytes header = to_bytes(as_bytes(magic));
    append_le(header, std::uint16_t{1});  // version
    append_le(header, std::uint16_t{0});  // flags
    append_le(header, static_cast<std::uint32_t>(head_size));
    append_le(header, body_size);
    append(header, salt);
    CHECK(header.size() == manifest_header_size);

    const crypto::Key key = key_of(keys, header);
    const Bytes aad = associated(keys, sequence, header);
    const Bytes sealed_body = crypto::seal(key, nonce_of(0, Part::body), aad, body);
    const std::string head = dump_canonical(head_json(manifest, crypto::sha256(sealed_body)));
    Bytes out = header;
    append(out, crypto::seal(key, nonce_of(0, Part::head), aad, as_bytes(head)));
    const crypto::Signature signature =
        crypto::sign(keys.sign, signed_message(keys, sequence, out));
    append(out, signature);
    append(out, sealed_body);
    return out;
}

Result<ManifestExtent> manifest_extent(ByteView header) {
    if (header.size() < manifest_header_size) return corrupt("shorter than a manifest can be");
    Decoder in(header);
    if (as_text(in.take(8)) != magic || in.le<std::uint16_t>() != 1)
        return corrupt("header at offset 0: not a manifest of version 1");
    (void)in.le<std::uint16_t>();
    const auto head_size = in.le<std::uint32_t>();
    const auto body_size = in.le<std::uint64_t>();
    if (head_size > head_size_max + crypto::tag_size || body_size > (std::uint64_t{1} << 40U))
        return corrupt("header at offset 0: impossible lengths");
    ManifestExtent extent;
    extent.head_end = manifest_header_size + head_size + signature_size;
    extent.total = extent.head_end + body_size;
    return extent;
}

Result<Point> read_manifest_head(const Keys& keys, std::uint64_t sequence, ByteView bytes) {
    auto point = parse_head(keys, sequence, bytes);
    if (point.has_value()) return point;
    return named(std::move(point).error(), sequence);
}

Result<Manifest> read_manifest(const Keys& keys, std::uint64_t sequence, ByteView bytes) {
    auto manifest = parse_manifest(keys, sequence, bytes);
    if (manifest.has_value()) return manifest;
    return named(std::move(manifest).error(), sequence);
}

}  // namespace lifeboat::vault
