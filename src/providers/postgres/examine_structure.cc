// amcheck: the structure of heaps and B-trees, and that each index knows every row of its table.
//
// Where a database lacks the extension, the copy is promoted (it is isolated, and every comparison
// is done) so that it can be made there: a standby cannot. The source is never touched.

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/postgres/copy.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
using providers::Exam;

constexpr std::size_t told_max = 20;
constexpr Duration promotion_time = 2min;

struct Relation {
    std::string oid, name;
    std::string table;  ///< of an index
    bool index = false;
    std::uint64_t pages = 0;
};

constexpr const char* list_relations =
    "SELECT c.oid, n.nspname, c.relname, c.relkind = 'i' AS index, greatest(c.relpages, 1) AS "
    "pages, "
    "coalesce(t.relname, '') AS of FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_index i ON i.indexrelid = c.oid "
    "LEFT JOIN pg_class t ON t.oid = i.indrelid "
    "WHERE c.relpersistence = 'p' AND ((c.relkind IN ('r', 'm', 't') AND a.amname = 'heap') OR "
    "(c.relkind = 'i' AND a.amname = 'btree' AND i.indisvalid AND i.indisready AND i.indislive)) "
    "ORDER BY 4, 5 DESC";

constexpr const char* count_others =
    "SELECT count(*) FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.relkind = 'i' AND "
    "c.relpersistence = 'p' AND a.amname <> 'btree'";

Result<std::vector<Relation>> relations_of(const Context& context, Connection& connection) {
    const Rows rows = TRY(connection.query(context, list_relations));
    std::vector<Relation> relations;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        Relation relation{.oid = rows.text(row, "oid"),
                          .name = shown_name(rows.text(row, "nspname"), rows.text(row, "relname")),
                          .table = rows.text(row, "of")};
        relation.index = rows.text(row, "index") == "t";
        relation.pages =
            static_cast<std::uint64_t>(parse_integer(rows.text(row, "pages")).value_or(1));
        relations.push_back(std::move(relation));
    }
    return relations;
}

/// One database after the other, with a connection that survives what it finds.
class Structure {
public:
    Structure(const Context& context, Copy& copy) : context_(context), copy_(copy) {}

    Result<void> run(const std::vector<std::string>& databases) {
        several_ = databases.size() > 1;
        for (const std::string& database : databases) TRY(run_one(database));
        return ok();
    }

    Exam result() const {
        Exam exam{.name = "amcheck"};
        exam.objects = found_;
        if (!found_.empty()) {
            exam.outcome = Exam::Outcome::failed;
            exam.detail = fmt::format("{} of {} tables and indexes are damaged", damaged_,
                                      tables_ + indexes_);
            if (damaged_ > found_.size())
                exam.objects.push_back(fmt::format("and {} more", damaged_ - found_.size()));
            return exam;
        }
        exam.detail =
            fmt::format("{} tables, {} indexes, every row found in each", tables_, indexes_);
        if (others_ > 0)
            exam.detail += fmt::format("; {} indexes are no B-trees and were not seen", others_);
        return exam;
    }

private:
    Result<void> run_one(const std::string& database) {
        connection_ = TRY(copy_.connect_inside(context_, database));
        const Rows schema = TRY(connection_->query(
            context_,
            "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = "
            "e.extnamespace WHERE e.extname = 'amcheck'"));
        const Rows others = TRY(connection_->query(context_, count_others));
        others_ += static_cast<std::uint64_t>(parse_integer(others.first()).value_or(0));
        const std::vector<Relation> relations = TRY(relations_of(context_, *connection_));
        std::uint64_t pages = 0, done = 0;
        for (const Relation& relation : relations) pages += relation.pages;
        for (const Relation& relation : relations) {
            copy_.progress(done, pages, "pages");
            done += relation.pages;
            ++(relation.index ? indexes_ : tables_);
            TRY(look(database, schema.first(), relation));
        }
        return ok();
    }

