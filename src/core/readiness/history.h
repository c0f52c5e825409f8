#pragma once
/// How long steps took, as measured here: what predictions rest on. Pure.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plan/model.h"

namespace lifeboat::readiness {

/// Where a number comes from. Only `measured` may ever be shown as proven.
enum class Basis { measured, estimate, assumed };  ///< assumed: neither measured nor declared
std::string_view to_string(Basis basis);

struct Spread {
    Duration p5{}, p50{}, p95{};
    Basis basis = Basis::assumed;
    std::size_t samples = 0;  ///< of measurements
    bool operator==(const Spread&) const = default;
};

/// Durations of steps that ended done, from the runs of this state directory. A step is found by
/// what it does (verb, component, site), so that renaming it or using it in another scenario keeps
/// its history.
class History {
public:
    struct Key {
        std::string verb, component, site;  ///< site "" = the component's own
        auto operator<=>(const Key&) const = default;
    };
    void add(const Key& key, Duration took) { samples_[key].push_back(took); }
    /// How long these people or roles took to approve, in whatever order they are named.
    void add_approval(std::vector<std::string> by, Duration took) {
        std::ranges::sort(by);
        approvals_[std::move(by)].push_back(took);
    }
    /// Time from the disaster to the beginning of the run that answered it. What notices one
    /// scenario says nothing of another.
    void add_detection(const std::string& scenario, Duration took) {
        detections_[scenario].push_back(took);
    }

    const std::vector<Duration>* find(const Key& key) const {
        const auto found = samples_.find(key);
        return found == samples_.end() ? nullptr : &found->second;
    }
    /// nullptr when none was measured.
    const std::vector<Duration>* approvals(std::vector<std::string> by) const {
        std::ranges::sort(by);
        const auto found = approvals_.find(by);
        return found == approvals_.end() ? nullptr : &found->second;
    }
    const std::vector<Duration>* detections(std::string_view scenario) const {
        const auto found = detections_.find(scenario);
        return found == detections_.end() ? nullptr : &found->second;
    }
    bool empty() const { return samples_.empty(); }
    const std::map<Key, std::vector<Duration>>& samples() const { return samples_; }

private:
    std::map<Key, std::vector<Duration>> samples_;
    std::map<std::vector<std::string>, std::vector<Duration>> approvals_;
    std::map<std::string, std::vector<Duration>, std::less<>> detections_;
};

/// Percentiles of the samples (nearest rank; with fewer than `enough`, widened by what so few can
/// say). Requires: not empty.
Spread spread_of(std::vector<Duration> samples);
/// Where few measurements do not yet outweigh what the plan says: `own`, unless enough were made,
/// or what they say is worse. `samples` may be nullptr.
Spread measured_or(const std::vector<Duration>* samples, Spread own);
/// Fewer measurements than this are too thin to predict from: said wherever they are shown.
constexpr std::size_t enough_samples = 5;

}  // namespace lifeboat::readiness
