#pragma once
/// What the kind `redis` says about itself. Pure data.

#include "core/plan/catalog.h"

namespace lifeboat::redis {

plan::KindSpec describe_redis();

}  // namespace lifeboat::redis
