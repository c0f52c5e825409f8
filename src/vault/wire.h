#pragma once
/// Little-endian fields of the vault's formats: reading with bounds, and writing of texts.
///
/// A Decoder never reads beyond its bytes: the first field that does not fit fails it, every later
/// one is zero, and done() tells. So a parser reads straight on and asks once.

#include <string>
#include <string_view>

#include "platform/base/bytes.h"
#include "platform/base/time.h"
#include "platform/codec/crypto.h"

namespace lifeboat::vault {

using crypto::Digest;

class Decoder {
public:
    explicit Decoder(ByteView bytes) : bytes_(bytes) {}

    template <class T>
    T le() {
        const ByteView field = take(sizeof(T));
        return field.empty() ? T{} : load_le<T>(field, 0);
    }
    /// The next `size` bytes; none after a failure.
    ByteView take(std::size_t size) {
        if (failed_ || size > bytes_.size() - at_) {
            failed_ = true;
            return {};
        }
        at_ += size;
        return bytes_.subspan(at_ - size, size);
    }
    /// A text with its length in 16 bits before it.
    std::string text() {
        const auto size = le<std::uint16_t>();
        return std::string(as_text(take(size)));
    }
    template <std::size_t N>
    std::array<std::byte, N> array() {
        std::array<std::byte, N> value{};
        const ByteView field = take(N);
        if (!field.empty()) std::memcpy(value.data(), field.data(), N);
        return value;
    }
    Instant instant() { return Instant(Duration(le<std::int64_t>())); }

    bool failed() const { return failed_; }
    bool at_end() const { return failed_ || at_ == bytes_.size(); }
    std::size_t left() const { return failed_ ? 0 : bytes_.size() - at_; }
    /// Errors: corrupt (a field did not fit, or bytes are left over).
    Result<void> done(std::string_view what) const {
        if (failed_) return corrupt(std::string(what) + " ends too early");
        if (at_ != bytes_.size()) return corrupt(std::string(what) + " is longer than its content");
        return ok();
    }

private:
    ByteView bytes_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

/// Requires: text.size() < 65536.
inline void append_text(Bytes& out, std::string_view text) {
    CHECK(text.size() < 65536);
    append_le(out, static_cast<std::uint16_t>(text.size()));
    append(out, as_bytes(text));
}
inline void append_instant(Bytes& out, Instant at) {
    append_le(out, static_cast<std::int64_t>(at.time_since_epoch().count()));
}

}  // namespace lifeboat::vault
