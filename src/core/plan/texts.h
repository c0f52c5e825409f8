#pragma once
/// Where a character of a value stands in its file: block, folded and quoted texts are not written
/// as they are read. Pure.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "core/plan/diagnostic.h"

namespace lifeboat::plan {

/// The texts of a plan, by line. Refers to the sources: lives no longer than they do.
class Texts {
public:
    Texts() = default;
    explicit Texts(const std::vector<SourceText>& sources);

    /// The place of the byte `offset` of the value of the scalar that begins at `scalar`; of a
    /// blank, that of the character behind it. Nothing where the text cannot be followed: an alias,
    /// or an offset beyond the last character.
    std::optional<yaml::Position> find(yaml::Position scalar, std::string_view value,
                                       std::size_t offset) const;
    /// That, or where the scalar begins.
    yaml::Position place(yaml::Position scalar, std::string_view value, std::size_t offset) const {
        return find(scalar, value, offset).value_or(scalar);
    }
    /// The byte at that position in the text of its file; npos when there is none.
    std::size_t byte_at(yaml::Position at) const;

private:
    struct File {
        std::string_view text;
        std::vector<std::size_t> lines;  ///< where each begins
    };
    yaml::Position position(std::uint32_t file, std::size_t byte) const;

    std::vector<File> files_;
};

}  // namespace lifeboat::plan
