#pragma once
/// Lifeboat's own store of recovery points: deduplicated, compressed, encrypted, immutable,
/// verified.
///
/// Format: docs/format/vault.md. Commit order is packs → index → manifest; writers take no locks; a
/// crash leaves garbage and nothing else; a flipped bit anywhere is found and named, and never
/// restored. Knows nothing of PostgreSQL or Redis: a point is a tree of files with facts, a log is
/// a sequence of bytes addressed by position (an LSN) with boundaries and times. Thread-safe unless
/// said otherwise.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/id.h"
#include "platform/codec/crypto.h"
#include "platform/codec/json.h"
#include "platform/task/context.h"
#include "vault/store.h"

namespace lifeboat::vault {

using Progress =
    std::function<void(std::uint64_t done, std::uint64_t total)>;  ///< bytes; total 0 = ?

/// A recovery point as everybody sees it, from its manifest.
struct Point {
    PointId id;
    std::string component;
    std::string method;  ///< "base", "snapshot"
    Instant began{}, ended{};
    std::uint64_t size = 0;    ///< bytes of the files
    std::uint64_t stored = 0;  ///< bytes it added to the vault
    /// Of the provider: system identifier, timeline, start/stop LSN, … The vault reads one member
    /// only: "log": {"lineage", "branch", "from", "to"}, the stretch of the component's log without
    /// which the point is no use. prune keeps that branch from there on; verify names the point
    /// when it is damaged.
    Json facts = Json::object();
    Json instance = Json::object();  ///< the instance it was taken from: site, address, identity
    std::uint64_t sequence = 0;      ///< of the manifest chain
};

struct FileMeta {
    std::uint32_t mode = 0600;
    Instant modified{};
};

enum class Chunking { fixed_64k, content_defined };

/// Writes one point. Nothing is visible before commit(). Not thread-safe. Destroyed uncommitted:
/// garbage that `vault prune` removes.
class PointWriter {
public:
    virtual ~PointWriter() = default;
    virtual Result<void> add_directory(const std::string& path, const FileMeta& meta) = 0;
    virtual Result<void> add_symlink(const std::string& path, const std::string& target) = 0;
    /// Begins a file; its bytes follow by write() until the next add_/begin_/commit.
    virtual Result<void> begin_file(const std::string& path, const FileMeta& meta,
                                    Chunking chunking) = 0;
    virtual Result<void> write(const Context& context, ByteView bytes) = 0;
    virtual std::uint64_t written() const = 0;
    /// Durable: packs, index, then the manifest by create-if-absent. The point's `ended`, facts and
    /// instance are those given here.
    virtual Result<Point> commit(const Context& context, Instant ended, Json facts,
                                 Json instance) = 0;
};

struct Entry {
    enum class Type { file, directory, symlink } type = Type::file;
    std::string path;  ///< relative, no "..", unique
    std::string target;
    std::uint64_t size = 0;
    FileMeta meta;
};

struct RestoreOptions {
    std::optional<RunAs> owner;
    unsigned threads = 2;
    /// Called for each entry before it is written: the path to write, or nothing to leave it out.
    std::function<std::optional<std::string>(const Entry&)> map;
};

class PointReader {
public:
    virtual ~PointReader() = default;
    virtual const Point& point() const = 0;
    virtual const std::vector<Entry>& entries() const = 0;
    /// Errors: not_found, corrupt (names pack and offset).
    virtual Result<Bytes> read_file(const std::string& path) = 0;
    /// Writes everything below `directory`, which must be absent or empty. Durable on return (files
    /// and directories synced). Errors: conflict (not empty), exhausted (checked up front),
    /// corrupt.
    virtual Result<void> restore(const Context& context, const Path& directory,
                                 const RestoreOptions& options, const Progress& progress) = 0;
    /// Reads and authenticates every byte of the point.
    virtual Result<void> verify(const Context& context, const Progress& progress) = 0;
};

/// Names one log: whose it is, and which branch of its history.
struct LogName {
    std::string component;
    std::string lineage;       ///< PostgreSQL: the system identifier
    std::uint32_t branch = 1;  ///< PostgreSQL: the timeline
    auto operator<=>(const LogName&) const = default;
};

/// "At this time the log had reached this position": from commit records.
struct Mark {
    Instant at{};
    std::uint64_t position = 0;
    std::string label;  ///< a named restore point, else ""
};

/// Appends to one log. One writer per log at a time. Not thread-safe.
class LogWriter {
public:
    virtual ~LogWriter() = default;
    /// `position` must be where the log ends (or anywhere beyond, after gap()). `boundary` is the
    /// end of the last whole record in the log after these bytes (0 = none yet). Not durable before
    /// sync().
    virtual Result<void> append(std::uint64_t position, ByteView bytes, std::uint64_t boundary,
                                const std::vector<Mark>& marks) = 0;
    /// Durable: all appended. Returns the boundary that is now durable.
    virtual Result<std::uint64_t> sync() = 0;
    /// Records that the bytes from the end of the log to `position` are lost for ever.
    virtual Result<void> gap(std::uint64_t position, const std::string& reason) = 0;
    virtual std::uint64_t end() const = 0;
};

struct Gap {
    std::uint64_t from = 0, to = 0;
    std::string reason;
    /// These bytes were stored and can no longer be read; `reason` names file, frame and offset. At
    /// the end of a log `to` may equal `from`: how much was lost is not known.
    bool damaged = false;
};

/// What a log holds, as far as it is durable and authentic.
struct LogStatus {
    LogName name;
    std::uint64_t begin = 0, end = 0;  ///< contiguous but for the gaps
    std::uint64_t boundary = 0;        ///< end of the last whole record
    std::vector<Gap> gaps;
    std::optional<Mark> first, last;
    std::uint64_t stored = 0;  ///< bytes in the vault
};

class LogReader {
public:
    virtual ~LogReader() = default;
    virtual const LogStatus& status() const = 0;
    /// Exactly `out.size()` bytes at `position`. Errors: not_found (before begin, beyond end, or in
    /// a gap: names it), corrupt (names file and frame).
    virtual Result<void> read(std::uint64_t position, std::span<std::byte> out) = 0;
    /// The last mark at or before `time`: going back to that moment is exactly its position.
    virtual std::optional<Mark> mark_before(Instant time) const = 0;
    /// The last mark that carries this label.
    virtual std::optional<Mark> mark_with_label(const std::string& label) const = 0;
};

struct Finding {
    std::string object;
    std::string what;  ///< "pack …: chunk 17 at offset 123456: authentication failed"
    std::vector<std::string> affects;  ///< points and logs that cannot be restored because of it
};

struct VerifyReport {
    std::uint64_t objects = 0, bytes = 0;
    std::vector<Finding> findings;
};

struct PruneRule {
    /// Points of a component that are kept whatever their age: the newest N.
    unsigned keep_newest = 1;
    std::map<std::string, Duration> keep;  ///< per component
};
struct PruneReport {
    std::vector<PointId> removed;
    std::uint64_t objects_removed = 0, bytes_freed = 0;
};

class Vault {
public:
    virtual ~Vault() = default;
    virtual std::string id() const = 0;
    virtual Store& store() = 0;

