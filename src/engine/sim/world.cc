#include "engine/sim/world.h"

#include <algorithm>

namespace lifeboat::engine::sim {

void World::schedule(Duration after, Happening happening) {
    queue_.push_back(Later{now_ + after, ++scheduled_, std::move(happening)});
    std::push_heap(queue_.begin(), queue_.end());
}

std::optional<Happening> World::next() {
    if (queue_.empty()) return std::nullopt;
    std::pop_heap(queue_.begin(), queue_.end());
    now_ = queue_.back().at;
    Happening what = std::move(queue_.back().what);
    queue_.pop_back();
    return what;
}

void World::settle(Truth& truth) const {
    if (!truth.busy || now_ < truth.ends) return;
    truth.busy = false;
    truth.there = !truth.will_fail;
    truth.broken = truth.will_fail;
}

std::size_t World::send(Call call) {
    const std::size_t index = calls_.size();
    truth(call.token).in_flight.push_back(index);
    calls_.push_back(std::move(call));
    return index;
}

std::optional<incident::KnownPoint> World::sound_point(const std::string& component) const {
    const auto own = points.find(component);
    if (own == points.end()) return std::nullopt;
    const auto good = incident::last_known_good(own->second, wall());
    if (!good) return std::nullopt;
    return incident::KnownPoint{.at = good->at, .proven = good->proven, .bad = false};
}

void World::drop_unsent() {
    for (Call& call : calls_)
        if (!call.ended && chance.percent(50)) call.ended = true;
}

}  // namespace lifeboat::engine::sim
