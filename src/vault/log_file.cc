#include "vault/log_file.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::vault {
namespace {

constexpr std::size_t window_size = std::size_t{512} << 10U;

}  // namespace

/// A moving view of the object, so that small frames cost no read each.
class LogFile::Window {
public:
    Window(Store& store, const std::string& object, std::uint64_t size)
        : store_(store), object_(object), size_(size) {}

    /// Up to `count` bytes at `offset`; fewer only at the end of the object.
    Result<ByteView> at(std::uint64_t offset, std::size_t count) {
        if (offset >= size_) return ByteView();
        count = std::min<std::uint64_t>(count, size_ - offset);
        if (offset < start_ || offset + count > start_ + bytes_.size()) {
            const std::size_t wanted =
                std::min<std::uint64_t>(std::max(count, window_size), size_ - offset);
            bytes_ = TRY(store_.get_range(object_, offset, wanted));
            start_ = offset;
        }
        return ByteView(bytes_).subspan(offset - start_, count);
    }
    std::uint64_t size() const { return size_; }

private:
    Store& store_;
    const std::string& object_;
    std::uint64_t size_;
    std::uint64_t start_ = 0;
    Bytes bytes_;
};

LogFile::LogFile(Access& access, std::string object, std::uint64_t begin)
    : access_(access), object_(std::move(object)) {
    content_.begin = begin;
    content_.end = begin;
}

LogContent LogFile::content() const {
    const MutexLock lock(mutex_);
    return content_;
}

Error LogFile::frame_error(std::uint32_t ordinal, std::uint64_t offset,
                           std::string_view what) const {
    return corrupt(
        fmt::format("log file '{}': frame {} at offset {}: {}", object_, ordinal, offset, what));
}

void LogFile::restart() {
    LogContent empty;
    empty.begin = empty.end = content_.begin;
    content_ = std::move(empty);
    frames_.clear();
    marks_.clear();
    indexed_ = true;
    offset_ = log_header_size;
    ordinal_ = durable_ = 0;
    cached_frame_ = SIZE_MAX;
}

Result<void> LogFile::refresh(std::uint64_t size) {
    const MutexLock lock(mutex_);
    if (content_.closed || size == content_.size) return ok();
    if (!keys_) {
        content_.size = size;
        if (size < log_header_size) return ok();  // a crash, or its writer is just making it
        const Bytes header = TRY(access_.store.get_range(object_, 0, log_header_size));
        auto keys = read_log_header(access_.keys, object_, header);
        if (!keys.has_value()) {
            // Nothing was ever confirmed in a file whose header was not durable; so this is damage,
            // as soon as there is more than a header.
            content_.damage.clear();
            if (size > log_header_size)
                content_.damage.push_back(
                    {content_.begin, content_.begin, keys.error().message, true});
            return ok();
        }
        keys_ = std::move(*keys);
    }
    if (ordinal_ == 0 && !footless_ && TRY(load_close(size))) return ok();
    TRY(walk(size));
    content_.size = size;
    return ok();
}

/// Takes over what a closed file says of itself. False when it has no authentic end.
Result<bool> LogFile::load_close(std::uint64_t size) {
    if (size < log_header_size + log_trailer_size) return false;
    const Bytes trailer =
        TRY(access_.store.get_range(object_, size - log_trailer_size, log_trailer_size));
    const auto offset = read_log_trailer(trailer);
    if (!offset || *offset < log_header_size || *offset > size - log_trailer_size) return false;
    Window window(access_.store, object_, size - log_trailer_size);
    const auto frame = TRY(candidate(window, *offset));
    if (!frame || frame->header.kind != FrameKind::close ||
        frame->offset + frame->header.size() != size - log_trailer_size)
        return false;
    auto content = read_close_head(frame->head);
    if (!content.has_value()) return false;
    content->size = size;
    content->begin = content_.begin;
    content->closed = true;
    content_ = std::move(*content);
    close_offset_ = *offset;
    indexed_ = false;
    return true;
}

