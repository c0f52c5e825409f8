#pragma once
/// What every implementation of State must do. Instantiate with a factory of harnesses:
///
///     INSTANTIATE_TEST_SUITE_P(sqlite, StateContract, testing::Values(&make_my_harness));
///
/// The harness hands out the state, a clock that stands still, and processes that the test kills.

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "platform/codec/crypto.h"
#include "platform/env/environment.h"
#include "platform/env/sim_clock.h"
#include "platform/observe/redact.h"
#include "platform/state/state.h"

namespace lifeboat::contract {

/// Knows which processes live; can nothing else. Not thread-safe.
class KnownProcesses : public Processes {
public:
    std::map<std::int64_t, std::uint64_t> alive{{100, 1}, {200, 1}};  ///< pid to start ticks
    std::string boot = "boot-1";

    Result<ProcessIdentity> identify(std::int64_t pid) override {
        const auto found = alive.find(pid);
        if (found == alive.end()) return not_found("no such process");
        return ProcessIdentity{.pid = pid, .start_ticks = found->second, .boot_id = boot};
    }
    std::string host_name() override { return "db1"; }
    std::string boot_id() override { return boot; }
    std::int64_t own_pid() override { return 100; }
    std::uint32_t own_uid() override { return 0; }
    std::string own_user() override { return "root"; }
    Path own_program() override { return "/usr/bin/lifeboat"; }
    std::optional<std::string> environment(const std::string&) override { return std::nullopt; }

    Result<Exit> run(const Context&, const Command&) override { return unsupported("run"); }
    Result<ProcessIdentity> start_daemon(const Context&, const Daemon&) override {
        return unsupported("start_daemon");
    }
    Result<void> signal(const ProcessIdentity&, int) override { return unsupported("signal"); }
    Result<std::vector<ProcessIdentity>> group(const ProcessIdentity&) override {
        return unsupported("group");
    }
    Result<void> stop_group(const Context&, const ProcessIdentity&, Duration) override {
        return unsupported("stop_group");
    }
    Result<RunAs> user(const std::string&) override { return unsupported("user"); }
};

class StateHarness {
public:
    virtual ~StateHarness() = default;
    virtual State& state() = 0;
    /// The process dies and another opens what is left.
    virtual void restart() = 0;

    SimClock clock;
    KnownProcesses processes;
};

using StateFactory = std::unique_ptr<StateHarness> (*)();

class StateContract : public testing::TestWithParam<StateFactory> {
protected:
    State& state() { return harness_->state(); }
    SimClock& clock() { return harness_->clock; }
    KnownProcesses& processes() { return harness_->processes; }
    void restart() { harness_->restart(); }

    NewEvent event(std::string type, Json payload = Json::object()) {
        return {.type = std::move(type), .payload = std::move(payload), .at = clock().now()};
    }
    /// A process of this host. `start_ticks` 1 is alive for the pids 100 and 200.
    Holder holder(std::int64_t pid, std::uint64_t start_ticks = 1) {
        return {.who = "recover by root on host db1, pid " + std::to_string(pid),
                .host = "db1",
                .pid = pid,
                .start_ticks = start_ticks,
                .boot_id = processes().boot};
    }
    Holder stranger() {
        return {.who = "recover on host db2, pid 7",
                .host = "db2",
                .pid = 7,
                .start_ticks = 1,
                .boot_id = "boot-of-db2"};
    }
    template <class T>
    static std::string kind_of(const Result<T>& result) {
        return result ? "none" : std::string(to_string(result.error().kind));
    }

