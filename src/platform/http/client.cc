#include "platform/http/client.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <stop_token>
#include <utility>

#include "platform/base/text.h"
#include "platform/observe/redact.h"

namespace lifeboat::http {
namespace {

constexpr Duration stop_latency = std::chrono::milliseconds(100);
constexpr Duration request_limit = std::chrono::minutes(10);  // for a context without a deadline
constexpr long connect_timeout_ms = 10'000;
constexpr long redirects_max = 10;

struct Free {
    void operator()(CURL* it) const { curl_easy_cleanup(it); }
    void operator()(CURLU* it) const { curl_url_cleanup(it); }
    void operator()(curl_slist* it) const { curl_slist_free_all(it); }
};

struct FreeMulti {  // both handles are void*
    void operator()(CURLM* it) const { (void)curl_multi_cleanup(it); }
};

/// One per thread: keeps its connections alive, shares nothing.
struct Handles {
    std::unique_ptr<CURLM, FreeMulti> multi;
    std::unique_ptr<CURL, Free> easy;
};

Handles& handles() {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    CHECK(ready);
    thread_local Handles own{.multi = decltype(Handles::multi)(curl_multi_init()),
                             .easy = decltype(Handles::easy)(curl_easy_init())};
    CHECK(own.multi != nullptr && own.easy != nullptr);
    return own;
}

/// An answer as it comes in.
struct Answer {
    Response response;
    std::size_t limit = 0;
    std::size_t size = 0;  // of headers and body
    bool too_long = false;

    bool admit(std::size_t count) {
        size += count;
        too_long = too_long || size > limit;
        return !too_long;
    }
};

std::size_t on_body(const char* bytes, std::size_t one, std::size_t count, void* context) {
    auto* answer = static_cast<Answer*>(context);
    if (!answer->admit(one * count)) return 0;
    answer->response.body.append(bytes, one * count);
    return one * count;
}

std::size_t on_header(const char* bytes, std::size_t one, std::size_t count, void* context) {
    auto* answer = static_cast<Answer*>(context);
    if (!answer->admit(one * count)) return 0;
    const std::string_view line(bytes, one * count);
    if (line.starts_with("HTTP/")) {
        answer->response.headers.clear();  // of a redirect, or of "100 Continue"
        return line.size();
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return line.size();
    const std::string_view value = trim(line.substr(colon + 1));
    const auto [it, first] =
        answer->response.headers.try_emplace(to_lower(line.substr(0, colon)), value);
    if (!first) it->second += fmt::format(", {}", value);
    return line.size();
}

bool is_safe(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

/// The host of the URL. Errors: invalid.
Result<std::string> host_of(const Request& request) {
    const std::unique_ptr<CURLU, Free> url(curl_url());
    CHECK(url != nullptr);
    const CURLUcode parsed = curl_url_set(url.get(), CURLUPART_URL, request.url.c_str(), 0);
    if (parsed != CURLUE_OK)
        return invalid(
            fmt::format("'{}' is no URL: {}", redact(request.url), curl_url_strerror(parsed)));
    const auto part = [&](CURLUPart which) {
        char* text = nullptr;
        if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return std::string();
        std::string copy(text);
        curl_free(text);
        return copy;
    };
    const std::string scheme = part(CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        return invalid(fmt::format("'{}' is neither http nor https", redact(request.url)));
    return part(CURLUPART_HOST);
}

/// The header lines. Errors: invalid (a line break would forge another header).
Result<std::unique_ptr<curl_slist, Free>> header_lines(const Request& request) {
    std::unique_ptr<curl_slist, Free> lines;
    const auto add = [&](const std::string& line) {
        curl_slist* longer = curl_slist_append(lines.get(), line.c_str());
        CHECK(longer != nullptr);
        (void)lines.release();
        lines.reset(longer);
    };
    bool has_type = false;
    for (const auto& [name, value] : request.headers) {
        if (name.empty() || name.find_first_of("\r\n:; \t") != name.npos ||
            value.find_first_of("\r\n") != value.npos)
            return invalid(fmt::format("'{}' is no header that can be sent", name));
        has_type = has_type || to_lower(name) == "content-type";
        add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    }
    if (!has_type) add("Content-Type:");  // else curl calls every body a form
    add("Expect:");                       // else a longer body waits a second for "100 Continue"
    return lines;
}

void set_method(CURL* easy, const Request& request) {
    if (!request.body.empty() || request.method == "POST") {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
    }
    if (request.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
}

void set_up(CURL* easy, const Request& request, std::string_view host, curl_slist* lines,
            Answer& answer) {
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "lifeboat");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a slow name server
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, redirects_max);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
    if (is_loopback(host)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    // On a kept connection that turns out dead, curl sends again by itself: not what may act twice.
    if (!is_safe(request)) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &answer);
    set_method(easy, request);
}

/// Runs the transfer to its end, or nothing when stopped or out of time.
std::optional<CURLcode> perform(const Context& context, Handles& own) {
    CURLM* multi = own.multi.get();
    CHECK(curl_multi_add_handle(multi, own.easy.get()) == CURLM_OK);
    std::optional<CURLcode> code;
    {
        const std::stop_callback wake(context.stop_token(),
                                      [multi] { (void)curl_multi_wakeup(multi); });
        while (!code && !context.stopped() && context.remaining() != Duration::zero()) {
            int running = 0;
            CHECK(curl_multi_perform(multi, &running) == CURLM_OK);
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi, &left))
                if (message->msg == CURLMSG_DONE) code = message->data.result;
            if (code) break;
            const Duration wait = context.remaining_or(stop_latency);
            const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
            (void)curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait_ms), nullptr);
        }
    }
    return code;
}

