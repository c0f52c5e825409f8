#pragma once
/// What went wrong, said once and classified by what the code does about it.
///
/// An Error is a value: it is journaled, shown, and it decides about retry. Only the code that
/// talks to a thing classifies its failures; nobody else reads the text to find out what to do.

#include <string>
#include <string_view>
#include <vector>

namespace lifeboat {

/// Closed list. Each kind is a different reaction, not a different cause.
enum class ErrorKind {
    invalid,      ///< the caller or the plan is wrong; repeating cannot help
    not_found,    ///< the named thing does not exist
    conflict,     ///< a precondition, a lease, a fence or an identity does not hold
    denied,       ///< credentials or rights are missing
    unavailable,  ///< nothing happened; may be tried again
    unknown,      ///< a request was sent and its outcome is not known: probe before anything else
    timeout,      ///< our own limit passed, nothing was sent
    exhausted,    ///< a disk, a quota, a pool is full
    corrupt,      ///< bytes are not what was written
    cancelled,    ///< somebody asked us to stop
    unsupported,  ///< this build, server or provider cannot do it
};

/// The stable name of a kind as used in journals and `--json` ("not_found").
std::string_view to_string(ErrorKind kind);
/// The kind with this stable name; `unknown` kinds of newer versions read as ErrorKind::unknown.
ErrorKind error_kind_from(std::string_view name);

struct [[nodiscard]] Error {
    ErrorKind kind = ErrorKind::invalid;
    std::string message;  ///< lower case, no final stop; names the object and the value
    std::string hint;     ///< a full sentence that says what to do next; may be empty

    /// The same error with "`what`: " before its message: adds the object as the error travels up.
    Error in(std::string_view what) &&;
    /// The same error with this hint, unless it already has one.
    Error with_hint(std::string text) &&;
    bool operator==(const Error&) const = default;
};

Error invalid(std::string message, std::string hint = {});
Error not_found(std::string message, std::string hint = {});
Error conflict(std::string message, std::string hint = {});
Error denied(std::string message, std::string hint = {});
Error unavailable(std::string message, std::string hint = {});
Error unknown(std::string message, std::string hint = {});
Error timeout(std::string message, std::string hint = {});
Error exhausted(std::string message, std::string hint = {});
Error corrupt(std::string message, std::string hint = {});
Error cancelled(std::string message, std::string hint = {});
Error unsupported(std::string message, std::string hint = {});

/// Classifies an errno value: ENOSPC and EDQUOT are exhausted, ENOENT not_found, EACCES denied, …
ErrorKind kind_of_errno(int error_number);
/// "unable to <what>: <strerror>", classified by kind_of_errno.
Error from_errno(std::string_view what, int error_number);

}  // namespace lifeboat
