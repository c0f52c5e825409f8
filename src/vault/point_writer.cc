/// Writes one point: the caller's thread cuts its bytes into chunks, two workers hash, look up and
/// compress them, the assembler puts them in order.

#include "vault/point_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

#include "platform/task/queue.h"
#include "platform/task/scope.h"
#include "vault/assembler.h"
#include "vault/avoid.h"
#include "vault/chunker.h"
#include "vault/session.h"

namespace lifeboat::vault {
namespace {

constexpr unsigned workers = 2;
// Chunks between the caller and the workers: 1 MiB of database pages, at most 64 MiB of other
// streams.
constexpr std::size_t queued_chunks = 16;

struct Job {
    std::uint64_t number = 0;
    Bytes typed;  ///< a byte for the type, then the chunk: what the id is made of
};

class Writer final : public PointWriter {
public:
    Writer(Access& access, History& history, Point point)
        : access_(access),
          history_(history),
          point_(std::move(point)),
          gear_(make_gear_table(access.keys.gear)),
          index_(access.store, access.keys, access.environment.random),
          assembler_(access, index_),
          queue_(queued_chunks),
          scope_(Context(access.environment.clock)) {}

    ~Writer() override { queue_.close(); }

    Result<void> start() {
        session_ = TRY(Session::begin(access_, "write"));
        // After the session is published: a prune that missed it has published what it takes away.
        auto avoided = TRY(packs_to_avoid(access_));
        TRY(index_.load(std::move(avoided)));
        if (index_.is_incomplete()) TRY(index_.rebuild());
        for (unsigned i = 0; i < workers; ++i)
            scope_.spawn([this](const Context& context) {
                auto done = work(context);
                if (!done.has_value())
                    queue_.close();  // the caller must not wait for room for ever
                return done;
            });
        return ok();
    }

    Result<void> add_directory(const std::string& path, const FileMeta& meta) override {
        TRY(begin_entry(path));
        return assembler_.submit(next_++, AddDirectory{path, meta});
    }

    Result<void> add_symlink(const std::string& path, const std::string& target) override {
        TRY(begin_entry(path));
        if (target.empty() || target.size() > 4096)
            return invalid(
                fmt::format("symlink '{}' has a target of {} bytes", path, target.size()));
        return assembler_.submit(next_++, AddSymlink{path, target});
    }

    Result<void> begin_file(const std::string& path, const FileMeta& meta,
                            Chunking chunking) override {
        TRY(begin_entry(path));
        chunker_.emplace(chunking, gear_);
        return assembler_.submit(next_++, BeginFile{path, meta});
    }

    Result<void> write(const Context& context, ByteView bytes) override {
        if (!chunker_) return invalid("bytes of a point that belong to no file");
        TRY(session_->renew());
        while (!bytes.empty()) {
            const Chunker::Step step = chunker_->feed(bytes);
            if (chunk_.empty()) chunk_.push_back(static_cast<std::byte>(ChunkType::data));
            append(chunk_, bytes.first(step.taken));
            point_.size += step.taken;
            bytes = bytes.subspan(step.taken);
            if (step.cut) TRY(push_chunk(context));
        }
        return ok();
    }

    std::uint64_t written() const override { return point_.size; }

    Result<Point> commit(const Context& context, Instant ended, Json facts,
                         Json instance) override {
        if (committed_) return invalid("this point is committed");
        TRY(end_file());
        TRY(drain());
        TRY(context.check("writing a recovery point"));
        auto assembled = TRY(assembler_.finish());
        TRY(session_->check());
        TRY(check_borrowed());
        TRY(context.check("writing a recovery point"));

        Manifest manifest;
        manifest.point = point_;
        manifest.point.ended = ended;
        manifest.point.facts = std::move(facts);
        manifest.point.instance = std::move(instance);
        manifest.point.stored = assembled.stored;
        manifest.root = assembled.root;
        manifest.entries = assembled.entries;
        manifest.packs = std::move(assembled.packs);
        manifest.tree = std::move(assembled.tree);
        auto point = TRY(history_.commit(std::move(manifest)));
        committed_ = true;
        (void)index_.tidy();  // Ignored: the point is safe; the next writer tidies up as well.
        session_.reset();
        return point;
    }

private:
    Result<void> begin_entry(const std::string& path) {
        if (committed_) return invalid("this point is committed");
        TRY(end_file());
        if (!is_tree_path(path)) return invalid(fmt::format("not a path of a point: '{}'", path));
        if (!paths_.insert(path).second)
            return invalid(fmt::format("the path '{}' was added before", path));
        return ok();
    }

