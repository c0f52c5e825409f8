// Any text is read as a plan without a crash, and what is a sound one is forecast and judged; every
// diagnostic and every finding says something.

#include <string>

#include "core/plan/demo_catalog.h"
#include "core/plan/parse.h"
#include "core/readiness/outlook.h"
#include "core/readiness/rules.h"
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
    if (parsed.has_errors()) return 0;
    const readiness::History history;
    const auto forecasts = readiness::forecast(parsed.plan, catalog, history);
    const auto alone = readiness::forecast_alone(parsed.plan, catalog, history);
    for (const readiness::Judgement& one : readiness::judge({.plan = parsed.plan,
                                                             .catalog = catalog,
                                                             .history = history,
                                                             .forecasts = forecasts,
                                                             .alone = alone}))
        CHECK(!plan::render(one.diagnostic, parsed.sources).empty());
    for (const readiness::Outlook& row : readiness::outlook(parsed.plan, forecasts, alone))
        CHECK(!row.at_best || *row.at_best >= Duration::zero());
    return 0;
}
