#include "core/readiness/rule_tools.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::readiness {

std::string Whereabouts::name() const {
    if (scenario != nullptr) return scenario->name;
    if (drill != nullptr) return drill->name;
    return procedure == nullptr ? std::string() : procedure->name;
}

plan::Position place_of(const plan::Places& places, std::string_view key,
                        plan::Position otherwise) {
    const auto found = places.find(std::string(key));
    return found == places.end() || found->second.line == 0 ? otherwise : found->second;
}

plan::Position place_of(const plan::Step& step, std::string_view key) {
    return place_of(step.key_at, key, step.at);
}

plan::Position place_in_command(const Subject& subject, const plan::Step& step,
                                std::size_t offset) {
    const plan::Position at = place_of(step.key_at, "command", place_of(step, step.verb));
    return subject.around.texts.place(at, string_or(step.arguments, "command", ""), offset);
}

plan::Position place_in_written(const Subject& subject, const plan::Step& step,
                                std::size_t offset) {
    return subject.around.texts.place(place_of(step, "written"), step.written, offset);
}

bool has_target(const plan::Step& step, std::string_view component) {
    return std::ranges::find(step.targets, component) != step.targets.end();
}

std::vector<std::pair<const Forecast*, const Flaw*>> flaws_of(const Subject& subject,
                                                              Flaw::Kind kind) {
    std::vector<std::pair<const Forecast*, const Flaw*>> found;
    for (const Forecast& one : subject.forecasts)
        for (const Flaw& flaw : one.flaws)
            if (flaw.kind == kind) found.emplace_back(&one, &flaw);
    return found;
}

std::string told(Duration duration) {
    using std::chrono::hours;
    using std::chrono::minutes;
    if (duration < hours(24) || duration >= hours(72)) return human_duration(duration);
    const auto whole = std::chrono::floor<minutes>(duration);
    const auto rest = whole - std::chrono::floor<hours>(whole);
    if (rest == minutes(0)) return fmt::format("{}h", std::chrono::floor<hours>(whole).count());
    return fmt::format("{}h{}m", std::chrono::floor<hours>(whole).count(), rest.count());
}

std::string told_over(Duration duration, Duration limit) {
    const std::string text = told(duration);
    const std::string bound = told(limit);
    if (duration <= limit || text != bound) return text;
    return fmt::format("{} and {}", bound, told(duration - limit));
}

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t names_max = 8;
    std::string text;
    const std::size_t shown = std::min(names.size(), names_max);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
    return text;
}

std::string explained(const std::vector<Part>& parts) {
    std::string text;
    for (const Part& part : parts) {
        if (part.spread.p95 == Duration::zero()) continue;
        if (!text.empty()) text += " + ";
        text += fmt::format("{} {}", part.what, told(part.spread.p95));
        if (part.what == "interval") continue;
        const std::size_t samples = part.spread.samples;
        const bool measured = part.spread.basis == Basis::measured;
        const bool thin = samples < enough_samples && (measured || samples > 0);
        const std::string times = samples < 2 ? std::string("measured once")
                                              : fmt::format("measured only {} times", samples);
        if (thin && measured)
            text += fmt::format(" ({})", times);
        else if (thin)
            text += fmt::format(" ({}, and {})", to_string(part.spread.basis), times);
        else
            text += fmt::format(" ({})", to_string(part.spread.basis));
    }
    return text;
}

}  // namespace lifeboat::readiness
