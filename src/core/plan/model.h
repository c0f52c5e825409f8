#pragma once
/// The plan as it was read: what must survive, how it is protected, and the steps out of each
/// disaster.
///
/// Plain data, made by parse.h and by nothing else; every part knows its place in the text. Names
/// of components, scenarios, people are unique and refer to things that exist: parse() has checked
/// that. What is specific to a kind of component is `settings`, checked against the kind's schema
/// (catalog.h). In JSON members numbers and booleans are typed; durations, sizes, rates, paths,
/// URLs and secret references stay text as written (they have been checked: parse_duration() etc.
/// succeed); a text with a template stays text; absent settings that have a default hold it. Pure;
/// immutable after parsing; safe to share between threads.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/time.h"
#include "platform/codec/json.h"
#include "platform/codec/yaml.h"

namespace lifeboat::plan {

using yaml::Position;
/// Where each key of a section stands (its value; for diagnostics of later rules).
using Places = std::map<std::string, Position>;

enum class Mode { act, observe };  ///< observe: every mutating verb is refused

struct Site {
    std::string name;
    /// One member per platform, e.g. {"local": {"directory": …, "ports": "5500-5599"}, "aws": {…}}.
    Json platforms = Json::object();
    Position at;
};

struct Objectives {
    std::optional<Duration> rto;
    std::optional<Duration> rpo;
    Position rto_at, rpo_at;
};

/// A policy that makes recovery points.
struct Protection {
    std::string method;  ///< "snapshot", "continuous", "base", "copy", … of the kind's list
    std::optional<Duration> every;  ///< absent for continuous
    std::optional<Duration> keep;
    std::optional<std::string> copy_to;  ///< a site
    Json settings = Json::object();      ///< the rest: "immutable", "account", and per kind
    Position at;
    Places key_at;
};

/// A look at a component from outside, or a question to its data.
struct Check {
    std::string type;  ///< "tcp", "http", "sql", "redis", "process", "ready", "exec", "dns"
    Json settings = Json::object();  ///< its argument under "value" (5432, "SELECT 1"), and options
    std::optional<std::string> expect;  ///< "> 0", "= ok", "200", …; absent: it must succeed
    std::optional<Duration> timeout;
    Position at;
};

struct Component {
    std::string name;
    std::string kind;
    std::string site;      ///< where it first runs
    std::string priority;  ///< "P0" … "P9": orders concurrent work; "" = after all others
    std::string title;     ///< for people; may be empty
    Objectives objectives;
    std::vector<std::string> needs;
    std::string instance;                 ///< its name at its site; "" = the component's name
    std::map<std::string, Json> at_site;  ///< what differs at another site (key: site)
    std::vector<Protection> protect;
    std::vector<Check> health;
    std::vector<Check> verify;        ///< proofs of its data; of a URL: its smoke tests
    std::vector<std::string> alerts;  ///< alerts that its monitoring emits
    Json settings = Json::object();   ///< of its kind
    Position at;
    Places setting_at;  ///< where each key stands, settings and common keys alike
};

struct Approval {
    std::vector<std::string> by;  ///< people or roles; one of each is needed
    std::optional<Duration> within;
    std::string statement;  ///< what is approved, for the record
    Position at;
};

enum class OnFailure { stop, carry_on, roll_back };
enum class InDrill { by_verb, run, record, skip };

struct Step {
    std::string id;    ///< given by `id:` or derived: "restore-database", "restore-database-2"
    std::string verb;  ///< "restore", "promote", …
    std::vector<std::string>
        targets;  ///< components; may be empty (wait, approve, notify, run, http)
    Json arguments = Json::object();  ///< the verb's own: "to", "site", "replicas", "command", …;
                                      ///< may hold templates "{{ steps.restore-database.port }}".
                                      ///< Of `wait` a duration ("for") or a check ("until")
    std::vector<std::string> needs;   ///< step ids; empty = the step before it
    bool needs_given = false;    ///< `needs:` was written (an empty list means: no predecessor)
    std::vector<Step> parallel;  ///< children when verb == "parallel"
    std::optional<Duration> timeout;
    std::optional<unsigned> retries;
    std::optional<Approval> approve;   ///< of the verb `approve`, too
    std::optional<Duration> estimate;  ///< how long it usually takes, by the plan's own account
    OnFailure on_failure = OnFailure::stop;
    InDrill in_drill = InDrill::by_verb;
    std::string note;     ///< for people
    std::string written;  ///< the commands of the written plan that this step stands for, verbatim
    Position at;
    Places key_at;  ///< the verb, its arguments and the step's own keys; items: "needs.0"
};

/// When a scenario applies: alerts, unhealthy components, lost sites, manual reports.
struct Signal {
    enum class Type { alert, unhealthy, site_lost, report, condition };
    Type type = Type::report;
    std::string name;                 ///< of the alert, component, site; text of a report
    std::optional<Duration> lasting;  ///< `for:`
    Position at;
};

struct Detection {
    bool all = false;  ///< all: every signal; otherwise any
    std::vector<Signal> signals;
    Position at;
};

struct Scenario {
    std::string name;
    std::string title;
    std::string severity;
    std::optional<Duration> stated_time;  ///< the time to recovery that the written plan claims
    std::vector<std::string> lost_sites;  ///< sites that are gone in this disaster
    std::vector<std::string> lost;        ///< components that are gone in this disaster
    std::vector<std::string> corrupted;   ///< components whose data is there, and wrong
    bool automatic = false;
    std::optional<Detection> detect;
    std::vector<Step> steps;
    std::vector<Step> rollback;  ///< the way back, in order
    Position at;
    Places key_at;
};

/// Steps that belong to no disaster: a backup of everything, a failover script, a look at the
/// cluster.
struct Procedure {
    std::string name;
    std::string title;
    std::string script;  ///< the file that held them in the written plan
    std::optional<Duration> every;
    std::vector<Step> steps;
    Position at;
    Places key_at;
};

struct Drill {
    std::string name;
    std::string title;
    std::string scenario;  ///< may be empty: then `steps`
    std::vector<Step> steps;
    std::vector<Step> cleanup;  ///< what is taken away afterwards
    std::optional<Duration> every;
    std::string site;    ///< where it runs
    std::string script;  ///< the file that held the steps in the written plan
    std::string note;
    Position at;
    Places key_at;
};

struct Person {
    std::string name;  ///< the key
    std::string title;
    std::string full_name;
    std::string phone, email;
    std::vector<std::string> roles;
    std::string os_user;       ///< proof of who they are
    std::string token;         ///< secret reference; never a value
    bool placeholder = false;  ///< "[Name]", "+1-XXX": nobody is there
    Position at;
    Places key_at;
};

/// A node of the contact tree.
struct Role {
    std::string name;
    std::string title;
    std::string parent;  ///< "" for the root
    Position at;
};

struct Severity {
    std::string name;  ///< "SEV-1"
    std::string title;
    std::vector<std::string> when;
    std::vector<std::string> scenarios;  ///< those that meet one of its conditions
    std::string response;
    std::vector<std::string> notify;  ///< channels, roles or people
    Position at;
    Places key_at;
};

struct Channel {
    std::string name;
    std::string kind;
    Json settings = Json::object();
    Position at;
};

struct Link {
    std::string name;
    std::string url;
    Position at;
};

struct Review {
    std::optional<Duration> every;
    std::optional<Instant> last, next;
    std::optional<Instant> next_drill, last_test;
    bool last_test_placeholder = false;
    Position at;
    Places key_at;
};

struct VaultSettings {
    std::string directory;  ///< relative to the plan file's folder
    std::string key;        ///< path of the key file, relative likewise
    Position at;
};

struct Plan {
    std::string name;
    std::string title;
    std::string summary;
    std::string owner;
    std::string revision;
    std::string classification;
    std::string document;
    std::optional<Instant> updated;
    Mode mode = Mode::act;
    Review review;
    std::optional<Duration> evidence_valid;
    std::optional<VaultSettings> vault;
    std::vector<Site> sites;
    std::vector<Component> components;
    std::vector<Scenario> scenarios;
    std::vector<Drill> drills;
    std::vector<Procedure> procedures;
    std::vector<Person> people;
    std::vector<Role> roles;
    std::vector<Severity> severities;
    std::vector<Channel> channels;
    std::vector<Link> links;
    Json post_mortem = Json::object();  ///< the review's template: sections and their prompts
    Json status_page = Json::object();
    std::vector<std::string>
        files;              ///< names of the files read; Position::file is an index into it
    std::string directory;  ///< folder of the plan file; relative paths start there
    std::string digest;     ///< hex SHA-256 of what was read: evidence and runs are tied to it
    Places key_at;          ///< of the top level
    /// Name -> place in `components`, made by parse(): plans of thousands are looked up in.
    std::map<std::string, std::size_t, std::less<>> component_index;

    const Site* site(std::string_view name) const;
    const Component* component(std::string_view name) const;
    const Scenario* scenario(std::string_view name) const;
    const Person* person(std::string_view name) const;
    const Severity* severity(std::string_view name) const;
};

}  // namespace lifeboat::plan
