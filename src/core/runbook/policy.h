#pragma once
/// The numbers and pure rules behind the machine's decisions: who may approve, how long to wait.
/// Pure.

#include <string>
#include <vector>

#include "core/runbook/machine.h"

namespace lifeboat::runbook {

constexpr Duration backoff_first_default = std::chrono::milliseconds(500);
constexpr Duration backoff_max_default = std::chrono::seconds(30);
constexpr Duration cancel_limit = std::chrono::seconds(90);
constexpr Duration probe_limit = std::chrono::minutes(3);
constexpr unsigned probe_failures_max = 5;  ///< then a person must look
constexpr unsigned poll_failures_max = 5;   ///< then the outcome is unknown
constexpr unsigned cancels_max = 3;         ///< of one step of a run that is being aborted
constexpr std::size_t approvals_max = 32;   ///< recorded of one step
constexpr std::size_t outputs_size_max = std::size_t{64} << 10U;

/// Wait before the next attempt, after `failures` (≥ 1) failed ones.
Duration backoff(const Node& node, unsigned failures);
/// Wait before the next look at a long operation: 100 ms, doubling to 2 s; after ten minutes half a
/// percent of what has passed, up to a minute, so that the journal of a long operation stays small.
Duration poll_interval(unsigned polls, Duration elapsed);
/// Progress is journaled when it moved by a twentieth, or when two seconds (a hundredth of what has
/// passed, if that is longer) went by.
bool is_progress_worth_keeping(const StepState& step, const StepProgressed& progress, Instant at);
/// Doing it again cannot do harm, whatever happened before.
bool may_repeat(const Node& node);
/// `approve`, and `wait` for a time: the machine itself carries them out.
bool is_own_verb(const Node& node);
/// The operation's answer, not a failure to look at it.
bool is_definite(ErrorKind kind);

/// Everybody who must has approved. Break-glass counts for all; an approval without proof for none.
/// One person stands for one name of `by` only, unless the plan has nobody else.
bool is_approved(const Node& node, const std::vector<Approved>& approvals);

/// The event with bounded texts: what a provider answers must fit into one record of the journal.
Event bounded(Event event);
/// About as many bytes as dump(value) has.
std::size_t rough_size(const Json& value);

}  // namespace lifeboat::runbook
