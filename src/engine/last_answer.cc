#include "engine/last_answer.h"

#include <algorithm>

namespace lifeboat::engine {
namespace {

/// A board that is watched looks every second or so; an age need not be truer than this.
constexpr Duration written_every = std::chrono::seconds(10);

std::string key_of(const std::string& component) { return "answer/" + component; }

}  // namespace

void LastAnswers::answered(const std::string& component, Instant now) {
    known_[component] = now;
    const auto last = written_.find(component);
    if (last != written_.end() && now >= last->second && now - last->second < written_every) return;
    const auto record = workspace_.state.get(key_of(component));
    if (!record.has_value()) return;
    // Ignored: whoever was faster says the same.
    (void)workspace_.state.put(key_of(component), record->version,
                               Json{{"at", format_instant(now)}});
    written_[component] = now;
}

std::optional<Instant> LastAnswers::of(const std::string& component, Instant now) {
    std::optional<Instant> last = recorded(component);
    if (const auto own = known_.find(component); own != known_.end())
        last = std::max(last, {own->second});
    if (last) last = std::min(*last, now);
    return last;
}

std::optional<Instant> LastAnswers::recorded(const std::string& component) {
    const auto record = workspace_.state.get(key_of(component));
    if (!record.has_value() || record->version == 0) return std::nullopt;
    const auto at = parse_instant(string_or(record->value, "at", ""));
    return at.has_value() ? std::optional(*at) : std::nullopt;
}

}  // namespace lifeboat::engine
