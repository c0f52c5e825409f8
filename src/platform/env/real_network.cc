#include <fmt/core.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/env/fd.h"
#include "platform/env/real.h"
#include "platform/env/resolve.h"
#include "platform/env/wake.h"

namespace lifeboat {
namespace {

// Nothing waits without a bound; a server that needs longer to accept is not available.
constexpr Duration connect_limit = std::chrono::seconds(10);
constexpr Duration resolve_limit = std::chrono::seconds(10);

Error connect_error(const Endpoint& endpoint, int error_number) {
    Error error = from_errno(fmt::format("connect to {}", to_string(endpoint)), error_number);
    // A host that does not answer is as unavailable as one that refuses; only ETIMEDOUT differs.
    if (error.kind != ErrorKind::timeout && error.kind != ErrorKind::exhausted &&
        error.kind != ErrorKind::denied) {
        error.kind = ErrorKind::unavailable;
    }
    return error;
}

const sockaddr* generic(const Address& address) {
    return reinterpret_cast<const sockaddr*>(&address.bytes);
}

/// Waits until the connection stands or has failed.
Result<void> finish_connect(const Context& context, const Fd& socket, const Endpoint& endpoint) {
    const StopSignal stop(context.stop_token());
    const std::string what = fmt::format("connecting to {}", to_string(endpoint));
    for (;;) {
        TRY(context.check(what));
        pollfd waited[] = {{.fd = socket.get(), .events = POLLOUT, .revents = 0},
                           {.fd = stop.fd(), .events = POLLIN, .revents = 0}};
        const int ready = ::poll(waited, 2, poll_timeout(context, std::chrono::milliseconds(50)));
        if (ready < 0 && errno != EINTR) return connect_error(endpoint, errno);
        if (ready <= 0 || waited[0].revents == 0) continue;
        int failed = 0;
        socklen_t length = sizeof failed;
        if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &length) != 0) failed = errno;
        if (failed != 0) return connect_error(endpoint, failed);
        return ok();
    }
}

Result<void> connect_to(const Context& context, const Address& address, const Endpoint& endpoint) {
    const Fd socket(::socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return from_errno("create a socket", errno);
    if (::connect(socket.get(), generic(address), address.length) == 0) return ok();
    // After a signal a non-blocking connect goes on, too.
    if (errno != EINPROGRESS && errno != EINTR) return connect_error(endpoint, errno);
    return finish_connect(context, socket, endpoint);
}

/// Whether a listener could stand at the address now.
Result<bool> can_listen(const Address& address, const Endpoint& endpoint) {
    const Fd socket(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return from_errno("create a socket", errno);
    // As servers do: connections of the past (TIME_WAIT) do not keep the port taken.
    const int yes = 1;
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(socket.get(), generic(address), address.length) == 0 &&
        ::listen(socket.get(), 1) == 0) {
        return true;
    }
    if (errno == EADDRINUSE) return false;
    if (errno == EADDRNOTAVAIL) {
        return invalid(fmt::format("{} is no address of this machine", to_string(endpoint)));
    }
    return from_errno(fmt::format("listen on {}", to_string(endpoint)), errno);
}

class RealNetwork final : public Network {
public:
    Result<void> probe_tcp(const Context& context, const Endpoint& endpoint) override {
        const Context bounded = context.within(connect_limit);
        const auto addresses = TRY(resolve(bounded, endpoint));
        Result<void> last = not_found(fmt::format("'{}' has no address", endpoint.host));
        for (const Address& address : addresses) {
            last = connect_to(bounded, address, endpoint);
            if (last.has_value() || bounded.stopped()) return last;
        }
        return last;
    }

    Result<bool> is_free(const Endpoint& endpoint) override {
        const Context context = Context(real_clock()).within(resolve_limit);
        const auto addresses = TRY(resolve(context, endpoint));
        for (const Address& address : addresses) {
            const bool free = TRY(can_listen(address, endpoint));
            if (!free) return false;
        }
        return !addresses.empty();
    }
};

}  // namespace

Network& real_network() {
    static RealNetwork network;
    return network;
}

}  // namespace lifeboat
