#include "test/support/provider_world.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/plan/diagnostic.h"
#include "core/runbook/graph.h"

namespace lifeboat::test {
namespace {

constexpr unsigned site_ports = 40;
constexpr std::uint16_t ports_from = 20000, ports_to = 32000;  // below those the kernel gives away

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
    Environment& environment = real_environment();
    path_ = std::filesystem::temp_directory_path() / ("lifeboat-" + environment.random.hex(6));
    const auto made = environment.files.make_directories(path_, 0755);
    EXPECT_TRUE(made.has_value());
}

TemporaryDirectory::~TemporaryDirectory() {
    const auto removed = real_environment().files.remove_tree(path_);
    EXPECT_TRUE(removed.has_value());
}

std::uint16_t free_ports(unsigned count) {
    // Tests run side by side: each begins somewhere else.
    static std::uint64_t next = real_environment().random.next();
    Network& network = real_environment().network;
    for (int tries = 0; tries < 1000; ++tries) {
        const unsigned slots = (ports_to - ports_from) / count;
        const auto first = static_cast<std::uint16_t>(ports_from + (next++ % slots) * count);
        bool free = true;
        for (unsigned i = 0; i < count && free; ++i) {
            const auto port = static_cast<std::uint16_t>(first + i);
            free = network.is_free(Endpoint{"127.0.0.1", port}).value_or(false);
        }
        if (free) return first;
    }
    ADD_FAILURE() << "no free ports";
    return 0;
}

ProviderWorld::ProviderWorld()
    : secrets_(real_environment()),
      services_{.environment = real_environment(), .secrets = secrets_},
      first_port_(free_ports(2 * site_ports)) {
    services_.plan_directory = directory();
    services_.plan_file = directory() / "plan.yaml";
    services_.vault_problem = "the test has no vault";
}

void ProviderWorld::read_plan(providers::Registry& registry, const std::string& components) {
    const std::string text = fmt::format(
        "lifeboat: 1\nplan: test\nsites:\n"
        "  primary: {{local: {{directory: primary, ports: {}-{}}}}}\n"
        "  dr: {{local: {{directory: dr, ports: {}-{}}}}}\n"
        "components:\n{}",
        first_port_, first_port_ + site_ports - 1, first_port_ + site_ports,
        first_port_ + 2 * site_ports - 1, components);
    const auto no_files = [](const std::string& path) -> Result<std::string> {
        return not_found(path);
    };
    parsed_ = plan::parse("plan.yaml", text, registry.catalog(), no_files);
    parsed_.plan.directory = directory().string();
    for (const auto& diagnostic : parsed_.diagnostics)
        if (diagnostic.level == plan::DiagnosticLevel::error)
            ADD_FAILURE() << plan::render(diagnostic, parsed_.sources);
}

void ProviderWorld::open_vault() {
    const Path key_file = directory() / "vault.key", folder = directory() / "vault";
    ASSERT_TRUE(vault::make_key(environment(), key_file).has_value());
    const auto key = vault::load_key(environment(), key_file);
    ASSERT_TRUE(key.has_value());
    ASSERT_TRUE(vault::init_vault(environment(), folder, *key).has_value());
    auto opened = vault::open_vault(environment(), folder, *key);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    vault_ = *std::move(opened);
    services_.vault = vault_.get();
    services_.vault_directory = folder;
    services_.vault_key = key_file;
}

providers::Instance ProviderWorld::planned(const std::string& component, const std::string& site) {
    const plan::Component* declared = plan().component(component);
    EXPECT_NE(declared, nullptr) << component;
    providers::Instance instance;
    instance.component = component;
    instance.site = site.empty() ? declared->site : site;
    instance.name = declared->instance.empty() ? component : declared->instance;
    instance.settings = providers::settings_at(*declared, instance.site);
    if (instance.settings.contains("port"))
        instance.endpoint = fmt::format("127.0.0.1:{}", dump(instance.settings["port"]));
    return instance;
}

providers::Instance ProviderWorld::current(const std::string& component) {
    const auto found = adopted_.find(component);
    return found == adopted_.end() ? planned(component) : found->second;
}

void ProviderWorld::adopt(const Json& outputs) {
    auto instance = providers::instance_from_json(outputs.value("instance", Json::object()));
    ASSERT_TRUE(instance.has_value()) << dump(outputs);
    adopted_.insert_or_assign(instance->component, *instance);
}

providers::Target ProviderWorld::target(const std::string& component) {
    return {plan(), *plan().component(component), current(component)};
}

providers::VerbCall ProviderWorld::call(const std::string& component, const std::string& verb,
                                        Json arguments, const std::string& step) {
    providers::VerbCall call{.plan = plan()};
    call.verb = verb;
    // Marks on processes are looked up machine-wide: tests that run side by side need their own.
    call.run = RunId(fmt::format("run-20261123-110643-{:06x}", ::getpid()));
    call.step = StepId(step.empty() ? verb + "-" + component : step);
    call.token = runbook::make_token(call.run, call.step);
    call.arguments = std::move(arguments);
    if (component.empty()) return call;
    call.component = plan().component(component);
    EXPECT_NE(call.component, nullptr) << component;
    call.current = current(component);
    call.site = string_or(call.arguments, "site", call.current.site);
    for (const plan::Component& each : plan().components)
        call.instances.insert_or_assign(each.name, current(each.name));
    return call;
}

}  // namespace lifeboat::test
