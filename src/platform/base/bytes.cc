#include "platform/base/bytes.h"

#include <fmt/core.h>

#include <array>

namespace lifeboat {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

std::uint32_t octet(ByteView bytes, std::size_t at) {
    return at < bytes.size() ? std::to_integer<std::uint32_t>(bytes[at]) : 0;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += hex_digits[std::to_integer<std::size_t>(byte >> 4)];
        text += hex_digits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return invalid(fmt::format("hex text has an odd length, {}", text.size()));
    }
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return invalid(fmt::format("not a hex digit at offset {}", high < 0 ? i : i + 1));
        }
        bytes.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return bytes;
}

std::string to_base64(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group =
            octet(bytes, i) << 16U | octet(bytes, i + 1) << 8U | octet(bytes, i + 2);
        text += base64_digits[group >> 18U];
        text += base64_digits[group >> 12U & 63U];
        text += i + 1 < bytes.size() ? base64_digits[group >> 6U & 63U] : '=';
        text += i + 2 < bytes.size() ? base64_digits[group & 63U] : '=';
    }
    return text;
}

Result<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return invalid(fmt::format("base64 text has length {}, not a multiple of 4", text.size()));
    }
    std::size_t padding = 0;
    if (text.ends_with("==")) {
        padding = 2;
    } else if (text.ends_with('=')) {
        padding = 1;
    }
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const bool padded = last && j >= 4 - padding;
            const int value = padded ? 0 : base64_value(text[i + j]);
            if (value < 0) return invalid(fmt::format("not a base64 digit at offset {}", i + j));
            group = group << 6U | static_cast<std::uint32_t>(value);
        }
        const std::size_t count = last ? 3 - padding : 3;
        for (std::size_t j = 0; j < count; ++j) {
            bytes.push_back(static_cast<std::byte>(group >> (16U - 8U * j) & 255U));
        }
        // One text per value: two spellings of one key would not compare equal.
        if ((group & ((1U << (8U * (3 - count))) - 1U)) != 0) {
            return invalid("base64 text has bits set in its padding");
        }
    }
    return bytes;
}

}  // namespace lifeboat
