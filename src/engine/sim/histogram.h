#pragma once
/// Counts of durations in buckets that grow with the value: quantiles within two percent, at a
/// fixed size however many values there are. Pure.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "platform/base/time.h"

namespace lifeboat::engine::sim {

class Histogram {
public:
    void add(Duration value) {
        const std::size_t bucket = bucket_of(value);
        if (bucket >= counts_.size()) counts_.resize(bucket + 1);
        ++counts_[bucket];
        ++count_;
        most_ = std::max(most_, value);
    }
    void merge(const Histogram& other) {
        if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
        count_ += other.count_;
        most_ = std::max(most_, other.most_);
    }
    std::uint64_t count() const { return count_; }
    Duration most() const { return most_; }
    /// The value that `rank` of all values do not exceed (1 = the smallest). Requires: 1 ≤ rank ≤
    /// count().
    Duration at_rank(std::uint64_t rank) const {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            below += counts_[i];
            if (below >= rank) return std::min(upper_end(i), most_);
        }
        return most_;
    }
    /// How many values lie in [from, to), as far as buckets can tell.
    std::uint64_t between(Duration from, Duration to) const {
        std::uint64_t found = 0;
        for (std::size_t i = bucket_of(from); i < std::min(bucket_of(to), counts_.size()); ++i)
            found += counts_[i];
        return found;
    }

private:
    static constexpr unsigned bits = 6;  // 64 buckets for each doubling
    static constexpr std::uint64_t steps = std::uint64_t{1} << bits;
    // A tenth of a second is as fine as anything here is known.
    static constexpr std::int64_t unit = 100'000;

    static std::size_t bucket_of(Duration value) {
        const auto units = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0)) /
                           static_cast<std::uint64_t>(unit);
        if (units < steps) return units;
        const auto shift = static_cast<unsigned>(std::bit_width(units)) - bits - 1;
        return (static_cast<std::size_t>(shift) + 1) * steps + ((units >> shift) - steps);
    }
    static Duration upper_end(std::size_t bucket) {
        if (bucket < steps) return Duration(static_cast<std::int64_t>(bucket + 1) * unit);
        const auto shift = static_cast<unsigned>(bucket / steps - 1);
        const std::uint64_t units = (steps + bucket % steps + 1) << shift;
        return Duration(static_cast<std::int64_t>(units) * unit);
    }

    std::vector<std::uint32_t> counts_;
    std::uint64_t count_ = 0;
    Duration most_{};
};

}  // namespace lifeboat::engine::sim
