#include "platform/codec/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>
#include <vector>

#include "platform/codec/utf8.h"

namespace lifeboat {
namespace {

constexpr std::size_t depth_max = 100;
constexpr std::size_t linear_search_max = 16;  // members; above, an object's keys are hashed

/// Walks the text and tells how far the lexer has read: its events carry no position.
class CountingIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        *furthest_ = ++at_;
        return *this;
    }
    CountingIterator operator++(int) {
        CountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
    bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

private:
    const char* at_;
    const char** furthest_;
};

/// "[json.exception…] parse error at …: syntax error while parsing value - WHY; last read: 'x'"
/// becomes WHY. What was read is left out: it may be a secret.
std::string reason_of(std::string_view what) {
    if (const auto dash = what.find(" - "); dash != what.npos) {
        what.remove_prefix(dash + 3);
    } else if (const auto bracket = what.find("] "); bracket != what.npos) {
        what.remove_prefix(bracket + 2);
    }
    std::string reason(what);
    const auto read = reason.find("; last read: '");
    if (read != reason.npos) {
        const auto end = reason.rfind('\'');
        const auto expected = reason.rfind("; expected ");
        const bool more = expected != reason.npos && expected > read;
        reason =
            reason.substr(0, read) + (more && end != reason.npos ? reason.substr(expected) : "");
    }
    return reason;
}

/// Builds the value from the parser's events, refusing duplicate keys and deep nesting.
class Builder {
public:
    Builder(std::string_view text, const char* const& position)
        : text_(text), position_(position) {}

    bool null() { return add(Json()); }
    bool boolean(bool value) { return add(Json(value)); }
    bool number_integer(Json::number_integer_t value) { return add(Json(value)); }
    bool number_unsigned(Json::number_unsigned_t value) { return add(Json(value)); }
    bool number_float(Json::number_float_t value, const std::string&) { return add(Json(value)); }
    bool string(std::string& value) { return add(Json(std::move(value))); }
    bool binary(Json::binary_t&) { return false; }
    bool start_object(std::size_t) { return start(Json(Json::value_t::object)); }
    bool start_array(std::size_t) { return start(Json(Json::value_t::array)); }
    bool end_object() { return end(); }
    bool end_array() { return end(); }

    bool key(std::string& name) {
        Frame& frame = open_.back();
        if (has_key(frame, name)) {
            fail(start_of_key(), fmt::format("the key '{}' appears twice in one object", name));
            return false;
        }
        frame.key = std::move(name);
        return true;
    }

    template <class Exception>
    bool parse_error(std::size_t position, const std::string&, const Exception& exception) {
        if (error_.empty()) fail(position == 0 ? 0 : position - 1, reason_of(exception.what()));
        return false;
    }

    Result<Json> finish() && {
        if (error_.empty()) return std::move(root_);
        const LineColumn at = locate(text_, error_at_);
        return invalid(
            fmt::format("invalid JSON at line {}, column {}: {}", at.line, at.column, error_));
    }

private:
    struct Frame {
        Json value;
        std::string key;                        // of the member that is being read
        std::unordered_set<std::string> names;  // filled once there are many
    };

    static bool has_key(Frame& frame, const std::string& name) {
        const auto& members = frame.value.get_ref<const Json::object_t&>();
        if (members.size() < linear_search_max)
            return std::any_of(members.begin(), members.end(),
                               [&](const auto& member) { return member.first == name; });
        if (frame.names.empty())
            for (const auto& member : members) frame.names.insert(member.first);
        return !frame.names.insert(name).second;
    }

    bool start(Json empty) {
        if (open_.size() >= depth_max) {
            fail(offset() - 1, fmt::format("nested deeper than {} levels", depth_max));
            return false;
        }
        open_.push_back({.value = std::move(empty), .key = {}, .names = {}});
        return true;
    }

    bool end() {
        Json value = std::move(open_.back().value);
        open_.pop_back();
        return add(std::move(value));
    }

    bool add(Json value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return true;
        }
        Frame& frame = open_.back();
        if (frame.value.is_array()) {
            frame.value.push_back(std::move(value));
        } else {
            // Past the map's own emplace, which searches all members: the key is known to be new.
            auto& members = frame.value.get_ref<Json::object_t&>();
            using Members = std::vector<Json::object_t::value_type, Json::object_t::allocator_type>;
            static_cast<Members&>(members).emplace_back(std::move(frame.key), std::move(value));
        }
        return true;
    }

    std::size_t offset() const { return static_cast<std::size_t>(position_ - text_.data()); }

    /// The lexer stands behind the key's closing quote; its opening one is the next unescaped.
    std::size_t start_of_key() const {
        std::size_t at = offset() - 1;
        while (at-- > 0) {
            if (text_[at] != '"') continue;
            std::size_t slashes = 0;
            while (slashes < at && text_[at - 1 - slashes] == '\\') ++slashes;
            if (slashes % 2 == 0) return at;
        }
        return 0;
    }

