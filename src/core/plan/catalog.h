#pragma once
/// What kinds of components there are, and what a verb means for each: pure data, filled by
/// providers.
///
/// The core's own verbs (kind ""): the first argument is what a short form gives: `- wait: 30s`.
///
/// The core knows verbs and kinds only through this table: checking a plan, compiling a run and
/// estimating it need no provider. Kinds that the design names but this build lacks stand in it
/// with `available = false`: a warning, not an error.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/time.h"
#include "platform/codec/json.h"

namespace lifeboat::plan {

enum class SettingType {
    text,
    integer,
    boolean,
    duration,
    size,
    rate,
    port,
    path,
    url,
    secret,
    text_list,
    text_map,
    any,
    command,    ///< a text for the shell, or a list of words that is run as it stands
    instant,    ///< a date or a time
    site,       ///< name of a site of the plan
    component,  ///< name of a component of the plan
    channel,    ///< name of a channel of the plan
    contacts,   ///< names of people or roles, one or a list
    check,      ///< a look at something: {tcp: 5432}; in JSON {"type", "value", …}
};

/// "text", "one or a list of texts", …: for messages and documents.
std::string_view describe(SettingType type);

struct SettingSpec {
    std::string name;
    SettingType type = SettingType::text;
    bool required = false;
    std::string summary;               ///< one sentence; becomes docs and JSON Schema
    std::vector<std::string> choices;  ///< for text
    Json fallback;                     ///< default; null = none
};

/// Stands in VerbSpec::outputs for "whatever it announces".
constexpr std::string_view any_output = "*";

/// What the engine may do when it does not know whether a verb has acted.
enum class Safety {
    idempotent,  ///< doing it again is the same
    probeable,   ///< the provider can find out what happened
    once,        ///< neither: ask a person
};

/// What a verb does in a drill, unless the step says otherwise.
enum class DrillBehaviour { scoped, recorded, refused };

struct VerbSpec {
    std::string name;
    std::string summary;
    Safety safety = Safety::probeable;
    bool mutating = true;      ///< refused in `mode: observe`
    bool destructive = false;  ///< needs proof of the target's identity, and is shown before asking
    bool makes_instance = false;  ///< its outputs hold a candidate instance (restore)
    bool takes_instance =
        false;  ///< records candidates as current before it acts (repoint, redirect)
    bool needs_fenced = false;  ///< the old primary must be fenced or proven dead (promote)
    DrillBehaviour in_drill = DrillBehaviour::scoped;
    std::vector<SettingSpec> arguments;
    /// Names that later steps may refer to; any_output: also those that only the run will tell.
    std::vector<std::string> outputs;
    Duration estimate{};  ///< declared p50 where nothing was measured; 0 = unknown
    Duration timeout{};   ///< default; 0 = the engine's
    std::string undo;     ///< verb of the same kind that takes it back; "" = none
};

struct KindSpec {
    std::string name;  ///< "postgres", "aws.rds"
    std::string summary;
    bool available = true;
    bool stateful = false;  ///< has data that can be lost: rpo makes sense
    std::string platform;  ///< key of the site's settings it uses: "local", "aws", "kubernetes", ""
    std::vector<SettingSpec> settings;
    std::vector<VerbSpec> verbs;
    std::vector<std::string> methods;     ///< protections it can do
    std::vector<std::string> checks;      ///< types of health/verify it understands; empty = all
    std::vector<SettingSpec> protection;  ///< settings of its protections, of whatever method

    const SettingSpec* setting(std::string_view setting) const;
    const VerbSpec* verb(std::string_view verb) const;
    /// A way to tell people something: has the verb `send` and stands under `channels:`.
    bool is_channel() const { return verb("send") != nullptr; }
};

class Catalog {
public:
    /// Holds the verbs that need no component (wait, approve, notify, run, http) and the kinds that
    /// the design names without a provider here. Providers add theirs, replacing the placeholders.
    Catalog();
    void add(KindSpec kind);
    const KindSpec* kind(std::string_view name) const;
    /// The verb of that kind ("" = needs no component); nullptr when the kind cannot do it.
    const VerbSpec* verb(std::string_view kind, std::string_view verb) const;
    /// Every verb name that any kind or the core knows: the vocabulary of steps.
    std::vector<std::string> verb_names() const;
    std::vector<std::string> kind_names() const;
    const std::map<std::string, KindSpec, std::less<>>& kinds() const { return kinds_; }

private:
    void take_over(const VerbSpec& done);

    std::map<std::string, KindSpec, std::less<>> kinds_;  ///< "" holds the core's own verbs
};

}  // namespace lifeboat::plan
