#pragma once
/// Builds the tree of nodes from the parser's events and finds what the parser lets through.
///
/// Never throws. Whatever cannot be kept (a second value for a key, nesting beyond the bound) is a
/// problem, and the reading goes on. Not thread-safe.

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/codec/yaml.h"
#include "platform/codec/yaml_source.h"

namespace lifeboat::yaml {

constexpr std::size_t depth_max = 64;
constexpr std::size_t alias_nodes_max = 10'000;  // all that aliases may add to a document
constexpr std::size_t alias_bytes_max = text_size_max;
constexpr std::size_t anchor_nodes_max = 100'000;  // all that is kept for aliases to copy

using Anchor = std::size_t;  ///< the parser's number for an anchor; 0 is none

class Builder {
public:
    Builder(Source& source, std::vector<Problem>& problems)
        : source_(source), problems_(problems) {}

    /// The document; of one that broke off, what was read of it.
    Node finish();
    /// A complaint at `offset` follows from one that is already known.
    bool explains(std::size_t offset) const;
    /// Where the last quoted text began, if only blanks stand between its end and `offset`.
    std::optional<Position> quoted_before(std::size_t offset);
    /// Where the innermost open brace or bracket stands, if the parser is inside one.
    std::optional<Position> open_flow() const;

    // The events. An offset is that of the token, or of the anchor or tag before it; anchor 0 is
    // none.
    void null(std::size_t offset, Anchor anchor);
    void alias(std::size_t offset, Anchor anchor);
    void scalar(std::size_t offset, const std::string& tag, Anchor anchor,
                const std::string& value);
    void open(Type type, std::size_t offset, const std::string& tag, Anchor anchor, bool flow);
    void close();

private:
    /// A mapping or sequence that is being read.
    struct Frame {
        Node node;
        Anchor anchor = 0;
        bool flow = false;
        bool key_read = false;   // of a mapping: the key is known, its value comes next
        bool key_usable = true;  // else its value is dropped
        Entry entry;
        std::unordered_map<std::string, std::size_t> index;  // filled once there are many keys
    };
    /// What an alias copies.
    struct Anchored {
        Node node;
        std::size_t nodes = 0;
        std::size_t bytes = 0;
        std::size_t depth = 0;
    };

    void add(Node node, Anchor anchor);
    void add_key(const Node& node);
    void add_value(Node node);
    void keep(Anchor anchor, const Node& node);
    bool expects_key() const;
    bool in_flow() const { return !open_.empty() && open_.back().flow; }
    std::optional<std::size_t> index_of(Frame& frame, const std::string& key);
    void check_tag(const std::string& tag, std::size_t offset);
    void check_tab(std::size_t offset);
    void problem(Position at, std::string message, std::string hint);

    Source& source_;
    std::vector<Problem>& problems_;
    Node root_;
    std::vector<Frame> open_;
    std::size_t skipped_ = 0;  // depth inside something that is not kept
    std::unordered_map<Anchor, Anchored> anchors_;
    std::size_t anchor_nodes_ = 0;
    std::size_t alias_nodes_ = 0;
    std::size_t alias_bytes_ = 0;
    bool too_deep_ = false;
    bool too_many_ = false;
    bool unterminated_ = false;
    std::uint32_t tab_line_ = 0;   // the last line with a tab in its indentation
    std::size_t quote_begin_ = 0;  // of the last quoted text
    std::size_t quote_end_ = 0;
};

}  // namespace lifeboat::yaml
