#pragma once
/// For tests: whether a value fits a JSON Schema, as far as ours uses the language.
///
/// Patterns are not looked at, except whether a text is a template or a reference: the end-to-end
/// tests ask a complete validator.

#include <string>
#include <vector>

#include "platform/codec/json.h"
#include "platform/codec/yaml.h"

namespace lifeboat::plan {

/// One line per problem, with the path of the value; empty = it fits.
std::vector<std::string> validate(const Json& schema, const Json& value);
/// As an editor reads YAML: plain scalars are typed.
Json json_of(const yaml::Node& node);

}  // namespace lifeboat::plan
