#include <sys/random.h>

#include <cerrno>

#include "platform/env/real.h"

namespace lifeboat {
namespace {

class RealRandom final : public Random {
public:
    void fill(std::span<std::byte> out) override {
        while (!out.empty()) {
            const ssize_t count = getrandom(out.data(), out.size(), 0);
            // Without randomness there is no key and no id: nothing sensible can go on.
            CHECK(count > 0 || errno == EINTR);
            if (count > 0) out = out.subspan(static_cast<std::size_t>(count));
        }
    }
};

}  // namespace

Random& real_random() {
    static RealRandom random;
    return random;
}

}  // namespace lifeboat
