#pragma once
/// What happens in a simulated run, one line each, for people: only when somebody listens.

#include <fmt/core.h>

#include <functional>
#include <string>
#include <utility>

#include "engine/sim/world.h"

namespace lifeboat::engine::sim {

class Story {
public:
    using Sink = std::function<void(const std::string& line)>;
    Story(const World& world, Sink sink) : world_(world), sink_(std::move(sink)) {}

    bool is_told() const { return static_cast<bool>(sink_); }
    /// "  1m12.4s  who   what".
    template <class... Args>
    void tell(const char* who, fmt::format_string<Args...> format, Args&&... args) {
        if (sink_) line(who, fmt::format(format, std::forward<Args>(args)...));
    }
    void event(const rb::Event& event);

private:
    void line(const char* who, const std::string& what);
    const World& world_;
    Sink sink_;
};

}  // namespace lifeboat::engine::sim
