// The remarks of a check as SARIF, which code review tools and CI show beside the line.

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "surface/cli/check_report.h"

namespace lifeboat::cli {
namespace {

/// A path as a URI: relative as it was typed, absolute with its scheme.
std::string uri_of(const std::string& path) {
    std::string uri = path.starts_with('/') ? "file://" : "";
    for (const char c : path) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || std::string_view("-._~/").contains(c);
        if (plain)
            uri += c;
        else
            uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri;
}

Json descriptor(std::string_view id) {
    Json json{{"id", id}};
    const readiness::Rule* rule = readiness::rule(id);
    if (rule == nullptr) return json;
    json["shortDescription"] = Json{{"text", rule->finds}};
    json["fullDescription"] = Json{{"text", rule->reason}};
    json["help"] = Json{{"text", fmt::format("{} Mend: {}", rule->reason, rule->mend)}};
    json["defaultConfiguration"] =
        Json{{"level", rule->level == plan::DiagnosticLevel::error ? "error" : "warning"}};
    return json;
}

Json result_of(const Remark& remark, std::size_t index, const plan::Parsed& read) {
    const plan::Diagnostic& said = remark.diagnostic;
    std::string text = said.message;
    if (!said.note.empty()) text += " (" + said.note + ")";
    if (!said.hint.empty()) text += "; " + said.hint;
    Json place = Json::object();
    if (said.at.file < read.sources.size())
        place["artifactLocation"] = Json{{"uri", uri_of(read.sources[said.at.file].name)}};
    if (said.at.line > 0)
        place["region"] = Json{{"startLine", said.at.line},
                               {"startColumn", std::max<std::uint32_t>(said.at.column, 1)}};
    Json properties = Json::object();
    if (!remark.component.empty()) properties["component"] = remark.component;
    if (!remark.scenario.empty()) properties["scenario"] = remark.scenario;
    Json result{{"ruleId", said.id},
                {"ruleIndex", index},
                {"level", said.level == plan::DiagnosticLevel::error ? "error" : "warning"},
                {"message", Json{{"text", text}}}};
    if (place.contains("artifactLocation"))
        result["locations"] = Json::array({Json{{"physicalLocation", place}}});
    if (!properties.empty()) result["properties"] = properties;
    return result;
}

}  // namespace

Json to_sarif(const CheckReport& report, std::string_view version) {
    std::map<std::string, std::size_t, std::less<>> index;
    Json rules = Json::array();
    const auto place = [&](std::string_view id) {
        const auto known = index.find(id);
        if (known != index.end()) return known->second;
        rules.push_back(descriptor(id));
        return index.emplace(id, index.size()).first->second;
    };
    for (const readiness::Rule& rule : readiness::rules()) place(rule.id);
    Json results = Json::array();
    for (const Remark& remark : report.remarks) {
        const std::size_t at = place(remark.diagnostic.id);
        results.push_back(result_of(remark, at, *report.read));
    }
    const Json driver{{"name", "lifeboat"}, {"version", version}, {"rules", rules}};
    const Json run{{"tool", Json{{"driver", driver}}},
                   {"columnKind", "unicodeCodePoints"},
                   {"results", results}};
    return Json{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                {"version", "2.1.0"},
                {"runs", Json::array({run})}};
}

}  // namespace lifeboat::cli
