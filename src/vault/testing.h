#pragma once
/// What the vault's tests share: a world in memory with a vault in it, trees of files, damage.

#include <gtest/gtest.h>

#include <map>

#include "platform/env/real.h"
#include "platform/env/sim_clock.h"
#include "platform/env/sim_files.h"
#include "platform/env/sim_random.h"
#include "vault/vault.h"

namespace lifeboat::vault::testing {

using namespace std::chrono_literals;

#define ASSERT_OK(expression)                                                          \
    do {                                                                               \
        const auto& assert_ok_result = (expression);                                   \
        ASSERT_TRUE(assert_ok_result.has_value()) << assert_ok_result.error().message; \
    } while (false)
#define EXPECT_OK(expression)                                                          \
    do {                                                                               \
        const auto& expect_ok_result = (expression);                                   \
        EXPECT_TRUE(expect_ok_result.has_value()) << expect_ok_result.error().message; \
    } while (false)

/// The value, or a failed test and the end of the program: for what a test takes for granted.
template <class T>
T must(Result<T> result) {
    if (!result.has_value()) {
        ADD_FAILURE() << result.error().message;
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

/// A file tree as a test describes it; a directory has a path that ends in '/', a link a target.
struct TestFile {
    Bytes bytes;
    std::string target;
    std::uint32_t mode = 0600;
    Chunking chunking = Chunking::fixed_64k;
    bool operator==(const TestFile& other) const {
        return bytes == other.bytes && target == other.target;
    }
};
using TestTree = std::map<std::string, TestFile>;

struct World {
    explicit World(std::uint64_t seed = 1) : files(clock, seed), random(seed) {
        must(make_key(environment, "/key"));
        key = must(load_key(environment, "/key"));
        must(init_vault(environment, "/vault", key));
        must(files.sync_all("/"));
    }
    Result<std::unique_ptr<Vault>> open() { return open_vault(environment, "/vault", key); }
    /// The vault as a process that has just been started sees it.
    Vault& reopen() {
        opened.push_back(must(open()));
        return *opened.back();
    }
    Context context() const { return Context(clock); }

    SimClock clock;
    SimFiles files;
    SeededRandom random;
    Environment environment{clock, files, real_processes(), real_network(), random};
    crypto::Key key;
    std::vector<std::unique_ptr<Vault>> opened;
};

Bytes random_bytes(SeededRandom& random, std::size_t size);
/// Bytes like those of a database: pages that share much and compress well.
Bytes page_bytes(SeededRandom& random, std::size_t size);
/// Every kind of entry that a point may hold.
TestTree varied_tree(SeededRandom& random);

Result<Point> try_backup(Vault& vault, World& world, const std::string& component,
                         const TestTree& tree, Json facts = Json::object());
Point backup(Vault& vault, World& world, const std::string& component, const TestTree& tree,
             Json facts = Json::object());
Result<TestTree> try_restore(Vault& vault, World& world, const PointId& id, const Path& directory);
TestTree read_tree(Files& files, const Path& directory);

/// Names of all objects in the vault's directory, as paths below it.
std::vector<std::string> all_objects(World& world);

}  // namespace lifeboat::vault::testing
