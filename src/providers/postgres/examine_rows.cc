// Rows of the copy against those of the source: exactly where a table was not written to since the
// backup, else within what the source says it has written. The source is asked little, slowly and
// read-only; what it would suffer from is not asked.

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/size.h"
#include "platform/base/text.h"
#include "providers/postgres/activity.h"
#include "providers/postgres/copy.h"
#include "providers/postgres/identity.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
using providers::Exam;

constexpr std::uint64_t table_max = 256U << 20U;    // larger ones are not read at the source
constexpr std::uint64_t source_max = 1024U << 20U;  // and not more than this of all together
constexpr std::size_t tables_max = 100;
constexpr int rest = 4;            // times as long as a question took, the source is left alone
constexpr Duration breath = 20ms;  // between two questions to the source
constexpr Duration counted_by = 1500ms;  // by then the counters hold what was committed before
constexpr std::size_t told_max = 20;

struct Content {
    std::int64_t rows = 0;
    std::string digest;
    bool operator==(const Content&) const = default;
};

struct Table {
    std::string database, schema, name;
    std::uint64_t size = 0;
    std::string shown() const { return shown_name(schema, name); }
    std::string quoted() const { return quote_identifier(schema) + "." + quote_identifier(name); }
};

/// The same text for the same row on both sides.
Result<void> speak_alike(const Context& context, Connection& connection) {
    for (const char* setting :
         {"SET timezone = 'UTC'", "SET datestyle = 'ISO'", "SET intervalstyle = 'iso_8601'",
          "SET extra_float_digits = 1", "SET bytea_output = 'hex'", "SET row_security = off"})
        TRY(connection.execute(context, setting));
    return ok();
}

Result<Content> read_content(const Context& context, Connection& connection, const Table& table) {
    const Rows rows = TRY(connection.query(
        context, fmt::format("SELECT count(*), coalesce(sum(hashtextextended(t::text, "
                             "0)::numeric), 0) FROM {} t",
                             table.quoted())));
    return Content{parse_integer(rows.first(0)).value_or(0), rows.first(1)};
}

Result<std::vector<Table>> tables_of(const Context& context, Connection& connection,
                                     const std::string& database) {
    const Rows rows = TRY(connection.query(
        context, fmt::format("SELECT n.nspname, c.relname, pg_relation_size(c.oid) AS size FROM "
                             "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                             "c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN "
                             "('pg_catalog', 'information_schema', 'lifeboat') ORDER BY size DESC "
                             "LIMIT {}",
                             tables_max)));
    std::vector<Table> tables;
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        tables.push_back(
            {database, rows.text(row, "nspname"), rows.text(row, "relname"),
             static_cast<std::uint64_t>(parse_integer(rows.text(row, "size")).value_or(0))});
    return tables;
}

/// What was written to a table since the backup; nothing when the counters cannot say.
std::optional<TableActivity> written_since(const DatabaseActivity& then,
                                           const DatabaseActivity& now, const std::string& name) {
    const auto before = then.tables.find(name), after = now.tables.find(name);
    if (before == then.tables.end() || after == now.tables.end()) return std::nullopt;
    if (then.since != now.since) return std::nullopt;
    const TableActivity &a = before->second, &b = after->second;
    const bool rewritten = a.file != b.file;
    if (rewritten || b.inserted < a.inserted || b.updated < a.updated || b.deleted < a.deleted)
        return std::nullopt;
    return TableActivity{b.inserted - a.inserted, b.updated - a.updated, b.deleted - a.deleted, 0};
}

class RowExam {
public:
    RowExam(const Context& context, Copy& copy, Activity then)
        : context_(context), copy_(copy), then_(std::move(then)) {}

    Result<void> run(const std::vector<std::string>& databases) {
        for (const std::string& database : databases) {
            const auto counted = then_.find(database);
            if (counted == then_.end()) continue;
            TRY(run_one(database, counted->second));
        }
        return ok();
    }

    std::vector<Exam> results() const {
        return {exam("unchanged tables", exact_, different_, "row for row as at the source"),
                exam("row counts", bounded_, beyond_, "within what was written since")};
    }

private:
    Exam exam(const char* name, std::size_t looked, const std::vector<std::string>& wrong,
              const char* good) const {
        Exam made{.name = name, .objects = wrong};
        if (!wrong.empty()) {
            made.outcome = Exam::Outcome::failed;
            made.detail =
                fmt::format("{} of {} tables differ from the source", wrong.size(), looked);
            return made;
        }
        made.detail = fmt::format("{} table{} {}", looked, looked == 1 ? "" : "s", good);
        if (looked == 0) {
            made.outcome = Exam::Outcome::unseen;
            made.detail = "no table was of that sort";
        }
        if (skipped_ > 0)
            made.detail += fmt::format("; {} not compared: {}", skipped_, skipped_why_);
        return made;
    }

    void skip(const std::string& why) {
        ++skipped_;
        skipped_why_ = why;
    }

