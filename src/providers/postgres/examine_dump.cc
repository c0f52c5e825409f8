#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/postgres/copy.h"

namespace lifeboat::postgres {
namespace {

using providers::Exam;

/// The line that says what went wrong; of the others there are many.
std::string first_complaint(const std::string& text) {
    std::string first;
    for (const std::string_view line : split(text, '\n')) {
        const std::string_view plain = trim(line);
        if (first.empty() && !plain.empty()) first = plain;
        if (plain.find("error:") != std::string_view::npos) return std::string(plain);
    }
    return first;
}

/// "pg_dump: error: Dumping the contents of table "orders" failed: …" names it.
std::string table_in(const std::string& complaint) {
    constexpr std::string_view before = "of table \"";
    const auto at = complaint.find(before);
    if (at == std::string::npos) return {};
    const auto from = at + before.size();
    const auto end = complaint.find('"', from);
    return end == std::string::npos ? std::string() : complaint.substr(from, end - from);
}

}  // namespace

Result<std::vector<Exam>> examine_dump(const Context& context, Copy& copy) {
    const Path programs = TRY(find_programs(copy.environment(), copy.server, copy.marker.major));
    if (!copy.environment().files.status(programs / "pg_dump").has_value())
        return not_found(fmt::format("there is no pg_dump in {}", programs.string()));
    const auto connection = TRY(copy.connect(context));
    const std::vector<std::string> databases = TRY(databases_of(context, *connection));
    Exam exam{.name = "pg_dump to nowhere"};
    std::uint64_t done = 0;
    for (const std::string& database : databases) {
        copy.progress(done++, databases.size(), "databases");
        Command command;
        command.arguments = {(programs / "pg_dump").string(),
                             "--host",
                             copy.inside.host,
                             "--port",
                             fmt::format("{}", copy.inside.port),
                             "--username",
                             copy.inside.user,
                             "--no-password",
                             "--file",
                             "/dev/null"};
        command.clear_environment = true;
        // Neither name nor password in the arguments; a name may look like a connection text.
        command.environment["PGDATABASE"] = database;
        if (!copy.inside.password.empty()) command.environment["PGPASSWORD"] = copy.inside.password;
        const Exit exit = TRY(copy.environment().processes.run(context, command));
        if (exit.code == 0) continue;
        const std::string complaint = first_complaint(exit.error);
        if (exit.error.find("permission denied") != std::string::npos) return denied(complaint);
        exam.outcome = Exam::Outcome::failed;
        exam.detail = complaint;
        const std::string table = table_in(exit.error);
        exam.objects.push_back(table.empty()
                                   ? fmt::format("database {}", database)
                                   : fmt::format("table {} of database {}", table, database));
    }
    if (exam.outcome == Exam::Outcome::passed)
        exam.detail = fmt::format("every row of {} database{} was read", databases.size(),
                                  databases.size() == 1 ? "" : "s");
    return std::vector<Exam>{exam};
}

}  // namespace lifeboat::postgres
