#include "platform/base/error.h"

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lifeboat {
namespace {

constexpr std::array<std::string_view, 11> kind_names = {
    "invalid", "not_found", "conflict", "denied",    "unavailable", "unknown",
    "timeout", "exhausted", "corrupt",  "cancelled", "unsupported"};

Error make(ErrorKind kind, std::string message, std::string hint) {
    return Error{.kind = kind, .message = std::move(message), .hint = std::move(hint)};
}

}  // namespace

std::string_view to_string(ErrorKind kind) { return kind_names.at(static_cast<std::size_t>(kind)); }

ErrorKind error_kind_from(std::string_view name) {
    for (std::size_t i = 0; i < kind_names.size(); ++i) {
        if (kind_names.at(i) == name) return static_cast<ErrorKind>(i);
    }
    return ErrorKind::unknown;
}

Error Error::in(std::string_view what) && {
    message = fmt::format("{}: {}", what, message);
    return std::move(*this);
}

Error Error::with_hint(std::string text) && {
    if (hint.empty()) hint = std::move(text);
    return std::move(*this);
}

Error invalid(std::string m, std::string h) {
    return make(ErrorKind::invalid, std::move(m), std::move(h));
}
Error not_found(std::string m, std::string h) {
    return make(ErrorKind::not_found, std::move(m), std::move(h));
}
Error conflict(std::string m, std::string h) {
    return make(ErrorKind::conflict, std::move(m), std::move(h));
}
Error denied(std::string m, std::string h) {
    return make(ErrorKind::denied, std::move(m), std::move(h));
}
Error unavailable(std::string m, std::string h) {
    return make(ErrorKind::unavailable, std::move(m), std::move(h));
}
Error unknown(std::string m, std::string h) {
    return make(ErrorKind::unknown, std::move(m), std::move(h));
}
Error timeout(std::string m, std::string h) {
    return make(ErrorKind::timeout, std::move(m), std::move(h));
}
Error exhausted(std::string m, std::string h) {
    return make(ErrorKind::exhausted, std::move(m), std::move(h));
}
Error corrupt(std::string m, std::string h) {
    return make(ErrorKind::corrupt, std::move(m), std::move(h));
}
Error cancelled(std::string m, std::string h) {
    return make(ErrorKind::cancelled, std::move(m), std::move(h));
}
Error unsupported(std::string m, std::string h) {
    return make(ErrorKind::unsupported, std::move(m), std::move(h));
}

ErrorKind kind_of_errno(int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
        case ESRCH:
        case ENXIO:
            return ErrorKind::not_found;
        case EEXIST:
        case EBUSY:
        case ENOTEMPTY:
        case EADDRINUSE:
            return ErrorKind::conflict;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorKind::denied;
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EFBIG:
            return ErrorKind::exhausted;
        case EINVAL:
        case EISDIR:
        case ELOOP:
        case ESPIPE:
        case EBADF:
        case ENAMETOOLONG:
            return ErrorKind::invalid;
        case EIO:
        case EUCLEAN:
            return ErrorKind::corrupt;
        case ETIMEDOUT:
            return ErrorKind::timeout;
        case ECANCELED:
            return ErrorKind::cancelled;
        case ENOSYS:
        case EXDEV:
        case EOPNOTSUPP:
            return ErrorKind::unsupported;
        default:
            return ErrorKind::unavailable;
    }
}

Error from_errno(std::string_view what, int error_number) {
    return Error{.kind = kind_of_errno(error_number),
                 .message = fmt::format("unable to {}: {}", what,
                                        std::system_category().message(error_number)),
                 .hint = {}};
}

}  // namespace lifeboat
