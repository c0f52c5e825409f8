#include "platform/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace lifeboat::detail {

void check_failed(const char* condition, const char* file, int line) {
    (void)std::fprintf(stderr, "lifeboat: broken invariant %s at %s:%d\n", condition, file, line);
    std::abort();
}

}  // namespace lifeboat::detail
