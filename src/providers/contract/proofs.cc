#include "providers/contract/proofs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "platform/observe/log.h"

namespace lifeboat::providers {
namespace {

constexpr std::string_view prefix = "proof/";
constexpr std::array<std::string_view, 4> outcomes{"passed", "failed", "unseen", "unfinished"};

Result<Verdict> verdict_from(const Json& json) {
    Verdict verdict;
    verdict.id = TRY(get_string(json, "id"));
    verdict.point = TRY(get_string(json, "point"));
    const std::string word = TRY(get_string(json, "verdict"));
    verdict.bad = word == "bad";
    verdict.at = TRY(get_instant(json, "at"));
    verdict.position = string_or(json, "position", "");
    verdict.why = string_or(json, "why", "");
    if (const auto as_of = parse_instant(string_or(json, "as_of", "")); as_of.has_value())
        verdict.as_of = *as_of;
    if (word != "bad" && word != "proven") return unsupported("no verdict");
    return verdict;
}

}  // namespace

Result<Verdicts> load_verdicts(vault::Vault& vault, const std::string& component,
                               const std::vector<vault::Point>& points) {
    Verdicts verdicts;
    std::set<std::string, std::less<>> wanted;
    for (const vault::Point& point : points) wanted.insert(point.id.value);
    const std::vector<std::string> names = TRY(vault.documents(component));
    for (const std::string& name : names) {
        if (!name.starts_with(prefix)) continue;
        // Those of points that are gone speak of nothing any more.
        const std::string_view rest = std::string_view(name).substr(prefix.size());
        if (!wanted.contains(rest.substr(0, rest.find('/')))) continue;
        const auto bytes = vault.get_document(component, name);
        const auto json =
            bytes.has_value() ? parse_json(as_text(*bytes)) : Result<Json>(bytes.error());
        auto verdict = json.has_value() ? verdict_from(*json) : Result<Verdict>(json.error());
        if (verdict.has_value()) {
            verdicts[verdict->point].push_back(*std::move(verdict));
        } else if (verdict.error().kind != ErrorKind::unsupported) {
            log::warning("verify", "{}: the proof '{}' cannot be read: {}", component, name,
                         verdict.error().message);
        }
    }
    for (auto& [point, found] : verdicts)
        std::ranges::sort(found, {}, [](const Verdict& one) { return std::pair(one.at, one.id); });
    return verdicts;
}

Result<void> keep_proof(vault::Vault& vault, const std::string& component, const Json& document) {
    const std::string id = TRY(get_string(document, "id"));
    const std::string point = TRY(get_string(document, "point"));
    return vault.put_document(component, fmt::format("{}{}/{}", prefix, point, id),
                              as_bytes(dump(document)));
}

const Verdict* newest_verdict(const Verdicts& verdicts, const std::string& point) {
    const auto found = verdicts.find(point);
    return found == verdicts.end() ? nullptr : &found->second.back();
}

std::string_view to_string(Exam::Outcome outcome) {
    return outcomes[static_cast<std::size_t>(outcome)];
}

Json to_json(const Exam& exam) {
    Json json{{"name", exam.name},
              {"outcome", to_string(exam.outcome)},
              {"detail", exam.detail},
              {"took_s", std::chrono::duration<double>(exam.took).count()}};
    if (!exam.objects.empty()) json["objects"] = exam.objects;
    return json;
}

Json to_json(const Proof& proof) {
    Json exams = Json::array();
    for (const Exam& exam : proof.exams) exams.push_back(to_json(exam));
    Json json{{"point", proof.point},
              {"position", proof.position},
              {"as_of", proof.at ? Json(format_instant(*proof.at)) : Json()},
              {"size", proof.size},
              {"restored_in_s", std::chrono::duration<double>(proof.restored_in).count()},
              {"exams", exams},
              {"versions", proof.versions},
              {"conditions", proof.conditions}};
    if (proof.rpo) json["rpo_s"] = std::chrono::duration<double>(*proof.rpo).count();
    return json;
}

std::string_view verdict_of(const Proof& proof) {
    const auto any = [&](Exam::Outcome outcome) {
        return std::ranges::any_of(proof.exams,
                                   [&](const Exam& exam) { return exam.outcome == outcome; });
    };
    if (any(Exam::Outcome::failed)) return "bad";
    return any(Exam::Outcome::unfinished) ? "undecided" : "proven";
}

std::string trouble_of(const Proof& proof) {
    for (const auto outcome : {Exam::Outcome::failed, Exam::Outcome::unfinished})
        for (const Exam& exam : proof.exams)
            if (exam.outcome == outcome)
                return fmt::format("{}: {}", exam.name,
                                   exam.objects.empty() ? exam.detail : exam.objects.front());
    return {};
}

}  // namespace lifeboat::providers
