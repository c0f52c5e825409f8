#pragma once
/// Where a vault keeps its objects: names and immutable bytes. A directory today, S3 later.
///
/// put() is create-if-absent and durable on return, or durable at the next barrier() when asked to
/// be deferred: packs are written in batches with one barrier. Objects are never changed. The one
/// exception are append files (the WAL): they grow at the end, and their durable prefix is what
/// sync() has confirmed. All go through Files, so a test can crash at every write. Thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "platform/env/environment.h"

namespace lifeboat::vault {

struct ObjectInfo {
    std::string name;  ///< "packs/ab/abcdef…", "manifests/…"
    std::uint64_t size = 0;
    Instant modified{};  ///< by the clock of the storage: the age of an object
};

/// An append file; one writer.
class AppendObject {
public:
    virtual ~AppendObject() = default;
    virtual Result<void> append(ByteView bytes) = 0;
    virtual Result<void> sync() = 0;  ///< durable: every byte appended so far
};

class Store {
public:
    virtual ~Store() = default;
    /// Errors: conflict (it exists with other bytes), exhausted (full; nothing remains of it).
    virtual Result<void> put(const std::string& name, ByteView bytes, bool deferred = false) = 0;
    /// Durable: every deferred put so far, and every byte that any process has appended.
    virtual Result<void> barrier() = 0;
    virtual Result<ObjectInfo> status(const std::string& name) = 0;  ///< Errors: not_found.
    virtual Result<Bytes> get(const std::string& name) = 0;
    /// Exactly `size` bytes. Errors: not_found, corrupt (the object ends before).
    virtual Result<Bytes> get_range(const std::string& name, std::uint64_t offset,
                                    std::size_t size) = 0;
    /// Objects whose name begins with `prefix`, sorted by name; none is no error.
    virtual Result<std::vector<ObjectInfo>> list(const std::string& prefix) = 0;
    /// Errors: not_found.
    virtual Result<void> remove(const std::string& name) = 0;
    virtual Result<std::unique_ptr<AppendObject>> create_append(const std::string& name) = 0;
    virtual Result<std::uint64_t> free_space() = 0;
    virtual std::string describe() const = 0;  ///< "directory /srv/vault"
};

/// Errors: not_found (no such directory: the hint names `lifeboat vault init`), denied.
Result<std::unique_ptr<Store>> open_directory_store(const Path& directory,
                                                    Environment& environment);

}  // namespace lifeboat::vault
