#include "providers/postgres/target.h"

#include <fmt/core.h>

#include <algorithm>

#include "providers/postgres/wal_parser.h"

namespace lifeboat::postgres {
namespace {

/// A position on a path of timelines: the later timeline is always further.
struct Place {
    Timeline timeline = 0;
    Lsn lsn = 0;
    std::optional<Instant> at;
};

/// Where a path's timeline begins: its parent's end.
Lsn begin_of(const History& path, Timeline timeline) {
    Lsn begin = 0;
    for (const Ancestor& ancestor : path.ancestors) {
        if (ancestor.timeline == timeline) return begin;
        begin = ancestor.end;
    }
    return begin;
}

/// True when `base` lies on the path, before it was left.
bool is_on(const History& path, const Base& base) {
    const auto end = path.end_of(base.timeline);
    return end && base.stop <= *end;
}

/// Not before the base backup is consistent, and not beyond what is unbroken from there.
bool covers(const History& path, const Base& base, const Reach& unbroken, const Place& place) {
    const bool after =
        place.timeline == base.timeline
            ? place.lsn >= base.stop
            : begin_of(path, place.timeline) >= base.stop && place.timeline > base.timeline;
    const bool within = place.timeline == unbroken.timeline ? place.lsn <= unbroken.until
                                                            : place.timeline < unbroken.timeline;
    // The backup's own end counts even when the log says nothing of it yet.
    return after && within && unbroken.until >= base.stop;
}

bool is_further(const Reach& a, const Reach& b) {
    return a.timeline != b.timeline ? a.timeline > b.timeline : a.until > b.until;
}

struct Usable {
    const Base* base = nullptr;
    Reach unbroken;
};

/// Every base backup of the path with how far one gets from it, oldest first.
std::vector<Usable> usable_bases(const Holdings& holdings, const History& path) {
    std::vector<Usable> all;
    for (const Base& base : holdings.bases)
        if (is_on(path, base))
            all.push_back({&base, reach(holdings, path, base.timeline, base.start)});
    return all;
}

/// "…; possible is 0/3000148 (2026-…)": what to do instead, from the furthest that can be reached.
std::string alternatives(const std::vector<Usable>& bases) {
    const Usable* best = nullptr;
    for (const Usable& usable : bases) {
        if (usable.unbroken.until < usable.base->stop) continue;
        if (best == nullptr || is_further(usable.unbroken, best->unbroken)) best = &usable;
    }
    if (best == nullptr)
        return "No base backup has the WAL that it needs; take a new one with `lifeboat backup`.";
    const std::string end = format_lsn(best->unbroken.until);
    return fmt::format("Possible is anything from {} to {}: `--to {}` is the furthest.",
                       format_lsn(best->base->stop), end, end);
}

Error all_are_bad(const Usable& bad, const Place& place) {
    const providers::Verdict& verdict = *bad.base->against(place.lsn);
    return conflict(
        fmt::format("every way to {} was found bad: {} ({}, {})", format_lsn(place.lsn),
                    verdict.why, bad.base->point.id.value, verdict.id),
        fmt::format("Go back further (`lifeboat points`), or take it all the same with `--to {}`.",
                    format_lsn(place.lsn)));
}

Result<Choice> finish(const History& path, const std::vector<Usable>& bases, const Place& place,
                      Bad bad = Bad::refused) {
    const Usable* chosen = nullptr;
    const Usable* condemned = nullptr;
    for (const Usable& usable : bases) {
        if (!covers(path, *usable.base, usable.unbroken, place)) continue;
        (usable.base->against(place.lsn) == nullptr ? chosen : condemned) = &usable;
    }
    if (chosen == nullptr && condemned != nullptr) {
        if (bad == Bad::refused) return all_are_bad(*condemned, place);
        chosen = condemned;
    }
    if (chosen == nullptr) {
        std::string why = "no base backup ended before it";
        for (const Usable& usable : bases)
            if (!usable.unbroken.stopped_by.empty()) why = usable.unbroken.stopped_by;
        return conflict(fmt::format("{} of timeline {} cannot be reached: {}",
                                    format_lsn(place.lsn), place.timeline, why),
                        alternatives(bases));
    }
    Choice choice{*chosen->base, place.timeline, place.lsn, place.at, {}};
    for (const Timeline timeline : path.path()) {
        if (timeline < choice.base.timeline || timeline > place.timeline) continue;
        choice.stretches.push_back(
            {timeline, timeline == place.timeline ? place.lsn : *path.end_of(timeline)});
    }
    return choice;
}

Result<Place> latest(WalIndex& index, const std::vector<Usable>& bases) {
    const Usable* best = nullptr;
    for (const Usable& usable : bases)
        if (best == nullptr || is_further(usable.unbroken, best->unbroken)) best = &usable;
    if (best == nullptr)
        return not_found("the vault holds no base backup of this database",
                         "Take one with `lifeboat backup`.");
    const Reach& reached = best->unbroken;
    if (!reached.complete)
        return conflict(fmt::format("the newest WAL cannot be reached: {}", reached.stopped_by),
                        alternatives(bases));
    Place place{reached.timeline, std::max(reached.until, best->base->stop), std::nullopt};
    // Ignored: without a mark the time is simply not known.
    const auto mark = index.mark_before(place.timeline, Instant::max());
    if (mark.has_value() && *mark && (*mark)->position <= place.lsn) place.at = (*mark)->at;
    return place;
}

Result<Place> place_of_time(const Holdings& holdings, const History& path, WalIndex& index,
                            const std::vector<Usable>& bases, Instant time) {
    const std::vector<Timeline> timelines = path.path();
    for (auto timeline = timelines.rbegin(); timeline != timelines.rend(); ++timeline) {
        if (!holdings.logs.contains(*timeline)) continue;
        const auto mark = TRY(index.mark_before(*timeline, time));
        if (!mark) continue;
        const Lsn begin = begin_of(path, *timeline), end = *path.end_of(*timeline);
        if (mark->position <= begin) continue;  // repeated from the parent
        return Place{*timeline, std::min<Lsn>(mark->position, end), mark->at};
    }
    // No transaction before: the newest base backup that had ended by then.
    for (auto usable = bases.rbegin(); usable != bases.rend(); ++usable)
        if (usable->base->point.ended <= time)
            return Place{usable->base->timeline, usable->base->stop, usable->base->point.ended};
    return conflict(fmt::format("nothing in the vault is as old as {}", format_instant(time)),
                    alternatives(bases));
}

/// The base backup that a time falls into: its WAL is known before it is consistent.
Result<Choice> choose_time(const Holdings& holdings, const History& path, WalIndex& index,
                           const std::vector<Usable>& bases, Instant time, Instant now, Bad bad) {
    if (time > now)
        return invalid(fmt::format("{} lies in the future", format_instant(time)),
                       "Use `--to latest` for the newest state.");
    const Place place = TRY(place_of_time(holdings, path, index, bases, time));
    return finish(path, bases, place, bad);
}

Result<Choice> choose_lsn(const History& path, WalIndex& index, const std::vector<Usable>& bases,
                          Lsn lsn) {
    const std::vector<Timeline> timelines = path.path();
    Place place{timelines.front(), lsn, std::nullopt};
    for (const Timeline timeline : timelines)
        if (lsn > begin_of(path, timeline)) place.timeline = timeline;
    // The bytes are there: now the record's end can be looked for.
    TRY(finish(path, bases, place, Bad::accepted));
    place.lsn = TRY(index.boundary_at(place.timeline, lsn));
    return finish(path, bases, place, Bad::accepted);
}

Result<std::optional<Choice>> choose_label(const History& path, WalIndex& index,
                                           const Holdings& holdings,
                                           const std::vector<Usable>& bases,
                                           const std::string& label, Bad bad) {
    for (const Timeline timeline : path.path()) {
        if (!holdings.logs.contains(timeline)) continue;
        const auto mark = TRY(index.mark_with_label(timeline, label));
        if (!mark || mark->position > *path.end_of(timeline)) continue;
        const Choice choice = TRY(finish(path, bases, {timeline, mark->position, mark->at}, bad));
        return std::optional<Choice>(choice);
    }
    return std::optional<Choice>();
}

}  // namespace

Result<Choice> choose(const Holdings& holdings, WalIndex& index, const std::string& to, Instant now,
                      Bad bad) {
    for (const Base& base : holdings.bases) {
        if (base.point.id.value != to) continue;
        const auto path = holdings.history(base.timeline);
        if (!path)
            return corrupt(
                fmt::format("the history of timeline {} is not in the vault", base.timeline));
        const Usable only{&base, reach(holdings, *path, base.timeline, base.start)};
        return finish(*path, {only}, {base.timeline, base.stop, base.point.ended}, Bad::accepted);
    }
    const auto path = holdings.tip();
    if (!path)
        return not_found(
            fmt::format("the vault holds nothing of '{}' to restore", holdings.component),
            "Take a base backup with `lifeboat backup`.");
    const std::vector<Usable> bases = usable_bases(holdings, *path);
    if (to.empty() || to == "latest") {
        const Place place = TRY(latest(index, bases));
        return finish(*path, bases, place, bad);
    }
    if (looks_like_lsn(to)) {
        const Lsn lsn = TRY(parse_lsn(to));
        return choose_lsn(*path, index, bases, lsn);
    }
    if (const auto time = parse_instant(to); time.has_value())
        return choose_time(holdings, *path, index, bases, *time, now, bad);
    const auto labelled = TRY(choose_label(*path, index, holdings, bases, to, bad));
    if (labelled) return *labelled;
    return invalid(
        fmt::format("'{}' is no recovery point of '{}'", to, holdings.component),
        "Use `latest`, a time (2026-11-23T11:06:43Z), an LSN (0/3000148), the id of a point or the "
        "name of a restore point; `lifeboat points` lists them.");
}

namespace {

void judge(providers::RecoveryPoint& point, const providers::Verdict& verdict) {
    point.verdict = verdict.bad ? "bad" : "proven";
    point.verified_at = verdict.at;
    point.verdict_why = verdict.why;
    if (!verdict.bad) point.proven_as_of = verdict.as_of;
}

providers::RecoveryPoint point_of(const Base& base, const Reach& unbroken, bool on_path) {
    providers::RecoveryPoint point;
    point.id = base.point.id.value;
    point.method = "base";
    point.at = base.point.ended;
    point.position = format_lsn(base.stop);
    point.size = base.point.size;
    point.identity = Json{{"system_identifier", fmt::format("{}", base.system_identifier)},
                          {"timeline", base.timeline}};
    if (!on_path) {
        point.problem =
            fmt::format("the history of timeline {} is not in the vault", base.timeline);
    } else if (unbroken.until < base.stop) {
        point.problem = unbroken.stopped_by.empty()
                            ? fmt::format("WAL ends at {}, the backup needs it up to {}",
                                          format_lsn(unbroken.until), format_lsn(base.stop))
                            : unbroken.stopped_by;
    }
    if (!base.verdicts.empty()) judge(point, base.verdicts.back());
    if (point.verdict == "bad" && base.against(base.stop) == nullptr)
        point.verdict_why =
            fmt::format("from {} on: {}", base.verdicts.back().position, point.verdict_why);
    if (const providers::Verdict* against = base.against(base.stop)) judge(point, *against);
    return point;
}

Lsn reached(const providers::Verdict& verdict) { return parse_lsn(verdict.position).value_or(0); }

/// What is known of a range's newest end: bad when every way there is, else how far any was proven.
void judge_range(const std::vector<Usable>& bases, const Usable& range,
                 providers::RecoveryPoint& point) {
    const providers::Verdict *bad = nullptr, *proven = nullptr;
    bool some_good = false;
    for (const Usable& usable : bases) {
        const bool same = usable.unbroken.timeline == range.unbroken.timeline &&
                          usable.unbroken.until == range.unbroken.until;
        if (!same) continue;
        if (const providers::Verdict* against = usable.base->against(range.unbroken.until)) {
            bad = against;
            continue;
        }
        some_good = true;
        for (const providers::Verdict& verdict : usable.base->verdicts)
            if (!verdict.bad && (proven == nullptr || reached(verdict) >= reached(*proven)))
                proven = &verdict;
    }
    if (!some_good && bad != nullptr) {
        judge(point, *bad);
    } else if (proven != nullptr) {
        point.proven_as_of = proven->as_of;
        // What came after it is as unproven as before.
        if (reached(*proven) < range.unbroken.until)
            point.proven_to = proven->position;
        else
            judge(point, *proven);
    }
}

}  // namespace

Result<std::vector<providers::RecoveryPoint>> list_points(const Holdings& holdings,
                                                          WalIndex& index) {
    std::vector<providers::RecoveryPoint> points;
    for (const Base& base : holdings.bases) {
        const auto path = holdings.history(base.timeline);
        const Reach unbroken = path ? reach(holdings, *path, base.timeline, base.start) : Reach{};
        points.push_back(point_of(base, unbroken, path.has_value()));
    }
    const auto path = holdings.tip();
    if (!path) return points;
    // Bases that reach equally far make one range, which begins with the oldest of them.
    const std::vector<Usable> bases = usable_bases(holdings, *path);
    std::vector<Usable> ranges;
    for (const Usable& usable : bases) {
        if (usable.unbroken.until < usable.base->stop) continue;
        const auto same = [&](const Usable& range) {
            return range.unbroken.timeline == usable.unbroken.timeline &&
                   range.unbroken.until == usable.unbroken.until;
        };
        if (std::none_of(ranges.begin(), ranges.end(), same)) ranges.push_back(usable);
    }
    for (const Usable& range : ranges) {
        providers::RecoveryPoint point;
        point.id = range.unbroken.complete ? "latest" : format_lsn(range.unbroken.until);
        point.method = "continuous";
        point.from = range.base->point.ended;
        point.at = range.base->point.ended;
        if (holdings.logs.contains(range.unbroken.timeline)) {
            const auto mark = TRY(index.mark_before(range.unbroken.timeline, Instant::max()));
            if (mark && mark->position <= range.unbroken.until)
                point.at = std::max(point.at, mark->at);
        }
        point.position = format_lsn(range.unbroken.until);
        point.size = range.base->point.size;
        point.identity = Json{{"system_identifier", fmt::format("{}", holdings.system_identifier)},
                              {"timeline", range.unbroken.timeline}};
        judge_range(bases, range, point);
        points.push_back(std::move(point));
    }
    return points;
}

Result<vault::LogReader*> VaultWalIndex::reader(Timeline timeline) {
    const auto held = readers_.find(timeline);
    if (held != readers_.end()) return held->second.get();
    auto opened = TRY(vault_.open_log(
        {holdings_.component, fmt::format("{}", holdings_.system_identifier), timeline}));
    return readers_.emplace(timeline, std::move(opened)).first->second.get();
}

Result<std::optional<vault::Mark>> VaultWalIndex::mark_before(Timeline timeline, Instant time) {
    vault::LogReader* log = TRY(reader(timeline));
    return log->mark_before(time);
}

Result<std::optional<vault::Mark>> VaultWalIndex::mark_with_label(Timeline timeline,
                                                                  const std::string& label) {
    vault::LogReader* log = TRY(reader(timeline));
    return log->mark_with_label(label);
}

Result<Lsn> VaultWalIndex::boundary_at(Timeline timeline, Lsn lsn) {
    vault::LogReader* log = TRY(reader(timeline));
    const vault::LogStatus& status = log->status();
    // The format's other sizes are checked again by the parser's page headers; 8 KiB pages are the
    // rule.
    const WalFormat format{holdings_.system_identifier, holdings_.segment_size, 8192};
    const Lsn until = std::min(lsn, status.end);
    // Usually the segment that holds the position holds a record's end as well; else begin further
    // back.
    Lsn begin =
        std::max(status.begin, segment_start(until == 0 ? 0 : until - 1, format.segment_size));
    while (true) {
        WalParser parser = WalParser::at_page(format, begin);
        std::vector<vault::Mark> marks;
        Bytes piece;
        while (parser.position() < until) {
            piece.resize(
                static_cast<std::size_t>(std::min<Lsn>(1U << 20U, until - parser.position())));
            TRY(log->read(parser.position(), piece));
            TRY(parser.feed(piece, marks));
            marks.clear();
        }
        if (parser.boundary() != 0) return parser.boundary();
        if (begin == status.begin)
            return not_found(fmt::format("no record ends between {} and {}", format_lsn(begin),
                                         format_lsn(lsn)));
        begin = std::max(status.begin, begin - format.segment_size);
    }
}

}  // namespace lifeboat::postgres
