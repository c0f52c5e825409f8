#include "platform/codec/yaml_builder.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace lifeboat::yaml {
namespace {

constexpr std::size_t linear_search_max = 16;  // keys; above, a mapping's keys are hashed
constexpr std::size_t problems_max = 200;

struct Size {
    std::size_t nodes = 1;
    std::size_t bytes = 0;
    std::size_t depth = 0;

    void include(const Size& child) {
        nodes += child.nodes;
        bytes += child.bytes;
        depth = std::max(depth, child.depth + 1);
    }
};

Size size_of(const Node& node) {
    Size size{.bytes = node.scalar.size()};
    for (const Node& item : node.items) size.include(size_of(item));
    for (const Entry& entry : node.entries) {
        size.bytes += entry.key.size();
        size.include(size_of(entry.value));
    }
    return size;
}

/// The text at `offset` is a written null, not the token behind an empty value.
bool is_written_null(const std::string& text, std::size_t offset) {
    const std::string_view rest = std::string_view(text).substr(std::min(offset, text.size()));
    return std::ranges::any_of(std::initializer_list<std::string_view>{"~", "null", "Null", "NULL"},
                               [&](std::string_view word) { return rest.starts_with(word); });
}

}  // namespace

void Builder::problem(Position at, std::string message, std::string hint) {
    if (problems_.size() < problems_max)
        problems_.push_back({.at = at, .message = std::move(message), .hint = std::move(hint)});
}

Node Builder::finish() {
    skipped_ = 0;
    while (!open_.empty()) close();
    return std::move(root_);
}

bool Builder::explains(std::size_t offset) const {
    return unterminated_ || too_deep_ ||
           (tab_line_ != 0 && tab_line_ == source_.position(offset).line);
}

std::optional<Position> Builder::quoted_before(std::size_t offset) {
    if (quote_end_ == 0 || offset <= quote_end_) return std::nullopt;
    const std::string_view between =
        std::string_view(source_.text()).substr(quote_end_ + 1, offset - quote_end_ - 1);
    if (between.find_first_not_of(" \t") != between.npos) return std::nullopt;
    return source_.position(quote_begin_);
}

std::optional<Position> Builder::open_flow() const {
    if (!in_flow()) return std::nullopt;
    return open_.back().node.at;
}

void Builder::null(std::size_t offset, Anchor anchor) {
    if (skipped_ > 0) return;
    Node node;
    if (is_written_null(source_.text(), source_.skip_properties(offset))) {
        node.at = source_.position(source_.skip_properties(offset));
        check_tab(offset);
    } else if (!open_.empty() && open_.back().key_read) {
        node.at = open_.back().entry.key_at;  // nothing was written: the key is where to look
    } else if (!open_.empty() && open_.back().node.is_sequence()) {
        node.at = source_.position(source_.dash_before(offset));
    } else {
        node.at = source_.position(offset);
    }
    add(std::move(node), anchor);
}

void Builder::alias(std::size_t offset, Anchor anchor) {
    if (skipped_ > 0) return;
    const Position at = source_.position(offset);
    const auto open =
        std::ranges::any_of(open_, [&](const Frame& f) { return f.anchor == anchor; });
    if (open) problem(at, "an alias inside what it stands for", "Write the value out.");

    Node node;
    const auto found = anchors_.find(anchor);
    if (!open && found != anchors_.end()) {
        const Anchored& kept = found->second;
        const bool fits = alias_nodes_ + kept.nodes <= alias_nodes_max &&
                          alias_bytes_ + kept.bytes <= alias_bytes_max;
        if (fits && open_.size() + kept.depth <= depth_max) {
            alias_nodes_ += kept.nodes;
            alias_bytes_ += kept.bytes;
            node = kept.node;
        } else if (!fits && !std::exchange(too_many_, true)) {
            problem(at, fmt::format("aliases add more than {} values to the file", alias_nodes_max),
                    "Write the values out, or use fewer aliases inside of anchors.");
        } else if (fits) {
            problem(at, fmt::format("nested deeper than {} levels", depth_max), "Flatten it.");
        }
    }
    node.at = at;
    add(std::move(node), 0);
}

void Builder::scalar(std::size_t offset, const std::string& tag, Anchor anchor,
                     const std::string& value) {
    if (skipped_ > 0) return;
    check_tag(tag, offset);
    check_tab(offset);

    const std::size_t begin = source_.skip_properties(offset);
    Node node{.type = Type::scalar, .scalar = value, .at = source_.position(begin)};
    const char first = source_.at(begin);
    node.quoted = first == '"' || first == '\'' || first == '|' || first == '>';
    if (first == '"' || first == '\'') {
        quote_begin_ = begin;
        quote_end_ = source_.closing_quote(begin);
        if (quote_end_ == std::string::npos) {
            quote_end_ = 0;
            unterminated_ = true;
            problem(node.at,
                    fmt::format("the text in {} quotes is never closed",
                                first == '"' ? "double" : "single"),
                    fmt::format("Add the closing {}.", first));
        }
    }
    add(std::move(node), anchor);
}

