#pragma once
/// The board of `lifeboat status`: what is, what would be lost now, what is predicted, what is
/// proven.
///
/// A source that does not answer makes its part unknown; what it said before is never shown as if
/// it still held. Looks only, but for the note when each component last answered.

#include <optional>
#include <string>
#include <vector>

#include "core/readiness/forecast.h"
#include "engine/last_answer.h"
#include "engine/look.h"
#include "surface/cli/promises.h"
#include "surface/cli/session.h"

namespace lifeboat::cli {

/// What would be lost now, and what that rests on.
struct Exposure {
    enum class Known {
        unprotected,  ///< the plan protects it by nothing
        empty,        ///< there is nothing to go back to
        known,        ///< `as_of` holds
        unknown       ///< who would know does not answer: `warning` says why
    } known = Known::unprotected;
    std::optional<Instant> as_of;  ///< everything acknowledged before it can be had again
    std::optional<providers::RecoveryPoint> newest, proven;
    std::string warning;
    bool protecting = false;             ///< somebody holds the protect lease
    std::optional<Instant> last_report;  ///< of the stream, however old
    std::uint64_t retained = 0, free = 0;
};

struct BoardRow {
    const plan::Component* component = nullptr;
    providers::Observation seen;
    providers::Instance instance;
    Exposure exposure;
    std::vector<Promise> promises;
    std::vector<readiness::Forecast> forecasts;  ///< of the scenarios that hit or touch it
    /// The one that brings it back last; absent when it has no objective or nothing touches it.
    std::optional<readiness::Forecast> worst;
    bool never_answered = false;          ///< its health is unknown, and never was known here
    std::optional<Duration> unknown_for;  ///< since its health was last known
};

struct Board {
    Instant at{};
    std::string environment;
    std::string vault_problem, evidence_problem;
    std::vector<BoardRow> rows;
    bool trouble = false;  ///< something is unhealthy, or would lose more than it may
    bool proves = false;   ///< some point carries a verdict: the column has a source
};

Board look_at_board(Session& session, engine::Workspace& workspace,
                    const std::vector<std::string>& components, engine::LastAnswers& answers);

Json to_json(const Board& board);
/// The rows as lines; columns that matter least are left out where `width` is too small.
std::vector<std::string> render(const Output& output, const Board& board, std::size_t width);
/// Sources of the whole board that did not answer: "vault: there is no vault in …".
std::vector<std::string> problems_of(const Board& board);

}  // namespace lifeboat::cli
