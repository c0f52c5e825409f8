#pragma once
/// The parser's complaints in words that help. Pure.

#include <string>
#include <string_view>

namespace lifeboat::yaml {

struct Wording {
    std::string message;
    std::string hint;
};

/// What to say instead of the parser's `complaint`; `rest` is the text from where it stopped.
Wording wording_of(std::string_view complaint, std::string_view rest);

}  // namespace lifeboat::yaml
