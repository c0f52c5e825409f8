#include "surface/app/signals.h"

#include <csignal>
#include <ctime>

namespace lifeboat::app {
namespace {

/// Whoever started us said that the terminal's end is none of our business: `nohup`.
bool ignores_hangups() {
    struct sigaction now{};
    return sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

sigset_t ours() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    return set;
}

}  // namespace

Signals::Signals() {
    const sigset_t set = ours();
    const bool deaf = ignores_hangups();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread([this, set, deaf](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const timespec wait{.tv_sec = 0, .tv_nsec = 50'000'000};
            const int number = sigtimedwait(&set, nullptr, &wait);
            if (number < 0 || stop.stop_requested()) continue;
            // A terminal that ends says so more than once (the kernel, the shell, sshd): it asks
            // for a clean end each time, and never for less.
            if (number == SIGHUP) {
                if (!deaf) interrupt_.request_stop();
            } else if (!interrupt_.request_stop()) {
                abandon_.request_stop();
            }
        }
    });
}

Signals::~Signals() {
    thread_.request_stop();
    // Its wait ends at once: every short command would otherwise last until the next look.
    pthread_kill(thread_.native_handle(), SIGHUP);
}

}  // namespace lifeboat::app
