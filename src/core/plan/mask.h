#pragma once
/// Inside of parse(): no excerpt of a plan shows a secret that somebody wrote into it.

#include "core/plan/reader.h"

namespace lifeboat::plan {

/// Overwrites the secrets in the texts with stars; lines and columns stay what they are.
/// `texts`: of these sources.
void mask(std::vector<SourceText>& sources, const std::vector<Revealed>& revealed,
          const Texts& texts);

}  // namespace lifeboat::plan
