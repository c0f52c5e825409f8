#pragma once
/// One log file as a reader sees it: its longest authentic prefix, and what is damaged within it.
///
/// A closed file tells by its last frame what it holds, so it is not read to open it; one that is
/// still written, or that a crash left, is walked from header to header, and only its growth is
/// walked again. Frames that were never confirmed durable count only if all their bytes are
/// authentic. Thread-safe.

#include "platform/task/mutex.h"
#include "vault/access.h"
#include "vault/log_frame.h"

namespace lifeboat::vault {

struct Span {
    std::uint64_t from = 0, to = 0;
    bool operator==(const Span&) const = default;
};

/// What a file holds.
struct LogContent {
    std::uint64_t size = 0;   ///< of the object
    std::uint64_t begin = 0;  ///< as its name says
    std::uint64_t end = 0;    ///< behind the last byte or gap
    std::uint64_t boundary = 0;
    std::vector<Span> spans;  ///< bytes that are there, ascending
    std::vector<Gap> gaps;
    std::vector<Gap> damage;  ///< `to` may equal `from`: how much is not known
    std::optional<Mark> first, last;
    std::optional<Instant> latest;  ///< the greatest time of a mark
    bool closed = false;
};

struct LogFrame {
    std::uint64_t position = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t plain = 0;
    std::uint32_t ordinal = 0;
};

/// What stands in a close frame.
Bytes write_close_head(const LogContent& content);
Result<LogContent> read_close_head(ByteView plain);
Bytes write_close_data(const std::vector<LogFrame>& frames, const std::vector<Mark>& marks);

/// Damage, and the positions of the log that cannot be read because of it: none, or from somewhere
/// on when the span is empty.
using LogFinding = std::function<void(Error, std::optional<Span>)>;

class LogFile {
public:
    LogFile(Access& access, std::string object, std::uint64_t begin);

    /// Takes in what the object, now of this size, has gained. Errors: those of the store; damage
    /// is no error, it stands in content().
    Result<void> refresh(std::uint64_t size);
    LogContent content() const;
    const std::string& object() const { return object_; }

    /// Requires: [position, position + out.size()) lies in one of the spans.
    /// Errors: corrupt (names file, frame and offset).
    Result<void> read(std::uint64_t position, std::span<std::byte> out);
    /// The mark before the first one later than `time`. Errors: corrupt.
    Result<std::optional<Mark>> mark_before(Instant time);
    Result<std::optional<Mark>> mark_with_label(const std::string& label);

    /// Reads every byte, whatever a close frame says; damage goes to `found`.
    Result<void> verify(const Context& context, const LogFinding& found);

private:
    struct Candidate {
        FrameHeader header;
        std::uint64_t offset = 0;
        Bytes head;
    };
    class Window;

    Result<bool> load_close(std::uint64_t size) REQUIRES(mutex_);
    Result<void> load_index() REQUIRES(mutex_);
    Result<void> walk(std::uint64_t size) REQUIRES(mutex_);
    Result<std::optional<Candidate>> candidate(Window& window, std::uint64_t offset)
        REQUIRES(mutex_);
    Result<std::optional<Candidate>> resync(Window& window, std::uint64_t offset,
                                            std::uint32_t lost) REQUIRES(mutex_);
    void commit(const Candidate& frame) REQUIRES(mutex_);
    Result<Bytes> open_frame(std::uint64_t offset, std::size_t size, std::uint32_t ordinal)
        REQUIRES(mutex_);
    Result<void> verify_end(std::uint64_t size, const LogFinding& found) REQUIRES(mutex_);
    Error frame_error(std::uint32_t ordinal, std::uint64_t offset, std::string_view what) const;
    void restart() REQUIRES(mutex_);

    Access& access_;
    const std::string object_;
    mutable Mutex mutex_;
    std::optional<LogKeys> keys_ GUARDED_BY(mutex_);
    LogContent content_ GUARDED_BY(mutex_);
    bool indexed_ GUARDED_BY(mutex_) =
        true;  ///< false: frames_ and marks_ still lie in the close frame
    bool footless_ GUARDED_BY(mutex_) = false;  ///< its close frame is no use: walk
    std::vector<LogFrame> frames_ GUARDED_BY(mutex_);
    std::vector<Mark> marks_ GUARDED_BY(mutex_);
    std::uint64_t close_offset_ GUARDED_BY(mutex_) = 0;
    std::uint64_t offset_ GUARDED_BY(mutex_) = log_header_size;  ///< behind the last frame taken in
    std::uint32_t ordinal_ GUARDED_BY(mutex_) = 0;
    std::uint32_t durable_ GUARDED_BY(mutex_) = 0;
    std::size_t cached_frame_ GUARDED_BY(mutex_) = SIZE_MAX;
    Bytes cached_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat::vault
