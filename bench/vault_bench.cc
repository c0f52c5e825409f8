/// How fast the vault takes points in and gives them back, on this machine's disk.
///
/// BENCH_BYTES sets the size of the tree (default 512 MiB). Data: pages that compress about as well
/// as a database's, and noise. Everything lies in a directory that is removed at the end.

#include <benchmark/benchmark.h>

#include <cstdlib>

#include "platform/env/real.h"
#include "vault/vault.h"

namespace lifeboat::vault {
namespace {

template <class T>
T must(Result<T> result) {
    if (!result.has_value()) {
        fmt::print(stderr, "{}\n", result.error().message);
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

std::uint64_t tree_size() {
    const auto text = real_processes().environment("BENCH_BYTES");
    return text ? std::strtoull(text->c_str(), nullptr, 10) : std::uint64_t{512} << 20U;
}

/// Pages of a database: a header, tuples of digits and words, some free space.
Bytes pages(std::size_t size, std::uint64_t seed) {
    Bytes bytes(size);
    std::uint64_t state = seed * 2 + 1;
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const std::size_t within = i % 8192;
        if (within > 6500) continue;
        const std::uint64_t text = within % 64 < 24 ? state >> 32U : 0x2020206b6c6d6e6fU;
        std::memcpy(bytes.data() + i, &text, 8);
    }
    return bytes;
}

Bytes noise(std::size_t size) {
    Bytes bytes(size);
    real_random().fill(bytes);
    return bytes;
}

struct Place {
    Place() {
        path = std::filesystem::temp_directory_path() / ("lifeboat-bench-" + real_random().hex(4));
        must(real_files().make_directories(path));
        must(make_key(real_environment(), path / "key"));
        key = must(load_key(real_environment(), path / "key"));
        must(init_vault(real_environment(), path / "vault", key));
        vault = must(open_vault(real_environment(), path / "vault", key));
    }
    ~Place() { must(real_files().remove_tree(path)); }
    std::filesystem::path path;
    crypto::Key key;
    std::unique_ptr<Vault> vault;
};

Point write_point(Vault& vault, const Bytes& file, std::uint64_t total, Chunking chunking) {
    const Context context(real_clock());
    auto writer = must(vault.begin_point("database", "base", real_clock().now()));
    Bytes own = file;
    for (std::uint64_t done = 0; done < total; done += own.size()) {
        // Every file a little different, or all but the first would be found in the vault.
        for (std::size_t i = 0; i < own.size(); i += 8192) std::memcpy(own.data() + i, &done, 8);
        must(writer->begin_file(fmt::format("base/{}", done), {}, chunking));
        for (std::size_t at = 0; at < own.size(); at += 1U << 17U)
            must(writer->write(context, ByteView(own).subspan(at).first(
                                            std::min<std::size_t>(own.size() - at, 1U << 17U))));
    }
    return must(writer->commit(context, real_clock().now(), Json::object(), Json::object()));
}

void backup(benchmark::State& state, const Bytes& file, Chunking chunking) {
    for (auto _ : state) {
        state.PauseTiming();
        auto place = std::make_unique<Place>();
        state.ResumeTiming();
        const Point point = write_point(*place->vault, file, tree_size(), chunking);
        state.PauseTiming();
        state.counters["ratio"] =
            static_cast<double>(point.size) / static_cast<double>(point.stored);
        place.reset();
        state.ResumeTiming();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * tree_size()));
}

void backup_again(benchmark::State& state) {
    Place place;
    const Bytes file = pages(32U << 20U, 1);
    write_point(*place.vault, file, tree_size(), Chunking::fixed_64k);
    for (auto _ : state) write_point(*place.vault, file, tree_size(), Chunking::fixed_64k);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * tree_size()));
}

void restore(benchmark::State& state, const Bytes& file) {
    Place place;
    const Point point = write_point(*place.vault, file, tree_size(), Chunking::fixed_64k);
    const Context context(real_clock());
    for (auto _ : state) {
        auto reader = must(place.vault->open_point(point.id));
        must(reader->restore(context, place.path / "out", {}, {}));
        state.PauseTiming();
        must(real_files().remove_tree(place.path / "out"));
        state.ResumeTiming();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * tree_size()));
}

void append_and_sync(benchmark::State& state) {
    Place place;
    auto writer = must(place.vault->append_log({"database", "1", 1}, 0));
    const Bytes record = pages(static_cast<std::size_t>(state.range(0)), 3);
    for (auto _ : state) {
        must(writer->append(writer->end(), record, writer->end() + record.size(), {}));
        must(writer->sync());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

void read_log(benchmark::State& state) {
    Place place;
    auto writer = must(place.vault->append_log({"database", "1", 1}, 0));
    const Bytes record = pages(8192, 3);
    const std::size_t count = (128U << 20U) / record.size();
    for (std::size_t i = 0; i < count; ++i) {
        must(writer->append(writer->end(), record, writer->end() + record.size(), {}));
        if (i % 16 == 0) must(writer->sync());
    }
    must(writer->sync());
    Bytes segment(16U << 20U);
    for (auto _ : state) {
        // As restore_command does it: everything opened anew for one segment.
        auto vault = must(open_vault(real_environment(), place.path / "vault", place.key));
        must(must(vault->open_log({"database", "1", 1}))->read(64U << 20U, segment));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * segment.size()));
}

void list_points(benchmark::State& state) {
    Place place;
    for (std::int64_t i = 0; i < state.range(0); ++i)
        write_point(*place.vault, Bytes(100), 100, Chunking::fixed_64k);
    for (auto _ : state) {
        auto vault = must(open_vault(real_environment(), place.path / "vault", place.key));
        benchmark::DoNotOptimize(must(vault->points()));
    }
}

const Bytes page_file = pages(32U << 20U, 1);
const Bytes noise_file = noise(32U << 20U);

BENCHMARK_CAPTURE(backup, pages, page_file, Chunking::fixed_64k)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(backup, noise, noise_file, Chunking::fixed_64k)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(backup, pages_by_content, page_file, Chunking::content_defined)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(backup_again)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(restore, pages, page_file)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(restore, noise, noise_file)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(append_and_sync)->Arg(256)->Arg(8192)->Arg(1 << 17)->UseRealTime();
BENCHMARK(read_log)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(list_points)->Arg(500)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace lifeboat::vault

BENCHMARK_MAIN();
