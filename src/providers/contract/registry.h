#pragma once
/// The one list of providers, by kind. Filled by surface/app, nowhere else.

#include <map>
#include <memory>
#include <string>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

class Registry {
public:
    void add(std::unique_ptr<Provider> provider);
    /// nullptr when this build has none for the kind.
    Provider* find(std::string_view kind) const;
    /// The catalog with every provider's own description in it.
    plan::Catalog catalog() const;

private:
    std::map<std::string, std::unique_ptr<Provider>, std::less<>> providers_;
};

/// Wraps a provider in what all of them get: refusal of mutating verbs in observe mode, drill
/// scope, time limits, log lines. Stacked here and only here.
std::unique_ptr<Provider> decorate(std::unique_ptr<Provider> provider, plan::Mode mode);

}  // namespace lifeboat::providers
