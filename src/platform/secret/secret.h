#pragma once
/// References to secrets, and their resolution. A reference is safe to show; a value never is.
///
/// Forms: `env:NAME` (environment variable), `file:PATH` (a file that is not readable by others;
/// one trailing newline is dropped). Values are registered with the redactor when resolved.

#include <string>

#include "platform/base/result.h"
#include "platform/env/environment.h"

namespace lifeboat {

/// True for text that is a reference of any known scheme (`env:`, `file:`, `aws-secret:`).
bool is_secret_reference(std::string_view text);

/// A resolved secret: cannot be formatted; use() is the only way to its bytes.
class Secret {
public:
    explicit Secret(std::string value) : value_(std::move(value)) {}
    ~Secret();
    Secret(const Secret&) = default;
    Secret& operator=(const Secret&) = default;
    const std::string& use() const { return value_; }

private:
    std::string value_;
};

class SecretResolver {
public:
    explicit SecretResolver(Environment& environment) : environment_(environment) {}
    /// Relative paths of `file:` references start here: the folder of the plan.
    void set_base(Path directory) { base_ = std::move(directory); }
    /// Errors: invalid (not a reference), not_found, denied (file readable by others), unsupported.
    Result<Secret> resolve(std::string_view reference) const;

private:
    Environment& environment_;
    Path base_;
};

}  // namespace lifeboat
