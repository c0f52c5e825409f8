// Any JSON as the payload of each event of a run's journal: refused, or read and written back the
// same. The input: the number of the event's type, then the payload.

#include "core/runbook/event.h"
#include "core/runbook/event_names.h"
#include "platform/codec/json.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    if (size == 0) return 0;
    const auto payload = parse_json(as_text(fuzz::bytes_of(data, size).subspan(1)));
    if (!payload.has_value()) return 0;
    const std::string type(runbook::event_names.at(data[0] % runbook::event_names.size()));
    const auto event = runbook::event_from_json(type, Instant{}, *payload);
    if (!event.has_value()) return 0;
    CHECK(runbook::type_name(*event) == type);
    const Json written = runbook::to_json(*event);
    const auto again = runbook::event_from_json(type, Instant{}, written);
    CHECK(again.has_value());
    CHECK(dump_canonical(runbook::to_json(*again)) == dump_canonical(written));
    return 0;
}