    Result<void> look(const std::string& database, const std::string& schema,
                      const Relation& relation) {
        const std::string question =
            relation.index ? fmt::format("SELECT {}.bt_index_check('{}'::regclass, true)", schema,
                                         relation.oid)
                           : fmt::format(
                                 "SELECT count(DISTINCT (blkno, offnum)), min(msg) FROM "
                                 "{}.verify_heapam('{}'::regclass, check_toast => true)",
                                 schema, relation.oid);
        const auto answer = connection_->query(context_, question);
        TRY(context_.check("checking a copy's structure"));
        if (!answer.has_value()) {
            if (!is_of_the_data(answer.error(), copy_)) return answer.error();
            tell(database, relation, plain_words(answer.error(), copy_.inside));
            // A crash of the server over what it met says the same, and the others are still to
            // see.
            auto again = copy_.connect_inside(context_, database);
            if (!again.has_value()) return again.error();
            connection_ = *std::move(again);
            return ok();
        }
        if (relation.index || answer->first() == "0") return ok();
        tell(database, relation,
             fmt::format("{} row{}: {}", answer->first(), answer->first() == "1" ? "" : "s",
                         answer->first(1)));
        return ok();
    }

    void tell(const std::string& database, const Relation& relation, const std::string& what) {
        ++damaged_;
        if (found_.size() == told_max) return;
        std::string name = relation.index
                               ? fmt::format("index {} of table {}", relation.name, relation.table)
                               : fmt::format("table {}", relation.name);
        if (several_) name += fmt::format(" in {}", database);
        found_.push_back(fmt::format("{}: {}", name, what));
    }

    const Context& context_;
    Copy& copy_;
    std::unique_ptr<Connection> connection_;
    bool several_ = false;
    std::uint64_t tables_ = 0, indexes_ = 0, others_ = 0, damaged_ = 0;
    std::vector<std::string> found_;
};

/// The databases without the extension.
Result<std::vector<std::string>> without_amcheck(const Context& context, const Copy& copy,
                                                 const std::vector<std::string>& databases) {
    std::vector<std::string> lacking;
    for (const std::string& database : databases) {
        const auto connection = TRY(copy.connect_inside(context, database));
        const Rows rows =
            TRY(connection->query(context, "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'"));
        if (rows.empty()) lacking.push_back(database);
    }
    return lacking;
}

/// Errors: unsupported, denied: what stands in the way, before anything is changed.
Result<void> make_amcheck(const Context& context, const Copy& copy,
                          const std::vector<std::string>& databases) {
    const auto connection = TRY(copy.connect_inside(context, ""));
    const Rows may = TRY(connection->query(
        context,
        "SELECT current_setting('is_superuser'), EXISTS (SELECT FROM pg_available_extensions WHERE "
        "name = 'amcheck'), pg_is_in_recovery()"));
    if (may.first(1) != "t")
        return unsupported("the extension amcheck is not installed on this machine");
    if (may.first(0) != "on")
        return denied(
            fmt::format("amcheck is not in database {}, and the role may not create it "
                        "in the copy",
                        databases.front()));
    const Context bounded = context.within(promotion_time);
    if (may.first(2) == "t") TRY(connection->execute(bounded, "SELECT pg_promote(true, 100)"));
    for (const std::string& database : databases) {
        const auto inside = TRY(copy.connect_inside(context, database));
        TRY(inside->execute(bounded, "CREATE EXTENSION amcheck"));
    }
    return ok();
}

}  // namespace

Result<std::vector<Exam>> examine_structure(const Context& context, Copy& copy) {
    const auto connection = TRY(copy.connect_inside(context, ""));
    const std::vector<std::string> databases = TRY(databases_of(context, *connection));
    const auto lacking = TRY(without_amcheck(context, copy, databases));
    if (!lacking.empty()) TRY(make_amcheck(context, copy, lacking));
    Structure structure(context, copy);
    TRY(structure.run(databases));
    return std::vector<Exam>{structure.result()};
}

}  // namespace lifeboat::postgres
