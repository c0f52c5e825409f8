/// Appends to a log. Frames are cut at 256 KiB and at every sync(); a file at 64 MiB. What another
/// writer left is made durable and then left alone: a new file begins where it ends.

#include <fmt/core.h>

#include <algorithm>

#include "vault/log.h"

namespace lifeboat::vault {
namespace {

constexpr std::size_t frame_target = std::size_t{256} << 10U;
constexpr std::uint64_t file_target = std::uint64_t{64} << 20U;
constexpr std::size_t marks_per_frame = 4096;
constexpr std::size_t label_size_max = 256;

class Writer final : public LogWriter {
public:
    Writer(Access& access, LogName name, std::uint64_t end, std::uint64_t boundary)
        : access_(access), name_(std::move(name)), end_(end), boundary_(boundary) {}

    ~Writer() override {
        // Ignored: what was not synced was never confirmed; what was needs no close frame.
        if (failure_.has_value()) (void)close();
    }

    Result<void> append(std::uint64_t position, ByteView bytes, std::uint64_t boundary,
                        const std::vector<Mark>& marks) override {
        TRY(failure_);
        if (position != end_)
            return invalid(fmt::format("the log of '{}' ends at {}, not at {}", name_.component,
                                       end_, position),
                           position > end_ ? "Record the gap first." : "");
        while (frame_target - pending_.size() < bytes.size()) {
            const std::size_t room = frame_target - pending_.size();
            take(bytes.first(room));
            bytes = bytes.subspan(room);
            TRY(flush());
        }
        take(bytes);
        // Only now, when everything before them is in a frame or in this one.
        if (boundary != 0) boundary_ = boundary;
        dirty_ = true;
        for (const Mark& mark : marks) {
            dirty_ = true;
            marks_.push_back(mark);
            marks_.back().label.resize(std::min(mark.label.size(), label_size_max));
            if (marks_.size() == marks_per_frame) TRY(flush());
        }
        return pending_.size() == frame_target ? flush() : ok();
    }

    Result<std::uint64_t> sync() override {
        TRY(failure_);
        if (dirty_) TRY(flush());
        if (object_ && durable_ < ordinal_) {
            TRY(keep(object_->sync()));
            durable_ = ordinal_;
        }
        return boundary_;
    }

    Result<void> gap(std::uint64_t position, const std::string& reason) override {
        TRY(failure_);
        if (position < end_)
            return invalid(fmt::format("a gap to {} in a log that ends at {}", position, end_));
        if (position == end_) return ok();
        if (dirty_) TRY(flush());
        const Gap lost{end_, position, reason.substr(0, 1000), false};
        Bytes head;
        append_gap(head, lost);
        TRY(write(FrameKind::gap, end_, head, {}));
        content_.gaps.push_back(lost);
        end_ = pending_position_ = content_.end = position;
        auto synced = sync();
        return synced.has_value() ? ok() : Result<void>(std::move(synced).error());
    }

    std::uint64_t end() const override { return end_; }

private:
    /// After a failure nobody knows what is in the file: only a new one can go on.
    Result<void> keep(Result<void> result) {
        if (!result.has_value() && failure_.has_value())
            failure_ = Error(result.error()).with_hint("Open the log again: a new file begins.");
        return result;
    }

    void take(ByteView bytes) {
        if (!dirty_) pending_position_ = end_;
        lifeboat::append(pending_, bytes);
        end_ += bytes.size();
        dirty_ = dirty_ || !bytes.empty();
    }

    Result<void> flush() {
        Bytes head;
        append_marks(head, marks_);
        const std::uint64_t offset = object_ ? offset_ : log_header_size;
        TRY(write(FrameKind::data, pending_position_, head, pending_));
        const std::uint64_t to = pending_position_ + pending_.size();
        if (!pending_.empty()) {
            frames_.push_back({pending_position_, static_cast<std::uint32_t>(offset),
                               static_cast<std::uint32_t>(offset_ - offset),
                               static_cast<std::uint32_t>(pending_.size()), ordinal_ - 1});
            if (!content_.spans.empty() && content_.spans.back().to == pending_position_)
                content_.spans.back().to = to;
            else
                content_.spans.push_back({pending_position_, to});
        }
        content_.end = to;
        content_.boundary = boundary_;
        for (Mark& mark : marks_) {
            if (!content_.first) content_.first = mark;
            content_.last = mark;
            content_.latest = std::max(content_.latest.value_or(mark.at), mark.at);
            file_marks_.push_back(std::move(mark));
        }
        marks_.clear();
        pending_.clear();
        pending_position_ = end_;
        dirty_ = false;
        return offset_ >= file_target ? close() : ok();
    }

