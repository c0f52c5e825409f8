#pragma once
/// What `lifeboat check` found, for people and for programs.

#include <string>
#include <vector>

#include "core/plan/parse.h"
#include "core/readiness/outlook.h"
#include "core/readiness/rules.h"
#include "surface/cli/output.h"
#include "surface/cli/readiness_input.h"

namespace lifeboat::cli {

/// A diagnostic of the reader or a finding of a rule.
struct Remark {
    plan::Diagnostic diagnostic;
    std::string component, scenario;
};

/// Everything that a check computes. Refers to the plan, and into itself: not copied.
struct CheckReport {
    const plan::Parsed* read = nullptr;
    std::vector<Remark> remarks;  ///< in order of position
    std::vector<readiness::Forecast> forecasts, alone;
    std::vector<readiness::Outlook> outlook;
    std::vector<readiness::Proof> proofs;  ///< by row of the outlook
    Instant at{};                          ///< when they were weighed
    std::size_t errors = 0, warnings = 0;
    std::size_t unmet = 0;  ///< objectives that cannot be met

    CheckReport() = default;
    CheckReport(const CheckReport&) = delete;
    CheckReport& operator=(const CheckReport&) = delete;
};

/// Reads, and if the plan is sound, forecasts and judges it. Fills an empty report. `around`: of
/// surroundings_of(), where it is known.
void make_report(CheckReport& report, const plan::Parsed& read, const plan::Catalog& catalog,
                 const ReadinessInput& input, Instant now, readiness::Surroundings around = {});

/// Remarks with their excerpts, the table of objectives, the sum. `all`: every scenario.
void show(const Output& output, const CheckReport& report, const std::string& file, bool all);
Json to_json(const CheckReport& report);
/// The remarks as a SARIF 2.1.0 log.
Json to_sarif(const CheckReport& report, std::string_view version);

}  // namespace lifeboat::cli
