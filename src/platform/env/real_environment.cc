#include "platform/env/real.h"

namespace lifeboat {

Environment& real_environment() {
    static Environment environment{.clock = real_clock(),
                                   .files = real_files(),
                                   .processes = real_processes(),
                                   .network = real_network(),
                                   .random = real_random()};
    return environment;
}

}  // namespace lifeboat