    Result<void> write(FrameKind kind, std::uint64_t position, ByteView head, ByteView plain) {
        if (!object_) TRY(open_file(position));
        FrameHeader header;
        header.kind = kind;
        header.ordinal = ordinal_;
        header.durable = durable_;
        header.position = position;
        header.boundary = boundary_;
        header.before = before_;
        const Bytes frame = write_frame(keys_, header, head, plain);
        TRY(keep(object_->append(frame)));
        before_ = tag_at_end(frame);
        offset_ += frame.size();
        ++ordinal_;
        return ok();
    }

    /// A header and nothing else, durable before the first frame: so a bad header is damage, not a
    /// tear.
    Result<void> open_file(std::uint64_t begin) {
        const std::string object = log_object(name_, begin, access_.environment.random.hex(4));
        const Bytes header =
            write_log_header(access_.keys, object, begin, access_.new_salt(), keys_);
        auto created = access_.store.create_append(object);
        if (!created.has_value()) return keep(std::move(created).error());
        TRY(keep((*created)->append(header)));
        TRY(keep((*created)->sync()));
        object_ = std::move(*created);
        before_ = keys_.first;
        offset_ = log_header_size;
        ordinal_ = durable_ = 0;
        content_ = LogContent{};
        content_.end = begin;
        frames_.clear();
        file_marks_.clear();
        return ok();
    }

    /// Ends the file with what it holds; the next frame opens another.
    Result<void> close() {
        if (dirty_) {
            TRY(flush());  // may itself have closed the file
        }
        if (!object_) return ok();
        TRY(keep(object_->sync()));
        durable_ = ordinal_;
        const std::uint64_t offset = offset_;
        TRY(write(FrameKind::close, content_.end, write_close_head(content_),
                  write_close_data(frames_, file_marks_)));
        // The trailer after it is durable: where there is one, a bad close frame is damage and no
        // tear.
        TRY(keep(object_->sync()));
        TRY(keep(object_->append(write_log_trailer(keys_, offset))));
        TRY(keep(object_->sync()));
        object_.reset();
        return ok();
    }

    Access& access_;
    const LogName name_;
    std::uint64_t end_;
    std::uint64_t boundary_;
    Result<void> failure_;

    Bytes pending_;  ///< bytes of the next frame
    std::uint64_t pending_position_ = 0;
    std::vector<Mark> marks_;
    bool dirty_ = false;  ///< bytes, marks or a boundary wait for a frame

    std::unique_ptr<AppendObject> object_;  ///< the open file, and what it is sealed with
    LogKeys keys_;
    Tag before_{};
    std::uint64_t offset_ = 0;
    std::uint32_t ordinal_ = 0;
    std::uint32_t durable_ = 0;
    LogContent content_;
    std::vector<LogFrame> frames_;
    std::vector<Mark> file_marks_;
};

}  // namespace

Result<std::unique_ptr<LogWriter>> append_log(Access& access, LogCatalog& catalog,
                                              const LogName& name, std::uint64_t begin) {
    TRY(access.may_write());
    TRY(check_log_name(name));
    // What a killed writer left in the cache of the kernel counts as stored from here on, so it
    // must be.
    TRY(access.store.barrier());
    const auto files = TRY(catalog.files(log_folder(name)));
    LogStatus status = log_status(name, files);
    if (files.empty()) status.end = begin;
    return std::unique_ptr<LogWriter>(
        std::make_unique<Writer>(access, name, status.end, status.boundary));
}

}  // namespace lifeboat::vault
