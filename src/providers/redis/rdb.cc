#include "providers/redis/rdb.h"

#include <fmt/core.h>

#include <array>

#include "platform/base/text.h"

namespace lifeboat::redis {
namespace {

constexpr unsigned version_max = 12;
constexpr std::size_t fact_max = 4096;

constexpr std::array<std::uint64_t, 256> make_table() {
    constexpr std::uint64_t polynomial = 0x95ac9329ac4bc9b5;  // Jones, reflected
    std::array<std::uint64_t, 256> table{};
    for (std::uint64_t i = 0; i < 256; ++i) {
        std::uint64_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1U) ^ ((value & 1U) != 0 ? polynomial : 0);
        table[i] = value;
    }
    return table;
}
constexpr auto crc_table = make_table();

/// Bytes that are no key: they say something about what follows, or about the whole.
enum Opcode : std::uint8_t {
    op_slot = 0xf4,
    op_function = 0xf5,
    op_module = 0xf7,
    op_idle = 0xf8,
    op_frequency = 0xf9,
    op_fact = 0xfa,
    op_resize = 0xfb,
    op_expire_ms = 0xfc,
    op_expire = 0xfd,
    op_database = 0xfe,
    op_end = 0xff,
};

Error cut_short() { return corrupt("the snapshot is cut short"); }

}  // namespace

std::uint64_t crc64(std::uint64_t seed, ByteView bytes) {
    for (const std::byte each : bytes)
        seed = crc_table[(seed ^ std::to_integer<std::uint64_t>(each)) & 0xffU] ^ (seed >> 8U);
    return seed;
}

Result<void> RdbScanner::flush() {
    const ByteView done = ByteView(buffer_).subspan(flushed_, at_ - flushed_);
    if (done.empty()) return ok();
    checksum_ = crc64(checksum_, done);
    consumed_ += done.size();
    flushed_ = at_;
    return sink_(done);
}

Result<void> RdbScanner::fill() {
    TRY(flush());
    buffer_ = TRY(source_());
    at_ = flushed_ = 0;
    if (buffer_.empty()) return cut_short();
    return ok();
}

Result<std::uint8_t> RdbScanner::byte() {
    if (at_ == buffer_.size()) TRY(fill());
    return std::to_integer<std::uint8_t>(buffer_[at_++]);
}

Result<std::uint64_t> RdbScanner::big(unsigned bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
        const std::uint8_t next = TRY(byte());
        value = value << 8U | next;
    }
    return value;
}

Result<std::uint64_t> RdbScanner::little(unsigned bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
        const std::uint64_t next = TRY(byte());
        value |= next << (8 * i);
    }
    return value;
}

Result<void> RdbScanner::skip(std::uint64_t count) {
    while (count > 0) {
        if (at_ == buffer_.size()) TRY(fill());
        const std::uint64_t step = std::min<std::uint64_t>(count, buffer_.size() - at_);
        at_ += step;
        count -= step;
    }
    return ok();
}

Result<RdbScanner::Length> RdbScanner::length() {
    const std::uint8_t first = TRY(byte());
    const unsigned low = first & 0x3fU;
    switch (first >> 6U) {
        case 0:
            return Length{.value = low};
        case 1: {
            const std::uint8_t second = TRY(byte());
            return Length{.value = std::uint64_t{low} << 8U | second};
        }
        case 2: {
            if (low > 1) return corrupt("the snapshot has a length of no known form");
            const std::uint64_t value = TRY(big(low == 0 ? 4 : 8));
            return Length{.value = value};
        }
        default:
            return Length{.value = low, .encoded = true};
    }
}

Result<std::uint64_t> RdbScanner::plain_length() {
    const Length found = TRY(length());
    if (found.encoded) return corrupt("the snapshot has a text where a length must be");
    return found.value;
}

Result<void> RdbScanner::skip_lengths(unsigned count) {
    for (unsigned i = 0; i < count; ++i) TRY(plain_length());
    return ok();
}

