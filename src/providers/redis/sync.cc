#include "providers/redis/sync.h"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include "providers/redis/sync_reply.h"

namespace lifeboat::redis {
namespace {

constexpr std::chrono::milliseconds glance{100};  // how often a stop is looked for
constexpr std::chrono::seconds silence_max{60};   // the server sends a newline every 10 s
constexpr std::size_t block_size = std::size_t{256} << 10U;
constexpr std::size_t line_max = 4096;

/// The bytes behind PSYNC, read from the connection's descriptor.
class Wire {
public:
    Wire(const Context& context, int descriptor) : context_(context), descriptor_(descriptor) {}

    /// Some bytes, at most `limit`. Errors: unavailable (closed, silent), cancelled, timeout.
    Result<Bytes> read(std::size_t limit) {
        if (!buffer_.empty()) {
            const std::size_t count = std::min(limit, buffer_.size());
            Bytes out(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(count));
            buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(count));
            return out;
        }
        TRY(wait());
        Bytes out(std::min(limit, block_size));
        const ssize_t count = ::read(descriptor_, out.data(), out.size());
        if (count < 0) return from_errno("read from Redis", errno);
        if (count == 0)
            return unavailable("Redis closed the connection in the middle of the snapshot",
                               "Its log says why; often a buffer limit or a full disk.");
        out.resize(static_cast<std::size_t>(count));
        return out;
    }

    /// A line without its end; the newlines that keep the connection alive are passed over.
    Result<std::string> line() {
        std::string text;
        while (true) {
            const Bytes one = TRY(read(1));
            const char next = static_cast<char>(one.front());
            if (next == '\n') {
                if (text.empty()) continue;
                if (text.back() == '\r') text.pop_back();
                return text;
            }
            text += next;
            if (text.size() > line_max) return corrupt("Redis sends a line without an end");
        }
    }

    void put_back(ByteView bytes) { buffer_.insert(buffer_.begin(), bytes.begin(), bytes.end()); }

private:
    Result<void> wait() {
        const Context patient = context_.within(silence_max);
        while (true) {
            TRY(context_.check("reading a snapshot from Redis"));
            if (patient.remaining() == Duration::zero())
                return unavailable(
                    fmt::format("Redis is silent for {}", human_duration(silence_max)));
            pollfd waited{.fd = descriptor_, .events = POLLIN, .revents = 0};
            const auto limit = std::chrono::ceil<std::chrono::milliseconds>(
                patient.remaining_or(Duration(glance)));
            const int ready = ::poll(&waited, 1, static_cast<int>(limit.count()));
            if (ready > 0) return ok();
            if (ready < 0 && errno != EINTR) return from_errno("wait for Redis", errno);
        }
    }

    const Context& context_;
    const int descriptor_;
    Bytes buffer_;
};

Result<void> read_start(Wire& wire, const Clock& clock, Synced& synced) {
    const std::string said = TRY(wire.line());
    synced.at = clock.now();
    SyncStart start = TRY(read_sync_start(said));
    synced.replication_id = std::move(start.replication_id);
    synced.offset = start.offset;
    return ok();
}

/// Passes on a snapshot that is not understood, up to its mark or size.
Result<void> copy_rest(Wire& wire, const Framing& framing, std::uint64_t& left,
                       const RdbScanner::Sink& sink) {
    std::string window;
    while (framing.mark.empty() ? left > 0 : true) {
        const Bytes block =
            TRY(wire.read(framing.mark.empty()
                              ? static_cast<std::size_t>(std::min<std::uint64_t>(left, block_size))
                              : block_size));
        if (framing.mark.empty()) {
            left -= block.size();
            TRY(sink(block));
            continue;
        }
        window += as_text(block);
        const std::size_t end = window.find(framing.mark);
        if (end != std::string::npos) return sink(as_bytes(window.substr(0, end)));
        if (window.size() <= mark_size) continue;
        const std::size_t safe = window.size() - mark_size;
        TRY(sink(as_bytes(window.substr(0, safe))));
        window.erase(0, safe);
    }
    return ok();
}

Result<void> read_mark(Wire& wire, const Framing& framing) {
    std::string seen;
    while (seen.size() < framing.mark.size()) {
        const Bytes block = TRY(wire.read(framing.mark.size() - seen.size()));
        seen += as_text(block);
    }
    if (seen != framing.mark) return corrupt("the snapshot does not end where Redis said");
    return ok();
}

}  // namespace

Result<Synced> full_sync(const Context& context, Client& client, const Clock& clock,
                         const RdbScanner::Sink& sink) {
    TRY(client.command(context, {"PING"}));
    // `eof`: the server may send as it makes the snapshot, without a file. A failed snapshot to a
    // file would even make it refuse writes (stop-writes-on-bgsave-error).
    TRY(client.command(context, {"REPLCONF", "capa", "eof", "capa", "psync2"}));
    // The snapshot only: no buffer fills at the server for us. Servers before 7.0 do not know it.
    (void)client.command(context, {"REPLCONF", "rdb-only", "1"});
    TRY(client.send_only({"PSYNC", "?", "-1"}));

    Wire wire(context, client.descriptor());
    Synced synced;
    TRY(read_start(wire, clock, synced));
    const std::string framed = TRY(wire.line());
    const Framing framing = TRY(read_framing(framed));
    std::uint64_t left = framing.size;
    const auto source = [&]() -> Result<Bytes> {
        if (!framing.mark.empty()) return wire.read(block_size);
        if (left == 0) return Bytes();
        Bytes block =
            TRY(wire.read(static_cast<std::size_t>(std::min<std::uint64_t>(left, block_size))));
        left -= block.size();
        return block;
    };
    RdbScanner scanner(source, sink);
    auto summary = scanner.scan();
    if (!summary.has_value() && summary.error().kind != ErrorKind::unsupported)
        return std::move(summary).error();
    if (framing.mark.empty()) left += scanner.rest().size();
    wire.put_back(scanner.rest());
    if (!summary.has_value()) {
        synced.counted = false;
        TRY(copy_rest(wire, framing, left, sink));
        return synced;
    }
    synced.summary = *std::move(summary);
    if (framing.mark.empty() && left > 0)
        return corrupt("the snapshot is followed by bytes that are not of it");
    TRY(read_mark(wire, framing));
    return synced;
}

}  // namespace lifeboat::redis
