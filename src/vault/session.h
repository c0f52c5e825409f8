#pragma once
/// Sessions: small objects by which writers and prune know of each other. Writers take no locks.
///
/// A writer publishes one and renews it; prune sweeps only while none is alive. A session that was
/// not renewed for session_timeout is dead: its writer crashed, or will find out at commit that it
/// was given up. Age is told by the clock of the storage.

#include <memory>
#include <vector>

#include "vault/access.h"

namespace lifeboat::vault {

constexpr Duration session_renewal = std::chrono::minutes(1);
constexpr Duration session_timeout = std::chrono::hours(1);

class Session {
public:
    /// `kind`: "write" or "prune". Errors: those of Store::put.
    static Result<std::unique_ptr<Session>> begin(Access& access, const std::string& kind);
    /// Removes the session.
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Renews it when that is due. Errors: those of Store::put.
    Result<void> renew();
    /// Errors: conflict (prune has given this session up).
    Result<void> check();
    const std::string& object() const { return object_; }

private:
    Session(Access& access, std::string stem) : access_(access), stem_(std::move(stem)) {}
    Result<void> publish();

    Access& access_;
    std::string stem_;
    std::string object_;
    unsigned count_ = 0;
    Monotonic renewed_{};
};

struct SessionInfo {
    std::string object;
    std::string kind;
    bool alive = false;
};
Result<std::vector<SessionInfo>> list_sessions(Access& access);

}  // namespace lifeboat::vault
