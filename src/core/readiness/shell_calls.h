#pragma once
/// What a shell text calls, as far as one can tell without running it. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace lifeboat::readiness {

/// One program with its arguments.
struct Call {
    std::size_t at = 0;                  ///< of the program in the text, in bytes
    std::vector<std::string> words;      ///< the program by its name, then the rest; no quotes
    std::vector<std::string> variables;  ///< set for it: "KUBECONFIG=x"

    bool sets(std::string_view variable) const;
};

/// Every call of the text, in order: through `sudo`, `env`, `timeout`, `sh -c`, `$(…)` and the
/// like. Never fails: what is no shell text gives calls of no sense.
std::vector<Call> calls_of(std::string_view text);

}  // namespace lifeboat::readiness
