#pragma once
/// A world for tests of the engine: a plan, a provider that does what the test says, a state in
/// memory, a vault in a temporary directory. Time is real, nothing in it sleeps.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "engine/protection.h"
#include "engine/recovery.h"
#include "platform/state/open.h"
#include "platform/task/scope.h"

namespace lifeboat::engine::testing {

using providers::Instance;
using providers::VerbCall;

constexpr std::chrono::seconds patience{20};  ///< a bound, never a measure

/// What happens in other threads, in order; the test waits for it.
class Story {
public:
    void tell(std::string line) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }
    /// False when it did not happen in time.
    bool await(const std::string& line) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience,
                                 [&] { return std::ranges::find(lines_, line) != lines_.end(); });
    }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

inline bool has(const std::vector<std::string>& lines, const std::string& line) {
    return std::ranges::find(lines, line) != lines.end();
}

/// Kind `fake`: restore makes an instance, repoint takes them, act acts, hang ends only when
/// stopped.
class FakeProvider final : public providers::Provider {
public:
    explicit FakeProvider(Story& story) : story_(story) {}

    plan::KindSpec describe() const override {
        plan::KindSpec kind;
        kind.name = "fake";
        kind.stateful = true;
        kind.settings = {{.name = "port", .type = plan::SettingType::port}};
        kind.methods = {"continuous", "snapshot"};
        for (const char* name : {"restore", "repoint", "verify", "hang", "backup"}) {
            plan::VerbSpec verb;
            verb.name = name;
            verb.makes_instance = verb.name == "restore";
            verb.takes_instance = verb.name == "repoint";
            verb.outputs = {"instance", "point"};
            verb.arguments = {{.name = "text"}};
            kind.verbs.push_back(std::move(verb));
        }
        return kind;
    }
    Result<providers::Observation> observe(const Context&,
                                           const providers::Target& target) override {
        return providers::Observation{
            .health = watch::Health::healthy,
            .why = "it is a fake",
            .role = {},
            .identity = {{"system_identifier", identity}, {"seen_at", target.instance.endpoint}}};
    }
    Result<std::vector<providers::Call>> preview(const Context&, const VerbCall& call) override {
        return std::vector<providers::Call>{{.action = call.verb, .object = {}}};
    }
    Result<providers::Started> start(const Context& context, const VerbCall& call,
                                     const providers::ProgressSink&) override {
        const std::string text = string_or(call.arguments, "text", "");
        story_.tell(call.verb + " " + call.component->name + (text.empty() ? "" : " " + text));
        for (const auto& [name, instance] : call.instances)
            story_.tell(call.step.value + " sees " + name + " at " + instance.endpoint);
        if (call.candidate)
            story_.tell(call.step.value + " has candidate " + call.candidate->endpoint);
        if (call.verb == "hang") {
            while (!context.stopped()) (void)context.sleep(std::chrono::seconds(1));
            story_.tell("hang came back");
            return cancelled("stopped");
        }
        providers::Started done;
        if (call.verb == "restore") {
            Instance made = call.current;
            made.site = call.site;
            made.endpoint = "new:" + call.site;
            made.made_by = call.token;
            done.outputs["instance"] = providers::to_json(made);
        }
        if (call.verb == "backup") done.outputs["point"] = "a-point";
        return done;
    }
    Result<providers::Probed> probe(const Context&, const VerbCall& call) override {
        story_.tell("probe " + call.component->name);
        return providers::Probed{.verdict = runbook::ProbeVerdict::absent};
    }
    Result<void> protect(const Context& context, const providers::Target& target,
                         const plan::Protection&, const providers::StreamSink& sink) override {
        story_.tell("streaming " + target.instance.endpoint);
        while (!context.stopped()) {
            sink({.at = context.clock().now(),
                  .safe_until = context.clock().now(),
                  .position = target.instance.endpoint});
            (void)context.sleep(std::chrono::milliseconds(20));
        }
        story_.tell("left " + target.instance.endpoint);
        return context.check("stream");
    }

    Result<providers::Proof> prove(const Context& context, const providers::ProofCall& call,
                                   const providers::ProofSink&) override {
        story_.tell("prove " + call.to);
        return on_prove(context, call);
    }
    Result<void> discard(const Context& context, const providers::ProofCall& call) override {
        TRY(context.check("discard"));
        story_.tell("discard " + call.token);
        return ok();
    }

    std::string identity = "7001";
    std::function<Result<providers::Proof>(const Context&, const providers::ProofCall&)> on_prove;

private:
    Story& story_;
};

/// Members in the order in which they need each other.
class World {
public:
    explicit World(const std::string& yaml) {
        char name[] = "/tmp/lifeboat-engine-XXXXXX";
        directory_ = ::mkdtemp(name);
        auto made = std::make_unique<FakeProvider>(story);
        provider = made.get();
        registry_.add(std::move(made));
        catalog_ = registry_.catalog();
        parsed_ = plan::parse(
            "plan.yaml", "lifeboat: 1\nplan: test\n" + yaml, catalog_,
            [](const std::string& path) -> Result<std::string> { return not_found(path); });
        for (const auto& one : parsed_.diagnostics)
            if (one.level == plan::DiagnosticLevel::error)
                ADD_FAILURE() << plan::render(one, parsed_.sources);
        lose_state();
    }
    ~World() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// A new, empty state directory.
    void lose_state() {
        workspace_.reset();
        state_ = make_memory_state(environment().clock, &environment().processes);
        workspace_ = std::make_unique<Workspace>(Workspace{.environment = environment(),
                                                           .plan = parsed_.plan,
                                                           .catalog = catalog_,
                                                           .registry = registry_,
                                                           .services = services_,
                                                           .state = *state_});
    }
    void open_vault() {
        const Path key_file = directory_ / "key";
        ASSERT_TRUE(vault::make_key(environment(), key_file).has_value());
        const auto key = vault::load_key(environment(), key_file);
        ASSERT_TRUE(key.has_value());
        ASSERT_TRUE(vault::init_vault(environment(), directory_ / "vault", *key).has_value());
        auto opened = vault::open_vault(environment(), directory_ / "vault", *key);
        ASSERT_TRUE(opened.has_value());
        vault_ = *std::move(opened);
        services_.vault = vault_.get();
    }
    Environment& environment() { return real_environment(); }
    Workspace& workspace() { return *workspace_; }
    MemoryState& state() { return *state_; }
    Context context() { return Context(environment().clock).within(patience); }

    /// The run of the plan's only scenario, about to begin.
    runbook::RunStarted start() {
        runbook::RunStarted start;
        start.run = make_run_id(environment());
        start.scenario = parsed_.plan.scenarios.front().name;
        auto graph = runbook::compile(parsed_.plan, parsed_.plan.scenarios.front().steps, catalog_,
                                      {.run = start.run});
        EXPECT_TRUE(graph.has_value()) << graph.error().message;
        if (graph.has_value()) start.graph = *std::move(graph);
        return start;
    }

    Story story;
    FakeProvider* provider = nullptr;

private:
    Path directory_;
    SecretResolver secrets_{real_environment()};
    providers::Services services_{.environment = real_environment(), .secrets = secrets_};
    providers::Registry registry_;
    plan::Catalog catalog_;
    plan::Parsed parsed_;
    std::unique_ptr<vault::Vault> vault_;
    std::unique_ptr<MemoryState> state_;
    std::unique_ptr<Workspace> workspace_;
};

inline constexpr const char* two_components = R"(
components:
  db: {kind: fake, port: 15900}
  web: {kind: fake, port: 15901, needs: [db]}
)";

}  // namespace lifeboat::engine::testing
