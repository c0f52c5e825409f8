#pragma once
/// Kind `http`: something that answers at a URL, and a proxy in front of services.
///
/// Looks at health, proves from outside that all is well again (`smoke`), moves traffic by giving a
/// proxy its targets (`redirect`: PUT and GET <admin>/-/targets), and makes single requests
/// (`http`). Thread-safe.

#include <memory>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

std::unique_ptr<Provider> make_http_provider(Services& services);

}  // namespace lifeboat::providers
