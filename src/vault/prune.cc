#include "vault/prune.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "vault/avoid.h"
#include "vault/index.h"
#include "vault/session.h"
#include "vault/verify.h"

namespace lifeboat::vault {
namespace {

class Prune {
public:
    Prune(Access& access, History& history, LogCatalog& logs, const Context& context,
          Duration grace, bool dry_run)
        : access_(access),
          history_(history),
          logs_(logs),
          context_(context),
          grace_(grace),
          dry_run_(dry_run),
          now_(access.environment.clock.now()) {}

    Result<PruneReport> run(const PruneRule& rule) {
        if (!dry_run_) TRY(begin());
        auto points = TRY(known_points());
        const std::vector<Point> expired = expired_points(points, rule, now_);
        TRY(remove_points(expired));
        std::erase_if(points, [&](const Point& point) {
            return std::ranges::find(expired, point.id, &Point::id) != expired.end();
        });
        TRY(remove_logs(points, rule));
        TRY(sweep());
        return std::move(report_);
    }

private:
    /// Errors: conflict (another prune is at work).
    Result<void> begin() {
        TRY(access_.may_write());
        session_ = TRY(Session::begin(access_, "prune"));
        const auto sessions = TRY(list_sessions(access_));
        for (const SessionInfo& other : sessions)
            if (other.kind == "prune" && other.alive && other.object != session_->object())
                return conflict(fmt::format("another prune is at work ('{}')", other.object),
                                "Wait for it; if it was killed, an hour must pass.");
        return ok();
    }

    /// Errors: corrupt (a damaged manifest: nobody knows what it needs).
    Result<std::vector<Point>> known_points() {
        std::vector<Finding> damaged;
        auto points = TRY(history_.points(&damaged));
        if (damaged.empty()) return points;
        return corrupt(
            fmt::format("nothing is pruned while {}", damaged.front().what),
            "Bring that object back from a copy of the vault, or remove it if its point is "
            "given up.");
    }

    Result<void> remove_points(const std::vector<Point>& expired) {
        if (expired.empty()) return ok();
        for (const Point& point : expired) report_.removed.push_back(point.id);
        auto recorded = history_.pruned();
        if (!recorded.has_value() && recorded.error().kind != ErrorKind::corrupt)
            return std::move(recorded).error();
        Pruned gone = recorded.has_value() ? std::move(*recorded) : Pruned{};
        for (const Point& point : expired) {
            const std::string object = manifest_object(point.sequence);
            const Bytes bytes = TRY(access_.store.get(object));
            gone.above[point.sequence] = crypto::sha256(bytes);
            TRY(count(object, bytes.size()));
        }
        if (dry_run_) return ok();
        // What has become a stretch from the beginning needs no list.
        for (auto first = gone.above.begin();
             first != gone.above.end() && first->first <= gone.floor + 1;
             first = gone.above.erase(first)) {
            gone.floor = std::max(gone.floor, first->first);
            gone.floor_hash = first->second;
        }
        // The record first: a hole in the chain that nobody explains is an alarm.
        TRY(history_.put_pruned(gone));
        for (const Point& point : expired) TRY(remove(manifest_object(point.sequence)));
        return ok();
    }

    /// Log files that lie wholly before what every kept point needs. The last file of a log stays.
    Result<void> remove_logs(const std::vector<Point>& kept, const PruneRule& rule) {
        const auto objects = TRY(access_.store.list("logs/"));
        const auto files = TRY(logs_.files("logs/"));
        std::map<std::string, const ObjectInfo*> infos;
        for (const ObjectInfo& object : objects) infos[object.name] = &object;
        for (std::size_t i = 0; i < files.size(); ++i) {
            TRY(context_.check("pruning the vault"));
            const auto parsed = parse_log_object(files[i]->object());
            const auto info = infos.find(files[i]->object());
            if (info == infos.end() || is_young(*info->second)) continue;
            const auto next =
                i + 1 < files.size() ? parse_log_object(files[i + 1]->object()) : std::nullopt;
            const bool last = !next || next->name != parsed->name;
            if (!is_needless(*files[i], parsed->name, last, *info->second, kept, rule)) continue;
            TRY(count(files[i]->object(), info->second->size));
            if (!dry_run_) TRY(remove(files[i]->object()));
        }
        return ok();
    }

    bool is_needless(const LogFile& file, const LogName& name, bool last, const ObjectInfo& info,
                     const std::vector<Point>& kept, const PruneRule& rule) const {
        const LogContent content = file.content();
        std::optional<std::uint64_t> first_needed;  // in this branch
        bool lineage_known = false;
        bool elsewhere = false;
        for (const Point& point : kept) {
            const auto need = log_need(point);
            if (point.component != name.component || !need) continue;
            if (need->lineage != name.lineage) {
                elsewhere = true;
                continue;
            }
            lineage_known = true;
            // Recovery goes on into later branches, never back into earlier ones.
            if (need->branch <= name.branch)
                first_needed = std::min(first_needed.value_or(need->from), need->from);
        }
        if (first_needed) return !last && content.damage.empty() && content.end <= *first_needed;
        if (lineage_known) return true;
        // Another cluster's log, from before the component was recovered: as long as its points
        // would stay.
        const auto keep = rule.keep.find(name.component);
        return elsewhere && keep != rule.keep.end() && now_ - info.modified > keep->second;
    }

