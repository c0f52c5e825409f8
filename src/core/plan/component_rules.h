#pragma once
/// Inside of parse(): what must hold for components beyond the shape of their keys.

#include "core/plan/reader.h"

namespace lifeboat::plan {

/// Kinds that this build cannot act on: told once each, with everything that uses them.
class UnavailableKinds {
public:
    void note(const std::string& kind, const std::string& user, Position at);
    void tell(Reader& reader) const;

private:
    struct Use {
        std::string kind;
        Position at;
        std::vector<std::string> users;
    };
    std::vector<Use> uses_;
};

/// Methods that keep up all the time and have no interval.
bool never_pauses(std::string_view method);

void judge_component(Reader& reader, const Component& component, const KindSpec* kind,
                     const Plan& plan);
/// That the site has what the kind runs on; `at` is where somebody asked for it.
void judge_platform(Reader& reader, const Plan& plan, const std::string& site, const KindSpec& kind,
                    Position at);
/// `nodes` are those of plan.components, in the same order.
void find_circular_needs(Reader& reader, const Plan& plan,
                         const std::vector<const yaml::Node*>& nodes);
/// Templates in the settings of a component.
void judge_templates(Reader& reader, const Plan& plan, const Component& component,
                     const std::vector<TemplateUse>& uses);

}  // namespace lifeboat::plan
