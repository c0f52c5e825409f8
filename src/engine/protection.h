#pragma once
/// Keeps protection flowing as the plan says: continuous streams, and points at their intervals.
///
/// One thread per protection, restarted with backoff, following the recorded instance: after a
/// switch it protects the new one. Holds the lease "protect/<component>"; `recover` and `backup`
/// work beside it. What happened goes to the stream "protection/<component>"; the live report to
/// the record "stream/<component>".

#include <functional>
#include <string>
#include <vector>

#include "engine/instances.h"

namespace lifeboat::engine {

struct ProtectionNews {
    Instant at{};
    std::string component;
    std::string method;
    std::string message;
    bool trouble = false;
};

struct ProtectOptions {
    std::vector<std::string> components;  ///< all with `protect:` when empty
    std::function<void(const ProtectionNews&)> on_news;
};

/// Runs until stopped. Errors: conflict when another process protects a component (named), unless
/// it dies meanwhile; cancelled is success.
Result<void> protect(const Context& context, Workspace& workspace, Instances& instances,
                     const ProtectOptions& options);

struct BackupDone {
    std::string component;
    Json outputs;
    Duration took{};
};
/// One recovery point now. Takes the lease "backup/<component>"; the second one who asks is told
/// who holds it. First adoption pins the identity. `arguments` may name a "method" of the kind.
Result<BackupDone> backup(const Context& context, Workspace& workspace, Instances& instances,
                          const std::string& component, const Json& arguments,
                          const providers::ProgressSink& progress);

/// The live view of one component's protection, from what is recorded.
struct ProtectionStatus {
    std::optional<providers::StreamReport> stream;
    std::optional<Instant> last_backup;
    std::string last_error;
    bool running = false;  ///< somebody holds the protect lease
    std::string holder;
};
Result<ProtectionStatus> protection_status(Workspace& workspace, const std::string& component);

}  // namespace lifeboat::engine
