#pragma once
/// From text to a checked Plan, with every mistake named. Pure: files come through a callback.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/diagnostic.h"
#include "core/plan/model.h"

namespace lifeboat::plan {

/// Reads a file that the plan includes: `include: [people.yaml]`, relative to the including file.
using Loader = std::function<Result<std::string>(const std::string& path)>;

struct Parsed {
    Plan plan;                            ///< as much as could be read
    std::vector<Diagnostic> diagnostics;  ///< in order of position
    std::vector<SourceText> sources;
    bool has_errors() const;
};

/// Never fails: problems are diagnostics, all of them at once. `path` is what the user typed.
Parsed parse(const std::string& path, const std::string& text, const Catalog& catalog,
             const Loader& loader);

/// JSON Schema (draft 2020-12) of the plan file for editors, generated from the same tables that
/// parse() uses.
Json schema(const Catalog& catalog);

}  // namespace lifeboat::plan
