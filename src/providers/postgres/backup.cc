#include "providers/postgres/backup.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/task/scope.h"
#include "providers/postgres/activity.h"
#include "providers/postgres/backup_files.h"
#include "providers/postgres/stream.h"
#include "providers/postgres/wal_record.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration question_time = 30s;
constexpr Duration wal_stall = 60s;  // without progress of whoever streams
constexpr Duration wal_look = 300ms;

/// Sees to it that WAL flows into the vault until the backup's end is there: through a running
/// `protect` while there is one, else by streaming itself.
class WalKeeper {
public:
    WalKeeper(const Services& services, const Server& server, std::uint64_t identifier)
        : services_(services), server_(server), identifier_(identifier) {}

    /// From now on the end is known.
    void need(Timeline timeline, Lsn stop) {
        timeline_ = timeline;
        stop_ = stop;
    }

    Result<void> run(const Context& context) {
        while (true) {
            WalStream stream(services_, server_,
                             {{}, [this](const StreamPosition& at) { return is_enough(at); }});
            const auto streamed = stream.run(context);
            TRY(context.check("keeping the WAL of a base backup"));
            if (streamed.has_value()) return ok();
            if (!stream.slot_in_use()) return streamed;
            const bool held = TRY(others_stream(context));
            if (held) return ok();
        }
    }

private:
    bool is_enough(const StreamPosition& at) const {
        const Lsn stop = stop_;
        return stop != 0 && (at.timeline > timeline_ ||
                             (at.timeline == timeline_ && at.durable.boundary >= stop));
    }

    /// Watches the log that another process writes. False: it does not move, so the slot may be
    /// free.
    Result<bool> others_stream(const Context& context) {
        Monotonic looked = context.clock().monotonic();
        if (!moved_) moved_ = looked;
        while (context.clock().monotonic() - looked < 2s) {
            TRY(context.sleep(wal_look));
            const Lsn stop = stop_;
            if (stop == 0) {
                moved_ = context.clock().monotonic();
                continue;
            }
            const Holdings holdings =
                TRY(load_holdings(*services_.vault, server_.component, identifier_));
            const auto log = holdings.logs.find(timeline_);
            const Lsn boundary = log == holdings.logs.end() ? 0 : log->second.boundary;
            if (boundary >= stop) return true;
            if (boundary == seen_) continue;
            seen_ = boundary;
            moved_ = looked = context.clock().monotonic();
        }
        if (context.clock().monotonic() - *moved_ < wal_stall) return false;
        return unavailable(
            fmt::format("the WAL of the backup does not arrive: the log stands at {}, needed is {}",
                        format_lsn(seen_), format_lsn(stop_)),
            "Look at the `lifeboat protect` that holds the slot.");
    }

    const Services& services_;
    const Server& server_;
    const std::uint64_t identifier_;
    std::atomic<Timeline> timeline_ = 0;
    std::atomic<Lsn> stop_ = 0;
    Lsn seen_ = 0;
    std::optional<Monotonic> moved_;
};

/// One backup, from the first question to the commit.
class BaseBackup {
public:
    BaseBackup(const Services& services, const Server& server, const BackupRequest& request)
        : services_(services), server_(server), request_(request) {}

    Result<BackupDone> run(const Context& context);

private:
    Result<void> prepare(const Context& context);
    Result<BackupStop> receive(const Context& context, BackupFiles& files);
    Result<void> wait_for_wal(const BackupStart& start, const BackupStop& stop);
    void reread_bad_pages(const Context& context, const PageCheck& pages, Lsn start);
    Result<void> add_config(const Context& context);
    Json facts(const BackupFiles& files, const BackupStop& stop, Instant stopped) const;
    Instant server_time(const Context& context);

    const Services& services_;
    const Server& server_;
    const BackupRequest& request_;
    std::unique_ptr<Connection> questions_, replication_;
    Identity identity_;
    SourceConfig config_;
    Activity writes_;
    std::uint32_t segment_size_ = 0;
    Instant began_{};
    std::unique_ptr<vault::PointWriter> writer_;
    std::vector<std::string> bad_pages_;
    std::uint64_t bad_count_ = 0;
};

