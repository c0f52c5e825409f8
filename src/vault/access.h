#pragma once
/// What the parts of one open vault share. The references outlive every part.

#include "platform/env/environment.h"
#include "vault/keys.h"
#include "vault/store.h"

namespace lifeboat::vault {

struct Access {
    Environment& environment;
    Store& store;
    Keys keys;
    std::string read_only;  ///< why nothing may be written, else ""

    /// Errors: unsupported (the vault has features that this build cannot write).
    Result<void> may_write() const {
        if (read_only.empty()) return ok();
        return unsupported("the vault cannot be written: " + read_only,
                           "Use the newer lifeboat that made this vault.");
    }
    Salt new_salt() const {
        Salt salt{};
        environment.random.fill(salt);
        return salt;
    }
};

}  // namespace lifeboat::vault
