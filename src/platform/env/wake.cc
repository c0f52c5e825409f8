#include "platform/env/wake.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <algorithm>

namespace lifeboat {

StopSignal::StopSignal(const std::stop_token& token)
    : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(token, [this] {
          // Ignored: without the eventfd the poll still ends at its own limit.
          (void)eventfd_write(event_.get(), 1);
      }) {}

int poll_timeout(const Context& context, Duration limit) {
    const Duration left =
        std::clamp(context.remaining_or(limit), Duration::zero(), Duration(std::chrono::hours(1)));
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

std::string read_small_file(const char* path) {
    const Fd file(uninterrupted([&] { return ::open(path, O_RDONLY | O_CLOEXEC); }));
    std::string text;
    if (!file.valid()) return text;
    char buffer[4096];
    for (;;) {
        const ssize_t count =
            uninterrupted([&] { return ::read(file.get(), buffer, sizeof buffer); });
        if (count <= 0) return count < 0 ? std::string() : text;
        text.append(buffer, static_cast<std::size_t>(count));
    }
}

}  // namespace lifeboat
