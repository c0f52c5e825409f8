#pragma once
/// A mutex that clang's thread-safety analysis understands, with its guard and condition.

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LIFEBOAT_TS(x) __attribute__((x))
#else
#define LIFEBOAT_TS(x)
#endif
#define GUARDED_BY(m) LIFEBOAT_TS(guarded_by(m))
#define REQUIRES(m) LIFEBOAT_TS(requires_capability(m))
#define EXCLUDES(m) LIFEBOAT_TS(locks_excluded(m))

namespace lifeboat {

class LIFEBOAT_TS(capability("mutex")) Mutex {
public:
    void lock() LIFEBOAT_TS(acquire_capability()) { mutex_.lock(); }
    void unlock() LIFEBOAT_TS(release_capability()) { mutex_.unlock(); }
    std::mutex& raw() { return mutex_; }

private:
    std::mutex mutex_;
};

/// Holds a Mutex for a scope; also lockable, so that std::condition_variable_any can wait on it.
class LIFEBOAT_TS(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) LIFEBOAT_TS(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() LIFEBOAT_TS(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;
    void lock() LIFEBOAT_TS(acquire_capability()) { mutex_.lock(); }
    void unlock() LIFEBOAT_TS(release_capability()) { mutex_.unlock(); }

private:
    Mutex& mutex_;
};

}  // namespace lifeboat
