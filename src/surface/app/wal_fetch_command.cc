#include "surface/app/wal_fetch_command.h"

#include <fmt/core.h>

#include <charconv>

#include "providers/postgres/wal_fetch.h"
#include "surface/cli/commands.h"

namespace lifeboat::app {
namespace {

using cli::ExitCode;

struct FetchOptions {
    std::string vault, key, component, system, segment_size, stretches, name, destination;
};

Result<std::uint64_t> number(const std::string& text, std::string_view what) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size())
        return invalid(fmt::format("{} '{}' is not a number", what, text));
    return value;
}

/// Needs neither plan nor state: the server that asks may be all that is left of the site.
Result<ExitCode> fetch(cli::Session& session, const FetchOptions& options) {
    Environment& environment = session.environment();
    postgres::FetchRequest request;
    request.component = options.component;
    request.system_identifier = TRY(number(options.system, "the system identifier"));
    const std::uint64_t size = TRY(number(options.segment_size, "the segment size"));
    request.segment_size = static_cast<std::uint32_t>(size);
    request.stretches = TRY(postgres::parse_stretches(options.stretches));
    const crypto::Key key = TRY(vault::load_key(environment, options.key));
    auto vault = TRY(vault::open_vault(environment, options.vault, key));
    const bool there = TRY(
        postgres::fetch_wal(*vault, environment.files, request, options.name, options.destination));
    // PostgreSQL takes 1 for "absent"; a standby waits and asks again, whatever the status is.
    return there ? ExitCode::done : ExitCode::finding;
}

}  // namespace

cli::Command wal_fetch_command() {
    cli::CommandOf<FetchOptions> command(
        "wal-fetch", "", "Give a server that replays one WAL file (its restore_command)");
    command.command.hidden = true;
    auto& values = *command.values;
    command.option("--vault", "DIR", "The vault", &values.vault, true)
        .option("--key", "FILE", "Its key", &values.key, true)
        .option("--component", "COMPONENT", "Whose WAL", &values.component, true)
        .option("--system", "NUMBER", "The system identifier", &values.system, true)
        .option("--segment-size", "BYTES", "Of the server's WAL", &values.segment_size, true)
        .option("--stretches", "TLI@LSN,…", "What to serve, timeline by timeline, up to where",
                &values.stretches, true)
        .option("NAME", "NAME", "The file that is asked for (%f)", &values.name, true)
        .option("DESTINATION", "FILE", "Where to put it (%p)", &values.destination, true);
    return std::move(command).run(fetch);
}

}  // namespace lifeboat::app