void Builder::open(Type type, std::size_t offset, const std::string& tag, Anchor anchor,
                   bool flow) {
    if (skipped_ > 0) {
        ++skipped_;
        return;
    }
    check_tag(tag, offset);
    check_tab(offset);
    const Position at = source_.position(source_.skip_properties(offset));
    if (expects_key()) {
        problem(at, "a key must be a text, not a list or a mapping",
                "Put braces and brackets that belong to a text in quotes.");
        open_.back().key_read = true;
        open_.back().key_usable = false;
        skipped_ = 1;
    } else if (open_.size() >= depth_max) {
        if (!std::exchange(too_deep_, true))
            problem(at, fmt::format("nested deeper than {} levels", depth_max), "Flatten it.");
        add({.at = at}, 0);
        skipped_ = 1;
    } else {
        open_.push_back({.node = {.type = type, .at = at}, .anchor = anchor, .flow = flow});
    }
}

void Builder::close() {
    if (skipped_ > 0) {
        --skipped_;
        return;
    }
    CHECK(!open_.empty());
    Frame frame = std::move(open_.back());
    open_.pop_back();
    if (frame.node.is_mapping() && frame.key_read && frame.key_usable)
        frame.node.entries.push_back(std::move(frame.entry));  // the text broke off behind the key
    add(std::move(frame.node), frame.anchor);
}

bool Builder::expects_key() const {
    return !open_.empty() && open_.back().node.is_mapping() && !open_.back().key_read;
}

void Builder::add(Node node, Anchor anchor) {
    if (anchor != 0) keep(anchor, node);
    if (open_.empty()) {
        root_ = std::move(node);
    } else if (open_.back().node.is_sequence()) {
        open_.back().node.items.push_back(std::move(node));
    } else if (expects_key()) {
        add_key(node);
    } else {
        add_value(std::move(node));
    }
}

void Builder::add_key(const Node& node) {
    Frame& frame = open_.back();
    frame.key_read = true;
    frame.key_usable = false;
    frame.entry = {.key = node.scalar, .key_at = node.at, .value = {.at = node.at}};
    if (!node.is_scalar()) {
        problem(node.at, "a key must be a text", "Put the key in quotes.");
    } else if (node.scalar == "<<" && !node.quoted) {
        problem(node.at, "merge keys ('<<') are not supported",
                "Write the members out, or use an alias for a whole value.");
    } else if (const auto first = index_of(frame, node.scalar)) {
        problem(node.at,
                fmt::format("the key '{}' appears twice; the first is at line {}", node.scalar,
                            frame.node.entries[*first].key_at.line),
                "Keep one of them.");
    } else {
        frame.key_usable = true;
    }
}

void Builder::add_value(Node node) {
    Frame& frame = open_.back();
    frame.key_read = false;
    if (!std::exchange(frame.key_usable, true)) return;
    frame.entry.value = std::move(node);
    if (!frame.index.empty()) frame.index.emplace(frame.entry.key, frame.node.entries.size());
    frame.node.entries.push_back(std::move(frame.entry));
}

std::optional<std::size_t> Builder::index_of(Frame& frame, const std::string& key) {
    const auto& entries = frame.node.entries;
    if (entries.size() < linear_search_max) {
        const auto found = std::ranges::find(entries, key, &Entry::key);
        if (found == entries.end()) return std::nullopt;
        return static_cast<std::size_t>(found - entries.begin());
    }
    if (frame.index.empty())
        for (std::size_t i = 0; i < entries.size(); ++i) frame.index.emplace(entries[i].key, i);
    const auto found = frame.index.find(key);
    if (found == frame.index.end()) return std::nullopt;
    return found->second;
}

void Builder::keep(Anchor anchor, const Node& node) {
    const Size size = size_of(node);
    Anchored& kept = anchors_[anchor];
    kept = {.node = {}, .nodes = size.nodes, .bytes = size.bytes, .depth = size.depth};
    if (anchor_nodes_ + size.nodes > anchor_nodes_max || size.nodes > alias_nodes_max) {
        kept.nodes = alias_nodes_max + 1;  // too large for any alias
        return;
    }
    anchor_nodes_ += size.nodes;
    kept.node = node;
}

void Builder::check_tag(const std::string& tag, std::size_t offset) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problem(source_.position(offset), "tags ('!', '!!') are not supported",
            "Leave it out; put a text that begins with '!' in quotes.");
}

void Builder::check_tab(std::size_t offset) {
    if (in_flow() || !source_.is_indented_by_tab(offset)) return;
    const Position at = source_.position(offset);
    if (at.line == tab_line_) return;
    tab_line_ = at.line;
    problem(at, "a tab in the indentation", "Indent with spaces.");
}

}  // namespace lifeboat::yaml
