/// Reading within a log file (the other half of log_file.cc): bytes, marks, and every byte of it.

#include <fmt/core.h>

#include <algorithm>

#include "vault/log_file.h"

namespace lifeboat::vault {

Bytes write_close_head(const LogContent& content) {
    Bytes out;
    append_le(out, content.end);
    append_le(out, content.boundary);
    append_le(out, static_cast<std::uint32_t>(content.spans.size()));
    for (const Span& span : content.spans) {
        append_le(out, span.from);
        append_le(out, span.to);
    }
    append_le(out, static_cast<std::uint32_t>(content.gaps.size()));
    for (const Gap& gap : content.gaps) append_gap(out, gap);
    std::vector<Mark> ends;
    if (content.first) ends = {*content.first, *content.last};
    append_marks(out, ends);
    append_instant(out, content.latest.value_or(Instant{}));
    return out;
}

Result<LogContent> read_close_head(ByteView plain) {
    LogContent content;
    Decoder in(plain);
    content.end = in.le<std::uint64_t>();
    content.boundary = in.le<std::uint64_t>();
    const auto spans = in.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < spans && !in.failed(); ++i) {
        const auto from = in.le<std::uint64_t>();
        content.spans.push_back({from, in.le<std::uint64_t>()});
    }
    const auto gaps = in.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < gaps && !in.failed(); ++i) content.gaps.push_back(read_gap(in));
    const std::vector<Mark> ends = read_marks(in);
    const Instant latest = in.instant();
    if (ends.size() == 2) {
        content.first = ends[0];
        content.last = ends[1];
        content.latest = latest;
    }
    TRY(in.done("a close frame"));
    return content;
}

Bytes write_close_data(const std::vector<LogFrame>& frames, const std::vector<Mark>& marks) {
    Bytes out;
    append_le(out, static_cast<std::uint32_t>(frames.size()));
    for (const LogFrame& frame : frames) {
        append_le(out, frame.position);
        append_le(out, frame.offset);
        append_le(out, frame.size);
        append_le(out, frame.plain);
        append_le(out, frame.ordinal);
    }
    append_marks(out, marks);
    return out;
}

Result<void> LogFile::load_index() {
    if (indexed_) return ok();
    auto plain = open_frame(close_offset_, content_.size - log_trailer_size - close_offset_, 0);
    if (plain.has_value()) {
        Decoder in(*plain);
        const auto count = in.le<std::uint32_t>();
        for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
            LogFrame frame;
            frame.position = in.le<std::uint64_t>();
            frame.offset = in.le<std::uint32_t>();
            frame.size = in.le<std::uint32_t>();
            frame.plain = in.le<std::uint32_t>();
            frame.ordinal = in.le<std::uint32_t>();
            frames_.push_back(frame);
        }
        marks_ = read_marks(in);
        if (in.done("the index of a log file").has_value()) {
            indexed_ = true;
            return ok();
        }
    } else if (plain.error().kind != ErrorKind::corrupt) {
        return std::move(plain).error();
    }
    // Its own index is damaged: everything in it stands in the frames as well.
    footless_ = true;
    const std::uint64_t size = content_.size;
    restart();
    TRY(walk(size));
    content_.size = size;
    return ok();
}

/// Reads and authenticates one frame; its data.
Result<Bytes> LogFile::open_frame(std::uint64_t offset, std::size_t size, std::uint32_t ordinal) {
    const Bytes frame = TRY(access_.store.get_range(object_, offset, size));
    const auto header = read_frame_header(frame);
    if (!header || header->size() != size)
        return frame_error(ordinal, offset, "its header is damaged");
    const ByteView marks = ByteView(frame).subspan(frame_header_size, header->marks);
    const auto head = open_frame_head(*keys_, *header, frame, marks);
    if (!head.has_value())
        return frame_error(header->ordinal, offset, "header or marks: authentication failed");
    auto plain = open_frame_data(*keys_, *header, frame, marks,
                                 ByteView(frame).subspan(frame_header_size + header->marks));
    if (plain.has_value()) return plain;
    return frame_error(header->ordinal, offset, "data: authentication failed");
}

