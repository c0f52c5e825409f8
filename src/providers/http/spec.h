#pragma once
/// What the kind `http` says about itself. Pure data.

#include "core/plan/catalog.h"

namespace lifeboat::providers::web {

plan::KindSpec describe_http();

}  // namespace lifeboat::providers::web
