#pragma once
/// HTTP client over libcurl: one request, one answer, bounded in time and size.
/// Thread-safe; connections are not shared between threads.

#include <cstdint>
#include <map>
#include <string>

#include "platform/base/result.h"
#include "platform/task/context.h"

namespace lifeboat::http {

struct Request {
    std::string method = "GET";
    std::string url;
    std::map<std::string, std::string> headers;
    std::string body;
    bool follow_redirects = false;
    std::size_t response_limit = std::size_t{4} << 20U;  ///< bytes; a longer answer is exhausted
};

struct Response {
    int status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    Duration took{};
};

/// Any status is a Response. Errors: unavailable (not connected: nothing was sent), unknown (sent,
/// no complete answer), timeout (before anything was sent), cancelled, invalid (URL), exhausted.
Result<Response> send(const Context& context, const Request& request);

}  // namespace lifeboat::http
