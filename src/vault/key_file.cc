/// The key file: `lifeboat-key-1 <base64url of 32 bytes> <checksum>`, one line of text.
///
/// The checksum (8 hex digits of the SHA-256 of the text before it) tells a damaged or mistyped
/// copy from the key of another vault, without the vault at hand.

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"
#include "vault/directories.h"
#include "vault/vault.h"
#include "vault/wire.h"

namespace lifeboat::vault {
namespace {

constexpr std::string_view magic = "lifeboat-key-1";
constexpr std::size_t encoded_size = 43;  // 32 bytes in base64url without padding
constexpr std::uint64_t size_max = 4096;

std::string checksum_of(std::string_view encoded) {
    const std::string text = fmt::format("{} {}", magic, encoded);
    return to_hex(ByteView(crypto::sha256(as_bytes(text))).first(4));
}

Error damaged(const Path& file, std::string_view what) {
    return corrupt(fmt::format("key file '{}': {}", file.string(), what),
                   "Use the second copy of the key; `lifeboat vault key test COPY` proves a copy.");
}

Path directory_of(const Path& file) {
    return file.has_parent_path() ? file.parent_path() : Path(".");
}

Result<void> write_new(Files& files, const Path& file, std::string_view text) {
    auto handle = TRY(files.open(file, OpenMode::create, 0600));
    TRY(handle->append(as_bytes(text)));
    return handle->sync();
}

}  // namespace

Result<void> make_key(Environment& environment, const Path& key_file) {
    Files& files = environment.files;
    Digest secret{};
    environment.random.fill(secret);
    std::string encoded = to_base64(secret);
    std::ranges::replace(encoded, '+', '-');
    std::ranges::replace(encoded, '/', '_');
    encoded.resize(encoded_size);
    const std::string text = fmt::format("{} {} {}\n", magic, encoded, checksum_of(encoded));

    const Path directory = directory_of(key_file);
    TRY(make_durable_directories(files, directory));
    // Written aside and linked: a crash leaves no torn key, and no key is ever replaced.
    const Path aside =
        directory / fmt::format(".{}.{}", key_file.filename().string(), environment.random.hex(6));
    auto made = write_new(files, aside, text);
    if (made.has_value()) made = files.link(aside, key_file);
    std::ranges::fill(secret, std::byte{0});
    (void)files.remove(aside);  // Ignored: the error that matters is that of the key itself.
    if (!made.has_value()) {
        if (made.error().kind == ErrorKind::conflict)
            return conflict(fmt::format("key file '{}' exists", key_file.string()),
                            "Keep it: without its key a vault is lost. Name another file.");
        return made;
    }
    return files.sync_directory(directory);
}

Result<crypto::Key> load_key(Environment& environment, const Path& key_file) {
    auto status = environment.files.status(key_file);
    if (!status.has_value()) {
        if (status.error().kind == ErrorKind::not_found)
            return not_found(fmt::format("no key file '{}'", key_file.string()),
                             "Name the vault's key, or a copy of it, with `key:` in the plan.");
        return std::move(status).error();
    }
    if (status->type == FileType::regular && (status->mode & 077U) != 0)
        return denied(
            fmt::format("key file '{}' can be read by others (mode {:o})", key_file.string(),
                        status->mode),
            "Take the rights away with `chmod 600`; if others had access, make a new vault.");
    const Bytes bytes = TRY(read_file(environment.files, key_file, size_max));
    const std::string_view text = trim(as_text(bytes));

    const auto words = split(text, ' ');
    if (words.empty() || words[0] != magic) return damaged(key_file, "this is not a key");
    if (words.size() != 3 || words[1].size() != encoded_size)
        return damaged(key_file, "a key is cut off or has too many characters");
    if (to_lower(words[2]) != checksum_of(words[1]))
        return damaged(key_file, "the checksum does not match, a character is wrong");
    std::string encoded(words[1]);
    std::ranges::replace(encoded, '-', '+');
    std::ranges::replace(encoded, '_', '/');
    auto secret = from_base64(encoded + "=");
    if (!secret.has_value() || secret->size() != 32) return damaged(key_file, "not 32 bytes");
    Digest digest{};
    std::ranges::copy(*secret, digest.begin());
    std::ranges::fill(*secret, std::byte{0});
    const crypto::Key key(digest);
    std::ranges::fill(digest, std::byte{0});
    return key;
}

}  // namespace lifeboat::vault
