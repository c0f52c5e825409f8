#pragma once
/// How bad a simulated run is: percentages of everything that goes wrong, drawn from the seed.
/// Pure.

#include "engine/sim/chance.h"

namespace lifeboat::engine::sim {

struct Faults {
    // A call of start().
    unsigned unavailable = 0;  ///< fails, and nothing happened
    unsigned broken = 0;       ///< fails, and repeating cannot help
    unsigned hang = 0;         ///< never comes back, and nothing happened
    unsigned lost = 0;         ///< acts, and its reply is lost
    unsigned unknown = 0;      ///< fails with an unknown outcome, having acted or not
    unsigned late = 0;         ///< its reply, or what it does, comes after the step's limit
    unsigned twice = 0;        ///< a reply of any kind is delivered again, later
    unsigned outage = 0;       ///< of runs: one component cannot be reached at all
    unsigned partition = 0;    ///< of runs: for a while nothing can be reached, replies get lost
    unsigned stranger = 0;     ///< of components: something else answers at the address
    // Long operations.
    unsigned long_work = 0;  ///< of steps that may be quick: become long operations
    unsigned work_fails = 0;
    unsigned work_stuck = 0;
    unsigned poll_fails = 0, poll_hangs = 0;
    // Looking and stopping.
    unsigned probe_fails = 0, probe_hangs = 0, probe_undecided = 0;
    unsigned cancel_fails = 0, cancel_hangs = 0;
    // The engine and its machine.
    unsigned crash = 0;        ///< at a journal record
    unsigned disk_full = 0;    ///< at a journal record
    unsigned io_error = 0;     ///< at a journal record: it failed, and may be there or not
    unsigned stalls = 0;       ///< of runs: the engine stands still for a while, and goes on
    unsigned skewed = 0;       ///< of engines: their clock is some minutes off
    unsigned clock_jumps = 0;  ///< of runs: the wall clock is set back or forth
    // People.
    unsigned meddling = 0;  ///< of runs: somebody pauses, aborts, asks for nonsense

    static Faults draw(Chance& chance);
};

}  // namespace lifeboat::engine::sim