    Result<void> run_one(const std::string& database, const DatabaseActivity& then) {
        auto mine = TRY(copy_.connect(context_, database));
        auto theirs = TRY(copy_.ask_source(context_, database));
        TRY(speak_alike(context_, *mine));
        TRY(speak_alike(context_, *theirs));
        const std::vector<Table> tables = TRY(tables_of(context_, *mine, database));
        std::uint64_t done = 0;
        for (const Table& table : tables) {
            copy_.progress(done++, tables.size(), "tables");
            if (!then.tables.contains(table.shown())) {
                skip("not counted when the backup was made");
            } else if (table.size > table_max || asked_ + table.size > source_max) {
                skip(fmt::format("reading them would burden the source ({} in all)",
                                 human_size(source_max)));
            } else {
                asked_ += table.size;
                TRY(context_.sleep(breath));
                TRY(compare(table, then, *mine, *theirs));
            }
        }
        return ok();
    }

    Result<void> compare(const Table& table, const DatabaseActivity& then, Connection& mine,
                         Connection& theirs) {
        const auto own = read_content(context_, mine, table);
        if (!own.has_value()) {
            // Damage is what amcheck and pg_dump name; here it is a table that cannot be read.
            TRY(context_.check("comparing rows"));
            if (!is_of_the_data(own.error(), copy_)) return own.error();
            ++exact_;
            different_.push_back(
                fmt::format("table {}: {}", table.shown(), plain_words(own.error(), copy_.server)));
            return ok();
        }
        const Monotonic asked = context_.clock().monotonic();
        const auto there = read_content(context_, theirs, table);
        TRY(context_.sleep(rest * (context_.clock().monotonic() - asked)));
        if (!there.has_value()) {
            skip(there.error().message);
            return ok();
        }
        // First the rows, then the counters: what was counted since is not missing.
        const bool equal = *own == *there;
        if (!equal) TRY(context_.sleep(counted_by));
        const DatabaseActivity now = TRY(database_activity(context_, theirs));
        const auto written = written_since(then, now, table.shown());
        if (!written) {
            skip("rewritten, or its counters were reset, since the backup");
            return ok();
        }
        judge(table, *own, *there, *written);
        return ok();
    }

    void judge(const Table& table, const Content& own, const Content& there,
               const TableActivity& written) {
        const auto inserted = static_cast<std::int64_t>(written.inserted);
        const auto deleted = static_cast<std::int64_t>(written.deleted);
        if (inserted == 0 && deleted == 0 && written.updated == 0) {
            ++exact_;
            if (own == there) return;
            std::string what =
                own.rows == there.rows
                    ? fmt::format("{} rows as at the source, with other contents", own.rows)
                    : fmt::format("{} rows, the source has {}: {} {}", own.rows, there.rows,
                                  std::abs(own.rows - there.rows),
                                  own.rows < there.rows ? "missing" : "too many");
            if (different_.size() < told_max)
                different_.push_back(fmt::format("table {}: {}", table.shown(), what));
            return;
        }
        ++bounded_;
        const std::int64_t least = std::max<std::int64_t>(0, there.rows - inserted);
        const std::int64_t most = there.rows + deleted;
        if (own.rows >= least && own.rows <= most) return;
        const bool fewer = own.rows < least;
        if (beyond_.size() < told_max)
            beyond_.push_back(fmt::format(
                "table {}: {} rows, at least {} {}: the source has {}, having written {} and "
                "deleted {} since the backup",
                table.shown(), own.rows, fewer ? least - own.rows : own.rows - most,
                fewer ? "missing" : "too many", there.rows, inserted, deleted));
    }

    const Context& context_;
    Copy& copy_;
    const Activity then_;
    std::uint64_t asked_ = 0;
    std::size_t exact_ = 0, bounded_ = 0, skipped_ = 0;
    std::string skipped_why_;
    std::vector<std::string> different_, beyond_;
};

std::vector<Exam> blind(std::string why) {
    return {{.outcome = Exam::Outcome::unseen, .name = "row counts", .detail = std::move(why)}};
}

}  // namespace

Result<std::vector<Exam>> examine_rows(const Context& context, Copy& copy) {
    Activity then = activity_from_json(copy.point.facts.value("writes", Json::object()));
    if (then.empty()) return blind("the point does not say what had been written when it was made");
    const auto source = copy.ask_source(context);
    TRY(context.check("comparing rows"));
    if (!source.has_value())
        return blind(fmt::format("the source cannot be asked: {}", source.error().message));
    const Identity identity = TRY(identify(context, copy.environment(), copy.source, **source));
    if (identity.system_identifier != copy.marker.system_identifier ||
        identity.timeline != copy.marker.timeline || identity.in_recovery)
        return blind("what runs now is not what the point was taken from");
    const auto connection = TRY(copy.connect(context));
    const std::vector<std::string> databases = TRY(databases_of(context, *connection));
    RowExam exam(context, copy, std::move(then));
    TRY(exam.run(databases));
    return exam.results();
}

}  // namespace lifeboat::postgres