    bool is_young(const ObjectInfo& object) const { return now_ - object.modified <= grace_; }

    Result<std::set<Digest>> referenced() {
        std::set<Digest> needed;
        const auto sequences = TRY(history_.sequences());
        for (const std::uint64_t sequence : sequences) {
            // In a dry run the expired ones are still there.
            const bool expired = dry_run_ && removed_.contains(manifest_object(sequence));
            if (expired) continue;
            const Manifest manifest = TRY(history_.manifest(sequence));
            for (const PackRef& pack : manifest.packs) needed.insert(pack.name);
        }
        return needed;
    }

    Result<bool> writers_at_work() {
        const auto sessions = TRY(list_sessions(access_));
        bool alive = false;
        for (const SessionInfo& session : sessions) {
            if (session_ && session.object == session_->object()) continue;
            alive = alive || session.alive;
            // Giving it up comes before the sweep: its writer looks for it before it commits.
            if (!session.alive && !dry_run_) TRY(remove(session.object));
        }
        return alive;
    }

    Result<void> sweep() {
        const bool busy = TRY(writers_at_work());
        if (busy) return ok();  // another time
        const auto needed = TRY(referenced());
        std::vector<ObjectInfo> garbage;
        const auto packs = TRY(access_.store.list("packs/"));
        for (const ObjectInfo& object : packs) {
            const auto name = digest_in_name(object.name);
            if (name && !needed.contains(*name) && !is_young(object)) garbage.push_back(object);
        }
        TRY(sweep_packs(garbage));
        const auto temporaries = TRY(access_.store.list("tmp/"));
        for (const ObjectInfo& object : temporaries) {
            if (is_young(object)) continue;
            TRY(count(object.name, object.size));
            if (!dry_run_) TRY(remove(object.name));
        }
        return ok();
    }

    Result<void> sweep_packs(const std::vector<ObjectInfo>& garbage) {
        const auto leftovers = TRY(access_.store.list("condemned/"));
        if (garbage.empty() && leftovers.empty()) return ok();
        if (dry_run_) {
            for (const ObjectInfo& object : garbage) TRY(count(object.name, object.size));
            return ok();
        }
        std::set<Digest> condemned;
        for (const ObjectInfo& object : garbage) condemned.insert(*digest_in_name(object.name));
        const std::string object = TRY(put_condemned(access_, condemned));
        // Who begins from here on reads the list; who began before is seen now, or has committed.
        const bool alive = TRY(writers_at_work());
        const auto needed = TRY(referenced());
        const bool rescued = std::ranges::any_of(
            condemned, [&](const Digest& name) { return needed.contains(name); });
        if (!alive && !rescued) TRY(drop(condemned, garbage));
        TRY(remove(object));
        for (const ObjectInfo& old : leftovers) TRY(remove(old.name));
        return ok();
    }

    Result<void> drop(const std::set<Digest>& condemned, const std::vector<ObjectInfo>& garbage) {
        Index index(access_.store, access_.keys, access_.environment.random);
        TRY(index.load({}));
        TRY(index.rewrite(condemned));
        for (const ObjectInfo& object : garbage) {
            TRY(context_.check("pruning the vault"));
            TRY(count(object.name, object.size));
            TRY(remove(object.name));
            TRY(release(access_, *digest_in_name(object.name)));
        }
        return ok();
    }

    Result<void> count(const std::string& object, std::uint64_t size) {
        removed_.insert(object);
        ++report_.objects_removed;
        report_.bytes_freed += size;
        if (session_) TRY(session_->renew());
        return ok();
    }

    Result<void> remove(const std::string& object) {
        auto removed = access_.store.remove(object);
        if (!removed.has_value() && removed.error().kind != ErrorKind::not_found) return removed;
        return ok();
    }

    Access& access_;
    History& history_;
    LogCatalog& logs_;
    const Context& context_;
    const Duration grace_;
    const bool dry_run_;
    const Instant now_;
    PruneReport report_;
    std::set<std::string> removed_;
    std::unique_ptr<Session> session_;
};

}  // namespace

std::vector<Point> expired_points(const std::vector<Point>& points, const PruneRule& rule,
                                  Instant now) {
    std::map<std::string, unsigned> seen;
    std::vector<Point> expired;
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
        const unsigned rank = seen[point->component]++;
        const auto keep = rule.keep.find(point->component);
        if (keep == rule.keep.end() || rank < rule.keep_newest) continue;
        if (now - point->ended > keep->second) expired.push_back(*point);
    }
    std::ranges::reverse(expired);
    return expired;
}

Result<PruneReport> prune_vault(Access& access, History& history, LogCatalog& logs,
                                const Context& context, const PruneRule& rule, Duration grace,
                                bool dry_run) {
    return Prune(access, history, logs, context, grace, dry_run).run(rule);
}

}  // namespace lifeboat::vault
