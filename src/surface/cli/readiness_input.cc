#include "surface/cli/readiness_input.h"

#include "engine/evidence.h"

namespace lifeboat::cli {

Result<ReadinessInput> readiness_input(Session& session) {
    ReadinessInput input;
    input.versions = engine::versions_in_use({});
    const plan::Parsed* read = TRY(session.parsed());  // its name is part of the default path
    if (read->has_errors()) return input;  // what it means cannot be told: nothing rests on it
    const auto there = session.environment().files.status(session.state_path() / "state.db");
    if (!there.has_value()) {
        if (there.error().kind == ErrorKind::not_found) return input;
        return there.error();
    }
    State* state = TRY(session.state());
    input.history = TRY(engine::load_history(*state, read->plan));
    input.facts = TRY(engine::load_facts(*state));
    return input;
}

ReadinessInput readiness_input_or_note(Session& session) {
    auto known = readiness_input(session);
    if (known.has_value()) return *std::move(known);
    session.output().note("what was measured here cannot be read: " + known.error().message);
    ReadinessInput nothing;
    nothing.versions = engine::versions_in_use({});
    return nothing;
}

}  // namespace lifeboat::cli