Result<void> BaseBackup::prepare(const Context& context) {
    const Context bounded = context.within(question_time);
    auto questions = TRY(Connection::open(bounded, server_.connect_options(false)));
    questions_ = std::move(questions);
    identity_ = TRY(identify(bounded, services_.environment, server_, *questions_));
    // Before anything is touched.
    TRY(require_pinned(server_, identity_.system_identifier));
    TRY(require_known(*services_.vault, server_, identity_.system_identifier));
    config_ = TRY(capture_config(bounded, *questions_));
    // Before the backup: what is written from here on is counted as written since.
    if (!identity_.in_recovery) writes_ = cluster_activity(bounded, server_).value_or(Activity{});
    auto replication = TRY(Connection::open(bounded, server_.connect_options(true)));
    replication_ = std::move(replication);
    const SystemInfo system = TRY(identify_system(bounded, *replication_));
    TRY(require_pinned(server_, system.system_identifier));
    segment_size_ = TRY(wal_segment_size(bounded, *replication_));
    TRY(store_histories(bounded, *replication_, *services_.vault, server_.component, system));
    // The slot before the backup: else a hole remains between the backup's end and the slot's
    // beginning.
    TRY(ensure_slot(bounded, *replication_, server_));
    return ok();
}

Instant BaseBackup::server_time(const Context& context) {
    const auto rows =
        questions_->query(context.within(question_time),
                          "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    const auto at = rows.has_value() ? parse_integer(rows->first()) : std::nullopt;
    return at ? Instant(Duration(*at)) : context.clock().now();
}

Result<BackupStop> BaseBackup::receive(const Context& context, BackupFiles& files) {
    const BackupOptions options{fmt::format("lifeboat {}", request_.token), server_.rate};
    const BackupStop stop = TRY(take_base_backup(context, *replication_, options, files.sink()));
    TRY(files.finish());
    if (stop.timeline != files.started()->timeline)
        return conflict(fmt::format("{}: the timeline changed from {} to {} during the base backup",
                                    server_.describe(), files.started()->timeline, stop.timeline),
                        "Take the backup again.");
    return stop;
}

void BaseBackup::reread_bad_pages(const Context& context, const PageCheck& pages, Lsn start) {
    // A page that was being written when it was read is whole by now. Without the right to look, it
    // counts as bad.
    bad_count_ = pages.bad_count();
    for (const BadPage& bad : pages.bad()) {
        std::string path = bad.file;
        if (path.starts_with("data/")) path = path.substr(5);
        if (path.starts_with("tablespaces/")) path = "pg_tblspc/" + path.substr(12);
        const auto rows = questions_->query(
            context.within(question_time),
            fmt::format("SELECT encode(pg_read_binary_file({}, {}, {}, true), 'hex')",
                        quote_literal(path), std::uint64_t{bad.block} * config_.block_size,
                        config_.block_size));
        if (rows.has_value()) {
            const auto page = from_hex(rows->first());
            PageCheck again({config_.block_size, config_.blocks_per_segment, start});
            again.begin_file(bad.file);
            // The block's number counts from the beginning of the file.
            again.skip(bad.block);
            if (page.has_value()) again.feed(*page);
            if (page.has_value() && again.bad_count() == 0) {
                --bad_count_;
                continue;
            }
        }
        bad_pages_.push_back(fmt::format("{} block {}", path, bad.block));
    }
}

Result<void> BaseBackup::wait_for_wal(const BackupStart& start, const BackupStop& stop) {
    const Holdings holdings =
        TRY(load_holdings(*services_.vault, server_.component, identity_.system_identifier));
    const auto path = holdings.history(start.timeline);
    if (!path)
        return corrupt(
            fmt::format("the history of timeline {} is not in the vault", start.timeline));
    const Reach unbroken = reach(holdings, *path, start.timeline, start.lsn);
    if (unbroken.until >= stop.lsn) return ok();
    return conflict(
        fmt::format("the WAL that the base backup needs ({} to {}) is not whole in the vault: {}",
                    format_lsn(start.lsn), format_lsn(stop.lsn),
                    unbroken.stopped_by.empty()
                        ? fmt::format("it ends at {}", format_lsn(unbroken.until))
                        : unbroken.stopped_by),
        "Take the backup again; raise max_slot_wal_keep_size if this repeats.");
}

Result<void> BaseBackup::add_config(const Context& context) {
    TRY(writer_->add_directory("config", {0700, {}}));
    for (const auto& [name, text] : config_.files) {
        TRY(writer_->begin_file("config/" + name, {0600, began_},
                                vault::Chunking::content_defined));
        TRY(writer_->write(context, as_bytes(text)));
    }
    return ok();
}

Json BaseBackup::facts(const BackupFiles& files, const BackupStop& stop, Instant stopped) const {
    const BackupStart& start = *files.started();
    Json spaces = Json::array();
    for (const auto& [oid, location] : start.tablespaces)
        spaces.push_back(Json{{"oid", oid}, {"location", location}});
    Json settings = Json::object();
    for (const auto& [name, value] : config_.settings) settings[name] = value;
    Json bad = Json::array();
    for (const std::string& page : bad_pages_) bad.push_back(page);
    return Json{{"system_identifier", fmt::format("{}", identity_.system_identifier)},
                {"timeline", start.timeline},
                {"start_lsn", format_lsn(start.lsn)},
                {"stop_lsn", format_lsn(stop.lsn)},
                {"started_at", format_instant(began_)},
                {"stopped_at", format_instant(stopped)},
                {"wal_segment_size", segment_size_},
                {"block_size", config_.block_size},
                {"checksums", config_.checksums},
                {"pages_checked", files.pages() ? files.pages()->pages() : 0},
                {"bad_pages", bad_count_},
                {"bad_pages_at", bad},
                {"version", config_.version},
                {"major", identity_.major},
                {"tablespaces", spaces},
                {"limits", to_json(config_.limits)},
                {"settings", settings},
                {"from_standby", identity_.in_recovery},
                {"slot", server_.slot},
                {"token", request_.token},
                {"writes", to_json(writes_)},
                // What the vault must keep of the WAL for this point, by whole segments: that is
                // how a restore asks for it.
                {"log", Json{{"lineage", fmt::format("{}", identity_.system_identifier)},
                             {"branch", start.timeline},
                             {"from", segment_start(start.lsn, segment_size_)},
                             {"to", stop.lsn}}}};
}

Result<BackupDone> BaseBackup::run(const Context& context) {
    TRY(prepare(context));
    began_ = server_time(context);
    writer_ = TRY(services_.vault->begin_point(server_.component, "base", began_));
    BackupFiles files(context, *writer_, config_.checksums,
                      {config_.block_size, config_.blocks_per_segment, 0},
                      [&](std::uint64_t done, std::uint64_t total) {
                          if (request_.progress) request_.progress(done, total, "bytes");
                      });
    WalKeeper keeper(services_, server_, identity_.system_identifier);
    Result<void> kept;
    TaskScope scope(context);
    scope.spawn([&](const Context& inner) {
        kept = keeper.run(inner);
        return ok();  // the backup itself goes on: what counts is the WAL that is there in the end
    });
    const BackupStop stop = TRY(receive(context, files));
    const Instant stopped = server_time(context);
    const BackupStart& start = *files.started();
    keeper.need(start.timeline, stop.lsn);
    TRY(scope.wait());
    TRY(context.check("taking a base backup"));
    const auto whole = wait_for_wal(start, stop);
    if (!whole.has_value()) return kept.has_value() ? whole.error() : kept.error();
    if (files.pages()) reread_bad_pages(context, *files.pages(), start.lsn);
    TRY(add_config(context));
    Instance instance = request_.instance;
    instance.identity.update(to_json(identity_, server_));
    vault::Point point = TRY(writer_->commit(context, stopped, facts(files, stop, stopped),
                                             providers::to_json(instance)));
    return BackupDone{std::move(point), identity_};
}

}  // namespace

