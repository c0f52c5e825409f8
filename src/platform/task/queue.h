#pragma once
/// A bounded queue between threads. push() blocks when full, pop() when empty; close() ends both.
/// Thread-safe.

#include <condition_variable>
#include <deque>
#include <optional>
#include <utility>

#include "platform/task/context.h"
#include "platform/task/mutex.h"

namespace lifeboat {

template <class T>
class Queue {
public:
    explicit Queue(std::size_t capacity) : capacity_(capacity) {}

    /// Errors: cancelled (closed or stopped), timeout.
    Result<void> push(const Context& context, T value) {
        std::unique_lock lock(mutex_);
        const auto ready = [this] { return items_.size() < capacity_ || closed_; };
        if (!wait(context, lock, has_room_, ready))
            return why(context, "waiting for room in a queue");
        if (closed_) return cancelled("the queue is closed");
        items_.push_back(std::move(value));
        has_item_.notify_one();
        return ok();
    }

    /// The oldest item; nothing when the queue is closed and empty. Errors: cancelled, timeout.
    Result<std::optional<T>> pop(const Context& context) {
        std::unique_lock lock(mutex_);
        const auto ready = [this] { return !items_.empty() || closed_; };
        if (!wait(context, lock, has_item_, ready))
            return why(context, "waiting for an item of a queue");
        if (items_.empty()) return std::optional<T>();
        std::optional<T> item(std::move(items_.front()));
        items_.pop_front();
        has_room_.notify_one();
        return item;
    }

    /// No further push succeeds; pops drain what is there.
    void close() {
        std::unique_lock lock(mutex_);
        closed_ = true;
        has_item_.notify_all();
        has_room_.notify_all();
    }

private:
    template <class Condition>
    static bool wait(const Context& context, std::unique_lock<std::mutex>& lock,
                     std::condition_variable_any& changed, Condition condition) {
        const auto left = context.remaining();
        // Far beyond any deadline that matters; the library would overflow on much more.
        constexpr Duration far = std::chrono::hours(24 * 365);
        if (left && *left < far)
            return changed.wait_for(lock, context.stop_token(), *left, condition);
        return changed.wait(lock, context.stop_token(), condition);
    }

    static Error why(const Context& context, std::string_view what) {
        auto ended = context.check(what);
        if (!ended.has_value()) return std::move(ended).error();
        return timeout(std::string(what) +
                       " ran out of time");  // by a clock other than the context's
    }

    std::mutex mutex_;
    // One is woken for one item: of many workers all but one would find nothing. Who is woken as
    // its time runs out looks once more, so that no wake is lost.
    std::condition_variable_any has_item_, has_room_;
    std::deque<T> items_;
    const std::size_t capacity_;
    bool closed_ = false;
};

}  // namespace lifeboat
