#include <algorithm>

#include "core/plan/load.h"
#include "platform/codec/crypto.h"

namespace lifeboat::plan {
namespace {

using yaml::Entry;
using yaml::Node;

void put(std::string& out, char tag, std::string_view text) {
    out += tag;
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

/// Every value with its type and its length: two trees with equal bytes are equal.
void write(std::string& out, const Node& node) {
    switch (node.type) {
        case yaml::Type::null:
            out += 'n';
            return;
        case yaml::Type::scalar:
            put(out, node.quoted ? 'q' : 's', node.scalar);
            return;
        case yaml::Type::sequence:
            out += '[';
            for (const Node& item : node.items) write(out, item);
            out += ']';
            return;
        case yaml::Type::mapping:
            break;
    }
    std::vector<const Entry*> entries;
    for (const Entry& entry : node.entries) entries.push_back(&entry);
    std::ranges::sort(entries, {}, [](const Entry* entry) { return std::string_view(entry->key); });
    out += '{';
    for (const Entry* entry : entries) {
        put(out, 'k', entry->key);
        write(out, entry->value);
    }
    out += '}';
}

}  // namespace

std::string digest_of(const Node& root) {
    std::string text;
    write(text, root);
    return to_hex(crypto::sha256(as_bytes(text)));
}

}  // namespace lifeboat::plan