    std::unique_ptr<StateHarness> harness_ = GetParam()();
    static constexpr Duration ttl = std::chrono::seconds(30);
};

// --- streams ---

TEST_P(StateContract, reads_back_what_was_appended) {
    const Json payload{{"z", 1}, {"a", {1.5, true, nullptr, "ü"}}};
    const auto version = state().append("run/1", 0, {event("begun", payload), event("ended")});
    ASSERT_TRUE(version) << version.error().message;
    EXPECT_EQ(*version, 2U);

    const auto events = state().read("run/1");
    ASSERT_TRUE(events) << events.error().message;
    ASSERT_EQ(events->size(), 2U);
    EXPECT_EQ(events->at(0).version, 1U);
    EXPECT_EQ(events->at(0).type, "begun");
    EXPECT_EQ(dump(events->at(0).payload), dump(payload));  // the order of members, too
    EXPECT_EQ(events->at(0).at, clock().now());
    EXPECT_EQ(events->at(0).epoch, 0U);
    EXPECT_EQ(events->at(1).version, 2U);
    EXPECT_EQ(state().version("run/1").value(), 2U);
}

TEST_P(StateContract, chains_each_event_to_the_one_before_it) {
    ASSERT_TRUE(state().append("s", 0, {event("a", {{"b", 1}, {"a", 2}})}));
    ASSERT_TRUE(state().append("s", 1, {event("b")}));
    const auto events = state().read("s").value();
    // The documented form, written out by hand.
    Bytes bytes(32);
    for (const StoredEvent& e : events) {
        const Json covered{{"stream", "s"},    {"version", e.version},
                           {"epoch", e.epoch}, {"at", e.at.time_since_epoch().count()},
                           {"type", e.type},   {"payload", e.payload}};
        append(bytes, as_bytes(dump_canonical(covered)));
        const crypto::Digest digest = crypto::sha256(bytes);
        EXPECT_EQ(e.hash, to_hex(digest));
        bytes = to_bytes(digest);
    }
}

TEST_P(StateContract, has_no_events_in_a_stream_that_nobody_wrote) {
    EXPECT_TRUE(state().read("nothing").value().empty());
    EXPECT_EQ(state().version("nothing").value(), 0U);
}

TEST_P(StateContract, refuses_an_append_behind_one_that_the_caller_has_not_seen) {
    ASSERT_TRUE(state().append("s", 0, {event("a")}));
    const auto late = state().append("s", 0, {event("b")});
    EXPECT_EQ(kind_of(late), "conflict");
    EXPECT_NE(late.error().message.find("'s' is at version 1, not 0"), std::string::npos);
    EXPECT_EQ(kind_of(state().append("s", 2, {event("b")})), "conflict");
    EXPECT_EQ(state().read("s").value().size(), 1U);
}

TEST_P(StateContract, appends_all_events_or_none) {
    const Json large(std::string(event_size_max, 'x'));
    EXPECT_EQ(kind_of(state().append("s", 0, {event("a"), event("b", large)})), "exhausted");
    EXPECT_TRUE(state().read("s").value().empty());
}

TEST_P(StateContract, keeps_events_up_to_their_bound) {
    const Json fits(std::string(event_size_max - 2, 'x'));  // and two quotes
    ASSERT_TRUE(state().append("s", 0, {event("a", fits)}));
    EXPECT_EQ(state().read("s").value().at(0).payload, fits);
}

TEST_P(StateContract, refuses_what_could_not_be_read_back) {
    Json deep = Json::array();
    for (int i = 0; i < 200; ++i) deep = Json::array({std::move(deep)});
    EXPECT_EQ(kind_of(state().append("s", 0, {event("a", deep)})), "invalid");
    EXPECT_EQ(kind_of(state().append("", 0, {event("a")})), "invalid");
    EXPECT_EQ(kind_of(state().append(std::string(1000, 's'), 0, {event("a")})), "invalid");
}

TEST_P(StateContract, reads_bytes_that_are_not_utf8_as_their_replacement) {
    ASSERT_TRUE(state().append("s", 0, {event("a", {{"text", "a\xff"}})}));
    restart();
    EXPECT_EQ(state().read("s").value().at(0).payload.at("text"), "a\xEF\xBF\xBD");
}

TEST_P(StateContract, reads_a_part_of_a_stream) {
    std::vector<NewEvent> events;
    for (int i = 0; i < 10; ++i) events.push_back(event("e", i));
    ASSERT_TRUE(state().append("s", 0, events));
    const auto part = state().read("s", 3, 2).value();
    ASSERT_EQ(part.size(), 2U);
    EXPECT_EQ(part.at(0).version, 4U);
    EXPECT_EQ(part.at(1).payload, 4);
    EXPECT_EQ(part.at(1).hash, state().read("s").value().at(4).hash);
    EXPECT_TRUE(state().read("s", 10).value().empty());
    EXPECT_TRUE(state().read("s", 99).value().empty());
    EXPECT_TRUE(state().read("s", 0, 0).value().empty());
}

TEST_P(StateContract, takes_an_append_of_no_events_as_a_question) {
    ASSERT_TRUE(state().append("s", 0, {event("a")}));
    EXPECT_EQ(state().append("s", 1, {}).value(), 1U);
    EXPECT_EQ(kind_of(state().append("s", 0, {})), "conflict");
    EXPECT_EQ(state().append("t", 0, {}).value(), 0U);
    EXPECT_EQ(state().streams("").value(), std::vector<std::string>{"s"});
}

TEST_P(StateContract, lists_streams_by_prefix_in_order) {
    for (const char* name : {"run/b", "run/a", "runs", "incident/1", "run/\xC3\xA9"})
        ASSERT_TRUE(state().append(name, 0, {event("a")}));
    EXPECT_EQ(state().streams("run/").value(),
              (std::vector<std::string>{"run/a", "run/b", "run/\xC3\xA9"}));
    EXPECT_EQ(state().streams("").value().size(), 5U);
    EXPECT_TRUE(state().streams("x").value().empty());
}

TEST_P(StateContract, keeps_everything_over_a_restart) {
    ASSERT_TRUE(state().append("s", 0, {event("a"), event("b")}));
    const std::string hash = state().read("s").value().at(1).hash;
    const Lease lease = state().acquire("l", holder(100), ttl).value();
    ASSERT_TRUE(state().put("k", 0, "v"));
    restart();
    EXPECT_EQ(state().read("s").value().at(1).hash, hash);
    EXPECT_EQ(state().find_lease("l").value().value().epoch, lease.epoch);
    EXPECT_EQ(state().get("k").value().value, "v");
    EXPECT_EQ(state().append("s", 2, {event("c")}).value(), 3U);
}

TEST_P(StateContract, never_keeps_a_secret) {
    register_secret("hunter2-of-the-contract");
    const Json payload{{"command", {"psql", "--x=hunter2-of-the-contract"}},
                       {"url", "postgresql://app:pa55@db/shop"}};
    ASSERT_TRUE(state().append("s", 0, {event("a", payload)}));
    ASSERT_TRUE(state().put("k", 0, payload));
    const Json masked{{"command", {"psql", "--x=‹secret›"}},
                      {"url", "postgresql://app:‹secret›@db/shop"}};
    EXPECT_EQ(state().read("s").value().at(0).payload, masked);
    EXPECT_EQ(state().get("k").value().value, masked);
}

TEST_P(StateContract, lets_one_of_many_writers_append_each_version) {
    constexpr int writers = 4;
    constexpr int each = 25;
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w)
        threads.emplace_back([this, w] {
            for (int done = 0; done < each;) {
                const auto at = state().version("s");
                if (at && state().append("s", *at, {event("e", w)})) ++done;
            }
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(state().read("s").value().size(), static_cast<std::size_t>(writers * each));
}

// --- watching ---

TEST_P(StateContract, wakes_who_watches_a_stream) {
    const Context context = Context(clock());
    std::thread writer([this] { ASSERT_TRUE(state().append("s", 0, {event("a")})); });
    EXPECT_TRUE(state().watch(context, "s", 0));
    writer.join();
    EXPECT_TRUE(state().watch(context, "s", 0));  // it is longer already
}

TEST_P(StateContract, stops_watching_when_asked_or_out_of_time) {
    std::stop_source stop;
    const Context context(clock(), stop.get_token());
    std::thread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(kind_of(state().watch(context, "s", 0)), "cancelled");
    stopper.join();
    const Context late = Context(clock()).within(Duration::zero());
    EXPECT_EQ(kind_of(state().watch(late, "s", 0)), "timeout");
}

// --- leases ---

TEST_P(StateContract, names_the_holder_to_the_second_one) {
    const Lease first = state().acquire("component/db", holder(100), ttl).value();
    EXPECT_EQ(first.epoch, 1U);
    EXPECT_EQ(first.until, clock().now() + ttl);
    const auto second = state().acquire("component/db", holder(200), ttl);
    EXPECT_EQ(kind_of(second), "conflict");
    EXPECT_NE(second.error().message.find("recover by root on host db1, pid 100"),
              std::string::npos);
    EXPECT_EQ(state().find_lease("component/db").value().value().holder.pid, 100);
    EXPECT_TRUE(state().acquire("component/cache", holder(200), ttl));
}

TEST_P(StateContract, gives_every_holder_a_higher_epoch) {
    const Lease first = state().acquire("l", holder(100), ttl).value();
    ASSERT_TRUE(state().release(first));
    EXPECT_FALSE(state().find_lease("l").value());
    const Lease second = state().acquire("l", holder(200), ttl).value();
    EXPECT_EQ(second.epoch, 2U);
    ASSERT_TRUE(state().release(second));
    restart();
    EXPECT_EQ(state().acquire("l", holder(100), ttl).value().epoch, 3U);
}

TEST_P(StateContract, fences_the_earlier_lease_of_one_who_takes_it_again) {
    const Lease first = state().acquire("l", holder(100), ttl).value();
    const Lease again = state().acquire("l", holder(100), ttl).value();
    EXPECT_GT(again.epoch, first.epoch);
    EXPECT_EQ(kind_of(state().renew(first, ttl)), "conflict");
    EXPECT_EQ(kind_of(state().append("s", 0, {event("a")}, &first)), "conflict");
    EXPECT_TRUE(state().append("s", 0, {event("a")}, &again));
}

TEST_P(StateContract, frees_a_lease_that_ran_out) {
    const Lease first = state().acquire("l", holder(100), ttl).value();
    clock().advance(ttl - Duration(1));
    EXPECT_EQ(kind_of(state().acquire("l", holder(200), ttl)), "conflict");
    clock().advance(Duration(1));
    EXPECT_FALSE(state().find_lease("l").value());
    EXPECT_EQ(state().acquire("l", holder(200), ttl).value().epoch, 2U);
    EXPECT_EQ(kind_of(state().renew(first, ttl)), "conflict");
}

TEST_P(StateContract, extends_a_lease_also_when_it_ran_out_and_nobody_took_it) {
    const Lease first = state().acquire("l", holder(100), ttl).value();
    clock().advance(2 * ttl);
    const auto renewed = state().renew(first, ttl);
    ASSERT_TRUE(renewed);
    EXPECT_EQ(renewed->epoch, first.epoch);
    EXPECT_EQ(renewed->until, clock().now() + ttl);
    EXPECT_EQ(kind_of(state().acquire("l", holder(200), ttl)), "conflict");
}

TEST_P(StateContract, frees_the_lease_of_a_dead_process_at_once) {
    ASSERT_TRUE(state().acquire("l", holder(100), ttl));
    processes().alive.erase(100);
    EXPECT_FALSE(state().find_lease("l").value());
    EXPECT_EQ(state().acquire("l", holder(200), ttl).value().epoch, 2U);
}

TEST_P(StateContract, knows_a_reused_pid_for_a_stranger) {
    ASSERT_TRUE(state().acquire("l", holder(100), ttl));
    processes().alive[100] = 77;
    EXPECT_TRUE(state().acquire("l", holder(200), ttl));
}

TEST_P(StateContract, takes_nothing_from_another_host_before_its_time) {
    ASSERT_TRUE(state().acquire("l", stranger(), ttl));
    EXPECT_EQ(kind_of(state().acquire("l", holder(200), ttl)), "conflict");
    clock().advance(ttl);
    EXPECT_TRUE(state().acquire("l", holder(200), ttl));
}

TEST_P(StateContract, is_not_held_up_by_a_clock_set_back) {
    for (const Holder& first : {holder(100), stranger()}) {
        const std::string name = "lease of " + first.host;
        ASSERT_TRUE(state().acquire(name, first, ttl));
        clock().jump_wall(-std::chrono::hours(1));
        EXPECT_EQ(kind_of(state().acquire(name, holder(200), ttl)), "conflict");
        clock().advance(ttl);
        EXPECT_TRUE(state().acquire(name, holder(200), ttl)) << name;
    }
}

TEST_P(StateContract, takes_no_lease_from_its_holder_because_a_clock_was_set_forward) {
    ASSERT_TRUE(state().acquire("l", holder(100), ttl));
    clock().jump_wall(std::chrono::hours(1));
    EXPECT_EQ(kind_of(state().acquire("l", holder(200), ttl)), "conflict");
}

TEST_P(StateContract, writes_under_a_lease_only_while_it_is_held) {
    const Lease lease = state().acquire("l", holder(100), ttl).value();
    ASSERT_TRUE(state().append("s", 0, {event("a")}, &lease));
    EXPECT_EQ(state().read("s").value().at(0).epoch, lease.epoch);
    ASSERT_TRUE(state().release(lease));
    const auto late = state().append("s", 1, {event("b")}, &lease);
    EXPECT_EQ(kind_of(late), "conflict");
    EXPECT_NE(late.error().message.find("lease 'l'"), std::string::npos);
    EXPECT_EQ(state().version("s").value(), 1U);
}

TEST_P(StateContract, releases_only_what_is_still_its_own) {
    const Lease first = state().acquire("l", holder(100), ttl).value();
    clock().advance(ttl);
    const Lease second = state().acquire("l", holder(200), ttl).value();
    EXPECT_TRUE(state().release(first));
    EXPECT_EQ(state().find_lease("l").value().value().epoch, second.epoch);
}

TEST_P(StateContract, finds_no_lease_that_nobody_took) {
    EXPECT_FALSE(state().find_lease("l").value());
    const Lease never{.name = "l", .epoch = 1, .holder = holder(100), .until = {}};
    EXPECT_EQ(kind_of(state().renew(never, ttl)), "conflict");
    EXPECT_TRUE(state().release(never));
}

// --- records ---

TEST_P(StateContract, sets_a_record_only_from_the_version_that_was_read) {
    EXPECT_EQ(state().get("k").value().version, 0U);
    EXPECT_EQ(state().put("k", 0, {{"a", 1}}).value(), 1U);
    const auto late = state().put("k", 0, "other");
    EXPECT_EQ(kind_of(late), "conflict");
    EXPECT_NE(late.error().message.find("record 'k' is at version 1, not 0"), std::string::npos);
    EXPECT_EQ(state().put("k", 1, {{"a", 2}}).value(), 2U);
    const Record record = state().get("k").value();
    EXPECT_EQ(record.version, 2U);
    EXPECT_EQ(record.value, Json({{"a", 2}}));
}

TEST_P(StateContract, lists_keys_by_prefix_in_order) {
    for (const char* key : {"instance/b", "instance/a", "other"})
        ASSERT_TRUE(state().put(key, 0, 1));
    EXPECT_EQ(state().keys("instance/").value(),
              (std::vector<std::string>{"instance/a", "instance/b"}));
    EXPECT_EQ(state().keys("").value().size(), 3U);
}

}  // namespace lifeboat::contract
