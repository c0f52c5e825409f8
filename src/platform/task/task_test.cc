// Contexts, scopes of tasks and queues. The tests wait for events, never for time to pass; what
// must happen "at once" is bounded by a deadline far above it.
#include <gtest/gtest.h>

#include <atomic>

#include "platform/task/context.h"
#include "platform/task/queue.h"
#include "platform/task/scope.h"

namespace lifeboat {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class SteadyClock final : public Clock {
public:
    Instant now() const override { return {}; }
    Monotonic monotonic() const override {
        return std::chrono::floor<Monotonic>(std::chrono::steady_clock::now().time_since_epoch());
    }
};

/// Stands where a test puts it.
class FixedClock final : public Clock {
public:
    Instant now() const override { return {}; }
    Monotonic monotonic() const override { return at; }
    Monotonic at = seconds(1000);
};

const SteadyClock steady;

Duration since(Monotonic start) { return steady.monotonic() - start; }

TEST(Context, has_no_end_unless_given_one) {
    const Context context(steady);
    EXPECT_EQ(context.remaining(), std::nullopt);
    EXPECT_EQ(context.remaining_or(seconds(3)), seconds(3));
    EXPECT_FALSE(context.stopped());
    EXPECT_TRUE(context.check("work").has_value());
}

TEST(Context, ends_at_the_earlier_deadline) {
    FixedClock clock;
    const Context outer = Context(clock).within(seconds(10));
    EXPECT_EQ(outer.within(seconds(20)).remaining(), seconds(10));
    const Context inner = outer.within(seconds(4));
    EXPECT_EQ(inner.remaining(), seconds(4));
    EXPECT_EQ(inner.remaining_or(seconds(2)), seconds(2));
    clock.at += seconds(5);
    EXPECT_EQ(inner.remaining(), Duration::zero());
    EXPECT_EQ(inner.check("work").error(), timeout("work ran out of time"));
    EXPECT_TRUE(outer.check("work").has_value());
}

TEST(Context, takes_a_limit_of_for_ever) {
    const Context context = Context(steady).within(Duration::max());
    EXPECT_GT(*context.remaining(), hours(24 * 365 * 1000));
    EXPECT_TRUE(context.check("work").has_value());
}

TEST(Context, keeps_its_deadline_under_another_stop_token) {
    std::stop_source stop;
    const FixedClock clock;
    const Context context = Context(clock).within(seconds(10)).with_stop(stop.get_token());
    EXPECT_EQ(context.remaining(), seconds(10));
    stop.request_stop();
    EXPECT_EQ(context.check("work").error(), cancelled("work was cancelled"));
}

TEST(ContextSleep, waits_its_time) {
    const Monotonic start = steady.monotonic();
    EXPECT_TRUE(Context(steady).sleep(milliseconds(10)).has_value());
    EXPECT_GE(since(start), milliseconds(10));
    EXPECT_TRUE(Context(steady).sleep(Duration::zero()).has_value());
    EXPECT_TRUE(Context(steady).sleep(-seconds(1)).has_value());
}

TEST(ContextSleep, ends_at_the_deadline) {
    const Context context = Context(steady).within(milliseconds(10));
    EXPECT_EQ(context.sleep(hours(1)).error().kind, ErrorKind::timeout);
}

TEST(ContextSleep, wakes_at_once_on_stop) {
    for (const Duration duration : {Duration(hours(1)), Duration::max()}) {
        std::stop_source stop;
        std::atomic<bool> asleep = false;
        const Context context = Context(steady, stop.get_token());
        std::thread sleeper([&] {
            asleep = true;
            EXPECT_EQ(context.sleep(duration).error().kind, ErrorKind::cancelled);
        });
        while (!asleep) std::this_thread::yield();
        stop.request_stop();
        sleeper.join();  // in an hour, if the stop does not wake it: the runner's limit tells
        EXPECT_EQ(context.sleep(duration).error().kind, ErrorKind::cancelled);
    }
}

TEST(TaskScope, waits_for_all_tasks) {
    const Context context(steady);
    TaskScope scope(context);
    std::atomic<int> done = 0;
    for (int i = 0; i < 8; ++i) {
        scope.spawn([&](const Context&) -> Result<void> {
            ++done;
            return ok();
        });
    }
    EXPECT_TRUE(scope.wait().has_value());
    EXPECT_EQ(done, 8);
}

TEST(TaskScope, a_failing_task_stops_its_siblings_and_tells_its_error) {
    const Context context(steady);
    TaskScope scope(context);
    std::atomic<int> stopped = 0;
    for (int i = 0; i < 4; ++i) {
        scope.spawn([&](const Context& inner) -> Result<void> {
            auto slept = inner.sleep(hours(1));
            stopped += slept.has_value() ? 0 : 1;
            return slept;
        });
    }
    scope.spawn([](const Context&) -> Result<void> { return corrupt("a page is torn"); });
    EXPECT_EQ(scope.wait().error(), corrupt("a page is torn"));
    EXPECT_EQ(stopped, 4);
    EXPECT_FALSE(context.stopped());
}

TEST(TaskScope, stops_with_its_parent) {
    std::stop_source stop;
    const Context context(steady, stop.get_token());
    TaskScope scope(context);
    scope.spawn([](const Context& inner) { return inner.sleep(hours(1)); });
    stop.request_stop();
    EXPECT_EQ(scope.wait().error().kind, ErrorKind::cancelled);
    TaskScope late(context);
    late.spawn([](const Context& inner) { return inner.sleep(hours(1)); });
    EXPECT_EQ(late.wait().error().kind, ErrorKind::cancelled);
}

TEST(TaskScope, passes_the_deadline_on) {
    TaskScope scope(Context(steady).within(milliseconds(10)));
    scope.spawn([](const Context& inner) { return inner.sleep(hours(1)); });
    EXPECT_EQ(scope.wait().error().kind, ErrorKind::timeout);
}

TEST(TaskScope, stops_and_joins_when_destroyed) {
    std::atomic<bool> ended = false;
    {
        TaskScope scope{Context(steady)};
        scope.spawn([&](const Context& inner) {
            auto slept = inner.sleep(hours(1));
            ended = true;
            return slept;
        });
    }
    EXPECT_TRUE(ended);
}

TEST(TaskScope, can_be_waited_for_without_tasks) {
    TaskScope scope{Context(steady)};
    EXPECT_TRUE(scope.wait().has_value());
    EXPECT_TRUE(scope.wait().has_value());
}

TEST(Queue, passes_items_in_order) {
    const Context context = Context(steady).within(seconds(10));
    Queue<int> queue(3);
    TaskScope scope(context);
    scope.spawn([&](const Context& inner) -> Result<void> {
        for (int i = 0; i < 1000; ++i) TRY(queue.push(inner, i));
        queue.close();
        return ok();
    });
    int expected = 0;
    for (;;) {
        auto item = queue.pop(context);
        ASSERT_TRUE(item.has_value());
        if (!item->has_value()) break;
        EXPECT_EQ(**item, expected++);
    }
    EXPECT_EQ(expected, 1000);
    EXPECT_TRUE(scope.wait().has_value());
}

TEST(Queue, close_refuses_pushes_and_lets_pops_drain) {
    const Context context = Context(steady).within(seconds(10));
    Queue<std::unique_ptr<int>> queue(2);
    ASSERT_TRUE(queue.push(context, std::make_unique<int>(1)).has_value());
    queue.close();
    EXPECT_EQ(queue.push(context, std::make_unique<int>(2)).error().kind, ErrorKind::cancelled);
    EXPECT_EQ(**queue.pop(context).value(), 1);
    EXPECT_EQ(queue.pop(context).value(), std::nullopt);
    EXPECT_EQ(queue.pop(context).value(), std::nullopt);
}

TEST(Queue, close_wakes_who_waits_for_room_and_for_items) {
    Queue<int> full(1);
    Queue<int> empty(1);
    const Context context = Context(steady).within(seconds(10));
    ASSERT_TRUE(full.push(context, 1).has_value());
    TaskScope scope(context);
    scope.spawn([&](const Context& inner) -> Result<void> {
        EXPECT_EQ(full.push(inner, 2).error().kind, ErrorKind::cancelled);
        return ok();
    });
    scope.spawn([&](const Context& inner) -> Result<void> {
        EXPECT_EQ(empty.pop(inner).value(), std::nullopt);
        return ok();
    });
    full.close();
    empty.close();
    EXPECT_TRUE(scope.wait().has_value());
}

TEST(Queue, waits_no_longer_than_the_context_allows) {
    Queue<int> queue(1);
    EXPECT_EQ(queue.pop(Context(steady).within(milliseconds(5))).error().kind, ErrorKind::timeout);
    std::stop_source stop;
    stop.request_stop();
    const Context stopped(steady, stop.get_token());
    EXPECT_EQ(queue.pop(stopped).error().kind, ErrorKind::cancelled);
    EXPECT_TRUE(
        queue.push(stopped, 1).has_value());  // there was room: nothing had to be waited for
    EXPECT_EQ(queue.push(stopped, 2).error().kind, ErrorKind::cancelled);
    EXPECT_EQ(queue.pop(Context(steady).within(Duration::max())).value(), 1);
}

TEST(Queue, times_out_under_a_clock_that_stands_still) {
    const FixedClock clock;
    Queue<int> queue(1);
    EXPECT_EQ(queue.pop(Context(clock).within(milliseconds(5))).error().kind, ErrorKind::timeout);
}

}  // namespace
}  // namespace lifeboat