Result<void> RdbScanner::skip_string() {
    const Length found = TRY(length());
    if (!found.encoded) return skip(found.value);
    if (found.value <= 2) return skip(std::uint64_t{1} << found.value);  // an integer
    if (found.value != 3) return corrupt("the snapshot has a text of no known encoding");
    const std::uint64_t compressed = TRY(plain_length());
    TRY(plain_length());
    return skip(compressed);
}

Result<void> RdbScanner::skip_strings(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) TRY(skip_string());
    return ok();
}

/// A short text or integer of the header. Compressed ones are left out: none there is long.
Result<std::string> RdbScanner::string() {
    const Length found = TRY(length());
    if (found.encoded && found.value <= 2) {
        const std::uint64_t number = TRY(little(1U << found.value));
        return std::to_string(number);
    }
    if (found.encoded) {
        const std::uint64_t compressed = TRY(plain_length());
        TRY(plain_length());
        TRY(skip(compressed));
        return std::string();
    }
    if (found.value > fact_max) {
        TRY(skip(found.value));
        return std::string();
    }
    std::string text;
    for (std::uint64_t i = 0; i < found.value; ++i) {
        const std::uint8_t next = TRY(byte());
        text += static_cast<char>(next);
    }
    return text;
}

/// A number of a sorted set as old versions wrote it: its length, or a special value, in one byte.
Result<void> RdbScanner::skip_old_double() {
    const std::uint8_t size = TRY(byte());
    return size >= 253 ? ok() : skip(size);
}

Result<void> RdbScanner::skip_module_value() {
    while (true) {
        const std::uint64_t code = TRY(plain_length());
        switch (code) {
            case 0:
                return ok();
            case 1:
            case 2:
                TRY(plain_length());
                break;
            case 3:
                TRY(skip(4));
                break;
            case 4:
                TRY(skip(8));
                break;
            case 5:
                TRY(skip_string());
                break;
            default:
                return corrupt("the snapshot has a module's value of no known form");
        }
    }
}

Result<void> RdbScanner::skip_stream(std::uint8_t type) {
    const std::uint64_t nodes = TRY(plain_length());
    TRY(skip_strings(2 * nodes));
    TRY(skip_lengths(3));                  // entries, last id
    if (type >= 19) TRY(skip_lengths(5));  // first id, greatest deleted id, entries ever added
    return skip_stream_groups(type);
}

Result<void> RdbScanner::skip_stream_groups(std::uint8_t type) {
    constexpr std::uint64_t id = 16, time = 8;
    const std::uint64_t groups = TRY(plain_length());
    for (std::uint64_t group = 0; group < groups; ++group) {
        TRY(skip_string());
        TRY(skip_lengths(type >= 19 ? 3 : 2));  // last id, entries read
        const std::uint64_t pending = TRY(plain_length());
        for (std::uint64_t i = 0; i < pending; ++i) {
            TRY(skip(id + time));
            TRY(plain_length());
        }
        const std::uint64_t consumers = TRY(plain_length());
        for (std::uint64_t i = 0; i < consumers; ++i) {
            TRY(skip_string());
            TRY(skip(type >= 21 ? 2 * time : time));
            const std::uint64_t owned = TRY(plain_length());
            TRY(skip(owned * id));
        }
    }
    return ok();
}

