#pragma once
/// Drawings of simulated values, as SVG that stands inside a page: no script, no reference to
/// anything. Colours come from the page's style, by class. Pure.

#include <string>
#include <string_view>

#include "engine/sim/tally.h"

namespace lifeboat::cli {

/// Text between tags or in a quoted attribute.
std::string html_escaped(std::string_view text);

/// The axis of time that drawings share: each doubling as wide as the last, its ends at ticks.
/// What lies beyond an end is drawn at it.
struct TimeAxis {
    Duration least{}, most{};
    double tallest = 0;      ///< the highest bar, as a share of all trials
    bool has_never = false;  ///< a column of its own for those that never came back
};
/// Takes the values and the limit in.
void widen(TimeAxis& axis, const engine::sim::Goal& goal, const engine::sim::GoalTally& tally);
/// Makes room for the highest bar, once the axis is as wide as it will be.
void raise(TimeAxis& axis, const engine::sim::Goal& goal, const engine::sim::GoalTally& tally);
/// Draws the distribution of one objective against its limit.
std::string draw_distribution(const TimeAxis& axis, const engine::sim::Goal& goal,
                              const engine::sim::GoalTally& tally, std::string_view label);
/// A bar of this share of its frame.
std::string draw_share(double share, std::string_view style);

}  // namespace lifeboat::cli
