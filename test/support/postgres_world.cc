#include "test/support/postgres_world.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "providers/postgres/identity.h"
#include "providers/postgres/provider.h"
#include "providers/postgres/server_process.h"

namespace lifeboat::test {

using namespace std::chrono_literals;

PostgresWorld::PostgresWorld(const PostgresServer::Options& options,
                             const std::string& more_settings) {
    registry_.add(providers::make_postgres_provider(services()));
    // The first port of the site is the plan's own; restores take others.
    const std::uint16_t port = first_port();
    const Path secret = directory() / "password";
    EXPECT_TRUE(write_file_durably(environment().files, secret, as_bytes(PostgresServer::password))
                    .has_value());
    read_plan(registry_,
              fmt::format("  database:\n    kind: postgres\n    site: primary\n    port: {}\n"
                          "    data_directory: primary/pg\n    password: \"file:{}\"\n{}"
                          "    objectives: {{rto: 30s, rpo: 5s}}\n"
                          "    protect: [{{method: continuous}}, {{method: base, every: 1d}}]\n"
                          "    health: [{{tcp: true}}, {{sql: \"SELECT 1\"}}]\n",
                          port, secret.string(), more_settings));
    open_vault();
    server_ = std::make_unique<PostgresServer>(directory() / "primary" / "pg", port, options);
    server_->start();
}

PostgresWorld::~PostgresWorld() {
    server_.reset();
    for (const Path& data : restored_) {
        const auto postmaster = postgres::find_postmaster(environment(), data);
        if (postmaster.has_value() && *postmaster)
            (void)environment().processes.stop_group(context(), **postmaster, 0s);
    }
}

providers::VerbCall PostgresWorld::next_call(const std::string& verb, Json arguments) {
    auto made = call("database", verb, std::move(arguments),
                     fmt::format("s{:02}-{}-database", ++steps_, verb));
    made.candidate = candidate_;
    return made;
}

Result<Json> PostgresWorld::try_call(const providers::VerbCall& call) {
    const auto started = provider().start(context(120s), call, ignore_progress);
    if (call.verb == "restore") {
        const auto site = providers::local_site(plan(), providers::acting_site(call), directory());
        restored_.push_back(site->directory / fmt::format("database-{}", call.token) / "data");
    }
    if (!started.has_value()) return started.error();
    if (started->outputs.contains("instance") &&
        (call.verb == "restore" || call.verb == "promote")) {
        auto instance = providers::instance_from_json(started->outputs["instance"]);
        EXPECT_TRUE(instance.has_value());
        candidate_ = *instance;
    }
    return started->outputs;
}

Result<Json> PostgresWorld::try_run(const std::string& verb, Json arguments) {
    return try_call(next_call(verb, std::move(arguments)));
}

Json PostgresWorld::run(const std::string& verb, Json arguments) {
    auto outputs = try_run(verb, std::move(arguments));
    EXPECT_TRUE(outputs.has_value())
        << verb << ": " << outputs.error().message << " " << outputs.error().hint;
    return outputs.has_value() ? *outputs : Json::object();
}

std::uint16_t PostgresWorld::candidate_port() const {
    return static_cast<std::uint16_t>(integer_or(candidate_->settings, "port", 0));
}

void PostgresWorld::switch_over() {
    adopt(Json{{"instance", providers::to_json(*candidate_)}});
    candidate_.reset();
}

postgres::Lsn PostgresWorld::durable() {
    const auto logs = services().vault->logs("database");
    EXPECT_TRUE(logs.has_value());
    postgres::Lsn boundary = 0;
    for (const auto& log : *logs) boundary = std::max<postgres::Lsn>(boundary, log.boundary);
    return boundary;
}

void PostgresWorld::wait_until_durable(std::uint16_t port) {
    const auto flushed = postgres::parse_lsn(
        ask(port == 0 ? server().port() : port, "SELECT pg_current_wal_flush_lsn()"));
    ASSERT_TRUE(flushed.has_value());
    for (int i = 0; i < 600 && durable() < *flushed; ++i) (void)context().sleep(20ms);
    EXPECT_GE(durable(), *flushed);
}

Protection::Protection(PostgresWorld& world) : world_(world) {
    thread_ = std::thread([this] {
        const Context context(world_.environment().clock, stop_.get_token());
        plan::Protection protection;
        protection.method = "continuous";
        result_ = world_.provider().protect(context, world_.target("database"), protection,
                                            [this](const providers::StreamReport& report) {
                                                MutexLock lock(mutex_);
                                                last_ = report;
                                            });
        running_ = false;
        if (!result_.has_value()) fmt::print("protect ended: {}\n", result_.error().message);
    });
}

Result<void> Protection::stop() {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
    return result_;
}

providers::StreamReport Protection::last() {
    MutexLock lock(mutex_);
    return last_;
}

void Protection::wait_for(const std::function<bool(const providers::StreamReport&)>& good) {
    for (int i = 0; i < 1500 && !good(last()); ++i) (void)world_.context().sleep(20ms);
    EXPECT_TRUE(good(last())) << "last report: " << last().position << " " << last().warning;
}

}  // namespace lifeboat::test
