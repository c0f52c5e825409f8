#include "providers/postgres/stream.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/task/scope.h"
#include "providers/postgres/identity.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration command_time = 30s;
constexpr Duration status_every = 1s;
constexpr Duration report_every = 1s;
constexpr Duration ask_after = 10s;      // of silence: the server is asked for a sign of life
constexpr Duration silence_max = 60s;    // then the connection counts as dead
constexpr Duration warning_every = 30s;  // a gap's warning is looked at again
constexpr Duration farewell = 2s;

}  // namespace

WalStream::WalStream(const Services& services, const Server& server, Options options)
    : services_(services),
      server_(server),
      options_(std::move(options)),
      watcher_(services, server) {}

vault::LogName WalStream::log_name(Timeline timeline) const {
    return {server_.component, fmt::format("{}", system_.system_identifier), timeline};
}

Result<void> WalStream::run(const Context& context) {
    TaskScope scope(context);
    scope.spawn([this](const Context& inner) { return watcher_.run(inner); });
    while (true) {
        TRY(connect(context));
        const auto end = stream_next(context);
        if (end.has_value()) {
            if (*end == End::stopped) return ok();
            continue;
        }
        if (context.stopped()) return ok();
        // The server has removed what comes next: once more, leaving a gap.
        if (connection_->sqlstate() != "58P01" || lost_) return end.error();
        lost_ = true;
    }
}

Result<void> WalStream::connect(const Context& context) {
    const Context bounded = context.within(command_time);
    auto opened = TRY(Connection::open(bounded, server_.connect_options(true)));
    connection_ = std::move(opened);
    system_ = TRY(identify_system(bounded, *connection_));
    TRY(require_pinned(server_, system_.system_identifier));
    format_.system_identifier = system_.system_identifier;
    format_.segment_size = TRY(wal_segment_size(bounded, *connection_));
    history_ =
        TRY(store_histories(bounded, *connection_, *services_.vault, server_.component, system_));
    const SlotInfo slot = TRY(ensure_slot(bounded, *connection_, server_));
    slot_begin_ = slot.restart;
    return ok();
}

Result<WalStream::End> WalStream::stream_next(const Context& context) {
    const Holdings holdings =
        TRY(load_holdings(*services_.vault, server_.component, system_.system_identifier));
    StreamStart start = next_start(holdings, history_, format_.segment_size,
                                   slot_begin_ != 0 ? slot_begin_ : system_.position, given_up_);
    gap_.reset();
    if (lost_ || slot_begin_ == 0) TRY(skip_lost(context.within(command_time), start));
    timeline_ = start.timeline;
    WalReceiver receiver(*connection_);
    const auto begun = receiver.start(context.within(command_time), server_.slot, start.timeline,
                                      gap_.value_or(start.from));
    if (!begun.has_value()) {
        if (connection_->sqlstate() != "55006") return begun.error();
        slot_in_use_ = true;
        return conflict(fmt::format("{}: slot '{}' is in use", server_.describe(), server_.slot),
                        "Another `lifeboat protect` or backup streams this database.");
    }
    if (*begun) {
        given_up_ = std::max(given_up_, start.timeline);
        return End::timeline;
    }
    auto pump = TRY(open_pump(start));
    lost_ = false;
    warning_ = gap_warning();
    TaskScope scope(context);
    scope.spawn([&](const Context& inner) { return pump->run(inner); });
    const auto end = receive(context, receiver, *pump);
    pump->close();
    TRY(scope.wait());
    if (options_.report) report(*pump);
    if (end.has_value() && *end == End::stopped) {
        // Ignored: the server learns the rest from the next start's position.
        const Context last = Context(context.clock()).within(farewell);
        if (acknowledge(last, receiver, *pump).has_value()) (void)receiver.stop(last);
    }
    return end;
}

Result<void> WalStream::skip_lost(const Context& context, StreamStart& start) {
    if (start.timeline != system_.timeline) {
        // What is missing of an older timeline cannot be had from anybody: go on with its child.
        given_up_ = std::max(given_up_, start.timeline);
        const Holdings holdings =
            TRY(load_holdings(*services_.vault, server_.component, system_.system_identifier));
        start = next_start(holdings, history_, format_.segment_size, slot_begin_, given_up_);
        return ok();
    }
    if (slot_begin_ == 0) {
        // Invalidated at its limit: such a slot never comes back.
        TRY(drop_slot(context, *connection_, server_.slot));
        const SlotInfo made = TRY(ensure_slot(context, *connection_, server_));
        slot_begin_ = made.restart;
    }
    const Lsn from = segment_start(slot_begin_, format_.segment_size);
    if (start.new_log) {
        start.from = from;
    } else if (from > start.from) {
        gap_ = from;
    }
    return ok();
}

Result<std::unique_ptr<LogPump>> WalStream::open_pump(const StreamStart& start) {
    const vault::LogName name = log_name(start.timeline);
    std::optional<WalParser> parser;
    if (start.new_log || gap_) {
        parser = WalParser::at_page(format_, gap_.value_or(start.from));
    } else {
        auto reader = TRY(services_.vault->open_log(name));
        parser = TRY(parser_at_end(*reader, format_));
    }
    auto log = TRY(services_.vault->append_log(name, start.from));
    if (gap_)
        TRY(log->gap(*gap_, fmt::format("the server removed it before it was received (slot '{}')",
                                        server_.slot)));
    if (log->end() != parser->position())
        return conflict(
            fmt::format(
                "the log of timeline {} ends at {}, not at {}: somebody else has written it",
                start.timeline, format_lsn(log->end()), format_lsn(parser->position())),
            "Only one `lifeboat protect` may stream a database.");
    acknowledged_ = 0;
    return std::make_unique<LogPump>(std::move(log), *parser);
}

