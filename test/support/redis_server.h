#pragma once
/// A real redis-server on a free port of 127.0.0.1, in a directory of its own, ended with the test.

#include "providers/redis/client.h"
#include "test/support/provider_world.h"

namespace lifeboat::test {

class RedisServer {
public:
    /// `more` are further lines of its configuration.
    RedisServer(const Path& directory, std::uint16_t port, const std::string& more = "");
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    redis::Reply operator()(const std::vector<std::string>& words);
    /// kill -9, and its files are gone.
    void lose();
    const ProcessIdentity& process() const { return process_; }
    redis::Address address;

private:
    Path directory_;
    ProcessIdentity process_;
};

}  // namespace lifeboat::test
