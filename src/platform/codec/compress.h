#pragma once
/// zstd, one frame at a time.

#include "platform/base/bytes.h"
#include "platform/base/result.h"

namespace lifeboat {

Bytes compress(ByteView plain, int level = 1);
/// Errors: corrupt (not a frame, or it does not hold exactly `plain_size` bytes).
Result<Bytes> decompress(ByteView frame, std::size_t plain_size);

}  // namespace lifeboat