    Result<void> end_file() {
        if (!chunker_) return ok();
        if (!chunk_.empty()) TRY(push_chunk(Context(access_.environment.clock)));
        chunker_.reset();
        return assembler_.submit(next_++, EndFile{});
    }

    Result<void> push_chunk(const Context& context) {
        Job job{next_++, std::exchange(chunk_, {})};
        chunk_.reserve(job.typed.size());
        auto pushed = queue_.push(context, std::move(job));
        if (pushed.has_value()) return ok();
        // A closed queue is the consequence; the cause is what a worker met.
        if (pushed.error().kind == ErrorKind::cancelled && !context.stopped()) TRY(drain());
        return pushed;
    }

    /// Waits for the workers; the first error of any of them.
    Result<void> drain() {
        queue_.close();
        if (!drained_) drained_ = scope_.wait();
        return *drained_;
    }

    Result<void> work(const Context& context) {
        for (;;) {
            auto job = TRY(queue_.pop(context));
            if (!job) return ok();
            Event event = TRY(process(*job));
            TRY(assembler_.submit(job->number, std::move(event)));
        }
    }

    Result<Event> process(const Job& job) {
        const ByteView plain = ByteView(job.typed).subspan(1);
        if (is_zero(plain)) return Event(ZeroChunk{plain.size()});
        DataChunk chunk{.id = chunk_id(access_.keys, job.typed),
                        .size = plain.size(),
                        .known = {},
                        .packed = {}};
        if (assembler_.has(chunk.id)) {
            // Raw bytes in case the assembler has moved the chunk into the index when this comes
            // there.
            chunk.packed = {to_bytes(plain), Encoding::raw};
            return Event(std::move(chunk));
        }
        chunk.known = TRY(index_.find(chunk.id, ChunkType::data));
        if (!chunk.known) chunk.packed = encode_chunk(plain);
        return Event(std::move(chunk));
    }

    /// What this point borrows from older packs must still be there when it becomes visible.
    Result<void> check_borrowed() {
        std::string missing;
        for (const PackRef& pack : assembler_.borrowed()) {
            auto found = access_.store.status(pack_object(pack.name));
            if (found.has_value()) continue;
            if (found.error().kind != ErrorKind::not_found) return std::move(found).error();
            // Or the next attempt would find it in the index again.
            TRY(quarantine(access_, pack.name));
            missing = pack_object(pack.name);
        }
        if (missing.empty()) return ok();
        return conflict(
            fmt::format("pack '{}', which holds a part of this point, is missing", missing),
            "Make the backup again: what is missing is stored anew. "
            "`lifeboat vault verify` names the points that have lost it.");
    }

    Access& access_;
    History& history_;
    Point point_;
    const GearTable gear_;
    Index index_;
    Assembler assembler_;
    std::unique_ptr<Session> session_;
    std::unordered_set<std::string> paths_;
    std::optional<Chunker> chunker_;  ///< of the open file
    Bytes chunk_;                     ///< the open chunk behind its type, or empty
    std::uint64_t next_ = 0;
    bool committed_ = false;
    std::optional<Result<void>> drained_;
    Queue<Job> queue_;
    TaskScope scope_;  // last: its threads use all the others
};

/// "database-20261123T110643Z-1a2b3c"
PointId new_point_id(const std::string& component, Instant began, Random& random) {
    std::string stamp = format_instant(std::chrono::floor<std::chrono::seconds>(began));
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    return PointId(fmt::format("{}-{}-{}", component, stamp, random.hex(3)));
}

}  // namespace

Result<std::unique_ptr<PointWriter>> begin_point(Access& access, History& history,
                                                 const std::string& component,
                                                 const std::string& method, Instant began) {
    TRY(access.may_write());
    Point point;
    point.component = component;
    point.method = method;
    point.began = began;
    point.id = new_point_id(component, began, access.environment.random);
    auto writer = std::make_unique<Writer>(access, history, std::move(point));
    TRY(writer->start());
    return std::unique_ptr<PointWriter>(std::move(writer));
}

}  // namespace lifeboat::vault
