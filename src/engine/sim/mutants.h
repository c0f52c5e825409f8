#pragma once
/// Deliberate defects, to show that the simulation finds them. They live in the simulation's
/// wrappers around decide() and the executor; the product has no hook for them.

#include <array>
#include <string_view>

namespace lifeboat::engine::sim {

enum class Mutant {
    none,
    retry_without_probe,    ///< an unknown outcome is simply tried again
    effect_before_journal,  ///< commands start before their intents are durable
    adopt_twice,            ///< a switch is carried out again when its step is probed
    ignore_pause,           ///< steps begin though the run is paused
    skip_approval,          ///< steps begin without the people that must approve
    start_before_needs,     ///< steps begin before what they need
    accept_late_replies,    ///< a reply of an earlier attempt is taken for the present one
    lose_timers,            ///< timers are not set again after a restart
    forget_outcome,         ///< an outcome is applied, but not journaled
    token_of_attempt,       ///< what is made is named after the attempt
    promote_unfenced,       ///< the fence is not asked for
    retry_forever,          ///< attempts are not counted
    restart_operations,     ///< an operation whose id is journaled is begun again after a crash
    missing_fsync,          ///< the journal says durable, and the disk has not written yet
    torn_transaction,       ///< of what is written as one, a crash leaves only the first part
    ignore_append_errors,   ///< a failed write to the journal is taken for a success
    skip_identity_check,    ///< a destructive step acts on whatever answers at the address
    take_newest_point,      ///< the newest point is restored, though it is known to be bad
    report_newest_point,    ///< … or an older one is, and reported as the newest
};

struct MutantName {
    Mutant mutant;
    std::string_view name;
};
constexpr std::array<MutantName, 19> mutants{{
    {Mutant::retry_without_probe, "retry_without_probe"},
    {Mutant::effect_before_journal, "effect_before_journal"},
    {Mutant::adopt_twice, "adopt_twice"},
    {Mutant::ignore_pause, "ignore_pause"},
    {Mutant::skip_approval, "skip_approval"},
    {Mutant::start_before_needs, "start_before_needs"},
    {Mutant::accept_late_replies, "accept_late_replies"},
    {Mutant::lose_timers, "lose_timers"},
    {Mutant::forget_outcome, "forget_outcome"},
    {Mutant::token_of_attempt, "token_of_attempt"},
    {Mutant::promote_unfenced, "promote_unfenced"},
    {Mutant::retry_forever, "retry_forever"},
    {Mutant::restart_operations, "restart_operations"},
    {Mutant::missing_fsync, "missing_fsync"},
    {Mutant::torn_transaction, "torn_transaction"},
    {Mutant::ignore_append_errors, "ignore_append_errors"},
    {Mutant::skip_identity_check, "skip_identity_check"},
    {Mutant::take_newest_point, "take_newest_point"},
    {Mutant::report_newest_point, "report_newest_point"},
}};

}  // namespace lifeboat::engine::sim
