// Any line as Redis' answer to PSYNC: refused with its words, or a start and a framing that hold
// what they say.

#include "providers/redis/sync_reply.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto start = redis::read_sync_start(text); start.has_value())
        CHECK(text.find(start->replication_id) != std::string_view::npos);
    if (const auto framing = redis::read_framing(text); framing.has_value()) {
        CHECK((framing->size > 0) != (framing->mark.size() == redis::mark_size));
    }
    return 0;
}
