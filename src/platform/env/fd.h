#pragma once
/// Owned file descriptors and the system calls on them that must survive a signal. Internal to env.

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <utility>

#include "platform/base/bytes.h"

namespace lifeboat {

/// Owns one descriptor; closes it once. Not thread-safe.
class Fd {
public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return number_; }
    bool valid() const { return number_ >= 0; }
    void reset() {
        // Never again on EINTR: Linux has released the number already.
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }

private:
    int number_ = -1;
};

/// The call's result, called again while a signal interrupts it.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

/// Reads a small file whole (of /proc, mostly), without Files; empty when it cannot be read.
std::string read_small_file(const char* path);

}  // namespace lifeboat