Result<void> RdbScanner::skip_value(std::uint8_t type) {
    switch (type) {
        case 0:  // a text
        case 9:
        case 10:
        case 11:
        case 12:
        case 13:
        case 16:
        case 17:
        case 20:  // one packed text
            return skip_string();
        case 1:
        case 2:
        case 14: {
            const std::uint64_t count = TRY(plain_length());
            return skip_strings(count);
        }
        case 3:
        case 5: {
            const std::uint64_t count = TRY(plain_length());
            for (std::uint64_t i = 0; i < count; ++i) {
                TRY(skip_string());
                if (type == 5)
                    TRY(skip(8));
                else
                    TRY(skip_old_double());
            }
            return ok();
        }
        case 4: {
            const std::uint64_t count = TRY(plain_length());
            return skip_strings(2 * count);
        }
        case 7:
            TRY(plain_length());
            return skip_module_value();
        case 15:
        case 19:
        case 21:
            return skip_stream(type);
        case 18: {
            const std::uint64_t nodes = TRY(plain_length());
            for (std::uint64_t i = 0; i < nodes; ++i) {
                TRY(plain_length());
                TRY(skip_string());
            }
            return ok();
        }
        default:
            return unsupported(fmt::format("the snapshot holds a value of type {}", type));
    }
}

/// True when `code` was one that is no key.
Result<bool> RdbScanner::opcode(std::uint8_t code, RdbSummary& summary) {
    switch (code) {
        case op_fact: {
            const std::string name = TRY(string());
            std::string value = TRY(string());
            summary.facts[name] = std::move(value);
            return true;
        }
        case op_database:
            database_ = TRY(plain_length());
            return true;
        case op_resize:
            TRY(skip_lengths(2));
            return true;
        case op_expire:
            TRY(skip(4));
            expiring_ = true;
            return true;
        case op_expire_ms:
            TRY(skip(8));
            expiring_ = true;
            return true;
        case op_frequency:
            TRY(skip(1));
            return true;
        case op_idle:
            TRY(plain_length());
            return true;
        case op_function:
            TRY(skip_string());
            return true;
        case op_slot:
            TRY(skip_lengths(3));
            return true;
        case op_module:
            TRY(skip_lengths(3));
            TRY(skip_module_value());
            return true;
        default:
            return false;
    }
}

Result<void> RdbScanner::finish(RdbSummary& summary) {
    TRY(flush());
    const std::uint64_t computed = checksum_;
    if (summary.version >= 5) {
        const std::uint64_t written = TRY(little(8));
        TRY(flush());
        if (written != 0 && written != computed)
            return corrupt(fmt::format("the snapshot's checksum is {:016x}, its bytes give {:016x}",
                                       written, computed));
        summary.checksum_proven = written != 0;
    }
    summary.size = consumed_;
    return ok();
}

std::string_view type_name(std::uint8_t stored) {
    switch (stored) {
        case 0:
            return "string";
        case 1:
        case 10:
        case 14:
        case 18:
            return "list";
        case 2:
        case 11:
        case 20:
            return "set";
        case 3:
        case 5:
        case 12:
        case 17:
            return "zset";
        case 4:
        case 9:
        case 13:
        case 16:
            return "hash";
        case 15:
        case 19:
        case 21:
            return "stream";
        default:
            return "module";
    }
}

Result<RdbSummary> RdbScanner::scan() {
    RdbSummary summary;
    std::string magic;
    for (int i = 0; i < 9; ++i) {
        const std::uint8_t next = TRY(byte());
        magic += static_cast<char>(next);
    }
    const auto version = parse_integer(std::string_view(magic).substr(5));
    if (!magic.starts_with("REDIS") || !version || *version < 1)
        return corrupt("this is no Redis snapshot");
    summary.version = static_cast<unsigned>(*version);
    if (summary.version > version_max)
        return unsupported(fmt::format("the snapshot has format {}; this build reads up to {}",
                                       summary.version, version_max));
    while (true) {
        const std::uint8_t code = TRY(byte());
        if (code == op_end) break;
        const bool other = TRY(opcode(code, summary));
        if (other) continue;
        TRY(skip_string());
        TRY(skip_value(code));
        KeyCount& count = summary.databases[database_];
        ++count.keys;
        count.expiring += expiring_ ? 1 : 0;
        ++summary.types[database_][std::string(type_name(code))];
        expiring_ = false;
    }
    TRY(finish(summary));
    return summary;
}

}  // namespace lifeboat::redis