/// What a transfer that did not end well means for the caller.
Error failure(const Context& context, const Request& request, const Answer& answer,
              std::optional<CURLcode> code, bool sent) {
    const std::string what = fmt::format("{} {}", request.method, redact(request.url));
    if (answer.too_long)
        return exhausted(fmt::format("{}: the answer is longer than {} bytes", what, answer.limit));
    if (!code && context.stopped()) return cancelled(fmt::format("{} was cancelled", what));
    if (!code && !sent) return timeout(fmt::format("{} ran out of time before it was sent", what));
    const std::string why = code ? curl_easy_strerror(*code) : "no complete answer in time";
    if (!sent && (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL))
        return invalid(fmt::format("{}: {}", what, why));
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return unavailable(fmt::format("{}: {}", what, why),
                           "Check the server's certificate and the name it is called by.");
    if (!sent || is_safe(request)) return unavailable(fmt::format("{}: {}", what, why));
    return unknown(fmt::format("{} was sent, but: {}", what, why),
                   "Look whether it took effect before it is sent again.");
}

}  // namespace

Result<Response> send(const Context& caller, const Request& request) {
    const Context context = caller.within(request_limit);
    TRY(context.check(fmt::format("{} {}", request.method, redact(request.url))));
    const std::string host = TRY(host_of(request));
    const auto lines = TRY(header_lines(request));

    Handles& own = handles();
    Answer answer{.limit = request.response_limit};
    const Monotonic begin = context.clock().monotonic();
    set_up(own.easy.get(), request, host, lines.get(), answer);
    const std::optional<CURLcode> code = perform(context, own);
    long status = 0;
    long sent_bytes = 0;
    (void)curl_easy_getinfo(own.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(own.easy.get(), CURLINFO_REQUEST_SIZE, &sent_bytes);
    (void)curl_multi_remove_handle(own.multi.get(), own.easy.get());
    curl_easy_reset(own.easy.get());  // it must not point at what dies here

    if (code != CURLE_OK || answer.too_long)
        return failure(context, request, answer, code, sent_bytes > 0);
    answer.response.status = static_cast<int>(status);
    answer.response.took = context.clock().monotonic() - begin;
    return std::move(answer.response);
}

}  // namespace lifeboat::http
