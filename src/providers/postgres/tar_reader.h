#pragma once
/// Reads a tar archive as it arrives: ustar with the extensions of GNU (long names, sizes in base
/// 256) and pax (path, linkpath, size). Pure; not thread-safe.

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "platform/base/bytes.h"
#include "platform/base/result.h"
#include "platform/base/time.h"

namespace lifeboat::postgres {

struct TarEntry {
    enum class Type { file, directory, symlink } type = Type::file;
    std::string path;    ///< relative, cleaned: no "./", no trailing "/"
    std::string target;  ///< of a symlink
    std::uint64_t size = 0;
    std::uint32_t mode = 0600;
    Instant modified{};
};

/// Receives what stands in the archive, in order. An Error ends the reading.
struct TarSink {
    std::function<Result<void>(const TarEntry&)> entry;
    std::function<Result<void>(ByteView)> data;  ///< of the last entry; `size` bytes in total
    std::function<Result<void>()> end;           ///< of the last entry, when it was a file
};

class TarReader {
public:
    explicit TarReader(TarSink sink) : sink_(std::move(sink)) {}

    /// Errors: corrupt (checksum, a number, a path that leaves the archive), unsupported (a type of
    /// entry that no base backup holds), and those of the sink.
    Result<void> feed(ByteView bytes);
    /// The archive ends here. Errors: corrupt (in the middle of an entry).
    Result<void> finish();

private:
    static constexpr std::size_t block = 512;
    enum class State { header, data, extension, padding, done };

    Result<void> take_header();
    Result<void> begin_entry(char type, std::uint64_t size);
    Result<void> take_extension();
    Result<void> end_data();

    TarSink sink_;
    State state_ = State::header;
    std::array<std::byte, block> header_{};
    std::size_t filled_ = 0;
    std::uint64_t left_ = 0;   ///< of data or extension
    std::size_t padding_ = 0;  ///< after it
    char extension_ = 0;       ///< 'L', 'K', 'x', 'g'
    std::string collected_;
    std::string long_path_, long_target_;
    std::optional<std::uint64_t> long_size_;
    TarEntry entry_;
};

}  // namespace lifeboat::postgres
