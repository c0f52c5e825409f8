#pragma once
/// A State whose machine dies at chosen appends: before they are durable, or right after. Passes
/// all else through. Not thread-safe.

#include "engine/sim/faults.h"
#include "engine/sim/mutants.h"
#include "platform/state/open.h"

namespace lifeboat::engine::sim {

class CrashingState final : public State {
public:
    CrashingState(MemoryState& inner, Chance& chance, const Faults& faults,
                  Mutant mutant = Mutant::none)
        : inner_(inner), chance_(chance), faults_(faults), mutant_(mutant) {}

    /// Dies at the n-th append, and at no other.
    void crash_at(std::uint64_t append, bool before) {
        at_ = append;
        before_ = before;
    }
    std::uint64_t appends() const { return appends_; }
    bool has_crashed() const { return crashed_; }
    /// The machine is off: what was not written to the disk is gone.
    void lose_power() { unsynced_.clear(); }
    void reopen() {
        crashed_ = false;
        inner_.reopen();
    }

    Result<std::uint64_t> append(const std::string& stream, std::uint64_t expected_version,
                                 const std::vector<NewEvent>& events, const Lease* lease) override;
    Result<std::vector<StoredEvent>> read(const std::string& stream, std::uint64_t after,
                                          std::size_t limit) override;
    Result<std::uint64_t> version(const std::string& stream) override {
        return inner_.version(stream);
    }
    Result<std::vector<std::string>> streams(const std::string& prefix) override {
        return inner_.streams(prefix);
    }
    Result<void> watch(const Context& context, const std::string& stream,
                       std::uint64_t after) override {
        return inner_.watch(context, stream, after);
    }
    Result<Lease> acquire(const std::string& name, const Holder& holder, Duration ttl) override {
        return inner_.acquire(name, holder, ttl);
    }
    Result<Lease> renew(const Lease& lease, Duration ttl) override {
        return inner_.renew(lease, ttl);
    }
    Result<void> release(const Lease& lease) override { return inner_.release(lease); }
    Result<std::optional<Lease>> find_lease(const std::string& name) override {
        return inner_.find_lease(name);
    }
    Result<Record> get(const std::string& key) override { return inner_.get(key); }
    Result<std::uint64_t> put(const std::string& key, std::uint64_t expected,
                              const Json& value) override {
        return inner_.put(key, expected, value);
    }
    Result<std::vector<std::string>> keys(const std::string& prefix) override {
        return inner_.keys(prefix);
    }

private:
    enum class Death { none, before, after, disk_full, io_error };
    Death draw();
    Result<std::uint64_t> append_unsynced(const std::string& stream, std::uint64_t expected_version,
                                          const std::vector<NewEvent>& events, const Lease* lease);

    MemoryState& inner_;
    Chance& chance_;
    const Faults& faults_;
    Mutant mutant_;
    std::vector<NewEvent> unsynced_;  // of the defect: said to be durable
    std::uint64_t at_ = 0, appends_ = 0;
    bool before_ = false, crashed_ = false;
    unsigned deaths_ = 0;
};

}  // namespace lifeboat::engine::sim
