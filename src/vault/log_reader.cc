#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"
#include "vault/log.h"

namespace lifeboat::vault {
namespace {

std::string describe(const LogName& name) {
    return fmt::format("log {}/{}/{}", name.component, name.lineage, name.branch);
}

using Files = std::vector<std::shared_ptr<LogFile>>;
struct Held {
    std::shared_ptr<LogFile> file;
    LogContent content;
};

/// Why [from, to) is not there: recorded gaps, and damage for the rest.
void explain_hole(std::uint64_t from, std::uint64_t to, const std::vector<Held>& held,
                  std::vector<Gap>& gaps) {
    const auto damaged = [&](std::uint64_t begin, std::uint64_t end) {
        std::string reason = "a log file is missing or cut off";
        for (const Held& item : held)
            for (const Gap& damage : item.content.damage)
                if (damage.from < end && begin <= std::max(damage.from, damage.to))
                    reason = damage.reason;
        gaps.push_back({begin, end, reason, true});
    };
    std::vector<Gap> recorded;
    for (const Held& item : held)
        for (const Gap& gap : item.content.gaps)
            if (gap.from < to && gap.to > from) recorded.push_back(gap);
    std::ranges::sort(recorded, {}, &Gap::from);
    for (Gap gap : recorded) {
        gap.from = std::max(gap.from, from);
        gap.to = std::min(gap.to, to);
        if (gap.from >= gap.to) continue;
        if (from < gap.from) damaged(from, gap.from);
        from = gap.to;
        gaps.push_back(std::move(gap));
    }
    if (from < to) damaged(from, to);
}

LogStatus status_of(const LogName& name, const std::vector<Held>& held) {
    LogStatus status;
    status.name = name;
    std::vector<Span> spans;
    std::uint64_t end = 0;
    for (const Held& item : held) {
        status.stored += item.content.size;
        std::ranges::copy(item.content.spans, std::back_inserter(spans));
        end = std::max(end, item.content.end);
        if (item.content.first && !status.first) status.first = item.content.first;
        if (item.content.last) status.last = item.content.last;
    }
    std::ranges::sort(spans, {}, &Span::from);
    if (!held.empty()) status.begin = held.front().content.begin;
    std::uint64_t at = status.begin;
    for (const Span& span : spans) {
        if (span.from > at) explain_hole(at, span.from, held, status.gaps);
        at = std::max(at, span.to);
    }
    // A gap that was recorded, with nothing behind it yet.
    if (end > at) explain_hole(at, end, held, status.gaps);
    status.end = std::max(end, at);
    for (const Held& item : held) {
        if (item.content.boundary <= status.end)
            status.boundary = std::max(status.boundary, item.content.boundary);
        for (const Gap& damage : item.content.damage)
            if (damage.from >= status.end)
                status.gaps.push_back({status.end, status.end, damage.reason, true});
    }
    return status;
}

std::vector<Held> hold(const Files& files) {
    std::vector<Held> held;
    for (const auto& file : files) held.push_back({file, file->content()});
    return held;
}

class Reader final : public LogReader {
public:
    Reader(const LogName& name, const Files& files)
        : held_(hold(files)), status_(status_of(name, held_)) {}

    const LogStatus& status() const override { return status_; }

    Result<void> read(std::uint64_t position, std::span<std::byte> out) override {
        while (!out.empty()) {
            std::uint64_t until = position + out.size();
            std::vector<LogFile*> sources;
            for (const Held& item : held_)
                for (const Span& span : item.content.spans) {
                    if (span.from <= position && position < span.to) {
                        sources.push_back(item.file.get());
                        until = std::min(until, span.to);
                    } else if (span.from > position) {
                        until = std::min(until, span.from);
                    }
                }
            if (sources.empty()) return absent(position);
            const auto part = out.first(until - position);
            TRY(sources.front()->read(position, part));
            for (std::size_t i = 1; i < sources.size(); ++i)
                TRY(compare(*sources.front(), *sources[i], position, part));
            out = out.subspan(part.size());
            position = until;
        }
        return ok();
    }

    std::optional<Mark> mark_before(Instant time) const override {
        std::optional<Mark> best;
        for (const Held& item : held_) {
            if (!item.content.latest) continue;
            if (*item.content.latest <= time) {
                best = item.content.last;
                continue;
            }
            const auto found = item.file->mark_before(time);
            if (found.has_value() && *found) best = *found;
            break;
        }
        return best;
    }

