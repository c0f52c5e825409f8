#pragma once
/// Points of a Redis server in the vault: made, listed, chosen.

#include "providers/contract/provider.h"
#include "providers/redis/sync.h"

namespace lifeboat::redis {

constexpr const char* snapshot_method = "snapshot";
constexpr const char* snapshot_file = "dump.rdb";
constexpr const char* settings_file = "settings.json";  ///< how the source was set, for a restore

/// Makes a point, or finds the one that this token has made. Outputs of the step.
Result<Json> make_point(const Context& context, providers::Services& services,
                        const providers::VerbCall& call, const providers::ProgressSink& progress);
/// The point that a token has made, if any.
Result<std::optional<vault::Point>> point_of(providers::Services& services,
                                             const std::string& component,
                                             const std::string& token);
Json outputs_of(const vault::Point& point);

/// All points of the component, oldest first. Errors: unavailable (no vault).
Result<std::vector<vault::Point>> snapshots(providers::Services& services,
                                            const std::string& component);
/// When its contents are of.
Instant time_of(const vault::Point& point);
/// The point that `to` means: "" or "latest", a point's id, a moment. One that a verification found
/// bad only when it is named, or, with `accept_bad`, when there is no other.
/// Errors: not_found, invalid, conflict (all are bad).
Result<vault::Point> choose_point(providers::Services& services, const std::string& component,
                                  const std::string& to, bool accept_bad = false);

}  // namespace lifeboat::redis
