#pragma once
/// A ProviderWorld with a PostgreSQL server in it, a vault, and the verbs of kind `postgres`.

#include <memory>
#include <stop_token>
#include <thread>

#include "platform/task/mutex.h"
#include "providers/contract/registry.h"
#include "test/support/postgres_server.h"
#include "test/support/provider_world.h"

namespace lifeboat::test {

class PostgresWorld : public ProviderWorld {
public:
    explicit PostgresWorld(const PostgresServer::Options& options = {},
                           const std::string& more_settings = "");
    ~PostgresWorld();

    PostgresServer& server() { return *server_; }
    providers::Provider& provider() { return *registry_.find("postgres"); }

    /// Runs a verb to its end; fails the test when it fails. Restored servers are stopped with the
    /// world.
    Json run(const std::string& verb, Json arguments = Json::object());
    Result<Json> try_run(const std::string& verb, Json arguments = Json::object());
    /// The same for a call that the test has made or changed.
    Result<Json> try_call(const providers::VerbCall& call);
    /// A call with a token of its own; `candidate` is that of the last restore until it is adopted.
    providers::VerbCall next_call(const std::string& verb, Json arguments = Json::object());

    /// What `restore` made last.
    const std::optional<providers::Instance>& candidate() const { return candidate_; }
    std::uint16_t candidate_port() const;
    /// The candidate is the current instance from now on.
    void switch_over();
    /// The copy was only looked at.
    void forget_candidate() { candidate_.reset(); }

    /// How far the vault's newest log is durable.
    postgres::Lsn durable();
    /// Waits until everything that the server has flushed is in the vault.
    void wait_until_durable(std::uint16_t port = 0);

private:
    providers::Registry registry_;
    std::unique_ptr<PostgresServer> server_;
    std::optional<providers::Instance> candidate_;
    std::vector<Path> restored_;
    unsigned steps_ = 0;
};

/// `protect` in a thread of its own.
class Protection {
public:
    explicit Protection(PostgresWorld& world);
    ~Protection() { (void)stop(); }
    /// Ends it and returns how it ended.
    Result<void> stop();
    providers::StreamReport last();
    bool running() const { return running_; }
    /// Waits for a report that satisfies; fails the test when none comes.
    void wait_for(const std::function<bool(const providers::StreamReport&)>& good);

private:
    PostgresWorld& world_;
    std::stop_source stop_;
    Mutex mutex_;
    providers::StreamReport last_ GUARDED_BY(mutex_);
    Result<void> result_;
    std::atomic<bool> running_ = true;
    std::thread thread_;
};

}  // namespace lifeboat::test