    std::optional<Mark> mark_with_label(const std::string& label) const override {
        for (auto item = held_.rbegin(); item != held_.rend(); ++item) {
            const auto found = item->file->mark_with_label(label);
            if (found.has_value() && *found) return *found;
        }
        return std::nullopt;
    }

private:
    /// Two writers, or one that was started again, stored these bytes: they must be the same.
    static Result<void> compare(const LogFile& one, LogFile& other, std::uint64_t position,
                                std::span<const std::byte> bytes) {
        Bytes again(bytes.size());
        TRY(other.read(position, again));
        if (std::ranges::equal(again, bytes)) return ok();
        const auto at = std::ranges::mismatch(again, bytes).in1 - again.begin();
        return corrupt(fmt::format("log files '{}' and '{}' differ at position {}", one.object(),
                                   other.object(), position + static_cast<std::uint64_t>(at)));
    }

    Error absent(std::uint64_t position) const {
        const std::string log = describe(status_.name);
        for (const Gap& gap : status_.gaps) {
            const bool within = gap.from <= position && position < gap.to;
            const bool behind = gap.from == gap.to && position >= gap.from;
            if (!within && !behind) continue;
            if (gap.damaged)
                return corrupt(
                    fmt::format("{}: position {} cannot be read: {}", log, position, gap.reason));
            return not_found(fmt::format("{}: position {} lies in the gap from {} to {}: {}", log,
                                         position, gap.from, gap.to, gap.reason),
                             "Nothing can be restored across a gap: choose a point behind it, or a "
                             "time before it.");
        }
        return not_found(fmt::format("{}: position {} is not there, it holds {} to {}", log,
                                     position, status_.begin, status_.end));
    }

    const std::vector<Held> held_;
    const LogStatus status_;
};

}  // namespace

Result<void> check_log_name(const LogName& name) {
    if (is_name(name.component) && is_name(name.lineage)) return ok();
    return invalid(fmt::format("not a name of a log: '{}/{}'", name.component, name.lineage));
}

Result<Files> LogCatalog::files(const std::string& prefix) {
    const auto objects = TRY(access_.store.list(prefix));
    Files found;
    for (const ObjectInfo& object : objects) {
        const auto parsed = parse_log_object(object.name);
        if (!parsed) continue;
        std::shared_ptr<LogFile> file;
        {
            const MutexLock lock(mutex_);
            auto& known = files_[object.name];
            if (!known) known = std::make_shared<LogFile>(access_, object.name, parsed->begin);
            file = known;
        }
        auto refreshed = file->refresh(object.size);
        if (refreshed.has_value())
            found.push_back(std::move(file));
        else if (refreshed.error().kind != ErrorKind::not_found)  // else: pruned meanwhile
            return std::move(refreshed).error();
    }
    // What was pruned need not be remembered.
    const MutexLock lock(mutex_);
    std::erase_if(files_, [&](const auto& known) {
        return known.first.starts_with(prefix) &&
               !std::ranges::binary_search(objects, known.first, {}, &ObjectInfo::name);
    });
    return found;
}

LogStatus log_status(const LogName& name, const Files& files) {
    return status_of(name, hold(files));
}

Result<std::unique_ptr<LogReader>> open_log(LogCatalog& catalog, const LogName& name) {
    TRY(check_log_name(name));
    const Files files = TRY(catalog.files(log_folder(name)));
    if (files.empty()) return not_found(fmt::format("no {} in the vault", describe(name)));
    return std::unique_ptr<LogReader>(std::make_unique<Reader>(name, files));
}

Result<std::vector<LogStatus>> list_logs(LogCatalog& catalog, const std::string& component) {
    const Files files =
        TRY(catalog.files(component.empty() ? "logs/" : fmt::format("logs/{}/", component)));
    std::map<LogName, Files> by_name;
    for (const auto& file : files)
        if (const auto parsed = parse_log_object(file->object()))
            by_name[parsed->name].push_back(file);
    std::vector<LogStatus> logs;
    for (const auto& [name, own] : by_name) logs.push_back(log_status(name, own));
    return logs;
}

}  // namespace lifeboat::vault
