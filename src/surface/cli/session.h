#pragma once
/// One command's view of the world, opened as far as it asks: the plan, the state, the vault.

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/plan/parse.h"
#include "engine/workspace.h"
#include "surface/cli/output.h"

namespace lifeboat::cli {

/// Options that stand before or after every command.
struct Globals {
    std::string plan_file = "lifeboat.yaml";
    std::string state_directory;  ///< "" = the default for the plan
    bool json = false;
    bool verbose = false;
    bool log_json = false;
    std::string colour = "auto";  ///< auto, always, never
};

/// Fills a registry with the providers of this build.
using MakeProviders = std::function<void(providers::Registry&, providers::Services&, plan::Mode)>;

class Session {
public:
    /// `interrupt` is stopped by the first Ctrl-C or SIGTERM, `abandon` by the second.
    Session(Environment& environment, MakeProviders make_providers, std::stop_token interrupt,
            std::stop_token abandon);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Globals globals;

    Environment& environment() { return environment_; }
    Context context() const;
    std::stop_token abandon() const { return abandon_; }
    /// Colours and width follow the terminal and `globals`; made at first use.
    const Output& output();

    const plan::Catalog& catalog();
    /// The plan with its diagnostics, errors or not. Errors: not_found, denied, invalid (the file).
    Result<const plan::Parsed*> parsed();
    /// The plan; its errors are shown and become one Error here. Errors: invalid_plan() below.
    Result<const plan::Plan*> plan();
    Result<State*> state();
    /// Everything. A vault that cannot be opened is no error here: Services says why.
    Result<engine::Workspace*> workspace();
    /// The vault of the plan. Errors: not_found (none in the plan), what open_vault says.
    Result<vault::Vault*> vault();
    Result<Path> vault_directory();
    Result<Path> vault_key();
    Path state_path();
    /// Resolves references as the plan does: files are relative to its folder.
    SecretResolver& secrets();

private:
    struct Parts;
    void make_registry(plan::Mode mode);

    Environment& environment_;
    MakeProviders make_providers_;
    std::stop_token interrupt_, abandon_;
    std::unique_ptr<Parts> parts_;
};

/// The error of a plan that was read and has errors: they have been shown already.
Error invalid_plan(std::size_t errors);
/// The error of a plan that cannot even be read.
Error unreadable_plan(Error why);
/// Either of them.
bool is_invalid_plan(const Error& error);

}  // namespace lifeboat::cli
