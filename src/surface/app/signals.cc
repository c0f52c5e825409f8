#include "surface/app/signals.h"

#include <csignal>
#include <ctime>

namespace lifeboat::app {
namespace {

sigset_t ours() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    return set;
}

}  // namespace

Signals::Signals() {
    const sigset_t set = ours();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread([this, set](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const timespec wait{.tv_sec = 0, .tv_nsec = 50'000'000};
            if (sigtimedwait(&set, nullptr, &wait) < 0 || stop.stop_requested()) continue;
            if (!interrupt_.request_stop()) abandon_.request_stop();
        }
    });
}

Signals::~Signals() {
    thread_.request_stop();
    // Its wait ends at once: every short command would otherwise last until the next look.
    pthread_kill(thread_.native_handle(), SIGHUP);
}

}  // namespace lifeboat::app
