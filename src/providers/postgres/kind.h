#pragma once
/// Kind `postgres` as the plan's catalog knows it. Pure data.

#include "core/plan/catalog.h"

namespace lifeboat::postgres {

plan::KindSpec describe_postgres();

}  // namespace lifeboat::postgres
