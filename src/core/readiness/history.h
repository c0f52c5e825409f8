#pragma once
/// How long steps took, as measured here: what predictions rest on. Pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>
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
    /// Waiting for people, per step id or role: how long approvals took.
    void add_approval(Duration took) { approvals_.push_back(took); }
    /// Time from the disaster to the run's beginning.
    void add_detection(Duration took) { detections_.push_back(took); }

    const std::vector<Duration>* find(const Key& key) const {
        const auto found = samples_.find(key);
        return found == samples_.end() ? nullptr : &found->second;
    }
    const std::vector<Duration>& approvals() const { return approvals_; }
    const std::vector<Duration>& detections() const { return detections_; }
    bool empty() const { return samples_.empty(); }
    const std::map<Key, std::vector<Duration>>& samples() const { return samples_; }

private:
    std::map<Key, std::vector<Duration>> samples_;
    std::vector<Duration> approvals_, detections_;
};

/// Percentiles of the samples (nearest rank; with fewer than `enough`, widened by what so few can
/// say). Requires: not empty.
Spread spread_of(std::vector<Duration> samples);
/// Fewer measurements than this are too thin to predict from: said wherever they are shown.
constexpr std::size_t enough_samples = 5;

}  // namespace lifeboat::readiness
