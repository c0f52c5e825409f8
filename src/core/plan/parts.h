#pragma once
/// Inside of parse(): the readers of the plan's sections. Each reads its part of the merged tree
/// into the plan and says what is wrong with it.

#include <functional>

#include "core/plan/fields.h"

namespace lifeboat::plan {

/// The top level, all files together.
void read_head(Reader& reader, const yaml::Node& root, Plan& plan);
void read_sites(Reader& reader, const yaml::Node& map, Plan& plan);
void read_components(Reader& reader, const yaml::Node& map, Plan& plan);
void read_people(Reader& reader, const yaml::Node& map, Plan& plan);
void read_roles(Reader& reader, const yaml::Node& map, Plan& plan);
void read_severities(Reader& reader, const yaml::Node& map, Plan& plan);
void read_channels(Reader& reader, const yaml::Node& map, Plan& plan);
void read_links(Reader& reader, const yaml::Node& map, Plan& plan);
void read_status_page(Reader& reader, const yaml::Node& node, Plan& plan);
void read_post_mortem(Reader& reader, const yaml::Node& node, Plan& plan);
void read_scenarios(Reader& reader, const yaml::Node& map, Plan& plan);
void read_drills(Reader& reader, const yaml::Node& map, Plan& plan);
void read_procedures(Reader& reader, const yaml::Node& map, Plan& plan);

/// The steps of one flow: a scenario's with its rollback, a drill's with its cleanup. Ids are
/// unique in a flow, and its templates and `needs:` refer to them.
struct Flow {
    std::string what;  ///< "scenario 'database-lost'"
    const Plan* plan = nullptr;
    std::vector<std::pair<const yaml::Node*, std::vector<Step>*>> lists;
};
void read_flow(Reader& reader, const Flow& flow);

std::optional<Approval> read_approval(Reader& reader, const yaml::Node& node);

/// Calls `read(name, node, position)` for every named entry, saying which names cannot be used.
/// `strict`: usable in ids, templates, file names.
void each_named(Reader& reader, const yaml::Node& map, std::string_view what, bool strict,
                const std::function<void(const std::string&, const yaml::Node&, Position)>& read);

}  // namespace lifeboat::plan
