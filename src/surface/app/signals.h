#pragma once
/// SIGINT, SIGTERM and SIGHUP as stop tokens: the first asks for a clean end, the second abandons.
/// SIGHUP never abandons, and is nothing where the caller ignores it (`nohup`).

#include <stop_token>
#include <thread>

namespace lifeboat::app {

/// Blocks the signals in this thread (and so in all later ones) and waits for them in one of its
/// own. Make it before any other thread. SIGPIPE is ignored: a closed pipe is an error like
/// another.
class Signals {
public:
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    std::stop_token interrupt() const { return interrupt_.get_token(); }
    std::stop_token abandon() const { return abandon_.get_token(); }

private:
    std::stop_source interrupt_, abandon_;
    std::jthread thread_;
};

}  // namespace lifeboat::app
