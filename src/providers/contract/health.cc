#include "providers/contract/health.h"

namespace lifeboat::providers {

using watch::Health;

Health health_of(const probe::CheckResult& result) {
    if (result.passed) return Health::healthy;
    return result.blind ? Health::unknown : Health::unhealthy;
}

Health health_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::denied:
        case ErrorKind::invalid:
        case ErrorKind::unsupported:
        case ErrorKind::cancelled:
            return Health::unknown;
        default:
            return Health::unhealthy;
    }
}

}  // namespace lifeboat::providers
