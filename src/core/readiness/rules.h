#pragma once
/// The rules that a plan is held against: one explicit list, and what they find.
///
/// A rule speaks from what the plan says, never from names of its own. docs/rules.md is generated
/// from the list. Pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/diagnostic.h"
#include "core/plan/texts.h"
#include "core/readiness/forecast.h"

namespace lifeboat::readiness {

/// What is known of the place where the plan is checked. Whoever has files and a clock says it.
struct Surroundings {
    plan::Texts texts;  ///< of the plan
    std::string state;  ///< Lifeboat's own state, absolute, without links; "" = not known
    /// Where paths of the plan lead: as written -> absolute, without links. What is missing here is
    /// taken as it is written.
    std::map<std::string, std::string, std::less<>> paths;
    std::optional<Instant> now;
};

/// What rules look at.
struct Subject {
    const plan::Plan& plan;
    const plan::Catalog& catalog;
    const History& history;
    const std::vector<Forecast>& forecasts;  ///< of forecast()
    const std::vector<Forecast>& alone;      ///< of forecast_alone()
    Surroundings around{};
};

/// One place where a rule is broken.
struct Finding {
    plan::Position at;
    std::string message;    ///< lower case, no final stop
    std::string note;       ///< what the place shows
    std::string mend;       ///< what to write instead; "" = the rule's own advice
    bool doubtful = false;  ///< rests on assumptions: a warning, whatever the rule says
    std::string component;  ///< what it is about, for machines; may be empty
    std::string scenario;
};

struct Rule {
    std::string_view id;
    plan::DiagnosticLevel level;
    std::string_view theme;   ///< heading of the page
    std::string_view finds;   ///< "A component may lose less than …": one sentence
    std::string_view reason;  ///< why it matters: a sentence or two
    std::string_view mend;    ///< what to do about it
    /// nullptr: the reader of plans says it already.
    void (*find)(const Subject& subject, std::vector<Finding>& found) = nullptr;
};

/// All rules, by theme. The one list.
const std::vector<Rule>& rules();
/// nullptr when there is no such rule.
const Rule* rule(std::string_view id);

/// A finding with its rule, ready to be shown.
struct Judgement {
    plan::Diagnostic diagnostic;  ///< hint: "try: …"
    std::string component, scenario;
};
/// Everything that the rules find, in order of position.
std::vector<Judgement> judge(const Subject& subject);

/// The page docs/rules.md.
std::string rules_page();

}  // namespace lifeboat::readiness
