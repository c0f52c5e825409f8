#include "providers/postgres/replication.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "platform/base/text.h"
#include "providers/postgres/wal_record.h"

namespace lifeboat::postgres {
namespace {

constexpr std::ptrdiff_t wal_data_head = 25;  // 'w', where it begins, the server's end, its clock
constexpr std::size_t keepalive_size = 18;    // 'k', the server's end, its clock, whether to reply

Result<std::uint64_t> unsigned_of(std::string_view text, std::string_view what) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return corrupt(fmt::format("the server's {} is '{}'", what, text));
    return value;
}

Result<Timeline> timeline_of(std::string_view text) {
    const std::uint64_t value = TRY(unsigned_of(text, "timeline"));
    return static_cast<Timeline>(value);
}

/// Takes what is left of a command's answers.
Result<void> drain(const Context& context, Connection& connection) {
    while (true) {
        const Connection::Reply reply = TRY(connection.next(context));
        if (reply.kind == Connection::Reply::Kind::end) return ok();
    }
}

}  // namespace

Result<SystemInfo> identify_system(const Context& context, Connection& connection) {
    const Rows rows = TRY(connection.query(context, "IDENTIFY_SYSTEM"));
    SystemInfo info;
    info.system_identifier = TRY(unsigned_of(rows.text(0, "systemid"), "system identifier"));
    info.timeline = TRY(timeline_of(rows.text(0, "timeline")));
    info.position = TRY(parse_lsn(rows.text(0, "xlogpos")));
    return info;
}

Result<std::string> show(const Context& context, Connection& connection,
                         const std::string& setting) {
    const Rows rows = TRY(connection.query(context, fmt::format("SHOW {}", setting)));
    return rows.first();
}

Result<std::optional<SlotInfo>> read_slot(const Context& context, Connection& connection,
                                          const std::string& slot) {
    const Rows rows = TRY(
        connection.query(context, fmt::format("READ_REPLICATION_SLOT {}", quote_identifier(slot))));
    if (rows.text(0, "slot_type").empty()) return std::optional<SlotInfo>();
    SlotInfo info;
    if (const std::string restart = rows.text(0, "restart_lsn"); !restart.empty()) {
        info.restart = TRY(parse_lsn(restart));
        info.timeline = TRY(timeline_of(rows.text(0, "restart_tli")));
    }
    return std::optional<SlotInfo>(info);
}

Result<void> create_slot(const Context& context, Connection& connection, const std::string& slot) {
    const auto made = connection.execute(
        context,
        fmt::format("CREATE_REPLICATION_SLOT {} PHYSICAL (RESERVE_WAL)", quote_identifier(slot)));
    if (made.has_value() || connection.sqlstate() == "42710") return ok();
    return made.error();
}

Result<void> drop_slot(const Context& context, Connection& connection, const std::string& slot) {
    const auto dropped = connection.execute(
        context, fmt::format("DROP_REPLICATION_SLOT {}", quote_identifier(slot)));
    if (dropped.has_value() || connection.sqlstate() == "42704") return ok();
    return dropped.error();
}

Result<std::string> fetch_history(const Context& context, Connection& connection,
                                  Timeline timeline) {
    const Rows rows = TRY(connection.query(context, fmt::format("TIMELINE_HISTORY {}", timeline)));
    return rows.text(0, "content");
}

