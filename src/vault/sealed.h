#pragma once
/// Small sealed objects: documents, sessions, records of prune. Bound to their name. Pure.
///
///     header 48 (magic, version, salt) | sealed bytes

#include "vault/access.h"

namespace lifeboat::vault {

Bytes seal_object(const Access& access, const std::string& object, ByteView plain);
/// Errors: corrupt, naming the object.
Result<Bytes> open_object(const Access& access, const std::string& object, ByteView bytes);

}  // namespace lifeboat::vault
