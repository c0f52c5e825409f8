#pragma once
/// A real PostgreSQL server for one test: its own cluster in a temporary directory, on 127.0.0.1,
/// as the user that servers run as. Stopped by its process identity, never by name.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "platform/env/environment.h"
#include "providers/postgres/connection.h"
#include "providers/postgres/lsn.h"

namespace lifeboat::test {

/// The newest version that is installed, or "" when none is.
Path postgres_programs();

class PostgresServer {
public:
    struct Options {
        unsigned wal_segment_mib = 16;
        bool checksums = true;
        std::map<std::string, std::string> settings;  ///< added to postgresql.conf
    };
    static constexpr const char* password = "lifeboat-test-secret";

    /// initdb in `data`, which must not exist. Not started.
    PostgresServer(Path data, std::uint16_t port, const Options& options);
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    void start();
    /// Fast shutdown; returns when it is dead.
    void stop();
    /// SIGKILL to the postmaster and everything that belongs to it.
    void kill_9();
    bool is_alive();

    const Path& data() const { return data_; }
    std::uint16_t port() const { return port_; }
    const ProcessIdentity& postmaster() const { return postmaster_; }
    std::unique_ptr<postgres::Connection> connect();
    /// Runs it; the first column of the first row. Fails the test when it fails.
    std::string sql(const std::string& text);

private:
    Path data_;
    std::uint16_t port_;
    ProcessIdentity postmaster_;
};

/// Asks a server that somebody else started.
std::string ask(std::uint16_t port, const std::string& sql);

/// Inserts rows as fast as they are acknowledged, and remembers each.
class Writer {
public:
    struct Row {
        std::int64_t id = 0;
        postgres::Lsn lsn = 0;  ///< flushed when it had been acknowledged
        Instant at{};           ///< acknowledged, by our clock
    };
    explicit Writer(PostgresServer& server);
    ~Writer();
    /// Waits until `count` rows were acknowledged.
    void wait_for(std::size_t count);
    /// Stops, and what was acknowledged.
    std::vector<Row> finish();

private:
    void work();

    PostgresServer& server_;
    std::atomic<bool> stop_ = false;
    std::atomic<std::size_t> count_ = 0;
    std::vector<Row> rows_;
    std::thread thread_;
};

}  // namespace lifeboat::test