Result<void> LogFile::read(std::uint64_t position, std::span<std::byte> out) {
    const MutexLock lock(mutex_);
    TRY(load_index());
    auto next = std::ranges::upper_bound(frames_, position, {}, &LogFrame::position);
    while (!out.empty()) {
        if (next == frames_.begin())
            return corrupt(
                fmt::format("log file '{}' does not hold position {}", object_, position));
        const auto frame = next - 1;
        const std::uint64_t within = position - frame->position;
        if (within >= frame->plain)
            return corrupt(
                fmt::format("log file '{}' does not hold position {}", object_, position));
        const auto number = static_cast<std::size_t>(frame - frames_.begin());
        if (cached_frame_ != number) {
            cached_frame_ = SIZE_MAX;
            cached_ = TRY(open_frame(frame->offset, frame->size, frame->ordinal));
            cached_frame_ = number;
        }
        if (cached_.size() != frame->plain)
            return frame_error(frame->ordinal, frame->offset, "a wrong length");
        const std::size_t count = std::min<std::uint64_t>(out.size(), frame->plain - within);
        std::copy_n(cached_.begin() + static_cast<std::ptrdiff_t>(within), count, out.begin());
        out = out.subspan(count);
        position += count;
        if (!out.empty()) ++next;
    }
    return ok();
}

Result<std::optional<Mark>> LogFile::mark_before(Instant time) {
    const MutexLock lock(mutex_);
    TRY(load_index());
    // As PostgreSQL does it: up to, not including, the first that is later. Clocks may have gone
    // back.
    const auto later =
        std::ranges::find_if(marks_, [&](const Mark& mark) { return mark.at > time; });
    if (later == marks_.begin()) return std::optional<Mark>();
    return std::optional(*(later - 1));
}

Result<std::optional<Mark>> LogFile::mark_with_label(const std::string& label) {
    const MutexLock lock(mutex_);
    TRY(load_index());
    const auto found = std::find_if(marks_.rbegin(), marks_.rend(),
                                    [&](const Mark& mark) { return mark.label == label; });
    return found == marks_.rend() ? std::optional<Mark>() : std::optional(*found);
}

Result<void> LogFile::verify(const Context& context, const LogFinding& found) {
    const MutexLock lock(mutex_);
    if (!keys_) {
        for (const Gap& damage : content_.damage)
            found(corrupt(damage.reason), Span{damage.from, damage.to});
        return ok();
    }
    // From header to header, whatever the close frame says, then every frame's bytes.
    const std::uint64_t size = content_.size;
    footless_ = true;
    restart();
    TRY(walk(size));
    content_.size = size;
    for (const Gap& damage : content_.damage)
        found(corrupt(damage.reason), Span{damage.from, damage.to});
    for (const LogFrame& frame : frames_) {
        TRY(context.check("verifying a log"));
        auto plain = open_frame(frame.offset, frame.size, frame.ordinal);
        if (!plain.has_value() && plain.error().kind != ErrorKind::corrupt)
            return std::move(plain).error();
        if (!plain.has_value())
            found(std::move(plain).error(), Span{frame.position, frame.position + frame.plain});
    }
    return verify_end(size, found);
}

/// A closed file ends with its close frame and a trailer, and nothing else.
Result<void> LogFile::verify_end(std::uint64_t size, const LogFinding& found) {
    if (content_.closed) {
        auto plain = open_frame(close_offset_, offset_ - close_offset_, ordinal_ - 1);
        if (!plain.has_value() && plain.error().kind != ErrorKind::corrupt)
            return std::move(plain).error();
        if (!plain.has_value()) found(std::move(plain).error(), {});
        const Bytes tail = TRY(access_.store.get_range(object_, offset_, size - offset_));
        // The whole trailer; or what a crash leaves of it, some of its bytes and then zeros.
        const Bytes whole = write_log_trailer(*keys_, close_offset_);
        const auto torn = std::ranges::mismatch(tail, whole).in1;
        const bool zeros =
            std::all_of(torn, tail.end(), [](std::byte b) { return b == std::byte{0}; });
        if (tail.size() > whole.size() || !zeros)
            found(corrupt(fmt::format("log file '{}': trailer at offset {}: not what was written",
                                      object_, offset_)),
                  {});
        return ok();
    }
    if (size < log_header_size + log_trailer_size) return ok();
    const Bytes tail =
        TRY(access_.store.get_range(object_, size - log_trailer_size, log_trailer_size));
    // Without one, what follows the last frame is the tail that a crash tore: no loss.
    if (read_log_trailer(tail))
        found(frame_error(ordinal_, offset_, "the close frame: authentication failed"), {});
    return ok();
}

}  // namespace lifeboat::vault
