#include "providers/postgres/holdings.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

std::optional<std::uint64_t> identifier_from(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// A point that this provider made; nothing for others.
std::optional<Base> base_of(const vault::Point& point) {
    if (point.method != "base") return std::nullopt;
    const auto identifier = identifier_from(string_or(point.facts, "system_identifier", ""));
    const auto start = parse_lsn(string_or(point.facts, "start_lsn", ""));
    const auto stop = parse_lsn(string_or(point.facts, "stop_lsn", ""));
    const auto timeline = integer_or(point.facts, "timeline", 0);
    const auto segment = integer_or(point.facts, "wal_segment_size", 0);
    if (!identifier || !start.has_value() || !stop.has_value() || timeline <= 0 ||
        !is_segment_size(static_cast<std::uint64_t>(segment)))
        return std::nullopt;
    return Base{point,  *identifier, static_cast<Timeline>(timeline),
                *start, *stop,       static_cast<std::uint32_t>(segment)};
}

/// The identifier with the newest backup or WAL.
std::optional<std::uint64_t> newest_cluster(const std::vector<Base>& bases,
                                            const std::vector<vault::LogStatus>& logs) {
    std::optional<std::uint64_t> newest;
    Instant newest_at{};
    const auto take = [&](std::optional<std::uint64_t> identifier, Instant at) {
        if (!identifier || (newest && at < newest_at)) return;
        newest = identifier;
        newest_at = at;
    };
    for (const auto& log : logs)
        take(identifier_from(log.name.lineage), log.last ? log.last->at : Instant{});
    for (const auto& base : bases) take(base.system_identifier, base.point.ended);
    return newest;
}

/// The first gap at or after `from`.
const vault::Gap* next_gap(const vault::LogStatus& log, Lsn from) {
    const vault::Gap* next = nullptr;
    for (const vault::Gap& gap : log.gaps)
        if (gap.to > from && (next == nullptr || gap.from < next->from)) next = &gap;
    return next;
}

/// True when the log has anything at or after `position`.
bool holds_wal(const Holdings& holdings, Timeline timeline, Lsn position = 0) {
    const auto log = holdings.logs.find(timeline);
    return log != holdings.logs.end() && log->second.end > log->second.begin &&
           log->second.end >= position;
}

}  // namespace

const providers::Verdict* Base::against(Lsn end) const {
    Lsn cleared = 0;
    for (auto verdict = verdicts.rbegin(); verdict != verdicts.rend(); ++verdict) {
        const Lsn at = parse_lsn(verdict->position).value_or(0);
        if (!verdict->bad) {
            cleared = std::max(cleared, at);
        } else if (at > cleared && at <= end) {
            return &*verdict;
        }
    }
    return nullptr;
}

std::optional<History> Holdings::history(Timeline timeline) const {
    if (timeline == 1) return History{};
    const auto found = histories.find(timeline);
    if (found == histories.end()) return std::nullopt;
    return found->second;
}

std::optional<History> Holdings::tip() const {
    std::vector<Timeline> timelines;
    for (const auto& [timeline, log] : logs)
        if (log.end > log.begin) timelines.push_back(timeline);
    for (const Base& base : bases) timelines.push_back(base.timeline);
    std::sort(timelines.rbegin(), timelines.rend());
    for (const Timeline timeline : timelines)
        if (auto known = history(timeline)) return known;
    return std::nullopt;
}

Reach reach(const Holdings& holdings, const History& path, Timeline timeline, Lsn from) {
    const std::vector<Timeline> timelines = path.path();
    auto at = std::find(timelines.begin(), timelines.end(), timeline);
    Lsn position = from;
    while (at != timelines.end()) {
        const auto log = holdings.logs.find(*at);
        if (!holds_wal(holdings, *at))
            return {*at, position, std::next(at) == timelines.end(),
                    fmt::format("the vault holds no WAL of timeline {}", *at)};
        const vault::LogStatus& status = log->second;
        if (status.begin > position)
            return {*at, position, false,
                    fmt::format("WAL of timeline {} before {} is not in the vault", *at,
                                format_lsn(status.begin))};
        const Lsn ends = *path.end_of(*at);
        const vault::Gap* gap = next_gap(status, position);
        const auto child = std::next(at);
        // The first segment of a child repeats what its parent had in it.
        Lsn handover = ends;
        if (child != timelines.end() && holds_wal(holdings, *child, ends))
            handover = std::min(ends, std::max(holdings.logs.at(*child).begin, position));
        if (gap != nullptr && gap->from < handover)
            return {*at, gap->from, false,
                    fmt::format("WAL of timeline {} from {} to {} is lost ({})", *at,
                                format_lsn(gap->from), format_lsn(gap->to), gap->reason)};
        const bool last = child == timelines.end() || !holds_wal(holdings, *child, ends);
        if (last && status.end < ends) return {*at, std::max(status.boundary, position), true, {}};
        if (status.end < handover)
            return {*at, std::max(status.boundary, position), false,
                    fmt::format("WAL of timeline {} ends at {}, but it was left at {}", *at,
                                format_lsn(status.boundary), format_lsn(ends))};
        if (last) return {*at, ends, true, {}};
        at = child;
        position = ends;
    }
    return {timeline, from, false, fmt::format("timeline {} is a branch that was left", timeline)};
}

std::string history_document(std::uint64_t system_identifier, Timeline timeline) {
    return fmt::format("pg/{}/{}", system_identifier, history_name(timeline));
}

Result<Holdings> load_holdings(vault::Vault& vault, const std::string& component,
                               std::optional<std::uint64_t> system_identifier) {
    Holdings holdings;
    holdings.component = component;
    std::vector<Base> bases;
    const std::vector<vault::Point> points = TRY(vault.points(component));
    for (const vault::Point& point : points)
        if (auto base = base_of(point)) bases.push_back(std::move(*base));
    const std::vector<vault::LogStatus> logs = TRY(vault.logs(component));
    const auto cluster = system_identifier ? system_identifier : newest_cluster(bases, logs);
    if (!cluster) return holdings;
    holdings.system_identifier = *cluster;
    providers::Verdicts verdicts = TRY(providers::load_verdicts(vault, component, points));
    for (Base& base : bases) {
        if (base.system_identifier != *cluster) continue;
        base.verdicts = std::move(verdicts[base.point.id.value]);
        holdings.segment_size = base.segment_size;
        holdings.bases.push_back(std::move(base));
    }
    const std::string lineage = fmt::format("{}", *cluster);
    for (const vault::LogStatus& log : logs)
        if (log.name.lineage == lineage) holdings.logs.emplace(log.name.branch, log);
    const std::string prefix = fmt::format("pg/{}/", *cluster);
    const std::vector<std::string> documents = TRY(vault.documents(component));
    for (const std::string& name : documents) {
        if (!name.starts_with(prefix)) continue;
        const auto file = parse_wal_file(name.substr(prefix.size()), holdings.segment_size);
        if (!file.has_value() || file->kind != WalFile::Kind::history) continue;
        const Bytes text = TRY(vault.get_document(component, name));
        holdings.histories[file->timeline] = TRY(parse_history(file->timeline, as_text(text)));
    }
    return holdings;
}

}  // namespace lifeboat::postgres
