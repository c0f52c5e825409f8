#pragma once
/// YAML as a tree in which every key and value knows where it stands.
///
/// Built from the parser's events, so that what yaml-cpp lets through is an error here: duplicate
/// keys, unterminated quotes, tabs/control characters, aliases beyond a bound (alias bombs),
/// nesting deeper than 64. Scalars stay text: `no` is "no", `010` is "010"; typing is the reader's
/// business. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/result.h"

namespace lifeboat::yaml {

struct Position {
    std::uint32_t file = 0;    ///< index into the reader's list of files (includes)
    std::uint32_t line = 0;    ///< 1-based; 0 when unknown
    std::uint32_t column = 0;  ///< 1-based, in characters
    auto operator<=>(const Position&) const = default;
};

enum class Type { null, scalar, sequence, mapping };

struct Node;

struct Entry;  // a key and its value

struct Node {
    Type type = Type::null;
    std::string scalar;          ///< text of a scalar
    bool quoted = false;         ///< '…' or "…": never null, never a number
    std::vector<Node> items;     ///< of a sequence
    std::vector<Entry> entries;  ///< of a mapping, in order
    Position at;

    const Node* find(std::string_view key) const;  ///< value of a mapping's key, or nullptr
    const Entry* entry(std::string_view key) const;
    bool is_scalar() const { return type == Type::scalar; }
    bool is_mapping() const { return type == Type::mapping; }
    bool is_sequence() const { return type == Type::sequence; }
};

struct Entry {
    std::string key;
    Position key_at;
    Node value;
};

/// A problem of the text itself.
struct Problem {
    Position at;
    std::string message;
    std::string hint;
};

struct Document {
    Node root;
    std::vector<Problem>
        problems;  ///< empty when the text is sound; the root holds what could be read
};

/// Reads one document. Positions carry `file`. Never throws, never fails: problems are collected.
Document parse(std::string_view text, std::uint32_t file = 0);

}  // namespace lifeboat::yaml
