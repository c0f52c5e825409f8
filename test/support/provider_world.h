#pragma once
/// A world for one provider test: a temporary directory with a plan in it, services on the real
/// environment, and calls made the way the engine makes them. Everything is gone afterwards.

#include <memory>
#include <string>

#include "core/plan/parse.h"
#include "platform/env/environment.h"
#include "providers/contract/local_site.h"
#include "providers/contract/registry.h"

namespace lifeboat::test {

/// A new directory, removed with all its contents. Open to be passed through by other users.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const Path& path() const { return path_; }

private:
    Path path_;
};

/// The first of `count` ports in a row that nobody uses; each call gives other ones.
std::uint16_t free_ports(unsigned count);

class ProviderWorld {
public:
    ProviderWorld();

    const Path& directory() const { return directory_.path(); }
    Environment& environment() { return real_environment(); }
    providers::Services& services() { return services_; }
    Context context(Duration limit = std::chrono::seconds(60)) {
        return Context(environment().clock).within(limit);
    }

    /// The plan, for one of the kinds that `registry` holds. `components` is YAML below
    /// `components:`, indented by two. Fails the test when the plan has mistakes.
    void read_plan(providers::Registry& registry, const std::string& components);
    /// A vault in the directory, with a key of its own.
    void open_vault();
    const plan::Plan& plan() const { return parsed_.plan; }
    std::uint16_t first_port() const { return first_port_; }

    /// What the plan alone says of a component at a site ("" = its own).
    providers::Instance planned(const std::string& component, const std::string& site = "");
    /// The current instance: what adopt() was given last, else the planned one.
    providers::Instance current(const std::string& component);
    void adopt(const Json& outputs);
    providers::Target target(const std::string& component);
    /// A call as the engine would make it: instances around, token from `step`.
    providers::VerbCall call(const std::string& component, const std::string& verb,
                             Json arguments = Json::object(), const std::string& step = "");

private:
    TemporaryDirectory directory_;
    SecretResolver secrets_;
    providers::Services services_;
    std::unique_ptr<vault::Vault> vault_;
    plan::Parsed parsed_;
    std::map<std::string, providers::Instance> adopted_;
    std::uint16_t first_port_;
};

/// Progress that nobody looks at.
inline void ignore_progress(std::uint64_t, std::uint64_t, const std::string&) {}

}  // namespace lifeboat::test
