#include "surface/cli/what_if.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "platform/base/text.h"
#include "platform/codec/json.h"
#include "platform/codec/yaml.h"

namespace lifeboat::cli {
namespace {

struct Change {
    std::string text;  // as it was typed
    std::vector<std::string> path;
    yaml::Node value;
    bool removes = false;
};

Result<Change> parse_change(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return invalid(fmt::format("'{}' changes nothing", text),
                       "Write PATH=VALUE, for example components.cache.protect.every=50m.");
    Change change{.text = text, .path = {}, .value = {}};
    for (const std::string_view part : split(std::string_view(text).substr(0, equals), '.'))
        change.path.emplace_back(trim(part));
    if (std::ranges::any_of(change.path, &std::string::empty))
        return invalid(fmt::format("the path of '{}' has an empty part", text));
    yaml::Document value = yaml::parse(std::string_view(text).substr(equals + 1));
    if (!value.problems.empty())
        return invalid(fmt::format("the value of '{}': {}", text, value.problems.front().message));
    change.value = std::move(value.root);
    change.removes = change.value.type == yaml::Type::null ||
                     (change.value.is_scalar() && !change.value.quoted &&
                      (change.value.scalar == "null" || change.value.scalar == "~"));
    return change;
}

yaml::Entry* entry_of(yaml::Node& mapping, std::string_view key) {
    const auto found = std::ranges::find(mapping.entries, key, &yaml::Entry::key);
    return found == mapping.entries.end() ? nullptr : &*found;
}

/// What an item of a list is called.
bool is_called(const yaml::Node& item, std::string_view name) {
    constexpr std::array<std::string_view, 3> keys{"method", "id", "name"};
    return std::ranges::any_of(keys, [&](std::string_view key) {
        const yaml::Node* value = item.find(key);
        return value != nullptr && value->is_scalar() && value->scalar == name;
    });
}

Result<void> change_at(yaml::Node& node, const Change& change, std::size_t depth);

Result<void> change_mapping(yaml::Node& node, const Change& change, std::size_t depth) {
    const std::string& key = change.path[depth];
    const bool last = depth + 1 == change.path.size();
    yaml::Entry* entry = entry_of(node, key);
    if (last && change.removes) {
        if (entry == nullptr)
            return not_found(fmt::format("'{}': there is no '{}' to take away", change.text, key));
        node.entries.erase(node.entries.begin() + (entry - node.entries.data()));
        return ok();
    }
    if (entry == nullptr) {
        if (!last)
            return not_found(fmt::format("'{}': the plan has no '{}' there", change.text, key));
        node.entries.push_back({.key = key, .key_at = {}, .value = change.value});
        return ok();
    }
    if (last) {
        entry->value = change.value;
        return ok();
    }
    return change_at(entry->value, change, depth + 1);
}

Result<void> change_list(yaml::Node& node, const Change& change, std::size_t depth) {
    const std::string& part = change.path[depth];
    const bool last = depth + 1 == change.path.size();
    const auto go_on = [&](yaml::Node& item) -> Result<void> {
        if (!last) return change_at(item, change, depth + 1);
        item = change.value;
        return ok();
    };
    if (const auto place = parse_integer(part)) {
        if (*place < 0 || static_cast<std::size_t>(*place) >= node.items.size())
            return not_found(fmt::format("'{}': the list has {} items, counted from 0", change.text,
                                         node.items.size()));
        return go_on(node.items[static_cast<std::size_t>(*place)]);
    }
    const auto called = std::ranges::find_if(
        node.items, [&](const yaml::Node& item) { return is_called(item, part); });
    if (called != node.items.end()) return go_on(*called);
    bool found = false;
    for (yaml::Node& item : node.items) {
        if (!item.is_mapping() || entry_of(item, part) == nullptr) continue;
        TRY(change_mapping(item, change, depth));
        found = true;
    }
    if (found) return ok();
    return not_found(fmt::format("'{}': nothing in the list has '{}'", change.text, part),
                     "Name an item by its place (0, 1, …) or its method.");
}

Result<void> change_at(yaml::Node& node, const Change& change, std::size_t depth) {
    if (node.is_mapping()) return change_mapping(node, change, depth);
    if (node.is_sequence()) return change_list(node, change, depth);
    return not_found(
        fmt::format("'{}': '{}' has nothing inside", change.text, change.path[depth - 1]));
}

/// Plain where that is what makes it a number or a word; quoted where it might be read otherwise.
std::string scalar_text(const yaml::Node& node) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/";
    const bool safe = !node.quoted && !node.scalar.empty() && node.scalar.size() < 64 &&
                      node.scalar.find_first_not_of(plain) == std::string::npos &&
                      node.scalar != "-";
    return safe ? node.scalar : dump(Json(node.scalar));
}

void write(const yaml::Node& node, std::string& out) {
    switch (node.type) {
        case yaml::Type::null:
            out += "null";
            return;
        case yaml::Type::scalar:
            out += scalar_text(node);
            return;
        case yaml::Type::sequence: {
            out += '[';
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                if (i > 0) out += ", ";
                write(node.items[i], out);
            }
            out += ']';
            return;
        }
        case yaml::Type::mapping: {
            out += '{';
            for (std::size_t i = 0; i < node.entries.size(); ++i) {
                if (i > 0) out += ", ";
                out += dump(Json(node.entries[i].key)) + ": ";
                write(node.entries[i].value, out);
            }
            out += '}';
            return;
        }
    }
}

}  // namespace

Result<std::string> with_changes(std::string_view text, const std::vector<std::string>& changes) {
    yaml::Document document = yaml::parse(text);
    if (!document.problems.empty()) return invalid(document.problems.front().message);
    for (const std::string& one : changes) {
        const Change change = TRY(parse_change(one));
        TRY(change_at(document.root, change, 0));
    }
    // Each section on a line of its own: a mistake that a change makes can then be found.
    std::string out;
    for (const yaml::Entry& entry : document.root.entries) {
        out += dump(Json(entry.key)) + ": ";
        write(entry.value, out);
        out += '\n';
    }
    return out;
}

}  // namespace lifeboat::cli
