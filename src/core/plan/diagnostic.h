#pragma once
/// What is wrong with a plan, where, and how to mend it. Pure.

#include <string>
#include <vector>

#include "platform/codec/json.h"
#include "platform/codec/yaml.h"

namespace lifeboat::plan {

enum class DiagnosticLevel { error, warning };

struct Diagnostic {
    DiagnosticLevel level = DiagnosticLevel::error;
    std::string id;  ///< stable rule id: "unknown-key", "duplicate-key", "no-provider", …
    yaml::Position at;
    std::string message;  ///< lower case, no final stop
    std::string hint;     ///< "did you mean 'objectives'?"; may be empty
    std::string note;     ///< what the place shows, beside the caret; may be empty
};

/// A text that was read, for excerpts.
struct SourceText {
    std::string name;  ///< as the user typed it
    std::string text;
};

/// file:line:column: error[id]: message, the line, a caret under the column with the note beside
/// it,
/// "= hint".
std::string render(const Diagnostic& diagnostic, const std::vector<SourceText>& sources,
                   bool colour = false);
Json to_json(const Diagnostic& diagnostic, const std::vector<SourceText>& sources);

}  // namespace lifeboat::plan
