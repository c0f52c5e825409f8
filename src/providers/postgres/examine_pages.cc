// Every page of the copy against its checksum, after a clean end of its server: what stands on disk
// then is all there is.

#include <fmt/core.h>

#include <map>

#include "platform/base/bytes.h"
#include "providers/postgres/copy.h"
#include "providers/postgres/page_check.h"
#include "providers/postgres/server_process.h"

namespace lifeboat::postgres {
namespace {

using providers::Exam;

constexpr std::size_t piece = std::size_t{1} << 20U;
constexpr std::size_t page_size = 8192;
constexpr std::size_t told_max = 20;

/// "base/5/16385" -> "table public.orders".
using Owners = std::map<std::string, std::string>;

constexpr const char* list_files =
    "SELECT pg_relation_filepath(c.oid) AS path, n.nspname, c.relname, c.relkind, "
    "coalesce(t.relname, o.relname, '') AS of FROM pg_class c JOIN pg_namespace n ON n.oid = "
    "c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = "
    "i.indrelid LEFT JOIN pg_class o ON o.reltoastrelid = c.oid WHERE pg_relation_filepath(c.oid) "
    "IS NOT NULL";

std::string owner_name(const Rows& rows, std::size_t row) {
    const std::string kind = rows.text(row, "relkind"), of = rows.text(row, "of");
    const std::string name = shown_name(rows.text(row, "nspname"), rows.text(row, "relname"));
    if (kind == "i") return fmt::format("index {} of table {}", name, of);
    if (kind == "t") return fmt::format("table {} (its large values)", of);
    if (kind == "S") return fmt::format("sequence {}", name);
    return fmt::format("table {}", name);
}

Result<Owners> owners_of(const Context& context, const Copy& copy) {
    Owners owners;
    const auto first = TRY(copy.connect(context));
    const std::vector<std::string> databases = TRY(databases_of(context, *first));
    for (const std::string& database : databases) {
        const auto connection = TRY(copy.connect(context, database));
        const Rows rows = TRY(connection->query(context, list_files));
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
            std::string name = owner_name(rows, row);
            if (databases.size() > 1) name += fmt::format(" in {}", database);
            owners.emplace(rows.text(row, "path"), std::move(name));
        }
    }
    return owners;
}

/// "base/5/16385_fsm.2" -> "base/5/16385".
std::string relation_path(std::string path) {
    const auto name = path.rfind('/') + 1;
    return path.substr(0, path.find_first_of("_.", name));
}

struct DataFile {
    std::string path;  ///< as the server names it: "base/5/16385", "pg_tblspc/16390/PG_15…/5/16400"
    Path real;
    std::uint64_t size = 0;
};

class Walk {
public:
    explicit Walk(Files& files) : files_(files) {}

