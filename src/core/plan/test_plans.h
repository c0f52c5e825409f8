#pragma once
/// For tests: reading files of the repository, and plans from texts.

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/plan/demo_catalog.h"
#include "core/plan/parse.h"

namespace lifeboat::plan {

/// The root of the repository, from wherever the tests are started inside of it.
inline std::filesystem::path repository() {
    std::error_code problem;
    auto folder = std::filesystem::current_path(problem);
    while (!std::filesystem::exists(folder / "src/modules.txt", problem) &&
           folder.has_relative_path())
        folder = folder.parent_path();
    return folder;
}

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline Loader no_files() {
    return [](const std::string& path) -> Result<std::string> {
        return not_found("there is no '" + path + "'");
    };
}

inline Parsed parse_text(const std::string& text) {
    static const Catalog catalog = demo_catalog();
    return parse("plan.yaml", text, catalog, no_files());
}

/// "line:column id" of every diagnostic: what most tests compare.
inline std::vector<std::string> places(const Parsed& parsed) {
    std::vector<std::string> found;
    for (const Diagnostic& diagnostic : parsed.diagnostics)
        found.push_back(std::to_string(diagnostic.at.line) + ":" +
                        std::to_string(diagnostic.at.column) + " " + diagnostic.id);
    return found;
}

inline std::string all(const Parsed& parsed) {
    std::string text;
    for (const Diagnostic& diagnostic : parsed.diagnostics)
        text += render(diagnostic, parsed.sources);
    return text;
}

}  // namespace lifeboat::plan
