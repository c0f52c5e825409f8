#include "engine/sim/faults.h"

namespace lifeboat::engine::sim {

Faults Faults::draw(Chance& chance) {
    // A third of the runs is calm apart from one kind of trouble, so that its consequences are seen
    // undisturbed; the rest has a bit of everything, up to a very bad day.
    Faults faults;
    const unsigned level =
        static_cast<unsigned>(chance.pick(std::array<std::uint64_t, 4>{0, 3, 8, 20}));
    std::array<unsigned*, 21> all{
        &faults.unavailable,  &faults.broken,          &faults.hang,
        &faults.lost,         &faults.unknown,         &faults.late,
        &faults.twice,        &faults.work_fails,      &faults.work_stuck,
        &faults.poll_fails,   &faults.poll_hangs,      &faults.probe_fails,
        &faults.probe_hangs,  &faults.probe_undecided, &faults.cancel_fails,
        &faults.cancel_hangs, &faults.crash,           &faults.disk_full,
        &faults.clock_jumps,  &faults.meddling,        &faults.long_work,
    };
    for (unsigned* one : all) *one = static_cast<unsigned>(chance.between(0, level));
    *chance.pick(all) = 40;
    faults.long_work = static_cast<unsigned>(chance.between(0, 40));
    faults.meddling = static_cast<unsigned>(chance.between(0, 60));
    faults.crash = chance.percent(50) ? static_cast<unsigned>(chance.between(1, 12)) : 0;
    faults.disk_full /= 4;
    faults.broken /= 2;
    // Drawn apart: they are of runs and engines, not of single calls.
    faults.io_error = faults.crash / 4;
    faults.partition = chance.percent(50) ? 20 : 0;
    faults.stalls = chance.percent(50) ? 20 : 0;
    faults.skewed = chance.percent(50) ? 40 : 0;
    faults.stranger = 4;
    faults.outage = 10;
    return faults;
}

}  // namespace lifeboat::engine::sim
