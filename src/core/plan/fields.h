#pragma once
/// Inside of parse(): one mapping of the plan, read and checked against the table of its section.
///
/// The constructor says everything that is wrong: unknown and missing keys, wrong values, unknown
/// names. The rest is access to what was right. Refers to the node: lives no longer than it.

#include <map>

#include "core/plan/reader.h"

namespace lifeboat::plan {

struct FieldsOptions {
    std::string what;                                    ///< "component 'database'"; for messages
    const std::vector<SettingSpec>* settings = nullptr;  ///< more keys: those of a kind or a verb
    std::vector<std::string_view> ignore;                ///< keys that the caller reads itself
    bool open = false;       ///< unknown keys are let through: their table is not known
    bool templates = false;  ///< settings may hold them
    bool partial = false;    ///< settings need not be complete, and get no defaults
    Position at{};           ///< where to say that something is missing; otherwise at the mapping
    std::string_view unknown = "key";  ///< what an unknown key is called: "argument"
};

class Fields {
public:
    Fields(Reader& reader, const yaml::Node& node, const Section& section, FieldsOptions options);

    bool has(std::string_view key) const { return json(key) != nullptr || nested(key) != nullptr; }
    /// The value of a key that holds no section, or nullptr.
    const Json* json(std::string_view key) const;
    /// The node of a key that holds a section, or several; nullptr when absent or of a wrong shape.
    const yaml::Node* nested(std::string_view key) const;
    std::string text(std::string_view key) const;
    std::vector<std::string> texts(std::string_view key) const;
    std::optional<Duration> duration(std::string_view key) const;
    std::optional<Instant> instant(std::string_view key) const;
    std::optional<std::uint64_t> number(std::string_view key) const;
    bool boolean(std::string_view key) const;
    Position at(std::string_view key) const;
    /// Settings of the kind, or arguments of the verb, with their defaults.
    Json settings() const { return settings_; }
    Places places() const { return places_; }

private:
    void read(const yaml::Entry& entry);
    void read_key(const yaml::Entry& entry, const Key& key);
    void read_setting(const yaml::Entry& entry, const SettingSpec& spec);
    std::optional<Json> read_map(const yaml::Node& node, const Key& key);
    bool shape_fits(const yaml::Node& node, const Key& key);
    void unknown(const yaml::Entry& entry);
    void require(const yaml::Node& node);
    std::vector<std::string> known_names() const;

    Reader& reader_;
    const Section& section_;
    FieldsOptions options_;
    std::vector<std::pair<std::string_view, Json>> values_;
    std::vector<std::pair<std::string_view, const yaml::Node*>> nested_;
    Json settings_ = Json::object();
    Places places_;
};

}  // namespace lifeboat::plan
