// The main of a fuzzer without libFuzzer: feeds it every file of its corpus, and mutations of them.
//
// usage: fuzz_NAME FOLDER      mutations are the same on every run; about three seconds of them
//
// So every build, the sanitized one too, runs every parser over broken input; ./dev fuzz searches
// on.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;
constexpr std::size_t mutations_max = 20'000;
constexpr std::chrono::seconds time_max{3};

void feed(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

std::vector<Input> read_corpus(const char* folder) {
    std::vector<std::filesystem::path> paths;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.is_regular_file(error)) paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<Input> corpus;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

/// One to eight small injuries: a flipped bit, a byte, a cut, a piece doubled, a piece of another.
Input mutate(const std::vector<Input>& corpus, std::mt19937_64& random) {
    const auto below = [&random](std::size_t bound) { return bound == 0 ? 0 : random() % bound; };
    Input input = corpus[below(corpus.size())];
    const std::size_t injuries = 1 + below(8);
    for (std::size_t i = 0; i < injuries; ++i) {
        if (input.empty()) input.push_back(0);
        const std::size_t at = below(input.size());
        const std::size_t size = std::min<std::size_t>(below(64), input.size() - at);
        const auto place = input.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = place + static_cast<std::ptrdiff_t>(size);
        switch (below(5)) {
            case 0:
                *place = static_cast<std::uint8_t>(*place ^ (1U << below(8)));
                break;
            case 1:
                *place = static_cast<std::uint8_t>(below(256));
                break;
            case 2:
                input.erase(place, end);
                break;
            case 3: {
                const Input piece(place, end);
                input.insert(place, piece.begin(), piece.end());
                break;
            }
            default: {
                const Input& other = corpus[below(corpus.size())];
                const std::size_t from = below(other.size());
                const std::size_t length = std::min<std::size_t>(size, other.size() - from);
                std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), length, place);
            }
        }
    }
    return input;
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<Input> corpus = read_corpus(count > 1 ? arguments[1] : ".");
    if (corpus.empty()) {
        std::fputs("no corpus: the argument is a folder with at least one file\n", stderr);
        return 2;
    }
    for (const Input& input : corpus) feed(input);
    std::mt19937_64 random(1);
    const auto until = std::chrono::steady_clock::now() + time_max;
    std::size_t done = 0;
    while (done < mutations_max && std::chrono::steady_clock::now() < until) {
        feed(mutate(corpus, random));
        ++done;
    }
    std::printf("%zu inputs and %zu mutations\n", corpus.size(), done);
    return 0;
}
