#pragma once
/// Credentials that a text gives away: passwords in URLs, variables and options of commands that
/// usually hold one. What stands for a secret (a variable, a reference, a placeholder) is none.
/// Pure.

#include <string>
#include <string_view>
#include <vector>

namespace lifeboat::plan {

struct Credential {
    std::size_t at = 0;  ///< of the secret itself, in bytes
    std::size_t size = 0;
    std::string what;  ///< "a password in a URL", "the value of PGPASSWORD"
};

/// The passwords of `scheme://user:password@host`.
std::vector<Credential> passwords_in_urls(std::string_view text);
/// Those, and what commands are given: `PGPASSWORD=…`, `--password …`, `curl -u user:…`,
/// `Bearer …`. In order of place.
std::vector<Credential> credentials_of_commands(std::string_view text);

}  // namespace lifeboat::plan
