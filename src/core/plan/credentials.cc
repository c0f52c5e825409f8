#include "core/plan/credentials.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/plan/reader.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

constexpr std::string_view blanks = " \t\r\n\\";
constexpr std::size_t none = std::string_view::npos;

bool is_blank(char c) { return blanks.contains(c); }

bool names(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

bool is_secret_name(std::string_view name) {
    std::string plain = to_lower(name);
    std::ranges::replace_if(plain, [](char c) { return c == '-' || c == '.'; }, '_');
    return names_a_secret(plain);
}

/// Says where the secret is, or that there is none.
bool is_filled_in(std::string_view value) {
    constexpr std::array<std::string_view, 6> words{"true", "false", "none", "null", "yes", "no"};
    constexpr std::array<std::string_view, 8> beginnings{"*",  "<",  "[", "@",
                                                         "./", "~/", "/", "YOUR"};
    const std::string lower = to_lower(value);
    return value.empty() || value.contains('$') || value.contains('`') || value.contains("{{") ||
           value.contains("...") || value.contains("…") || is_placeholder(value) ||
           is_reference(value) || std::ranges::find(words, lower) != words.end() ||
           std::ranges::any_of(beginnings,
                               [&](std::string_view one) { return value.starts_with(one); });
}

class Search {
public:
    explicit Search(std::string_view text) : text_(text) {}

    std::vector<Credential> take() {
        std::ranges::stable_sort(found_, {}, &Credential::at);
        // `Authorization: Bearer x` is found by its name, too.
        const auto same = std::ranges::unique(found_, {}, &Credential::at);
        found_.erase(same.begin(), same.end());
        return std::move(found_);
    }

    void urls();
    void assignments();
    void options();
    void bearers();
    void programs();

private:
    char at(std::size_t place) const { return place < text_.size() ? text_[place] : '\0'; }
    void add(std::size_t begin, std::size_t end, std::string what);
    std::size_t value(std::size_t begin, std::string what);
    std::string_view name_before(std::size_t end) const;
    std::size_t behind_blanks(std::size_t place) const {
        return std::min(text_.find_first_not_of(blanks, place), text_.size());
    }
    std::size_t end_of_word(std::size_t begin) const {
        return std::min(text_.find_first_of(" \t\r\n\"'&;|()<>,", begin), text_.size());
    }
    void option_of(std::string_view program, std::string_view word, std::size_t begin);
    void password_of_user(std::size_t begin, std::string what);

    std::string_view text_;
    std::vector<Credential> found_;
};

void Search::add(std::size_t begin, std::size_t end, std::string what) {
    if (begin >= end || is_filled_in(text_.substr(begin, end - begin))) return;
    found_.push_back({.at = begin, .size = end - begin, .what = std::move(what)});
}

/// What stands there, in quotes or up to the next blank, and where that ends.
std::size_t Search::value(std::size_t begin, std::string what) {
    if (at(begin) == '\\' && at(begin + 1) == '"') ++begin;
    const char quote = at(begin);
    const bool quoted = quote == '"' || quote == '\'';
    if (quoted) ++begin;
    const std::size_t end =
        quoted ? std::min(text_.find_first_of(std::string{quote, '\\'}, begin), text_.size())
               : end_of_word(begin);
    add(begin, end, std::move(what));
    return end;
}

std::string_view Search::name_before(std::size_t end) const {
    std::size_t begin = end;
    while (begin > 0 && names(text_[begin - 1])) --begin;
    const std::string_view name = text_.substr(begin, end - begin);
    return name.substr(std::min(name.find_first_not_of('-'), name.size()));
}

void Search::urls() {
    for (std::size_t from = 0; from < text_.size();) {
        const auto password = password_in_url(text_.substr(from));
        if (!password) return;
        const auto begin = static_cast<std::size_t>(password->data() - text_.data());
        found_.push_back({.at = begin, .size = password->size(), .what = "a password in a URL"});
        from = begin + password->size();
    }
}

/// `NAME=value`, `name: value` of a header, `"name": "value"` of JSON.
void Search::assignments() {
    for (std::size_t i = text_.find_first_of("=:"); i != none;
         i = text_.find_first_of("=:", i + 1)) {
        if (i == 0 || at(i + 1) == '=' || at(i + 1) == '/') continue;
        const bool assigned = text_[i] == '=';
        const bool quoted = !assigned && (text_[i - 1] == '"' || text_[i - 1] == '\'');
        std::size_t end = quoted ? i - 1 : i;
        if (quoted && end > 0 && text_[end - 1] == '\\') --end;
        const std::string_view name = name_before(end);
        if (!is_secret_name(name)) continue;
        // In a sentence a colon says nothing.
        const bool header = name.contains('-') || to_lower(name) == "authorization";
        if (!assigned && !quoted && !header) continue;
        std::size_t begin = assigned ? i + 1 : behind_blanks(i + 1);
        if (!assigned && !quoted) {  // "Authorization: Basic …": the scheme is no secret
            const std::size_t stop = end_of_word(begin);
            if (at(stop) == ' ' && !is_blank(at(stop + 1))) begin = stop + 1;
        }
        i = std::max(i, value(begin, fmt::format("the value of {}", name)) - 1);
    }
}

/// `--password value`
void Search::options() {
    for (std::size_t i = text_.find("--"); i != none; i = text_.find("--", i + 2)) {
        if (i > 0 && !is_blank(text_[i - 1])) continue;
        std::size_t end = i + 2;
        while (names(at(end))) ++end;
        const std::string_view name = text_.substr(i + 2, end - i - 2);
        // `--secret` names one, usually.
        if (name.empty() || name == "secret" || !is_secret_name(name) || !is_blank(at(end)))
            continue;
        const std::size_t begin = behind_blanks(end);
        if (at(begin) != '-') i = value(begin, fmt::format("the value of --{}", name)) - 2;
    }
}

void Search::bearers() {
    constexpr std::string_view word = "Bearer ";
    for (std::size_t i = text_.find(word); i != none; i = text_.find(word, i + 1)) {
        if (i > 0 && names(text_[i - 1])) continue;
        const std::size_t begin = behind_blanks(i + word.size());
        add(begin, end_of_word(begin), "a bearer token");
    }
}

void Search::password_of_user(std::size_t begin, std::string what) {
    if (at(begin) == '"' || at(begin) == '\'') ++begin;
    const std::size_t end = end_of_word(begin);
    const std::size_t colon = text_.substr(begin, end - begin).find(':');
    if (colon != none) add(begin + colon + 1, end, std::move(what));
}

void Search::option_of(std::string_view program, std::string_view word, std::size_t begin) {
    const std::size_t next = behind_blanks(begin + word.size());
    const std::string what = fmt::format("a password for {}", program);
    if (program == "curl") {
        if (word == "-u" || word == "--user" || word == "-U" || word == "--proxy-user")
            password_of_user(next, what);
        else if (word.starts_with("-u") || word.starts_with("-U"))
            password_of_user(begin + 2, what);
        else if (word.starts_with("--user="))
            password_of_user(begin + 7, what);
    } else if (program == "redis-cli") {
        if (word == "-a" || word == "--pass") value(next, what);
    } else if (program == "sshpass") {
        if (word == "-p")
            value(next, what);
        else if (word.starts_with("-p"))
            value(begin + 2, what);
    } else if (word.starts_with("-p") && word.size() > 2) {
        value(begin + 2, what);  // of mysql: never apart
    }
}

/// Short options, which mean something with some programs only.
void Search::programs() {
    constexpr std::array<std::string_view, 6> known{"curl",  "redis-cli", "sshpass",
                                                    "mysql", "mysqldump", "mariadb"};
    std::string_view program;
    for (std::size_t begin = behind_blanks(0); begin < text_.size();) {
        const std::size_t end = std::min(text_.find_first_of(" \t\r\n", begin), text_.size());
        std::string_view word = text_.substr(begin, end - begin);
        const std::size_t quotes = std::min(word.find_first_not_of("\"'("), word.size());
        std::string_view name = word.substr(quotes);
        if (const std::size_t slash = name.rfind('/'); slash != none) name.remove_prefix(slash + 1);
        if (std::ranges::find(known, name) != known.end())
            program = name;
        else if (!program.empty() && word.starts_with('-'))
            option_of(program, word, begin);
        if (word.find_first_of(";|") != none) program = {};
        begin = behind_blanks(end);
    }
}

}  // namespace

std::vector<Credential> passwords_in_urls(std::string_view text) {
    Search search(text);
    search.urls();
    return search.take();
}

std::vector<Credential> credentials_of_commands(std::string_view text) {
    Search search(text);
    search.urls();
    search.assignments();
    search.options();
    search.bearers();
    search.programs();
    return search.take();
}

}  // namespace lifeboat::plan
