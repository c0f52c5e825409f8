#include "platform/observe/redact.h"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "platform/base/bytes.h"
#include "platform/base/text.h"
#include "platform/codec/json.h"
#include "platform/task/mutex.h"

namespace lifeboat {
namespace {

constexpr std::string_view mask = "‹secret›";
constexpr std::size_t length_min = 4;
constexpr std::size_t base64_core_min = 5;  // shorter pieces would match innocent text

/// What to look for. Replaced as a whole on registration, so that reading takes the lock for a
/// moment.
using Needles = std::vector<std::string>;

struct Registry {
    Mutex mutex;
    std::set<std::string, std::less<>> values GUARDED_BY(mutex);
    std::shared_ptr<const Needles> needles GUARDED_BY(mutex) = std::make_shared<Needles>();
};

Registry& registry() {
    static auto* const instance = new Registry;  // used by threads that outlive main's statics
    return *instance;
}

std::string url_escaped(std::string_view text, std::string_view digits, std::string_view kept) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || kept.contains(c);
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

/// The characters of base64 that depend on nothing but the value when `before` bytes precede it.
std::string base64_core(std::string_view value, std::size_t before) {
    std::string text = to_base64(as_bytes(std::string(before, 'x') + std::string(value)));
    while (text.ends_with('=')) text.pop_back();
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t last = (before + value.size()) * 8 / 6;
    return text.substr(first, last - first);
}

void add_base64(std::string_view value, std::set<std::string>& out) {
    std::set<std::string> found{to_base64(as_bytes(value))};
    for (std::size_t before = 0; before < 3; ++before)
        if (std::string core = base64_core(value, before); core.size() >= base64_core_min)
            found.insert(std::move(core));
    for (std::string text : found) {
        out.insert(text);
        std::ranges::replace(text, '+', '-');
        std::ranges::replace(text, '/', '_');
        out.insert(text);
    }
}

void add_json(std::string_view value, std::set<std::string>& out) {
    for (const bool ascii : {false, true}) {
        std::string text =
            Json(std::string(value)).dump(-1, ' ', ascii, Json::error_handler_t::replace);
        out.insert(text.substr(1, text.size() - 2));
    }
}

/// All spellings of the values, longest first: a value that contains another is masked whole.
Needles needles_of(const std::set<std::string, std::less<>>& values) {
    std::set<std::string> all;
    for (const std::string& value : values) {
        all.insert(value);
        for (const std::string_view digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
            all.insert(url_escaped(value, digits, "-._~"));
            std::string form = url_escaped(value, digits, "-._~ ");
            std::ranges::replace(form, ' ', '+');
            all.insert(form);
        }
        add_base64(value, all);
        add_json(value, all);
    }
    Needles needles(all.begin(), all.end());
    std::ranges::stable_sort(needles, std::ranges::greater{}, &std::string::size);
    return needles;
}

void replace_all(std::string& text, std::string_view needle) {
    for (std::size_t at = text.find(needle); at != text.npos;
         at = text.find(needle, at + mask.size()))
        text.replace(at, needle.size(), mask);
}

/// `scheme://user:PASS@host`. The last '@' counts: people forget to escape it.
void mask_urls(std::string& text) {
    for (std::size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
        const std::size_t begin = at + 3;
        const std::size_t end =
            std::min(text.find_first_of("/?# \t\r\n\"'<>`", begin), text.size());
        const std::size_t sign = text.substr(begin, end - begin).rfind('@');
        if (sign == text.npos) continue;
        const std::size_t colon = text.find(':', begin);
        if (colon >= begin + sign) continue;
        text.replace(colon + 1, begin + sign - colon - 1, mask);
    }
}

/// The end of a connection setting's value that begins at `at`: quoted, or up to a blank.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    const char quote = at < text.size() ? text[at] : ' ';
    const bool quoted = quote == '\'' || quote == '"';
    for (std::size_t i = quoted ? at + 1 : at; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (quoted ? text[i] == quote : std::string_view(" \t\r\n'\"").contains(text[i])) {
            return i;
        }
    }
    return text.size();
}

/// `password=…`, `PGPASSWORD=…`, `passwd = '…'`.
void mask_settings(std::string& text) {
    if (!text.contains('=')) return;
    const std::string lower = to_lower(text);
    std::string out;
    std::size_t copied = 0;
    for (std::size_t at = lower.find("passw"); at != lower.npos; at = lower.find("passw", at + 5)) {
        std::size_t value = at + 5;
        if (lower.compare(value, 3, "ord") == 0)
            value += 3;
        else if (lower.compare(value, 1, "d") == 0)
            value += 1;
        else
            continue;
        while (value < text.size() && text[value] == ' ') ++value;
        if (value >= text.size() || text[value] != '=' || at < copied) continue;
        ++value;
        while (value < text.size() && text[value] == ' ') ++value;
        if (value < text.size() && (text[value] == '\'' || text[value] == '"')) {
            out.append(text, copied, value + 1 - copied);
        } else {
            out.append(text, copied, value - copied);
        }
        const std::size_t end = end_of_value(text, value);
        if (end > value) out += mask;
        copied = end;
    }
    if (copied == 0) return;
    out.append(text, copied);
    text = std::move(out);
}

}  // namespace

void register_secret(std::string_view value) {
    if (value.size() < length_min) return;
    Registry& all = registry();
    const MutexLock lock(all.mutex);
    if (!all.values.emplace(value).second) return;
    all.needles = std::make_shared<const Needles>(needles_of(all.values));
}

std::string redact(std::string_view text) {
    std::shared_ptr<const Needles> needles;
    {
        Registry& all = registry();
        const MutexLock lock(all.mutex);
        needles = all.needles;
    }
    std::string out(text);
    for (const std::string& needle : *needles) replace_all(out, needle);
    mask_urls(out);
    mask_settings(out);
    return out;
}

}  // namespace lifeboat
