#pragma once
/// Inside of parse(): one step, from `- restore: database` with what stands beside it.

#include "core/plan/parts.h"

namespace lifeboat::plan {

/// Reads steps one at a time; what concerns several (ids, needs, templates) is the flow's business.
class StepReader {
public:
    StepReader(Reader& reader, const Plan& plan);

    /// A step without a verb comes back with `verb` empty, after it was said.
    Step read(const yaml::Node& node);

private:
    const yaml::Entry* find_verb(const yaml::Node& node);
    void no_verb(const yaml::Node& node);
    void second_verbs(const yaml::Node& node, const yaml::Entry& verb, const Step& step);
    void read_core(const yaml::Node& node, const yaml::Entry& verb, const VerbSpec& spec,
                   Step& step);
    void read_targets(const yaml::Entry& verb, Step& step);
    void read_common(const Fields& fields, Step& step);
    void read_parallel(const yaml::Entry& verb, Step& step);
    std::vector<SettingSpec> arguments_of(const Step& step);
    Fields fields(const yaml::Node& node, const yaml::Entry& verb, const Step& step,
                  const std::vector<SettingSpec>& arguments, bool partial);
    static void place_needs(const yaml::Node& needs, Step& step);
    void judge_sites(const Step& step);

    Reader& reader_;
    const Plan& plan_;
    std::vector<std::string> verbs_;
};

}  // namespace lifeboat::plan