/// The frame at `offset` if its head is authentic.
Result<std::optional<LogFile::Candidate>> LogFile::candidate(Window& window, std::uint64_t offset) {
    std::optional<Candidate> none;
    const ByteView fixed = TRY(window.at(offset, frame_header_size));
    const auto header = read_frame_header(fixed);
    if (!header || offset + header->size() > window.size()) return none;
    const ByteView bytes = TRY(window.at(offset, frame_header_size + header->marks));
    auto head = open_frame_head(*keys_, *header, bytes, bytes.subspan(frame_header_size));
    if (!head.has_value()) return none;
    return std::optional(Candidate{*header, offset, std::move(*head)});
}

/// The next authentic frame behind a bad place, if it proves that frame `lost` was durable.
Result<std::optional<LogFile::Candidate>> LogFile::resync(Window& window, std::uint64_t offset,
                                                          std::uint32_t lost) {
    const ByteView magic = as_bytes("LBFR");
    while (offset + frame_header_size <= window.size()) {
        const ByteView bytes = TRY(window.at(offset, window_size));
        const auto hit = std::search(bytes.begin(), bytes.end(), magic.begin(), magic.end());
        if (hit == bytes.end()) {
            if (bytes.size() <= magic.size()) break;
            offset += bytes.size() - magic.size() + 1;
            continue;
        }
        offset += static_cast<std::uint64_t>(hit - bytes.begin());
        auto frame = TRY(candidate(window, offset));
        if (frame && frame->header.durable > lost) return frame;
        ++offset;
    }
    return std::optional<Candidate>();
}

void LogFile::commit(const Candidate& frame) {
    const FrameHeader& header = frame.header;
    offset_ = frame.offset + header.size();
    ordinal_ = header.ordinal + 1;
    content_.boundary = std::max(content_.boundary, header.boundary);
    Decoder in(frame.head);
    if (header.kind == FrameKind::data) {
        const std::uint64_t to = header.position + header.plain;
        if (header.plain > 0) {
            if (!content_.spans.empty() && content_.spans.back().to == header.position)
                content_.spans.back().to = to;
            else
                content_.spans.push_back({header.position, to});
            frames_.push_back({header.position, static_cast<std::uint32_t>(frame.offset),
                               static_cast<std::uint32_t>(header.size()), header.plain,
                               header.ordinal});
        }
        content_.end = std::max(content_.end, to);
        for (Mark& mark : read_marks(in)) {
            if (!content_.first) content_.first = mark;
            content_.last = mark;
            content_.latest = std::max(content_.latest.value_or(mark.at), mark.at);
            marks_.push_back(std::move(mark));
        }
    } else if (header.kind == FrameKind::gap) {
        content_.gaps.push_back(read_gap(in));
        content_.end = std::max(content_.end, content_.gaps.back().to);
    } else {
        content_.closed = true;
        close_offset_ = frame.offset;
    }
}

Result<void> LogFile::walk(std::uint64_t size) {
    Window window(access_.store, object_, size);
    std::vector<Candidate> unproven;
    std::uint64_t offset = offset_;
    std::uint32_t ordinal = ordinal_;
    while (offset < size && !content_.closed) {
        auto frame = TRY(candidate(window, offset));
        if (!frame || frame->header.ordinal != ordinal) {
            frame = TRY(resync(window, offset + 1, ordinal));
            if (!frame) break;  // a torn tail, as far as anybody can tell
            for (const Candidate& proven : unproven) commit(proven);
            unproven.clear();
            content_.damage.push_back(
                {content_.end, frame->header.position,
                 frame_error(ordinal, offset, "authentication failed").message, true});
        }
        offset = frame->offset + frame->header.size();
        ordinal = frame->header.ordinal + 1;
        durable_ = std::max(durable_, frame->header.durable);
        unproven.push_back(std::move(*frame));
        const auto proven = std::ranges::find_if(
            unproven,
            [&](const Candidate& c) REQUIRES(mutex_) { return c.header.ordinal >= durable_; });
        for (auto it = unproven.begin(); it != proven; ++it) commit(*it);
        unproven.erase(unproven.begin(), proven);
    }
    // Nobody says of these that they were durable: they count as far as they are whole.
    for (const Candidate& frame : unproven) {
        const auto plain = open_frame(frame.offset, frame.header.size(), frame.header.ordinal);
        if (!plain.has_value() && plain.error().kind != ErrorKind::corrupt) return plain.error();
        if (!plain.has_value()) break;
        commit(frame);
    }
    return ok();
}

}  // namespace lifeboat::vault
