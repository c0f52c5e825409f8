#pragma once
/// What the kind `process` says about itself: settings, verbs, checks. Pure data.

#include "core/plan/catalog.h"

namespace lifeboat::providers::process {

plan::KindSpec describe_process();

}  // namespace lifeboat::providers::process
