#pragma once
/// Result<T>: a value or an Error. Like std::expected (whose members it inherits), and nodiscard.

#include <expected>
#include <utility>

#include "platform/base/error.h"

namespace lifeboat {

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using Base = std::expected<T, Error>;
    using Base::Base;
    // An Error is a failed Result without ceremony: `return invalid("…");`
    Result(Error error) : Base(std::unexpect, std::move(error)) {}  // NOLINT(*-explicit-*)
};

template <>
class [[nodiscard]] Result<void> : public std::expected<void, Error> {
public:
    using Base = std::expected<void, Error>;
    using Base::Base;
    Result(Error error) : Base(std::unexpect, std::move(error)) {}  // NOLINT(*-explicit-*)
};

/// Success without a value.
inline Result<void> ok() { return {}; }

namespace detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

}  // namespace lifeboat

// TRY is only a whole statement (`TRY(f());`) or a whole initialiser (`auto x = TRY(g());`): nested
// in a larger expression, GCC 12 leaks temporaries that were already built. tools/layers.py
// enforces it. NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define TRY(expression)                                                    \
    ({                                                                     \
        auto try_result = (expression);                                    \
        if (!try_result.has_value()) return std::move(try_result).error(); \
        std::move(try_result).value();                                     \
    })

/// A broken promise of the program itself, on in release: prints and aborts. Safe, because every
/// effect is journaled before it is made and a restart resumes.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define CHECK(condition)                                                                      \
    do {                                                                                      \
        if (!(condition)) [[unlikely]]                                                        \
            ::lifeboat::detail::check_failed(#condition, __builtin_FILE(), __builtin_LINE()); \
    } while (false)