Result<vault::Vault*> require_vault(const Services& services) {
    if (services.vault != nullptr) return services.vault;
    return unavailable(
        services.vault_problem.empty() ? "there is no vault" : services.vault_problem,
        "Make one with `lifeboat vault init`, or mend the `vault:` section of the plan.");
}

Result<void> require_known(vault::Vault& vault, const Server& server,
                           std::uint64_t system_identifier) {
    if (server.pinned) return ok();
    const Holdings newest = TRY(load_holdings(vault, server.component, std::nullopt));
    if (newest.empty() || newest.system_identifier == system_identifier) return ok();
    const Holdings same = TRY(load_holdings(vault, server.component, system_identifier));
    if (!same.empty()) return ok();
    return conflict(
        fmt::format(
            "another cluster listens at {}: its system identifier is {}, the vault holds {} of {}",
            server.endpoint(), system_identifier, newest.system_identifier, server.component),
        "Nothing was touched. Correct host and port in the plan; a new cluster needs a new "
        "component name.");
}

Result<std::optional<vault::Point>> point_with_token(vault::Vault& vault,
                                                     const std::string& component,
                                                     const std::string& token) {
    const std::vector<vault::Point> points = TRY(vault.points(component));
    for (const vault::Point& point : points)
        if (!token.empty() && string_or(point.facts, "token", "") == token)
            return std::optional<vault::Point>(point);
    return std::optional<vault::Point>();
}

Result<BackupDone> take_backup(const Context& context, const Services& services,
                               const Server& server, const BackupRequest& request) {
    vault::Vault* vault = TRY(require_vault(services));
    const auto made = TRY(point_with_token(*vault, server.component, request.token));
    if (made) {
        Identity identity =
            TRY(prove_identity(context.within(question_time), services.environment, server));
        return BackupDone{*made, identity};
    }
    return BaseBackup(services, server, request).run(context);
}

}  // namespace lifeboat::postgres
