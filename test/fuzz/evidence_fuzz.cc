// Any JSON as a fact of the evidence: refused, or read and written back the same.

#include "core/readiness/evidence.h"
#include "platform/codec/json.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    const auto value = parse_json(fuzz::text_of(data, size));
    if (!value.has_value()) return 0;
    const auto fact = readiness::fact_from_json(*value);
    if (!fact.has_value()) return 0;
    const Json written = readiness::to_json(*fact);
    const auto again = readiness::fact_from_json(written);
    CHECK(again.has_value());
    CHECK(dump_canonical(readiness::to_json(*again)) == dump_canonical(written));
    return 0;
}
