#pragma once
/// For tests: a plan from text, forecast and judged.

#include "core/plan/test_plans.h"
#include "core/readiness/outlook.h"
#include "core/readiness/rules.h"

namespace lifeboat::readiness {

/// Everything that a check computes of one plan. Not copied: it refers into itself.
struct Judged {
    explicit Judged(plan::Parsed read, History measured = {}, Surroundings around = {})
        : parsed(std::move(read)), history(std::move(measured)) {
        if (parsed.has_errors()) return;
        around.texts = plan::Texts(parsed.sources);
        forecasts = forecast(parsed.plan, catalog, history);
        alone = forecast_alone(parsed.plan, catalog, history);
        judgements = judge({.plan = parsed.plan,
                            .catalog = catalog,
                            .history = history,
                            .forecasts = forecasts,
                            .alone = alone,
                            .around = std::move(around)});
    }
    Judged(const Judged&) = delete;
    Judged& operator=(const Judged&) = delete;

    /// "line id" of every finding.
    std::vector<std::string> places() const {
        std::vector<std::string> all;
        for (const Judgement& one : judgements)
            all.push_back(std::to_string(one.diagnostic.at.line) + " " + one.diagnostic.id);
        return all;
    }
    bool finds(std::string_view id) const {
        for (const Judgement& one : judgements)
            if (one.diagnostic.id == id) return true;
        return false;
    }
    std::string text() const {
        std::string all = plan::all(parsed);
        for (const Judgement& one : judgements) all += plan::render(one.diagnostic, parsed.sources);
        return all;
    }
    const Forecast& at(std::string_view component, std::string_view scenario) const {
        for (const Forecast& one : forecasts)
            if (one.component == component && one.scenario == scenario) return one;
        static const Forecast none;
        return none;
    }

    plan::Catalog catalog = plan::demo_catalog();
    plan::Parsed parsed;
    History history;
    std::vector<Forecast> forecasts, alone;
    std::vector<Judgement> judgements;
};

inline plan::Parsed parse_example(const std::string& name) {
    const std::string path = "examples/" + name;
    return plan::parse(path, plan::read_text(plan::repository() / path), plan::demo_catalog(),
                       plan::no_files());
}

/// Two AWS regions of one account, `a` and `b`, before what the test says.
inline std::string two_regions(const std::string& rest) {
    return "lifeboat: 1\nplan: p\nsites:\n"
           "  a: {aws: {region: us-east-1, account: '1'}, kubernetes: {context: a, namespace: n}}\n"
           "  b: {aws: {region: us-west-2, account: '1'}, kubernetes: {context: b, namespace: "
           "n}}\n" +
           rest;
}

}  // namespace lifeboat::readiness