namespace {

/// The two result sets before the copy: where the backup starts, and what it will send.
Result<BackupStart> begin_backup(const Context& context, Connection& connection) {
    BackupStart start;
    const Connection::Reply position = TRY(connection.next(context));
    start.lsn = TRY(parse_lsn(position.rows.text(0, "recptr")));
    start.timeline = TRY(timeline_of(position.rows.text(0, "tli")));
    const Connection::Reply spaces = TRY(connection.next(context));
    for (std::size_t row = 0; row < spaces.rows.rows.size(); ++row) {
        const std::string oid = spaces.rows.text(row, "spcoid");
        if (!oid.empty()) start.tablespaces.emplace_back(oid, spaces.rows.text(row, "spclocation"));
        if (const auto kib = parse_integer(spaces.rows.text(row, "size")))
            start.estimated += static_cast<std::uint64_t>(*kib) * 1024;
    }
    return start;
}

Result<void> take_copy(const Context& context, Connection& connection, const BackupSink& sink) {
    while (true) {
        const auto message = TRY(connection.copy_read(context, std::chrono::seconds(60)));
        if (message.kind == Connection::CopyMessage::Kind::end) return ok();
        if (message.kind == Connection::CopyMessage::Kind::nothing)
            return unavailable(
                fmt::format("{}: the base backup stalled for 60s", connection.place()));
        const ByteView bytes(message.bytes);
        const std::string_view text = as_text(bytes.subspan(1));
        switch (static_cast<char>(bytes.front())) {
            case 'd':
                TRY(sink.data(bytes.subspan(1)));
                break;
            case 'm':
                TRY(sink.manifest());
                break;
            case 'p':
                break;  // progress in the server's view: we count what arrives
            case 'n': {
                const auto end = text.find('\0');
                if (end == text.npos) return corrupt("base backup: an archive without a name");
                const std::string_view path = text.substr(end + 1);
                TRY(sink.archive(std::string(text.substr(0, end)),
                                 std::string(path.substr(0, path.find('\0')))));
                break;
            }
            default:
                return unsupported(fmt::format("base backup: message of type '{}'",
                                               static_cast<char>(bytes.front())));
        }
    }
}

}  // namespace

Result<BackupStop> take_base_backup(const Context& context, Connection& connection,
                                    const BackupOptions& options, const BackupSink& sink) {
    if (connection.server_version() < 150000)
        return unsupported(fmt::format("{}: base backups need PostgreSQL 15 or newer, not {}.{}",
                                       connection.place(), connection.server_version() / 10000,
                                       connection.server_version() % 10000));
    std::string command = fmt::format(
        "BASE_BACKUP ( LABEL {}, PROGRESS true, CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', "
        "MANIFEST_CHECKSUMS 'CRC32C', TABLESPACE_MAP true, VERIFY_CHECKSUMS false",
        quote_literal(options.label));
    if (options.rate != 0)
        command += fmt::format(", MAX_RATE {}",
                               std::clamp<std::uint64_t>(options.rate / 1024, 32, 1048576));
    command += " )";
    TRY(connection.send(context, command));
    const BackupStart start = TRY(begin_backup(context, connection));
    TRY(sink.start(start));
    const Connection::Reply copy = TRY(connection.next(context));
    if (copy.kind != Connection::Reply::Kind::copy_out)
        return unknown(
            fmt::format("{}: the base backup did not begin to send", connection.place()));
    TRY(take_copy(context, connection, sink));
    // Only this last result set makes the backup valid.
    const Connection::Reply stop = TRY(connection.next(context));
    if (stop.kind != Connection::Reply::Kind::rows)
        return unknown(
            fmt::format("{}: the base backup ended without its stop position", connection.place()));
    BackupStop end;
    end.lsn = TRY(parse_lsn(stop.rows.text(0, "recptr")));
    end.timeline = TRY(timeline_of(stop.rows.text(0, "tli")));
    TRY(drain(context, connection));
    return end;
}

namespace {

std::optional<TimelineEnd> timeline_end(const Rows& rows) {
    const auto next = parse_integer(rows.text(0, "next_tli"));
    const auto at = parse_lsn(rows.text(0, "next_tli_startpos"));
    if (!next || !at.has_value()) return std::nullopt;
    return TimelineEnd{static_cast<Timeline>(*next), *at};
}

}  // namespace

