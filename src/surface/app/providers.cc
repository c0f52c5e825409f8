#include "surface/app/providers.h"

#include "providers/http/http.h"
#include "providers/postgres/provider.h"
#include "providers/process/process.h"
#include "providers/redis/redis.h"
#include "providers/shell/shell.h"

namespace lifeboat::app {

void add_providers(providers::Registry& registry, providers::Services& services, plan::Mode mode) {
    registry.add(decorate(providers::make_postgres_provider(services), mode));
    registry.add(decorate(providers::make_redis_provider(services), mode));
    registry.add(decorate(providers::make_process_provider(services), mode));
    registry.add(decorate(providers::make_http_provider(services), mode));
    registry.add(decorate(providers::make_shell_provider(services), mode));
}

}  // namespace lifeboat::app
