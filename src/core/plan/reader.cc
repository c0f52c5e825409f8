#include "core/plan/reader.h"

#include <fmt/core.h>

#include "core/plan/check_reader.h"
#include "core/plan/templates.h"
#include "platform/base/size.h"
#include "platform/base/text.h"

namespace lifeboat::plan {

using yaml::Node;
using enum SettingType;

void Names::add(const std::string& name, Position at) {
    if (places_.emplace(name, at).second) list_.push_back(name);
}

bool Names::contains(std::string_view name) const { return places_.contains(std::string(name)); }

void Reader::error(Position at, std::string id, std::string message, std::string hint) {
    diagnostics.push_back({.level = DiagnosticLevel::error,
                           .id = std::move(id),
                           .at = at,
                           .message = std::move(message),
                           .hint = std::move(hint)});
}

void Reader::warning(Position at, std::string id, std::string message, std::string hint) {
    diagnostics.push_back({.level = DiagnosticLevel::warning,
                           .id = std::move(id),
                           .at = at,
                           .message = std::move(message),
                           .hint = std::move(hint)});
}

std::string Reader::suggest(std::string_view word, const std::vector<std::string>& candidates) {
    if (suggestions_left_ == 0) return {};
    --suggestions_left_;
    const auto near = nearest(word, candidates);
    return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

void Reader::wrong_type(const Node& node, std::string_view key, std::string_view wanted) {
    if (node.type == yaml::Type::null)
        error(node.at, "missing-value", fmt::format("'{}' has no value", key),
              fmt::format("It takes {}; without one, remove the key.", wanted));
    else
        error(node.at, "wrong-type",
              fmt::format("'{}' takes {}, not {}", key, wanted, describe(node.type)));
}

bool Reader::refers(const std::string& name, Position at, Refers sort) {
    const auto known = [&](Refers of) { return names(of).contains(name); };
    // A contact is a person or a role; both lists stand behind it.
    if (known(sort)) return true;
    const std::vector<std::string>& candidates = names(sort).list();
    std::string hint = suggest(name, candidates);
    if (hint.empty() && !candidates.empty() && candidates.size() <= 8)
        hint = fmt::format("There is {}.", join(candidates, ", "));
    if (candidates.empty()) hint = fmt::format("The plan defines no {} at all.", describe(sort));
    error(at, fmt::format("unknown-{}", describe(sort)),
          fmt::format("unknown {} '{}'", describe(sort), name), std::move(hint));
    return false;
}

std::optional<Json> Reader::value(const Node& node, SettingType type, const Reading& reading) {
    switch (type) {
        case text_list:
        case contacts:
            return list(node, {.key = reading.key,
                               .templates = reading.templates,
                               .choices = reading.choices,
                               .refers = type == contacts ? Refers::contact : reading.refers});
        case text_map:
            return map(node, reading);
        case any:
            return untyped(node, reading);
        case check:
            return check_value(node, reading);
        case command:
            return command_line(node, reading);
        default:
            return scalar(node, type, reading);
    }
}

std::optional<Json> Reader::scalar(const Node& node, SettingType type, const Reading& reading) {
    if (!node.is_scalar()) {
        wrong_type(node, reading.key, describe(type));
        return std::nullopt;
    }
    if (type == SettingType::secret) return secret(node, reading);
    look_for_secrets(node, reading);
    if (reading.templates && has_template(node.scalar)) {
        take_templates(node, reading);
        return Json(node.scalar);
    }
    return typed(node, type, reading);
}

std::optional<Json> Reader::typed(const Node& node, SettingType type, const Reading& reading) {
    const auto checked = [&](const auto& parsed) -> std::optional<Json> {
        if (parsed.has_value()) return Json(node.scalar);
        error(node.at, "bad-value", fmt::format("'{}': {}", reading.key, parsed.error().message),
              parsed.error().hint);
        return std::nullopt;
    };
    const auto named = [&](Refers sort) -> std::optional<Json> {
        if (!refers(node.scalar, node.at, sort)) return std::nullopt;
        return Json(node.scalar);
    };
    switch (type) {
        case integer:
        case port:
        case boolean:
            return number(node, type, reading);
        case duration:
            return checked(parse_duration(node.scalar));
        case size:
            return checked(parse_size(node.scalar));
        case rate:
            return checked(parse_rate(node.scalar));
        case instant:
            return checked(parse_instant(node.scalar));
        case site:
            return named(Refers::site);
        case component:
            return named(Refers::component);
        case channel:
            return named(Refers::channel);
        case url:
            if (node.scalar.contains("://")) return Json(node.scalar);
            error(node.at, "bad-value",
                  fmt::format("'{}': '{}' is not a URL", reading.key, node.scalar),
                  "Begin with the scheme, for example https://.");
            return std::nullopt;
        default:
            break;
    }
    if (type == path && node.scalar.empty()) {
        error(node.at, "bad-value", fmt::format("'{}' is empty", reading.key), "Name a path.");
        return std::nullopt;
    }
    if (reading.refers != Refers::nothing && !refers(node.scalar, node.at, reading.refers))
        return std::nullopt;
    if (reading.choices != nullptr && !reading.choices->empty() &&
        std::ranges::find(*reading.choices, node.scalar) == reading.choices->end()) {
        std::string hint = suggest(node.scalar, *reading.choices);
        if (hint.empty()) hint = fmt::format("Write {}.", join(*reading.choices, ", "));
        error(node.at, "bad-value", fmt::format("'{}' cannot be '{}'", reading.key, node.scalar),
              std::move(hint));
        return std::nullopt;
    }
    return Json(node.scalar);
}

std::optional<Json> Reader::number(const Node& node, SettingType type, const Reading& reading) {
    const auto wrong = [&](std::string_view wanted, std::string hint) {
        error(node.at, "wrong-type",
              fmt::format("'{}' takes {}, not '{}'", reading.key, wanted, node.scalar),
              std::move(hint));
        return std::nullopt;
    };
    if (type == boolean) {
        if (!node.quoted && (node.scalar == "true" || node.scalar == "false"))
            return Json(node.scalar == "true");
        return wrong("true or false", "Write true or false, without quotes.");
    }
    const auto parsed = node.quoted ? std::nullopt : parse_integer(node.scalar);
    if (!parsed)
        return wrong(describe(type), node.quoted ? "Write it without quotes." : std::string());
    if (type == port && (*parsed < 1 || *parsed > 65535))
        return wrong("a port", "Ports go from 1 to 65535.");
    if (*parsed >= 0) return Json(static_cast<std::uint64_t>(*parsed));
    return Json(*parsed);
}

std::optional<Json> Reader::secret(const Node& node, const Reading& reading) {
    if (is_reference(node.scalar)) return Json(node.scalar);
    revealed.push_back({.at = node.at, .value = node.scalar});
    error(node.at, "literal-secret", fmt::format("'{}' holds a secret itself", reading.key),
          "Write where it is found: env:NAME or file:PATH.");
    return std::nullopt;
}

void Reader::reveal(const Node& node, std::string_view key, const Credential& secret) {
    const auto first = sources.find(node.at, node.scalar, secret.at);
    const auto last = sources.find(node.at, node.scalar, secret.at + secret.size - 1);
    const Position at = first.value_or(node.at);
    revealed.push_back({.at = at,
                        .value = node.scalar.substr(secret.at, secret.size),
                        .last = first && last ? *last : Position{}});
    diagnostics.push_back({.level = secrets_level,
                           .id = "literal-secret",
                           .at = at,
                           .message = fmt::format("'{}' holds {}", key, secret.what),
                           .hint = "Leave it out, and give it by a reference: env:NAME or "
                                   "file:PATH."});
}

/// In a sentence "token=" is a word: only what is run has variables and options.
void Reader::look_for_secrets(const Node& node, const Reading& reading) {
    const bool runs = reading.runs || reading.key == "written";
    reveal_all(node, reading.key,
               runs ? credentials_of_commands(node.scalar) : passwords_in_urls(node.scalar));
}

void Reader::reveal_all(const Node& node, std::string_view key,
                        const std::vector<Credential>& secrets) {
    constexpr std::size_t told_max = 20;  // the place of each is looked for in the whole text
    for (std::size_t i = 0; i < std::min(secrets.size(), told_max); ++i)
        reveal(node, key, secrets[i]);
    if (secrets.size() <= told_max) return;
    const std::size_t end = node.scalar.find_last_not_of(" \t\r\n");
    const auto last = sources.find(node.at, node.scalar, end);
    revealed.push_back({.at = node.at, .value = {}, .last = last.value_or(Position{})});
}

/// An option and its value are two words of a list.
void Reader::look_into_words(const Node& words, std::string_view key) {
    std::string line;
    std::vector<std::size_t> begins;
    for (const Node& word : words.items) {
        begins.push_back(line.size());
        line += word.scalar + "\n";
    }
    std::vector<std::vector<Credential>> found(words.items.size());
    for (Credential secret : credentials_of_commands(line)) {
        const auto behind = std::ranges::upper_bound(begins, secret.at);
        const auto index = static_cast<std::size_t>(behind - begins.begin()) - 1;
        secret.at -= begins[index];
        const std::size_t rest = words.items[index].scalar.size() - secret.at;
        secret.size = secret.at == 0 ? rest : std::min(secret.size, rest);
        if (secret.size > 0) found[index].push_back(std::move(secret));
    }
    for (std::size_t i = 0; i < found.size(); ++i) reveal_all(words.items[i], key, found[i]);
}

std::optional<Json> Reader::command_line(const Node& node, Reading reading) {
    if (!node.is_sequence()) {
        reading.runs = true;
        return scalar(node, text, reading);
    }
    // Each word is looked at for itself; only what that does not show is told here.
    const std::size_t known = revealed.size();
    auto found = list(node, reading);
    if (revealed.size() == known) look_into_words(node, reading.key);
    return found;
}

Position Reader::place_of(const TemplateUse& use, std::string_view name) {
    if (places_left_ == 0) return use.at;
    --places_left_;
    const Position at = sources.place(use.at, use.text, use.text.find(name));
    return at.line == use.at.line ? use.at : at;
}

void Reader::take_templates(const Node& node, const Reading&) {
    templates.push_back({.text = node.scalar, .at = node.at});
}

std::optional<Json> Reader::list(const Node& node, const Reading& reading) {
    if (node.is_mapping() || node.type == yaml::Type::null) {
        wrong_type(node, reading.key, "a text or a list of texts");
        return std::nullopt;
    }
    Json found = Json::array();
    for (auto& [text, at] : texts(node, reading)) found.push_back(std::move(text));
    return found;
}

std::vector<std::pair<std::string, Position>> Reader::texts(const Node& node,
                                                            const Reading& reading) {
    std::vector<std::pair<std::string, Position>> found;
    const auto add = [&](const Node& item) {
        if (auto read = scalar(item, text, reading))
            found.emplace_back(read->get<std::string>(), item.at);
    };
    if (!node.is_sequence()) {
        add(node);
        return found;
    }
    for (const Node& item : node.items) add(item);
    return found;
}

std::optional<Json> Reader::map(const Node& node, const Reading& reading) {
    if (!node.is_mapping()) {
        wrong_type(node, reading.key, describe(text_map));
        return std::nullopt;
    }
    Json found = Json::object();
    for (const yaml::Entry& entry : node.entries) {
        const std::string label = fmt::format("{}.{}", reading.key, entry.key);
        Reading inner = reading;
        inner.key = label;
        auto read = scalar(entry.value, text, inner);
        if (!read) continue;
        if (names_a_secret(entry.key) && !entry.value.scalar.empty() &&
            !is_reference(entry.value.scalar) && !has_template(entry.value.scalar)) {
            revealed.push_back({.at = entry.value.at, .value = entry.value.scalar});
            warning(entry.value.at, "literal-secret",
                    fmt::format("'{}' looks like a secret", label),
                    "Write where it is found: env:NAME or file:PATH.");
        }
        found[entry.key] = *std::move(read);
    }
    return found;
}

std::optional<Json> Reader::check_value(const Node& node, const Reading& reading) {
    auto read = read_check(*this, node, {.label = reading.key, .steps = true});
    if (!read) return std::nullopt;
    return to_json(*read);
}

Json Reader::untyped(const Node& node, const Reading& reading) {
    switch (node.type) {
        case yaml::Type::null:
            return {};
        case yaml::Type::scalar:
            look_for_secrets(node, reading);
            if (reading.templates && has_template(node.scalar)) take_templates(node, reading);
            return plain_value(node);
        case yaml::Type::sequence: {
            Json found = Json::array();
            for (const Node& item : node.items) found.push_back(untyped(item, reading));
            return found;
        }
        case yaml::Type::mapping:
            break;
    }
    Json found = Json::object();
    for (const yaml::Entry& entry : node.entries) found[entry.key] = untyped(entry.value, reading);
    return found;
}

}  // namespace lifeboat::plan
