// Any text is read as a plan without a crash; every diagnostic says something.

#include <string>

#include "core/plan/demo_catalog.h"
#include "core/plan/parse.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    static const plan::Catalog catalog = plan::demo_catalog();
    const auto nothing_included = [](const std::string& path) -> Result<std::string> {
        return not_found("no file '" + path + "'");
    };
    const plan::Parsed parsed =
        plan::parse("plan.yaml", std::string(fuzz::text_of(data, size)), catalog, nothing_included);
    for (const plan::Diagnostic& diagnostic : parsed.diagnostics)
        CHECK(!diagnostic.message.empty());
    return 0;
}
