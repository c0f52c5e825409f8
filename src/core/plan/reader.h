#pragma once
/// Inside of parse(): what one reading of a plan knows and collects, and how single values are
/// read.
///
/// Every problem becomes a diagnostic; reading goes on. Not thread-safe; lives as long as one
/// parse().

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/credentials.h"
#include "core/plan/diagnostic.h"
#include "core/plan/model.h"
#include "core/plan/shape.h"
#include "core/plan/texts.h"

namespace lifeboat::plan {

/// The names of one sort that the plan defines.
class Names {
public:
    void add(const std::string& name, Position at);
    bool contains(std::string_view name) const;
    const std::vector<std::string>& list() const { return list_; }

private:
    std::vector<std::string> list_;
    std::unordered_map<std::string, Position> places_;
};

/// A text with a secret in it, which no excerpt may show.
struct Revealed {
    Position at;  ///< of the secret, or of the text that holds it
    std::string value;
    Position last{};  ///< the secret's last character; without a line: not known
};

/// `{{ component.key }}` in a setting or an argument, to be looked at when everything is read.
struct TemplateUse {
    std::string text;  ///< the scalar that holds it
    Position at;
};

/// How a value is read, besides its type.
struct Reading {
    std::string_view key;    ///< for messages
    bool templates = false;  ///< `{{ … }}` is allowed
    const std::vector<std::string>* choices = nullptr;
    Refers refers = Refers::nothing;
    bool runs = false;  ///< a command: its variables and options may hold credentials
};

class Reader {
public:
    explicit Reader(const Catalog& known) : catalog(known) {}

    const Catalog& catalog;
    std::vector<Diagnostic> diagnostics;
    std::vector<Revealed> revealed;
    std::vector<TemplateUse> templates;  ///< of what is being read; whoever reads it takes them
    Texts sources;                       ///< of the files, once they are read
    /// A credential is an error in settings, and a warning in what a written plan says.
    DiagnosticLevel secrets_level = DiagnosticLevel::error;

    Names& names(Refers sort) { return names_[static_cast<std::size_t>(sort)]; }
    const Names& names(Refers sort) const { return names_[static_cast<std::size_t>(sort)]; }

    void error(Position at, std::string id, std::string message, std::string hint = {});
    void warning(Position at, std::string id, std::string message, std::string hint = {});
    /// "did you mean 'x'?", or nothing; bounded in the number of answers, for plans that are all
    /// wrong.
    std::string suggest(std::string_view word, const std::vector<std::string>& candidates);

    /// The value in JSON, or nothing after saying what is wrong with it.
    std::optional<Json> value(const yaml::Node& node, SettingType type, const Reading& reading);
    /// Texts of a scalar or a list of scalars, with their places.
    std::vector<std::pair<std::string, Position>> texts(const yaml::Node& node,
                                                        const Reading& reading);
    /// Where the template stands, when not in the first line of its text.
    Position place_of(const TemplateUse& use, std::string_view name);
    /// A name of that sort; false after saying that there is none.
    bool refers(const std::string& name, Position at, Refers sort);
    /// Says that the node should be something else.
    void wrong_type(const yaml::Node& node, std::string_view key, std::string_view wanted);

private:
    std::optional<Json> scalar(const yaml::Node& node, SettingType type, const Reading& reading);
    std::optional<Json> typed(const yaml::Node& node, SettingType type, const Reading& reading);
    std::optional<Json> number(const yaml::Node& node, SettingType type, const Reading& reading);
    std::optional<Json> secret(const yaml::Node& node, const Reading& reading);
    std::optional<Json> list(const yaml::Node& node, const Reading& reading);
    std::optional<Json> map(const yaml::Node& node, const Reading& reading);
    std::optional<Json> check_value(const yaml::Node& node, const Reading& reading);
    Json untyped(const yaml::Node& node, const Reading& reading);
    std::optional<Json> command_line(const yaml::Node& node, Reading reading);
    void look_for_secrets(const yaml::Node& node, const Reading& reading);
    void look_into_words(const yaml::Node& words, std::string_view key);
    void reveal(const yaml::Node& node, std::string_view key, const Credential& secret);
    void reveal_all(const yaml::Node& node, std::string_view key,
                    const std::vector<Credential>& secrets);
    void take_templates(const yaml::Node& node, const Reading& reading);

    std::array<Names, 8> names_;
    unsigned suggestions_left_ = 200;
    unsigned places_left_ = 200;  ///< each follows a whole text
};

/// "a mapping", "a list", "nothing", "a text".
std::string_view describe(yaml::Type type);
std::string_view describe(Refers sort);
/// "[Name]", "+1-XXX-XXX-XXXX": written where nobody knew what to write.
bool is_placeholder(std::string_view text);
/// A reference to a secret: `env:NAME`, `file:PATH`, `aws-secret:NAME`.
bool is_reference(std::string_view text);
/// The name of a variable or header that usually holds a secret: PGPASSWORD, API_TOKEN,
/// Authorization.
bool names_a_secret(std::string_view name);
/// The password of `scheme://user:password@host`, unless it is empty, a variable or a template.
std::optional<std::string_view> password_in_url(std::string_view text);
/// Of JSON for any scalar: true, false and numbers when plain, else text.
Json plain_value(const yaml::Node& node);

/// A position to report a value at; the key's when the value is absent.
Position place_of(const yaml::Entry& entry);

}  // namespace lifeboat::plan