    Result<void> add(const std::string& path, const Path& real) {
        const std::vector<std::string> names = TRY(files_.list(real));
        for (const std::string& name : names) {
            const auto status = TRY(files_.status(real / name));
            if (status.type == FileType::directory) {
                TRY(add(path + "/" + name, real / name));
            } else if (status.type == FileType::regular) {
                total += status.size;
                found.push_back({path + "/" + name, real / name, status.size});
            }
        }
        return ok();
    }
    std::vector<DataFile> found;
    std::uint64_t total = 0;

private:
    Files& files_;
};

Result<Walk> data_files(const Copy& copy) {
    Walk walk(copy.environment().files);
    const Path data = copy.directory / "data";
    TRY(walk.add("base", data / "base"));
    TRY(walk.add("global", data / "global"));
    const Path spaces = copy.directory / "tablespaces";
    if (copy.environment().files.status(spaces).has_value()) TRY(walk.add("pg_tblspc", spaces));
    return walk;
}

/// Rows that a page's own directory counts; nothing when that cannot be believed.
std::optional<std::size_t> rows_on(Files& files, const Path& file, std::uint32_t block) {
    auto opened = files.open(file, OpenMode::read);
    if (!opened.has_value()) return std::nullopt;
    Bytes page(page_size);
    const auto read = (*opened)->read_at(std::uint64_t{block} * page_size, page);
    if (!read.has_value() || *read != page_size) return std::nullopt;
    constexpr std::size_t lower_at = 12, upper_at = 14, header = 24, item = 4;
    const std::size_t lower = load_le<std::uint16_t>(page, lower_at);
    const std::size_t upper = load_le<std::uint16_t>(page, upper_at);
    if (lower < header || lower > upper || upper > page_size) return std::nullopt;
    std::size_t rows = 0;
    for (std::size_t at = header; at + item <= lower; at += item)
        rows += ((load_le<std::uint32_t>(page, at) >> 15U) & 3U) == 1 ? 1 : 0;  // LP_NORMAL
    return rows;
}

struct Damage {
    std::size_t pages = 0, rows = 0;
    bool counted = true;
};

/// One line for each damaged table or index.
std::vector<std::string> told(Files& files, const std::vector<BadPage>& bad,
                              const std::map<std::string, Path>& real, const Owners& owners) {
    std::map<std::string, Damage> damage;
    for (const BadPage& page : bad) {
        const auto owner = owners.find(relation_path(page.file));
        const std::string name = owner == owners.end() ? "file " + page.file : owner->second;
        Damage& one = damage[name];
        ++one.pages;
        const bool heap = name.starts_with("table ") && page.file == relation_path(page.file);
        const auto rows =
            heap ? rows_on(files, real.at(page.file), page.block) : std::optional<std::size_t>();
        one.counted = one.counted && rows;
        one.rows += rows.value_or(0);
    }
    std::vector<std::string> lines;
    for (const auto& [name, one] : damage) {
        if (lines.size() == told_max) break;
        std::string line =
            fmt::format("{}: {} damaged page{}", name, one.pages, one.pages == 1 ? "" : "s");
        if (one.counted) line += fmt::format(", {} rows", one.rows);
        lines.push_back(std::move(line));
    }
    return lines;
}

Result<void> end_cleanly(const Context& context, const Copy& copy) {
    if (!copy.marker.postmaster) return ok();
    return stop_server(context, copy.environment(), *copy.marker.postmaster);
}

}  // namespace

Result<std::vector<Exam>> examine_pages(const Context& context, Copy& copy) {
    Exam exam{.name = "page checksums"};
    if (!bool_or(copy.point.facts, "checksums", false)) {
        exam.outcome = Exam::Outcome::unseen;
        exam.detail =
            "the cluster has no data checksums: a byte that changed on disk shows only where "
            "amcheck "
            "or pg_dump stumble over it (pg_checksums --enable turns them on)";
        return std::vector<Exam>{exam};
    }
    // Whom a file belongs to, as far as a damaged copy still says.
    const Owners owners = owners_of(context, copy).value_or(Owners{});
    TRY(context.check("checking pages"));
    TRY(end_cleanly(context, copy));
    Files& files = copy.environment().files;
    const Walk walk = TRY(data_files(copy));
    PageCheck pages({.block_size = static_cast<std::uint32_t>(
                         integer_or(copy.point.facts, "block_size", page_size))});
    std::map<std::string, Path> real;
    std::uint64_t done = 0;
    Bytes buffer(piece);
    for (const DataFile& file : walk.found) {
        if (!relation_segment(file.path)) continue;
        real.emplace(file.path, file.real);
        auto opened = TRY(files.open(file.real, OpenMode::read));
        pages.begin_file(file.path);
        for (std::uint64_t at = 0; at < file.size;) {
            TRY(context.check("checking pages"));
            const std::size_t read = TRY(opened->read_at(at, buffer));
            if (read == 0) break;
            pages.feed(ByteView(buffer).first(read));
            at += read;
            done += read;
            copy.progress(done, walk.total, "bytes");
        }
    }
    exam.detail = fmt::format("{} pages, none bad", pages.pages());
    if (pages.bad_count() == 0) return std::vector<Exam>{exam};
    exam.outcome = Exam::Outcome::failed;
    exam.detail = fmt::format("{} of {} pages are damaged", pages.bad_count(), pages.pages());
    exam.objects = told(files, pages.bad(), real, owners);
    return std::vector<Exam>{exam};
}

}  // namespace lifeboat::postgres
