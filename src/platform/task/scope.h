#pragma once
/// Threads that cannot outlive the block that started them.
///
/// The first task that fails stops its siblings; wait() returns its error. The destructor asks all
/// to stop and joins them. spawn() and wait() belong to the owning thread.

#include <functional>
#include <list>
#include <stop_token>
#include <thread>

#include "platform/base/result.h"
#include "platform/task/context.h"
#include "platform/task/mutex.h"

namespace lifeboat {

class TaskScope {
public:
    /// Tasks see a context that ends when `parent` is stopped, when a sibling fails, or on stop().
    explicit TaskScope(const Context& parent);
    ~TaskScope();
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;

    void spawn(std::function<Result<void>(const Context&)> task);
    void stop() { stop_.request_stop(); }
    /// Joins all tasks; the first error, if any.
    Result<void> wait();

private:
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> parent_stop_;
    Context context_;
    std::list<std::thread> threads_;
    Mutex mutex_;
    Result<void> first_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat
