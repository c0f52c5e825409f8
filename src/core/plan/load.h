#pragma once
/// Inside of parse(): the plan's files, read and put together to one tree.

#include "core/plan/parse.h"
#include "core/plan/reader.h"

namespace lifeboat::plan {

struct Loaded {
    yaml::Node root;  ///< sections of all files together; without `include`
    std::vector<SourceText> sources;
    bool readable = true;  ///< the first file holds a mapping
};

Loaded load(Reader& reader, const std::string& path, const std::string& text, const Loader& loader);

/// SHA-256 of what the tree says, in hex: comments, order of keys and the split into files do not
/// matter.
std::string digest_of(const yaml::Node& root);

}  // namespace lifeboat::plan
