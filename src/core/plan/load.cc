#include "core/plan/load.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

using yaml::Entry;
using yaml::Node;

constexpr std::size_t files_max = 256;

std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash + 1));
}

/// `path` without "./" and "folder/../", so that one file has one name.
std::string normal(std::string_view path) {
    std::vector<std::string> parts;
    for (const std::string_view part : split(path, '/')) {
        if (part == "." || (part.empty() && !parts.empty())) continue;
        if (part == ".." && !parts.empty() && parts.back() != ".." && !parts.back().empty()) {
            parts.pop_back();
            continue;
        }
        parts.emplace_back(part);
    }
    return join(parts, "/");
}

class Loading {
public:
    Loading(Reader& reader, const Loader& loader, Loaded& loaded)
        : reader_(reader), loader_(loader), loaded_(loaded) {}

    void file(const std::string& shown, const std::string& relative, std::string text);

private:
    void include(const Entry& entry, const std::string& shown, const std::string& relative);
    void include_one(const Node& item, const std::string& shown, const std::string& relative);
    void merge(Entry entry);
    void merge_names(Entry& into, Entry from);
    std::string place(Position at) const;

    Reader& reader_;
    const Loader& loader_;
    Loaded& loaded_;
    std::vector<std::string> open_;  ///< being read, from the plan to the innermost include
    std::set<std::string> done_;
};

std::string Loading::place(Position at) const {
    return fmt::format("{}:{}:{}", loaded_.sources[at.file].name, at.line, at.column);
}

void Loading::file(const std::string& shown, const std::string& relative, std::string text) {
    const auto index = static_cast<std::uint32_t>(loaded_.sources.size());
    loaded_.sources.push_back({.name = shown, .text = std::move(text)});
    yaml::Document document = yaml::parse(loaded_.sources.back().text, index);
    for (yaml::Problem& problem : document.problems) {
        const bool twice =
            problem.message.contains("twice") || problem.message.contains("duplicate");
        reader_.error(problem.at, twice ? "duplicate-key" : "syntax", std::move(problem.message),
                      std::move(problem.hint));
    }
    Node& root = document.root;
    if (!root.is_mapping()) {
        if (document.problems.empty())
            reader_.error(root.at, "syntax",
                          root.type == yaml::Type::null ? "the file says nothing"
                                                        : "a plan is a mapping of keys",
                          "Begin with `lifeboat: 1` and `plan: NAME`.");
        if (index == 0) loaded_.readable = false;
        return;
    }
    if (index == 0) {
        loaded_.root.type = yaml::Type::mapping;
        loaded_.root.at = root.at;
    }
    open_.push_back(relative);
    done_.insert(relative);
    std::vector<Entry> includes;
    for (Entry& entry : root.entries) {
        if (entry.key == "include")
            includes.push_back(std::move(entry));
        else
            merge(std::move(entry));
    }
    for (const Entry& entry : includes) include(entry, shown, relative);
    open_.pop_back();
}

void Loading::include(const Entry& entry, const std::string& shown, const std::string& relative) {
    if (entry.value.is_scalar()) include_one(entry.value, shown, relative);
    if (entry.value.is_mapping())
        reader_.wrong_type(entry.value, "include", "a path or a list of paths");
    for (const Node& item : entry.value.items) include_one(item, shown, relative);
}

void Loading::include_one(const Node& item, const std::string& shown, const std::string& relative) {
    if (!item.is_scalar() || item.scalar.empty()) {
        reader_.wrong_type(item, "include", "a path or a list of paths");
        return;
    }
    const bool absolute = item.scalar.starts_with('/');
    const std::string target =
        absolute ? normal(item.scalar) : normal(folder_of(relative) + item.scalar);
    if (const auto begun = std::ranges::find(open_, target); begun != open_.end()) {
        std::vector<std::string> circle(begun, open_.end());
        circle.push_back(target);
        reader_.error(item.at, "circular-include",
                      fmt::format("files include each other: {}", join(circle, " → ")),
                      "Remove one of these includes.");
        return;
    }
    if (done_.contains(target)) return;  // by another way; what it says is there already
    if (loaded_.sources.size() >= files_max) {
        reader_.error(item.at, "include", fmt::format("more than {} files", files_max),
                      "Put some of them together.");
        return;
    }
    auto text = loader_ ? loader_(target)
                        : Result<std::string>(unsupported("nothing can be included here"));
    if (!text.has_value()) {
        reader_.error(item.at, "include",
                      fmt::format("cannot include '{}': {}", item.scalar, text.error().message),
                      text.error().hint);
        return;
    }
    file(absolute ? target : folder_of(shown) + item.scalar, target, *std::move(text));
}

void Loading::merge(Entry entry) {
    const auto known = std::ranges::find(loaded_.root.entries, entry.key, &Entry::key);
    if (known == loaded_.root.entries.end()) {
        loaded_.root.entries.push_back(std::move(entry));
        return;
    }
    const Key* key = section("plan").key(entry.key);
    const bool names = key != nullptr && key->holds == Holds::map;
    if (names && known->value.is_mapping() && entry.value.is_mapping()) {
        merge_names(*known, std::move(entry));
        return;
    }
    if (names && entry.value.type == yaml::Type::null) return;
    if (names && known->value.type == yaml::Type::null) {
        *known = std::move(entry);
        return;
    }
    if (entry.key == "lifeboat" && entry.value.scalar == known->value.scalar) return;
    if (entry.key_at.file == known->key_at.file) return;  // the YAML reader has said so
    reader_.error(entry.key_at, "duplicate-key",
                  fmt::format("'{}' is already given at {}", entry.key, place(known->key_at)),
                  "Keep one of them.");
}

void Loading::merge_names(Entry& into, Entry from) {
    std::map<std::string_view, Position> places;
    for (const Entry& entry : into.value.entries) places.emplace(entry.key, entry.key_at);
    std::vector<Entry> fresh;
    for (Entry& entry : from.value.entries) {
        if (const auto known = places.find(entry.key); known != places.end())
            reader_.error(entry.key_at, "duplicate-name",
                          fmt::format("'{}' is already defined in '{}' at {}", entry.key, into.key,
                                      place(known->second)),
                          "Rename one of them, or keep one.");
        else
            fresh.push_back(std::move(entry));
    }
    std::ranges::move(fresh, std::back_inserter(into.value.entries));
}

}  // namespace

Loaded load(Reader& reader, const std::string& path, const std::string& text,
            const Loader& loader) {
    Loaded loaded;
    Loading loading(reader, loader, loaded);
    const std::size_t slash = path.rfind('/');
    loading.file(path, slash == std::string::npos ? path : path.substr(slash + 1), text);
    return loaded;
}

}  // namespace lifeboat::plan
