// Any text is read as YAML without a crash, a hang or a position outside it.

#include "platform/codec/yaml.h"

#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    const std::string_view text = fuzz::text_of(data, size);
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 2;
    for (const yaml::Problem& problem : yaml::parse(text).problems)
        CHECK(problem.at.line <= lines && !problem.message.empty());
    return 0;
}
