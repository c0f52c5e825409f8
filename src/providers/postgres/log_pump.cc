#include "providers/postgres/log_pump.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t waiting_max = 64U << 20U;
// A group closes after this time or size: few syncs under load, and a commit is durable here soon.
constexpr Duration group_time = 5ms;
constexpr std::size_t group_size = 1U << 20U;

}  // namespace

LogPump::LogPump(std::unique_ptr<vault::LogWriter> log, WalParser parser)
    : log_(std::move(log)), parser_(std::move(parser)), expected_(log_->end()) {
    durable_.boundary = parser_.boundary();
    durable_.end = expected_;
}

void LogPump::offer(Bytes bytes) {
    expected_ += bytes.size();
    MutexLock lock(mutex_);
    waiting_bytes_ += bytes.size();
    waiting_.push_back(std::move(bytes));
    changed_.notify_all();
}

bool LogPump::has_room() const {
    MutexLock lock(mutex_);
    return waiting_bytes_ < waiting_max;
}

LogPump::Durable LogPump::durable() const {
    MutexLock lock(mutex_);
    return durable_;
}

void LogPump::close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

std::optional<Error> LogPump::failure() const {
    MutexLock lock(mutex_);
    return failure_;
}

Result<void> LogPump::run(const Context& context) {
    auto result = pump(context);
    if (result.has_value()) return result;
    MutexLock lock(mutex_);
    failure_ = result.error();
    return result;
}

Result<void> LogPump::pump(const Context& context) {
    while (true) {
        std::deque<Bytes> group;
        {
            MutexLock lock(mutex_);
            changed_.wait(lock, context.stop_token(),
                          [&]() REQUIRES(mutex_) { return !waiting_.empty() || closed_; });
            if (waiting_.empty()) return ok();
            changed_.wait_for(lock, context.stop_token(), group_time, [&]() REQUIRES(mutex_) {
                return waiting_bytes_ >= group_size || closed_;
            });
            group.swap(waiting_);
        }
        TRY(write_group(group));
    }
}

Result<void> LogPump::write_group(const std::deque<Bytes>& group) {
    std::size_t written = 0;
    std::optional<vault::Mark> last;
    for (const Bytes& bytes : group) {
        std::vector<vault::Mark> marks;
        const Lsn position = parser_.position();
        // WAL that cannot be replayed is never acknowledged.
        TRY(parser_.feed(bytes, marks));
        TRY(log_->append(position, bytes, parser_.boundary(), marks));
        if (!marks.empty()) last = marks.back();
        written += bytes.size();
    }
    const Lsn boundary = TRY(log_->sync());
    MutexLock lock(mutex_);
    waiting_bytes_ -= written;
    durable_.boundary = boundary;
    durable_.end = log_->end();
    if (last) durable_.mark = std::move(last);
    return ok();
}

Result<WalParser> parser_at_end(vault::LogReader& log, const WalFormat& format) {
    const vault::LogStatus& status = log.status();
    Lsn begin = status.begin;
    for (const vault::Gap& gap : status.gaps) begin = std::max(begin, gap.to);
    const auto read_on = [&](WalParser parser) -> Result<WalParser> {
        std::vector<vault::Mark> marks;
        Bytes piece;
        while (parser.position() < status.end) {
            piece.resize(
                static_cast<std::size_t>(std::min<Lsn>(1U << 20U, status.end - parser.position())));
            TRY(log.read(parser.position(), piece));
            TRY(parser.feed(piece, marks));
            marks.clear();
        }
        return parser;
    };
    // From the beginning of a segment: behind a switch, pages have no headers to begin at.
    const Lsn back =
        status.boundary == 0 ? 0 : segment_start(status.boundary - 1, format.segment_size);
    const Lsn from = std::max(begin, back);
    WalParser parser = TRY(read_on(WalParser::at_page(format, from)));
    if (parser.boundary() != 0 || status.boundary == 0 || status.boundary < begin) return parser;
    // One record longer than what was looked at: what comes before it is not needed to go on.
    return read_on(WalParser::at_boundary(format, status.boundary));
}

}  // namespace lifeboat::postgres