    void fail(std::size_t at, std::string why) {
        error_at_ = at;
        error_ = std::move(why);
    }

    std::string_view text_;
    const char* const& position_;
    Json root_;
    std::vector<Frame> open_;
    std::string error_;
    std::size_t error_at_ = 0;
};

std::string dump_with(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void append_canonical(const Json& value, std::string& out) {
    if (value.is_array()) {
        out += '[';
        for (const Json& item : value) {
            if (&item != &value.front()) out += ',';
            append_canonical(item, out);
        }
        out += ']';
    } else if (value.is_object()) {
        std::vector<const Json::object_t::value_type*> members;
        for (const auto& member : value.get_ref<const Json::object_t&>())
            members.push_back(&member);
        std::sort(members.begin(), members.end(),
                  [](const auto* a, const auto* b) { return a->first < b->first; });
        out += '{';
        for (const auto* member : members) {
            if (member != members.front()) out += ',';
            out += dump_with(Json(member->first), -1);
            out += ':';
            append_canonical(member->second, out);
        }
        out += '}';
    } else {
        out += dump_with(value, -1);
    }
}

/// The member, or nullptr; also when `object` is none.
const Json* member_of(const Json& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    for (const auto& member : object.get_ref<const Json::object_t&>())
        if (member.first == key) return &member.second;
    return nullptr;
}

Error wrong_member(const Json& object, std::string_view key, std::string_view wanted) {
    const Json* found = member_of(object, key);
    if (found == nullptr) return corrupt(fmt::format("member '{}' is missing", key));
    return corrupt(
        fmt::format("member '{}' is {} where {} belongs", key, found->type_name(), wanted));
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
    const char* position = text.data();
    Builder builder(text, position);
    // A failure is kept by the builder.
    (void)Json::sax_parse(CountingIterator(text.data(), &position),
                          CountingIterator(text.data() + text.size(), &position), &builder);
    return std::move(builder).finish();
}

std::string dump(const Json& value) { return dump_with(value, -1); }

std::string dump_pretty(const Json& value) { return dump_with(value, 2); }

std::string dump_canonical(const Json& value) {
    std::string out;
    append_canonical(value, out);
    return out;
}

Result<std::string> get_string(const Json& object, std::string_view key) {
    const Json* found = member_of(object, key);
    if (found == nullptr || !found->is_string()) return wrong_member(object, key, "a string");
    return found->get_ref<const std::string&>();
}

Result<std::int64_t> get_integer(const Json& object, std::string_view key) {
    const Json* found = member_of(object, key);
    if (found == nullptr || !found->is_number_integer())
        return wrong_member(object, key, "an integer");
    if (found->is_number_unsigned() && !std::in_range<std::int64_t>(found->get<std::uint64_t>()))
        return corrupt(fmt::format("member '{}' is out of range: {}", key, dump(*found)));
    return found->get<std::int64_t>();
}

Result<std::uint64_t> get_unsigned(const Json& object, std::string_view key) {
    const Json* found = member_of(object, key);
    if (found == nullptr || !found->is_number_integer())
        return wrong_member(object, key, "an unsigned integer");
    if (!found->is_number_unsigned() && found->get<std::int64_t>() < 0)
        return corrupt(fmt::format("member '{}' is negative: {}", key, dump(*found)));
    return found->get<std::uint64_t>();
}

Result<bool> get_bool(const Json& object, std::string_view key) {
    const Json* found = member_of(object, key);
    if (found == nullptr || !found->is_boolean()) return wrong_member(object, key, "a boolean");
    return found->get<bool>();
}

Result<Instant> get_instant(const Json& object, std::string_view key) {
    const std::string text = TRY(get_string(object, key));
    Result<Instant> instant = parse_instant(text);
    if (!instant) return corrupt(fmt::format("member '{}' is no point in time: '{}'", key, text));
    return instant;
}

std::string string_or(const Json& object, std::string_view key, std::string fallback) {
    return get_string(object, key).value_or(std::move(fallback));
}

std::int64_t integer_or(const Json& object, std::string_view key, std::int64_t fallback) {
    return get_integer(object, key).value_or(fallback);
}

bool bool_or(const Json& object, std::string_view key, bool fallback) {
    return get_bool(object, key).value_or(fallback);
}

Json to_json(const Error& error) {
    return {{"kind", to_string(error.kind)}, {"message", error.message}, {"hint", error.hint}};
}

Error error_from_json(const Json& value) {
    return {.kind = error_kind_from(string_or(value, "kind", "")),
            .message = string_or(value, "message", ""),
            .hint = string_or(value, "hint", "")};
}

}  // namespace lifeboat
