#include "platform/task/scope.h"

#include <utility>

namespace lifeboat {

TaskScope::TaskScope(const Context& parent)
    : parent_stop_(parent.stop_token(), [this] { stop_.request_stop(); }),
      context_(parent.with_stop(stop_.get_token())) {}

TaskScope::~TaskScope() {
    stop();
    (void)wait();  // Ignored: who cares for the outcome calls wait() before.
}

void TaskScope::spawn(std::function<Result<void>(const Context&)> task) {
    threads_.emplace_back([this, task = std::move(task)] {
        Result<void> result = task(context_);
        if (result.has_value()) return;
        MutexLock lock(mutex_);
        if (first_.has_value()) first_ = std::move(result);
        stop_.request_stop();
    });
}

Result<void> TaskScope::wait() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    MutexLock lock(mutex_);
    return first_;
}

}  // namespace lifeboat
