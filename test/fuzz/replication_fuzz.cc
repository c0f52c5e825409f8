// Any bytes as what a PostgreSQL server sends or keeps: messages of the stream, timeline histories,
// the control file, backup labels, LSNs, names of WAL files. What is accepted reads back the same.

#include "platform/base/text.h"
#include "providers/postgres/control_file.h"
#include "providers/postgres/history.h"
#include "providers/postgres/lsn.h"
#include "providers/postgres/replication.h"
#include "test/fuzz/input.h"

namespace {

using namespace lifeboat;
using namespace lifeboat::postgres;

void message(ByteView bytes) {
    const auto read = read_wal_message(Bytes(bytes.begin(), bytes.end()));
    if (!read.has_value()) return;
    if (const auto* data = std::get_if<WalData>(&*read))
        CHECK(data->bytes.size() + 25 == bytes.size());
}

void history(std::string_view text) {
    const auto read = parse_history(7, text);
    if (!read.has_value()) return;
    // Each ancestor is older than its child: a path never turns back.
    Timeline last = 0;
    for (const Timeline timeline : read->path()) {
        CHECK(timeline > last);
        last = timeline;
    }
    CHECK(last == 7);
}

void names(std::string_view text) {
    if (const auto lsn = parse_lsn(text); lsn.has_value()) {
        const auto again = parse_lsn(format_lsn(*lsn));
        CHECK(again.has_value() && *again == *lsn);
    }
    (void)parse_wal_file(text, 16U << 20U);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes = fuzz::bytes_of(data, size).subspan(1);
    switch (data[0] % 5) {
        case 0:
            message(bytes);
            break;
        case 1:
            history(as_text(bytes));
            break;
        case 2:
            (void)parse_control_file(bytes);
            break;
        case 3:
            (void)require_backup_label(bytes);
            break;
        default:
            names(as_text(bytes));
    }
    return 0;
}
