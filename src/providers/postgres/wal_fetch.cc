#include "providers/postgres/wal_fetch.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

constexpr std::size_t piece_size = 1U << 20U;

/// A draft beside the destination, renamed when it is whole.
class Draft {
public:
    Draft(Files& files, const Path& destination)
        : files_(files), destination_(destination), path_(destination.string() + ".lifeboat") {}
    Result<void> open() {
        file_ = TRY(files_.open(path_, OpenMode::create_or_empty));
        return ok();
    }
    File& file() { return *file_; }
    Result<void> finish(std::optional<RunAs> owner) {
        file_.reset();
        if (owner) TRY(files_.set_owner(path_, owner->uid, owner->gid));
        return files_.rename(path_, destination_);
    }

private:
    Files& files_;
    Path destination_, path_;
    std::unique_ptr<File> file_;
};

}  // namespace

std::string format_stretches(const std::vector<Stretch>& stretches) {
    std::vector<std::string> parts;
    for (const Stretch& stretch : stretches)
        parts.push_back(fmt::format("{}@{}", stretch.timeline, format_lsn(stretch.end)));
    return join(parts, ",");
}

Result<std::vector<Stretch>> parse_stretches(std::string_view text) {
    std::vector<Stretch> stretches;
    for (const std::string_view part : split(text, ',')) {
        const auto at = part.find('@');
        const auto timeline = parse_integer(part.substr(0, at));
        if (at == part.npos || !timeline || *timeline <= 0 || *timeline > UINT32_MAX)
            return invalid(fmt::format("'{}' is no stretch of WAL", part),
                           "Write TIMELINE@LSN, as 1@0/3000148.");
        const Lsn end = TRY(parse_lsn(part.substr(at + 1)));
        stretches.push_back({static_cast<Timeline>(*timeline), end});
    }
    return stretches;
}

Result<vault::LogReader*> WalSource::reader(Timeline timeline) {
    const auto held = readers_.find(timeline);
    if (held != readers_.end()) return held->second.get();
    auto opened = vault_.open_log(
        {request_.component, fmt::format("{}", request_.system_identifier), timeline});
    if (!opened.has_value() && opened.error().kind != ErrorKind::not_found) return opened.error();
    std::unique_ptr<vault::LogReader> log;
    if (opened.has_value()) log = std::move(*opened);
    return readers_.emplace(timeline, std::move(log)).first->second.get();
}

Result<std::optional<Lsn>> WalSource::end_within(const WalFile& segment) {
    const auto& stretches = request_.stretches;
    const auto stretch = std::find_if(stretches.begin(), stretches.end(), [&](const Stretch& s) {
        return s.timeline == segment.timeline;
    });
    if (stretch == stretches.end() || segment.begin >= stretch->end) return std::optional<Lsn>();
    const Lsn end = std::min(stretch->end, segment.begin + request_.segment_size);
    if (end < segment.begin + request_.segment_size && std::next(stretch) != stretches.end()) {
        // The segment in which a timeline was left belongs to its child, which repeats the
        // beginning.
        const vault::LogReader* child = TRY(reader(std::next(stretch)->timeline));
        if (child != nullptr && child->status().begin <= segment.begin) return std::optional<Lsn>();
    }
    const vault::LogReader* log = TRY(reader(segment.timeline));
    if (log == nullptr || log->status().begin > segment.begin) return std::optional<Lsn>();
    return std::optional<Lsn>(end);
}

Result<std::vector<WalFile>> WalSource::segments(Timeline timeline, Lsn from) {
    std::vector<WalFile> needed;
    Lsn begin = segment_start(from, request_.segment_size);
    for (const Stretch& stretch : request_.stretches) {
        if (stretch.timeline < timeline) continue;
        for (; begin < stretch.end; begin += request_.segment_size) {
            const WalFile segment{WalFile::Kind::segment, stretch.timeline, begin};
            const auto end = TRY(end_within(segment));
            if (end) needed.push_back(segment);
        }
        // The child begins in the segment in which this timeline was left.
        begin = segment_start(stretch.end, request_.segment_size);
    }
    return needed;
}

Result<bool> WalSource::fetch_history(Files& files, const std::string& name, Timeline timeline,
                                      const Path& destination, std::optional<RunAs> owner) {
    const auto text = vault_.get_document(request_.component,
                                          history_document(request_.system_identifier, timeline));
    if (!text.has_value()) {
        if (text.error().kind == ErrorKind::not_found) return false;
        return Error(text.error()).in(name);
    }
    Draft draft(files, destination);
    TRY(draft.open());
    TRY(draft.file().append(*text));
    TRY(draft.finish(owner));
    return true;
}

Result<bool> WalSource::fetch(Files& files, const std::string& name, const Path& destination,
                              std::optional<RunAs> owner) {
    const WalFile wanted = TRY(parse_wal_file(name, request_.segment_size));
    if (wanted.kind == WalFile::Kind::other) return false;
    if (wanted.kind == WalFile::Kind::history)
        return fetch_history(files, name, wanted.timeline, destination, owner);
    const auto end = TRY(end_within(wanted));
    if (!end) return false;
    vault::LogReader* log = TRY(reader(wanted.timeline));
    Draft draft(files, destination);
    TRY(draft.open());
    Bytes piece;
    for (Lsn at = wanted.begin; at < *end; at += piece.size()) {
        piece.resize(static_cast<std::size_t>(std::min<Lsn>(piece_size, *end - at)));
        auto read = log->read(at, piece);
        if (!read.has_value()) return Error(read.error()).in(name);
        TRY(draft.file().append(piece));
    }
    // Zeros behind the target: there is no record to replay, and the size is what a server insists
    // on.
    TRY(draft.file().truncate(request_.segment_size));
    TRY(draft.finish(owner));
    return true;
}

Result<bool> fetch_wal(vault::Vault& vault, Files& files, const FetchRequest& request,
                       const std::string& name, const Path& destination) {
    return WalSource(vault, request).fetch(files, name, destination);
}

}  // namespace lifeboat::postgres