    virtual Result<std::unique_ptr<PointWriter>> begin_point(const std::string& component,
                                                             const std::string& method,
                                                             Instant began) = 0;
    /// Newest last. Only committed and authentic manifests; damaged ones are in `damaged` when
    /// given.
    virtual Result<std::vector<Point>> points(const std::string& component = "",
                                              std::vector<Finding>* damaged = nullptr) = 0;
    virtual Result<std::unique_ptr<PointReader>> open_point(const PointId& id) = 0;

    /// Opens for appending: a new file begins, the old tail is never rewritten. For a new log
    /// `begin` is its first position.
    virtual Result<std::unique_ptr<LogWriter>> append_log(const LogName& name,
                                                          std::uint64_t begin) = 0;
    virtual Result<std::unique_ptr<LogReader>> open_log(const LogName& name) = 0;
    virtual Result<std::vector<LogStatus>> logs(const std::string& component = "") = 0;

    /// Small immutable sealed documents beside points and logs (a timeline's history, an instance's
    /// record): "pg/<lineage>/00000002.history". Durable. Errors: conflict when it exists with
    /// other bytes.
    virtual Result<void> put_document(const std::string& component, const std::string& name,
                                      ByteView bytes) = 0;
    virtual Result<Bytes> get_document(const std::string& component, const std::string& name) = 0;
    virtual Result<std::vector<std::string>> documents(const std::string& component) = 0;

    /// `deep` reads and authenticates every byte; otherwise names, sizes and manifests. Packs that
    /// are damaged or missing are marked, so that the next point stores anew what it needs of them.
    virtual Result<VerifyReport> verify(const Context& context, bool deep,
                                        const Progress& progress) = 0;
    /// Removes expired points, WAL that no kept point needs, and objects that nothing refers to and
    /// that are older than `grace`. Never what a kept point or log needs.
    virtual Result<PruneReport> prune(const Context& context, const PruneRule& rule, Duration grace,
                                      bool dry_run) = 0;
};

/// The key file: a root secret outside the vault. Text, one line, with a checksum so that a damaged
/// or mistyped copy is told from a wrong one. Errors: conflict (file exists).
Result<void> make_key(Environment& environment, const Path& key_file);
/// Errors: not_found, denied (readable by others), corrupt (damaged copy).
Result<crypto::Key> load_key(Environment& environment, const Path& key_file);

/// Creates the directory, its format record and nothing else. Errors: conflict (already a vault).
Result<void> init_vault(Environment& environment, const Path& directory, const crypto::Key& key);
/// Errors: not_found (no vault there), denied (the key is of another vault: says so), unsupported
/// (a newer format: names the feature flags), corrupt.
Result<std::unique_ptr<Vault>> open_vault(Environment& environment, const Path& directory,
                                          const crypto::Key& key);

}  // namespace lifeboat::vault
