#include "providers/contract/registry.h"

namespace lifeboat::providers {

void Registry::add(std::unique_ptr<Provider> provider) {
    CHECK(provider != nullptr);
    std::string kind = provider->describe().name;
    const bool added = providers_.emplace(std::move(kind), std::move(provider)).second;
    CHECK(added);  // two providers of one kind in the list
}

Provider* Registry::find(std::string_view kind) const {
    const auto found = providers_.find(kind);
    return found == providers_.end() ? nullptr : found->second.get();
}

plan::Catalog Registry::catalog() const {
    plan::Catalog catalog;
    for (const auto& [kind, provider] : providers_) catalog.add(provider->describe());
    return catalog;
}

}  // namespace lifeboat::providers
