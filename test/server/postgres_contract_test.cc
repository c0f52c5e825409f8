// The provider of PostgreSQL passes the suite of all providers.

#include <fmt/core.h>

#include <csignal>

#include "providers/postgres/server_process.h"
#include "test/contract/provider_contract.h"
#include "test/support/postgres_world.h"

namespace lifeboat::contract {
namespace {

using test::PostgresServer;
using test::PostgresWorld;

class PostgresHarness : public ProviderHarness {
public:
    PostgresHarness() {
        test::Protection protection(world_);
        world_.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY)");
        world_.run("backup");
        world_.wait_until_durable();
        (void)protection.stop();
    }
    ~PostgresHarness() override {
        stranger_.reset();
        std::error_code gone;
        for (const auto& entry :
             std::filesystem::directory_iterator(world_.directory() / "primary", gone)) {
            const auto postmaster =
                postgres::find_postmaster(world_.environment(), entry.path() / "data");
            if (postmaster.has_value() && *postmaster)
                (void)world_.environment().processes.stop_group(world_.context(), **postmaster,
                                                                Duration::zero());
        }
    }
    test::ProviderWorld& world() override { return world_; }
    providers::Provider& provider() override { return world_.provider(); }
    std::string component() override { return "database"; }
    std::vector<VerbCase> script() override {
        const auto call = [&](const char* verb) {
            VerbCall made = world_.call("database", verb);
            made.candidate = candidate_;
            return made;
        };
        VerbCall promote = call("promote");
        promote.fenced = true;
        // What is promoted becomes the current one, is protected, and then ended in three ways.
        return {{.call = call("verify"), .looks_only = true},
                {.call = call("backup")},
                {.call = call("restore")},
                {.call = promote},
                {.call = call("rebuild-protection")},
                {.call = call("stop")},
                {.call = call("start")},
                {.call = call("preserve")},
                {.call = call("fence"), .absent_before = false}};
    }
    void happened(const VerbCall& call, const Json& outputs) override {
        if (call.verb != "restore" && call.verb != "promote") return;
        const auto instance = providers::instance_from_json(outputs["instance"]);
        ASSERT_TRUE(instance.has_value());
        candidate_ = *instance;
        if (call.verb == "restore") return;
        world_.adopt(outputs);
        candidate_.reset();
    }
    std::string fingerprint() override {
        const auto points = world_.services().vault->points();
        std::string text = fmt::format("{} points\n", points->size());
        std::error_code gone;
        std::set<std::string> folders;
        for (const auto& entry :
             std::filesystem::directory_iterator(world_.directory() / "primary", gone)) {
            const auto postmaster =
                postgres::find_postmaster(world_.environment(), entry.path() / "data");
            const bool alive = postmaster.has_value() && *postmaster;
            folders.insert(
                fmt::format("{} {}", entry.path().string(), alive ? (*postmaster)->pid : 0));
        }
        for (const std::string& folder : folders) text += folder + "\n";
        return text + (world_.server().is_alive() ? "alive" : "down");
    }
    void lose() override { world_.server().kill_9(); }
    void replace_by_stranger() override {
        lose();
        stranger_ =
            std::make_unique<PostgresServer>(world_.directory() / "stranger" / "pg",
                                             world_.server().port(), PostgresServer::Options{});
        stranger_->start();
    }
    bool stranger_lives() override { return stranger_->is_alive(); }
    VerbCall slow() override {
        // It accepts connections and never answers.
        ::kill(static_cast<pid_t>(world_.server().postmaster().pid), SIGSTOP);
        return world_.call("database", "backup", {}, "slow-backup");
    }
    std::vector<std::string> secrets() override { return {PostgresServer::password}; }

private:
    PostgresWorld world_;
    std::optional<providers::Instance> candidate_;
    std::unique_ptr<PostgresServer> stranger_;
};

std::unique_ptr<ProviderHarness> make_postgres_harness() {
    if (test::postgres_programs().empty()) return nullptr;
    return std::make_unique<PostgresHarness>();
}

INSTANTIATE_TEST_SUITE_P(postgres, ProviderContract, testing::Values(&make_postgres_harness));

}  // namespace
}  // namespace lifeboat::contract
