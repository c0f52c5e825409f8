#include "core/readiness/shell_calls.h"

#include <algorithm>
#include <array>
#include <span>

namespace lifeboat::readiness {
namespace {

constexpr unsigned depth_max = 8;  // of calls inside of calls
constexpr std::size_t none = std::string_view::npos;

struct Word {
    std::size_t at = 0;  ///< of its first character, behind a quote
    std::string text;
    bool written = false;  ///< an empty one in quotes is one, too
};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::ranges::find(list, word) != list.end();
}

std::string_view name_of(std::string_view program) {
    const std::size_t slash = program.rfind('/');
    return slash == none ? program : program.substr(slash + 1);
}

bool is_assignment(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == none || equals == 0) return false;
    return std::ranges::all_of(word.substr(0, equals), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

class Reading {
public:
    explicit Reading(std::vector<Call>& calls) : calls_(calls) {}
    /// `offset`: where the text stands in the whole.
    void read(std::string_view text, std::size_t offset, unsigned depth);

private:
    std::size_t nested(std::string_view text, std::size_t begin, std::size_t offset,
                       unsigned depth);
    void add(std::vector<Word>& words, unsigned depth);
    void take(std::span<const Word> words, Call call, unsigned depth);

    std::vector<Call>& calls_;
};

/// A substitution that begins there; where it ends. Its own calls come first, as they are run.
std::size_t Reading::nested(std::string_view text, std::size_t begin, std::size_t offset,
                            unsigned depth) {
    const bool tick = text[begin] == '`';
    const std::size_t inner = begin + (tick ? 1 : 2);
    std::size_t end = inner;
    for (unsigned open = 1; end < text.size(); ++end) {
        if (tick ? text[end] == '`' : text[end] == ')') {
            if (--open == 0) break;
        } else if (!tick && text[end] == '(') {
            ++open;
        }
    }
    if (depth < depth_max) read(text.substr(inner, end - inner), offset + inner, depth + 1);
    return std::min(end + 1, text.size());
}

void Reading::read(std::string_view text, std::size_t offset, unsigned depth) {
    std::vector<Word> words;
    Word word;
    char quote = '\0';
    const auto end_word = [&] {
        if (word.written) words.push_back(std::move(word));
        word = {};
    };
    const auto put = [&](std::size_t at, std::string_view what) {
        if (!word.written) word.at = offset + at;
        word.written = true;
        word.text += what;
    };
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const char next = i + 1 < text.size() ? text[i + 1] : '\0';
        if (quote != '\'' && (c == '`' || (c == '$' && next == '('))) {
            put(i, "$()");
            i = nested(text, i, offset, depth);
        } else if (c == quote) {
            quote = '\0';
            ++i;
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
            put(i + 1, "");
            ++i;
        } else if (c == '\\' && quote != '\'' && next != '\0') {
            if (next != '\n') put(i + 1, text.substr(i + 1, 1));
            i += 2;
        } else if (quote == '\0' && std::string_view(";|&()\n").contains(c)) {
            end_word();
            add(words, depth);
            ++i;
        } else if (quote == '\0' && std::string_view(" \t\r").contains(c)) {
            end_word();
            ++i;
        } else {
            put(i, text.substr(i, 1));
            ++i;
        }
    }
    end_word();
    add(words, depth);
}

void Reading::add(std::vector<Word>& words, unsigned depth) {
    if (!words.empty()) take(words, {}, depth);
    words.clear();
}

/// How a program is called by another one: its options that take a word, and the words before it.
struct Wrapper {
    std::string_view name;
    std::string_view options;  ///< short ones with a value apart
    std::size_t before = 0;    ///< words between its options and what it calls
    bool as_text = false;      ///< one word may be a shell text of its own
};
constexpr std::array<Wrapper, 16> wrappers{{{"sudo", "ugpCDhRTU"},
                                            {"doas", "uC"},
                                            {"env", "uCS"},
                                            {"timeout", "ks", 1},
                                            {"nice", "n"},
                                            {"ionice", "cn"},
                                            {"xargs", "nIPLda"},
                                            {"watch", "n", 0, true},
                                            {"ssh", "iplJFoLRDbcEeImOQSWw", 1, true},
                                            {"nohup", ""},
                                            {"exec", "a"},
                                            {"command", ""},
                                            {"time", "fo"},
                                            {"eval", "", 0, true},
                                            {"setsid", ""},
                                            {"stdbuf", "ioe"}}};

/// Leaves the words that the wrapper calls.
void unwrap(std::span<const Word>& words, const Wrapper& wrapper) {
    const auto drop = [&] { words = words.subspan(std::min<std::size_t>(words.size(), 1)); };
    drop();
    while (!words.empty() && words.front().text.starts_with('-')) {
        const std::string& option = words.front().text;
        const bool apart = option.size() == 2 && wrapper.options.contains(option[1]);
        drop();
        if (apart) drop();
    }
    for (std::size_t i = 0; i < wrapper.before; ++i) drop();
}

void Reading::take(std::span<const Word> words, Call call, unsigned depth) {
    constexpr std::array<std::string_view, 9> keywords{"if", "then",  "else",  "elif", "do",
                                                       "!",  "while", "until", "{"};
    constexpr std::array<std::string_view, 5> shells{"sh", "bash", "zsh", "dash", "ksh"};
    while (!words.empty()) {
        const std::string& first = words.front().text;
        if (is_assignment(first)) call.variables.push_back(first);
        if (is_assignment(first) || is_one_of(first, keywords)) {
            words = words.subspan(1);
            continue;
        }
        const std::string_view name = name_of(first);
        if (is_one_of(name, shells) && words.size() > 2 && words[1].text.starts_with('-') &&
            words[1].text.ends_with('c') && depth < depth_max)
            return read(words[2].text, words[2].at, depth + 1);
        const auto wrapper = std::ranges::find(wrappers, name, &Wrapper::name);
        if (wrapper == wrappers.end()) {
            call.at = words.front().at;
            for (const Word& word : words) call.words.push_back(word.text);
            call.words.front() = std::string(name);
            calls_.push_back(std::move(call));
            return;
        }
        unwrap(words, *wrapper);
        if (wrapper->as_text && words.size() == 1 && depth < depth_max)
            return read(words.front().text, words.front().at, depth + 1);
    }
}

}  // namespace

bool Call::sets(std::string_view variable) const {
    return std::ranges::any_of(variables, [&](std::string_view one) {
        return one.starts_with(variable) && one.substr(variable.size()).starts_with('=');
    });
}

std::vector<Call> calls_of(std::string_view text) {
    std::vector<Call> calls;
    Reading(calls).read(text, 0, 0);
    return calls;
}

}  // namespace lifeboat::readiness