Result<std::optional<TimelineEnd>> WalReceiver::start(const Context& context,
                                                      const std::string& slot, Timeline timeline,
                                                      Lsn from) {
    TRY(connection_.send(context, fmt::format("START_REPLICATION SLOT {} PHYSICAL {} TIMELINE {}",
                                              quote_identifier(slot), format_lsn(from), timeline)));
    const Connection::Reply reply = TRY(connection_.next(context));
    if (reply.kind == Connection::Reply::Kind::copy_both) return std::optional<TimelineEnd>();
    auto end = timeline_end(reply.rows);
    if (!end)
        return unknown(fmt::format("{}: replication from {} did not begin", connection_.place(),
                                   format_lsn(from)));
    TRY(drain(context, connection_));
    return end;
}

Result<WalMessage> read_wal_message(Bytes bytes) {
    const char type = bytes.empty() ? '\0' : static_cast<char>(bytes.front());
    const auto time_at = [&](std::size_t at) {
        return from_server_time(static_cast<std::int64_t>(load_be<std::uint64_t>(bytes, at)));
    };
    if (type == 'w' && std::ssize(bytes) >= wal_data_head) {
        WalData data{.begin = load_be<std::uint64_t>(bytes, 1),
                     .server_end = load_be<std::uint64_t>(bytes, 9),
                     .sent = time_at(17),
                     .bytes = {}};
        bytes.erase(bytes.begin(), bytes.begin() + wal_data_head);
        data.bytes = std::move(bytes);
        return WalMessage(std::move(data));
    }
    if (type == 'k' && bytes.size() >= keepalive_size)
        return WalMessage(Keepalive{.server_end = load_be<std::uint64_t>(bytes, 1),
                                    .sent = time_at(9),
                                    .reply_requested = bytes[17] != std::byte{0}});
    return unsupported(fmt::format("replication message of type {:#x}, {} bytes",
                                   static_cast<unsigned char>(type), bytes.size()));
}

Result<WalMessage> WalReceiver::receive(const Context& context, Duration wait) {
    auto message = TRY(connection_.copy_read(context, wait));
    if (message.kind == Connection::CopyMessage::Kind::nothing) return WalMessage(Nothing{});
    if (message.kind == Connection::CopyMessage::Kind::end) return end_of_copy(context);
    auto read = read_wal_message(std::move(message.bytes));
    if (!read.has_value()) return std::move(read).error().in(connection_.place());
    return read;
}

Result<WalMessage> WalReceiver::end_of_copy(const Context& context) {
    Connection::Reply reply = TRY(connection_.next(context));
    if (reply.kind == Connection::Reply::Kind::copy_in ||
        reply.kind == Connection::Reply::Kind::copy_both) {
        TRY(connection_.copy_end(context));
        reply = TRY(connection_.next(context));
    }
    std::optional<TimelineEnd> end;
    if (reply.kind == Connection::Reply::Kind::rows) end = timeline_end(reply.rows);
    if (reply.kind != Connection::Reply::Kind::end) TRY(drain(context, connection_));
    if (end) return WalMessage(*end);
    return WalMessage(ServerStopped{});
}

Result<void> WalReceiver::send_status(const Context& context, Lsn received, Lsn durable, bool ask) {
    Bytes status{std::byte{'r'}};
    append_be<std::uint64_t>(status, received);
    append_be<std::uint64_t>(status, durable);
    append_be<std::uint64_t>(status, 0);  // nothing is ever applied here
    append_be(status, static_cast<std::uint64_t>(to_server_time(context.clock().now())));
    status.push_back(std::byte{ask});
    return connection_.copy_write(context, status);
}

Result<void> WalReceiver::stop(const Context& context) {
    TRY(connection_.copy_end(context));
    while (true) {
        const auto message = TRY(connection_.copy_read(context, std::chrono::seconds(5)));
        if (message.kind == Connection::CopyMessage::Kind::end) break;
        if (message.kind == Connection::CopyMessage::Kind::nothing) return ok();
    }
    return drain(context, connection_);
}

}  // namespace lifeboat::postgres
