#include "platform/env/resolve.h"

#include <fmt/core.h>
#include <netdb.h>

#include <cstring>
#include <list>
#include <memory>

#include "platform/task/mutex.h"

namespace lifeboat {
namespace {

// Looked at this often: gai_suspend(3) knows no stop token.
constexpr long slice_nanoseconds = 40'000'000;

/// One question to the name service. Heap-allocated: when nobody waits for it any longer, the
/// library still writes into it until its own timeout.
struct Question {
    std::string host;
    std::string port;
    addrinfo hints{};
    gaicb request{};

    explicit Question(const Endpoint& endpoint)
        : host(endpoint.host), port(std::to_string(endpoint.port)) {
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV;
        request.ar_name = host.c_str();
        request.ar_service = port.c_str();
        request.ar_request = &hints;
    }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;
    ~Question() {
        if (request.ar_result != nullptr) ::freeaddrinfo(request.ar_result);
    }
    bool pending() { return ::gai_error(&request) == EAI_INPROGRESS; }
};

/// Keeps abandoned questions until the library is done with them.
class Abandoned {
public:
    void keep(std::unique_ptr<Question> question) {
        const MutexLock lock(mutex_);
        questions_.remove_if([](const auto& old) { return !old->pending(); });
        questions_.push_back(std::move(question));
    }

private:
    Mutex mutex_;
    std::list<std::unique_ptr<Question>> questions_ GUARDED_BY(mutex_);
};

Abandoned& abandoned() {
    static auto* questions = new Abandoned();  // never destroyed: the library may outlive main()
    return *questions;
}

std::vector<Address> addresses_of(const addrinfo* found) {
    std::vector<Address> addresses;
    for (; found != nullptr; found = found->ai_next) {
        if (found->ai_addrlen > sizeof(sockaddr_storage)) continue;
        Address address{.length = found->ai_addrlen, .family = found->ai_family};
        std::memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
        addresses.push_back(address);
    }
    return addresses;
}

Error resolve_error(const std::string& host, int code) {
    const std::string message =
        fmt::format("unable to resolve '{}': {}", host, ::gai_strerror(code));
    const bool absent = code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY;
    return absent ? not_found(message, "Check the name, or write the address itself.")
                  : unavailable(message);
}

}  // namespace

Result<std::vector<Address>> resolve(const Context& context, const Endpoint& endpoint) {
    const std::string what = fmt::format("resolving '{}'", endpoint.host);
    TRY(context.check(what));
    auto question = std::make_unique<Question>(endpoint);

    // An address needs no name service, and so no thread of the library.
    addrinfo numeric = question->hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (::getaddrinfo(endpoint.host.c_str(), question->port.c_str(), &numeric, &found) == 0) {
        auto addresses = addresses_of(found);
        ::freeaddrinfo(found);
        return addresses;
    }

    gaicb* requests[] = {&question->request};
    if (const int code = ::getaddrinfo_a(GAI_NOWAIT, requests, 1, nullptr); code != 0) {
        return resolve_error(endpoint.host, code);
    }
    while (question->pending()) {
        const timespec slice{.tv_sec = 0, .tv_nsec = slice_nanoseconds};
        const gaicb* waited[] = {&question->request};
        (void)::gai_suspend(waited, 1, &slice);
        if (auto check = context.check(what); !check.has_value() && question->pending()) {
            (void)::gai_cancel(&question->request);
            abandoned().keep(std::move(question));
            return std::move(check).error();
        }
    }
    if (const int code = ::gai_error(&question->request); code != 0) {
        return resolve_error(endpoint.host, code);
    }
    return addresses_of(question->request.ar_result);
}

}  // namespace lifeboat
