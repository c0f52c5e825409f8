#include "core/plan/parse.h"

#include <algorithm>
#include <array>

#include "core/plan/load.h"
#include "core/plan/mask.h"
#include "core/plan/parts.h"

namespace lifeboat::plan {
namespace {

/// What the plan defines, known before anything refers to it.
void collect_names(Reader& reader, const yaml::Node& root) {
    constexpr std::array<std::pair<std::string_view, Refers>, 6> sorts{{
        {"sites", Refers::site},
        {"components", Refers::component},
        {"scenarios", Refers::scenario},
        {"severities", Refers::severity},
        {"channels", Refers::channel},
        {"roles", Refers::role},
    }};
    const auto add = [&](std::string_view key, Refers sort) {
        const yaml::Node* map = root.find(key);
        if (map == nullptr) return;
        for (const yaml::Entry& entry : map->entries)
            reader.names(sort).add(entry.key, entry.key_at);
    };
    for (const auto& [key, sort] : sorts) add(key, sort);
    add("people", Refers::contact);
    add("roles", Refers::contact);
}

}  // namespace

bool Parsed::has_errors() const {
    return std::ranges::any_of(diagnostics, [](const Diagnostic& diagnostic) {
        return diagnostic.level == DiagnosticLevel::error;
    });
}

Parsed parse(const std::string& path, const std::string& text, const Catalog& catalog,
             const Loader& loader) {
    Reader reader(catalog);
    Loaded loaded = load(reader, path, text, loader);
    Parsed parsed;
    reader.sources = Texts(loaded.sources);
    if (loaded.readable) {
        collect_names(reader, loaded.root);
        read_head(reader, loaded.root, parsed.plan);
    }
    parsed.plan.digest = digest_of(loaded.root);
    const std::size_t slash = path.rfind('/');
    parsed.plan.directory =
        slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    for (const SourceText& source : loaded.sources) parsed.plan.files.push_back(source.name);
    parsed.sources = std::move(loaded.sources);
    mask(parsed.sources, reader.revealed, reader.sources);
    parsed.diagnostics = std::move(reader.diagnostics);
    std::ranges::stable_sort(parsed.diagnostics, {}, &Diagnostic::at);
    return parsed;
}

}  // namespace lifeboat::plan
