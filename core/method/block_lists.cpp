#include "core/method/block_lists.h"

#include <algorithm>

namespace fw::method {

namespace {

constexpr std::int64_t kTile = 64;

std::int64_t pieces(std::int64_t tokens) {
    return (tokens + kTile - 1) / kTile;
}

}  // namespace

std::int64_t tilesOf(std::int64_t queries, std::int64_t keys) {
    return pieces(queries) * pieces(keys);
}

HostLists makeHostLists(const backend::TokenBlocks& cut, const std::vector<std::vector<std::int32_t>>& kept) {
    HostLists lists;
    for (const auto& row : kept) {
        lists.longest = std::max(lists.longest, static_cast<std::int64_t>(row.size()));
    }
    for (std::size_t block = 0; block < kept.size(); ++block) {
        const std::int64_t queries = cut.tokensOf(static_cast<std::int64_t>(block));
        for (const std::int32_t key : kept[block]) {
            const std::int64_t keys = cut.tokensOf(key);
            lists.work.pairs += queries * keys;
            lists.work.tiles += tilesOf(queries, keys);
        }
        lists.counts.push_back(static_cast<std::int32_t>(kept[block].size()));
        lists.blocks.insert(lists.blocks.end(), kept[block].begin(), kept[block].end());
        lists.blocks.resize((block + 1) * static_cast<std::size_t>(lists.longest), -1);
    }
    return lists;
}

backend::BlockLists sharedLists(const TensorView& blocks, const TensorView& counts, const ConstTensorView& q) {
    const std::int64_t rows = counts.count(), longest = blocks.count() / rows;
    const DeviceKind device = blocks.device();
    return {TensorView(blocks.mutableData(), DType::I32, {q.dim(0), q.dim(2), rows, longest}, {0, 0, longest, 1},
                       device),
            TensorView(counts.mutableData(), DType::I32, {q.dim(0), q.dim(2), rows}, {0, 0, 1}, device)};
}

backend::BlockLists uploadLists(RunContext& context, const HostLists& lists, const ConstTensorView& q) {
    const auto rows = static_cast<std::int64_t>(lists.counts.size());
    const TensorView blocks = context.arena.take(DType::I32, {rows * lists.longest});
    const TensorView counts = context.arena.take(DType::I32, {rows});
    if (context.ops.deviceKind() != DeviceKind::Meta) {
        context.ops.upload(ConstTensorView(lists.blocks.data(), DType::I32, blocks.shape()), blocks);
        context.ops.upload(ConstTensorView(lists.counts.data(), DType::I32, counts.shape()), counts);
    }
    return sharedLists(blocks, counts, q);
}

}  // namespace fw::method
