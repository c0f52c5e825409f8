#pragma once
/// The tables of state.db and their rows. Every row that is no event carries a digest of itself,
/// and the number of such rows is kept beside them, so that a flipped byte or a lost page is found;
/// events carry the chain of hashes. Callers guard the connection.

#include <optional>
#include <string>
#include <vector>

#include "platform/state/database.h"
#include "platform/state/journal.h"
#include "platform/state/lease_rules.h"

namespace lifeboat::tables {

constexpr std::int64_t format = 1;

/// Brings a fresh file to the current format, checks an existing one, sets up the connection.
/// Errors: unsupported (newer format), invalid (another program's file), corrupt.
Result<void> prepare(Database& database, const Clock& clock);
/// Checks every row that is no event. Errors: corrupt, naming the row.
Result<void> verify(Database& database);

Result<Head> load_head(Database& database, const std::string& stream);
/// `fresh` when the stream had no row.
Result<void> save_head(Database& database, const std::string& stream, const Head& head, bool fresh);
Result<void> insert_event(Database& database, const std::string& stream, const StoredEvent& event,
                          const crypto::Digest& hash);
/// Events after `after`, at most `limit`, checked against the chain and the head.
Result<std::vector<StoredEvent>> load_events(Database& database, const std::string& stream,
                                             std::uint64_t after, std::size_t limit);

Result<std::optional<LeaseRow>> load_lease(Database& database, const std::string& name);
Result<void> save_lease(Database& database, const LeaseRow& row, bool fresh);

Result<Record> load_record(Database& database, const std::string& key);
Result<void> save_record(Database& database, const std::string& key, const Record& record,
                         bool fresh);

/// Names in `streams` or keys in `records` that begin with `prefix`, sorted.
Result<std::vector<std::string>> stream_names(Database& database, const std::string& prefix);
Result<std::vector<std::string>> record_keys(Database& database, const std::string& prefix);

}  // namespace lifeboat::tables
