#pragma once
/// The reference of the plan file as Markdown tables, from the tables that the parser works with.
/// Pure.

#include <string>

#include "core/plan/catalog.h"

namespace lifeboat::plan {

/// A block of docs/plan.md: the keys of a section (by its name), `checks`, or `core-verbs`.
/// Empty when there is no block of that name.
std::string reference_block(std::string_view name);

/// docs/kinds.md: every kind of the catalog with its settings, protections, checks and verbs.
std::string reference_of_kinds(const Catalog& catalog);

/// `text` with what stands between `<!-- table: NAME -->` and `<!-- end -->` made anew.
std::string with_fresh_blocks(std::string_view text);

}  // namespace lifeboat::plan
