// Any bytes as each part of the vault's format that is parsed: refused or read, never more than is
// there.

#include "test/fuzz/input.h"
#include "vault/format_record.h"
#include "vault/log_file.h"
#include "vault/manifest.h"
#include "vault/tree.h"

namespace {

using namespace lifeboat;

void tree(ByteView bytes) {
    vault::TreeReader reader;
    if (!reader.add(bytes).has_value()) return;
    const auto tree = reader.finish();
    if (!tree.has_value()) return;
    CHECK(tree->first.size() == tree->entries.size() + 1);
    for (std::size_t i = 0; i < tree->entries.size(); ++i) {
        std::uint64_t size = 0;
        for (const vault::Extent& extent : tree->extents_of(i)) size += extent.size;
        CHECK(size == tree->entries[i].size);
        CHECK(vault::is_tree_path(tree->entries[i].path));
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes = fuzz::bytes_of(data, size).subspan(1);
    static const crypto::Key key;
    static const vault::Keys keys = vault::derive_keys(key, {});
    switch (data[0] % 6) {
        case 0:
            tree(bytes);
            break;
        case 1:
            (void)vault::read_close_head(bytes);
            break;
        case 2:
            (void)vault::read_frame_header(bytes);
            break;
        case 3:
            (void)vault::read_format_record(as_text(bytes), key);
            break;
        case 4:
            (void)vault::read_manifest(keys, 1, bytes);
            break;
        default:
            (void)vault::read_pack_table(keys, {}, bytes);
    }
    return 0;
}