Result<void> WalStream::acknowledge(const Context& context, WalReceiver& receiver,
                                    const LogPump& pump) {
    const Lsn boundary = pump.durable().boundary;
    // A server without wal_sender_timeout says nothing of itself: a silent one is asked.
    const bool ask = context.clock().monotonic() - heard_at_ >= ask_after;
    TRY(receiver.send_status(context, pump.expected(), boundary, ask));
    acknowledged_ = boundary;
    reply_requested_ = false;
    status_at_ = context.clock().monotonic();
    return ok();
}

Result<WalStream::End> WalStream::receive(const Context& context, WalReceiver& receiver,
                                          LogPump& pump) {
    heard_at_ = context.clock().monotonic();
    while (true) {
        if (context.stopped()) return End::stopped;
        if (auto failure = pump.failure()) return *failure;
        const LogPump::Durable durable = pump.durable();
        if (options_.enough && options_.enough({timeline_, durable})) return End::stopped;
        const Monotonic now = context.clock().monotonic();
        // Also while storage stalls: a receiver that is silent for a minute is thrown out.
        if (durable.boundary != acknowledged_ || reply_requested_ ||
            now - status_at_ >= status_every)
            TRY(acknowledge(context.within(command_time), receiver, pump));
        if (options_.report && now - report_at_ >= report_every) report(pump);
        if (!pump.has_room()) {
            heard_at_ = now;
            if (!context.sleep(20ms).has_value()) return End::stopped;
            continue;
        }
        const bool waiting = durable.end < pump.expected();
        auto message = receiver.receive(context, waiting ? Duration(5ms) : Duration(100ms));
        if (!message.has_value()) {
            if (context.stopped()) return End::stopped;
            return message.error();
        }
        if (!std::holds_alternative<Nothing>(*message)) heard_at_ = now;
        if (now - heard_at_ >= silence_max)
            return unavailable(fmt::format("{}: no sign of life for {}", server_.describe(),
                                           human_duration(silence_max)));
        const auto end = TRY(handle(std::move(*message), pump));
        if (end) return *end;
    }
}

Result<std::optional<WalStream::End>> WalStream::handle(WalMessage message, LogPump& pump) {
    if (auto* data = std::get_if<WalData>(&message)) {
        if (data->begin != pump.expected())
            return conflict(fmt::format("{}: the server sent WAL from {}, expected was {}",
                                        server_.describe(), format_lsn(data->begin),
                                        format_lsn(pump.expected())));
        pump.offer(std::move(data->bytes));
    } else if (const auto* keepalive = std::get_if<Keepalive>(&message)) {
        reply_requested_ = reply_requested_ || keepalive->reply_requested;
    } else if (std::holds_alternative<TimelineEnd>(message)) {
        return std::optional<End>(End::timeline);
    } else if (std::holds_alternative<ServerStopped>(message)) {
        return unavailable(
            fmt::format("{}: the server ended the stream: it shuts down", server_.describe()));
    }
    return std::optional<End>();
}

std::string WalStream::gap_warning() {
    const auto holdings =
        load_holdings(*services_.vault, server_.component, system_.system_identifier);
    if (!holdings.has_value()) return {};
    const auto log = holdings->logs.find(timeline_);
    const auto& gaps = log == holdings->logs.end() ? std::vector<vault::Gap>() : log->second.gaps;
    Lsn from = 0, to = gap_.value_or(0);
    for (const vault::Gap& gap : gaps) {
        if (gap.to < to) continue;
        from = gap.from;
        to = gap.to;
    }
    if (to == 0) return {};
    for (const Base& base : holdings->bases)
        if (base.timeline == timeline_ && base.start >= to) return {};
    return fmt::format(
        "WAL {} to {} is lost: nothing after it can be restored before a new base backup is taken",
        from == 0 ? "up" : "from " + format_lsn(from), format_lsn(to));
}

void WalStream::report(const LogPump& pump) {
    const Clock& clock = services_.environment.clock;
    report_at_ = clock.monotonic();
    const LogPump::Durable durable = pump.durable();
    // By the server's own clock where it could be asked; else the last transaction that is durable.
    if (const auto safe = watcher_.safe_at(durable.end)) safe_until_ = std::max(safe_until_, *safe);
    if (durable.mark) safe_until_ = std::max(safe_until_, durable.mark->at);
    if (!warning_.empty() && report_at_ - warned_at_ >= warning_every) {
        warned_at_ = report_at_;
        warning_ = gap_warning();
    }
    const SlotHealth slot = watcher_.slot();
    providers::StreamReport report;
    report.at = clock.now();
    report.safe_until = safe_until_;
    report.position = format_lsn(durable.boundary != 0 ? durable.boundary : durable.end);
    report.retained_bytes = slot.retained;
    report.free_bytes = watcher_.free_bytes();
    report.warning = !warning_.empty() ? warning_ : watcher_.warning();
    if (report.warning.empty() && slot.unbounded)
        report.warning =
            "max_slot_wal_keep_size is -1: while nobody streams, the slot fills the server's disk";
    options_.report(report);
}

}  // namespace lifeboat::postgres
