#include "engine/sim/story.h"

namespace lifeboat::engine::sim {

void Story::line(const char* who, const std::string& what) {
    const auto passed = world_.monotonic() - std::chrono::hours(1);
    const double seconds = std::chrono::duration<double>(passed).count();
    sink_(fmt::format("{:>12.3f}s  {:<9} {}", seconds, who, what));
}

void Story::event(const rb::Event& event) {
    if (!sink_) return;
    std::string what = rb::type_name(event);
    if (const auto* started = std::get_if<rb::RunStarted>(&event.body)) {
        line("journal", what);
        for (const rb::Node& node : started->graph.nodes) line("", "step " + dump(to_json(node)));
        return;
    }
    line("journal", what + " " + dump(to_json(event)));
}

}  // namespace lifeboat::engine::sim
