#pragma once
/// Positions in the write-ahead log: their text, their segments, and the names of WAL files. Pure.
///
/// An LSN is a byte position in the log of a cluster; the server's text form is "0/3000148". A
/// segment is a file of `wal_segment_size` bytes (16 MiB unless chosen otherwise at initdb).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/result.h"

namespace lifeboat::postgres {

using Lsn = std::uint64_t;
using Timeline = std::uint32_t;

/// "0/3000148".
std::string format_lsn(Lsn lsn);
/// Errors: invalid.
Result<Lsn> parse_lsn(std::string_view text);
/// True for text that can only be meant as an LSN ("0/3000148").
bool looks_like_lsn(std::string_view text);

/// The first position of the segment that holds `lsn`. Requires: a power of two.
constexpr Lsn segment_start(Lsn lsn, std::uint32_t segment_size) {
    return lsn & ~(Lsn{segment_size} - 1);
}
/// True for the sizes that initdb accepts: powers of two from 1 MiB to 1 GiB.
bool is_segment_size(std::uint64_t bytes);

/// What a server asks an archive for.
struct WalFile {
    enum class Kind { segment, history, other } kind = Kind::other;  ///< other: .backup, .partial
    Timeline timeline = 0;
    Lsn begin = 0;  ///< of a segment
};

/// "000000010000000000000003".
std::string segment_name(Timeline timeline, Lsn begin, std::uint32_t segment_size);
/// "00000002.history".
std::string history_name(Timeline timeline);
/// Errors: invalid (not the name of a WAL file, a segment beyond the segment size's range).
Result<WalFile> parse_wal_file(std::string_view name, std::uint32_t segment_size);

}  // namespace lifeboat::postgres
