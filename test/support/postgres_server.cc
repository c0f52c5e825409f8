#include "test/support/postgres_server.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <csignal>

namespace lifeboat::test {
namespace {

using namespace std::chrono_literals;

Environment& world() { return real_environment(); }
Context context(Duration limit = 60s) { return Context(world().clock).within(limit); }

std::optional<RunAs> server_user() {
    if (world().processes.own_uid() != 0) return std::nullopt;
    const auto user = world().processes.user("postgres");
    EXPECT_TRUE(user.has_value());
    return *user;
}

std::unique_ptr<postgres::Connection> connect_to(std::uint16_t port) {
    postgres::ConnectOptions options;
    options.port = port;
    options.password = PostgresServer::password;
    options.application_name = "test";
    const Monotonic until = world().clock.monotonic() + Duration(30s);
    while (true) {
        auto connection = postgres::Connection::open(context(), options);
        if (connection.has_value()) return std::move(*connection);
        if (world().clock.monotonic() > until) {
            ADD_FAILURE() << connection.error().message;
            return nullptr;
        }
        (void)context().sleep(20ms);
    }
}

}  // namespace

Path postgres_programs() {
    const auto names = world().files.list("/usr/lib/postgresql");
    if (!names.has_value() || names->empty()) return {};
    return Path("/usr/lib/postgresql") / names->back() / "bin";
}

PostgresServer::PostgresServer(Path data, std::uint16_t port, const Options& options)
    : data_(std::move(data)), port_(port) {
    Files& files = world().files;
    const Path parent = data_.parent_path();
    EXPECT_TRUE(files.make_directories(parent, 0755).has_value());
    EXPECT_TRUE(files.make_directories(data_, 0700).has_value());
    const Path secret = data_.string() + ".password";
    EXPECT_TRUE(write_file_durably(files, secret, as_bytes(password)).has_value());
    if (const auto user = server_user()) {
        EXPECT_TRUE(files.set_owner(data_, user->uid, user->gid).has_value());
        EXPECT_TRUE(files.set_owner(secret, user->uid, user->gid).has_value());
    }
    Command initdb;
    initdb.arguments = {(postgres_programs() / "initdb").string(),
                        "-D",
                        data_.string(),
                        "-U",
                        "postgres",
                        "--auth=scram-sha-256",
                        "--pwfile=" + secret.string(),
                        "--no-sync",
                        "--locale=C.UTF-8",
                        fmt::format("--wal-segsize={}", options.wal_segment_mib)};
    if (options.checksums) initdb.arguments.emplace_back("--data-checksums");
    initdb.directory = parent;
    initdb.run_as = server_user();
    const auto made = world().processes.run(context(), initdb);
    EXPECT_TRUE(made.has_value() && made->code == 0)
        << (made.has_value() ? made->error : made.error().message);
    EXPECT_TRUE(files.remove(secret).has_value());
    std::string config = fmt::format(
        "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
        "max_slot_wal_keep_size = '1GB'\nshared_buffers = '16MB'\n",
        port_);
    for (const auto& [name, value] : options.settings)
        config += fmt::format("{} = '{}'\n", name, value);
    auto file = files.open(data_ / "postgresql.conf", OpenMode::append);
    EXPECT_TRUE(file.has_value() && (*file)->append(as_bytes(config)).has_value());
}

PostgresServer::~PostgresServer() { kill_9(); }

void PostgresServer::start() {
    Daemon daemon;
    daemon.command.arguments = {(postgres_programs() / "postgres").string(), "-D", data_.string()};
    daemon.command.directory = data_;
    daemon.command.run_as = server_user();
    daemon.log = data_.string() + ".log";
    const auto started = world().processes.start_daemon(context(), daemon);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    postmaster_ = *started;
    ASSERT_NE(connect(), nullptr);
}

bool PostgresServer::is_alive() {
    return postmaster_.pid != 0 && world().processes.is_alive(postmaster_);
}

void PostgresServer::stop() {
    (void)world().processes.signal(postmaster_, SIGINT);
    for (int i = 0; i < 1500 && is_alive(); ++i) (void)context().sleep(20ms);
    EXPECT_FALSE(is_alive());
}

void PostgresServer::kill_9() {
    if (!is_alive()) return;
    // All at once: backends that outlive their postmaster would finish what they were about to
    // acknowledge.
    const auto all = world().processes.group(postmaster_);
    (void)world().processes.signal(postmaster_, SIGKILL);
    if (all.has_value())
        for (const ProcessIdentity& process : *all)
            (void)world().processes.signal(process, SIGKILL);
    for (int i = 0; i < 500 && is_alive(); ++i) (void)context().sleep(10ms);
}

std::unique_ptr<postgres::Connection> PostgresServer::connect() { return connect_to(port_); }

std::string PostgresServer::sql(const std::string& text) { return ask(port_, text); }

std::string ask(std::uint16_t port, const std::string& sql) {
    auto connection = connect_to(port);
    if (!connection) return {};
    const auto rows = connection->query(context(), sql);
    EXPECT_TRUE(rows.has_value()) << sql << ": " << rows.error().message;
    return rows.has_value() ? rows->first() : std::string();
}

Writer::Writer(PostgresServer& server) : server_(server) {
    server_.sql("CREATE TABLE IF NOT EXISTS ledger (id bigserial PRIMARY KEY, note text)");
    thread_ = std::thread([this] { work(); });
}

Writer::~Writer() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
}

void Writer::work() {
    auto connection = server_.connect();
    while (connection && !stop_) {
        const auto row = connection->query(
            context(), "INSERT INTO ledger (note) VALUES (repeat('x', 200)) RETURNING id");
        if (!row.has_value()) return;
        const Instant at = world().clock.now();
        const auto lsn = connection->query(context(), "SELECT pg_current_wal_flush_lsn()");
        rows_.push_back(
            {std::stoll(row->first()),
             lsn.has_value() ? postgres::parse_lsn(lsn->first()).value_or(~0ULL) : ~0ULL, at});
        ++count_;
        if (!lsn.has_value()) return;
    }
}

void Writer::wait_for(std::size_t count) {
    for (int i = 0; i < 6000 && count_ < count; ++i) (void)context().sleep(5ms);
    EXPECT_GE(count_.load(), count);
}

std::vector<Writer::Row> Writer::finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return rows_;
}

}  // namespace lifeboat::test
