#include <fmt/core.h>

#include <array>

#include "core/plan/parts.h"

namespace lifeboat::plan {
namespace {

using yaml::Node;

constexpr std::array<std::pair<std::string_view, Signal::Type>, 5> signal_types{{
    {"alert", Signal::Type::alert},
    {"unhealthy", Signal::Type::unhealthy},
    {"site_lost", Signal::Type::site_lost},
    {"report", Signal::Type::report},
    {"condition", Signal::Type::condition},
}};

std::optional<Signal> read_signal(Reader& reader, const Node& node) {
    const Fields fields(reader, node, section("signal"), {.what = "a signal"});
    Signal signal{.lasting = fields.duration("for"), .at = node.at};
    unsigned said = 0;
    unsigned given = 0;
    for (const auto& [key, type] : signal_types) {
        if (node.find(key) != nullptr) ++given;
        if (!fields.has(key)) continue;
        signal.type = type;
        signal.name = fields.text(key);
        ++said;
    }
    if (node.is_mapping() && given != 1)
        reader.error(
            node.at, "bad-signal",
            given == 0 ? "a signal does not say what is seen" : "a signal says one thing only",
            "Write one of alert, unhealthy, site_lost, report, condition.");
    if (said != 1) return std::nullopt;
    return signal;
}

void read_signals(Reader& reader, const Node& node, Detection& detection) {
    const auto add = [&](const Node& item) {
        if (auto signal = read_signal(reader, item))
            detection.signals.push_back(*std::move(signal));
    };
    if (!node.is_sequence()) add(node);
    for (const Node& item : node.items) add(item);
}

std::optional<Detection> read_detection(Reader& reader, const Node& node) {
    Detection detection{.at = node.at};
    if (!node.is_mapping()) {
        if (!node.is_sequence()) {
            reader.wrong_type(node, "detect", "a list of signals");
            return std::nullopt;
        }
        read_signals(reader, node, detection);
        return detection;
    }
    const Fields fields(reader, node, section("detection"), {.what = "'detect'"});
    const Node* any = fields.nested("any");
    const Node* all = fields.nested("all");
    if (any != nullptr && all != nullptr)
        reader.error(node.at, "bad-signal", "'detect' says both any and all",
                     "Say one of them; make two scenarios if both matter.");
    detection.all = all != nullptr && any == nullptr;
    if (any != nullptr) read_signals(reader, *any, detection);
    if (all != nullptr) read_signals(reader, *all, detection);
    return detection;
}

Scenario read_scenario(Reader& reader, const std::string& name, const Node& node, Position at) {
    const Fields fields(reader, node, section("scenario"),
                        {.what = fmt::format("scenario '{}'", name)});
    Scenario scenario{.name = name,
                      .title = fields.text("title"),
                      .severity = fields.text("severity"),
                      .stated_time = fields.duration("stated_time"),
                      .lost_sites = fields.texts("lost_sites"),
                      .lost = fields.texts("lost"),
                      .corrupted = fields.texts("corrupted"),
                      .automatic = fields.boolean("automatic"),
                      .at = at,
                      .key_at = fields.places()};
    if (const Node* inner = fields.nested("detect"))
        scenario.detect = read_detection(reader, *inner);
    return scenario;
}

}  // namespace

void read_scenarios(Reader& reader, const Node& map, Plan& plan) {
    plan.scenarios.reserve(map.entries.size());
    each_named(
        reader, map, "scenario", true, [&](const std::string& name, const Node& node, Position at) {
            Scenario& scenario = plan.scenarios.emplace_back(read_scenario(reader, name, node, at));
            Flow flow{.what = fmt::format("scenario '{}'", name), .plan = &plan};
            const Node* forth = node.find("steps");
            if (forth != nullptr) flow.lists.emplace_back(forth, &scenario.steps);
            if (const Node* back = node.find("rollback"))
                flow.lists.emplace_back(back, &scenario.rollback);
            read_flow(reader, flow);
            const bool steps =
                forth != nullptr && (!forth->items.empty() || !forth->entries.empty());
            if (node.is_mapping() && !steps)
                reader.warning(at, "no-steps", fmt::format("scenario '{}' has no steps", name),
                               "Nobody could recover from it.");
        });
}

void read_drills(Reader& reader, const Node& map, Plan& plan) {
    plan.drills.reserve(map.entries.size());
    each_named(
        reader, map, "drill", true, [&](const std::string& name, const Node& node, Position at) {
            const Fields fields(reader, node, section("drill"),
                                {.what = fmt::format("drill '{}'", name)});
            Drill& drill = plan.drills.emplace_back();
            drill.name = name;
            drill.title = fields.text("title");
            drill.scenario = fields.text("scenario");
            drill.every = fields.duration("every");
            drill.site = fields.text("site");
            drill.script = fields.text("script");
            drill.note = fields.text("note");
            drill.at = at;
            drill.key_at = fields.places();
            Flow flow{.what = fmt::format("drill '{}'", name), .plan = &plan};
            if (const Node* steps = fields.nested("steps"))
                flow.lists.emplace_back(steps, &drill.steps);
            if (const Node* steps = fields.nested("cleanup"))
                flow.lists.emplace_back(steps, &drill.cleanup);
            read_flow(reader, flow);
            if (node.is_mapping() && node.find("scenario") == nullptr &&
                node.find("steps") == nullptr)
                reader.warning(at, "no-steps",
                               fmt::format("drill '{}' has neither scenario nor steps", name),
                               "Name the scenario that it rehearses, or give it steps.");
        });
}

void read_procedures(Reader& reader, const Node& map, Plan& plan) {
    plan.procedures.reserve(map.entries.size());
    each_named(reader, map, "procedure", true,
               [&](const std::string& name, const Node& node, Position at) {
                   const Fields fields(reader, node, section("procedure"),
                                       {.what = fmt::format("procedure '{}'", name), .at = at});
                   Procedure& procedure = plan.procedures.emplace_back();
                   procedure.name = name;
                   procedure.title = fields.text("title");
                   procedure.script = fields.text("script");
                   procedure.every = fields.duration("every");
                   procedure.at = at;
                   procedure.key_at = fields.places();
                   Flow flow{.what = fmt::format("procedure '{}'", name), .plan = &plan};
                   if (const Node* steps = fields.nested("steps"))
                       flow.lists.emplace_back(steps, &procedure.steps);
                   read_flow(reader, flow);
               });
}

}  // namespace lifeboat::plan
