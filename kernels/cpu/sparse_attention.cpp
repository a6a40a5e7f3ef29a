#include "kernels/cpu/sparse_attention.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/sparse_attention_internal.h"

namespace fw::kernels::cpu {

namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t divideUp(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit;
}
std::int64_t align(std::int64_t bytes) {
    return divideUp(bytes, kAlignment) * kAlignment;
}

// Keys [position, position + count) that fill one slot of the panel; of the sink: tokens.
struct PanelSlot {
    std::int64_t position = 0, count = 0;
    bool sink = false;
};

// Queries of one call of the kernel.
struct QueryTile {
    std::int64_t position = 0, count = 0, block = 0;
};

// What both forms have in common: keys are packed slot by slot, then each tile of queries walks a list of slots.
struct Layout {
    std::vector<PanelSlot> slots;
    std::vector<QueryTile> tiles;
    std::int64_t longestList = 0;  // slots one tile may list

    void addSlots(std::int64_t first, std::int64_t end, bool sink) {
        for (std::int64_t position = first; position < end; position += kSlotKeys) {
            slots.push_back({position, std::min(kSlotKeys, end - position), sink});
        }
    }
    // Tiles of equal size, as few as the kernel's block allows.
    void addTiles(std::int64_t first, std::int64_t end, std::int64_t block, std::int64_t queryBlock) {
        const std::int64_t pieces = divideUp(end - first, queryBlock);
        for (std::int64_t i = 0; i < pieces; ++i) {
            const std::int64_t from = first + (end - first) * i / pieces;
            tiles.push_back({from, first + (end - first) * (i + 1) / pieces - from, block});
        }
    }
};

// How the workspace is cut: panels of a group of heads, then for each thread the kernel's scratch and a slot list.
struct WorkspacePlan {
    WorkspacePlan(const AttentionArgs& args, const AttentionKernel& kernel, const Layout& layout)
        : threads(std::max(args.threads, 1)),
          panelBytes(
              align(kernel.panelBytes(static_cast<std::int64_t>(layout.slots.size()) * kSlotKeys, args.headDim))),
          scratchBytes(align(kernel.scratchBytes(args.headDim))),
          listBytes(align(layout.longestList * static_cast<std::int64_t>(sizeof(KeySlot)))) {
        constexpr std::int64_t kTasksPerThread = 48;
        const auto tiles = std::max<std::int64_t>(static_cast<std::int64_t>(layout.tiles.size()), 1);
        const std::int64_t wanted = divideUp(kTasksPerThread * threads, tiles);
        group = std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(args.batch * args.heads, 1));
    }
    [[nodiscard]] std::int64_t bytes() const {
        return group * 2 * panelBytes + threads * (scratchBytes + listBytes);
    }
    [[nodiscard]] HeadPanel panel(std::byte* workspace, std::int64_t index) const {
        std::byte* keys = workspace + index * 2 * panelBytes;
        return {keys, keys + panelBytes};
    }
    [[nodiscard]] std::byte* scratch(std::byte* workspace, int worker) const {
        return workspace + group * 2 * panelBytes + worker * (scratchBytes + listBytes);
    }

    int threads;
    std::int64_t panelBytes, scratchBytes, listBytes;
    std::int64_t group = 1;
};

bool supported(const AttentionArgs& args) {
    return args.headDim >= 16 && args.headDim <= kMaxHeadDim && args.headDim % 16 == 0 &&
           args.queries == args.keys && args.bias == nullptr && args.scale > 0.0F;
}

std::size_t sequenceOf(const TokenSequences& sequences, std::int64_t headIndex) {
    return sequences.of == nullptr ? 0 : sequences.of[headIndex];
}

// A call of either form: `listKeys(task, tile, headIndex, list)` writes the slots a tile of queries sees and
// returns their number.
template <class ListKeys>
class SparseCall {
 public:
    SparseCall(const AttentionArgs& args, const AttentionKernel& kernel, const TokenSequences& sequences,
               const Layout& layout, const std::int64_t* sinkSteps, const ListKeys& listKeys)
        : m_args(args),
          m_kernel(kernel),
          m_sequences(sequences),
          m_layout(layout),
          m_sinkSteps(sinkSteps),
          m_listKeys(listKeys),
          m_plan(args, kernel, layout) {}

    void run() {
        const std::int64_t heads = m_args.batch * m_args.heads;
        for (std::int64_t first = 0; first < heads; first += m_plan.group) {
            const std::int64_t count = std::min(m_plan.group, heads - first);
            forAll(first, count, m_layout.slots.size(),
                   [&](BlockTask& task, std::int64_t head, std::size_t index) { packSlot(task, head, index); });
            forAll(first, count, m_layout.tiles.size(), [&](BlockTask& task, std::int64_t head, std::size_t index) {
                attendTile(task, head, m_layout.tiles[index]);
            });
        }
    }

 private:
    template <class Body>
    void forAll(std::int64_t firstHead, std::int64_t heads, std::size_t items, const Body& body) {
        const auto count = static_cast<std::int64_t>(items);
        auto* workspace = static_cast<std::byte*>(m_args.workspace);
        parallelFor(heads * count, m_plan.threads, [&](std::int64_t index, int worker) {
            const std::int64_t head = firstHead + index / count;
            BlockTask task;
            task.args = &m_args;
            task.batch = head / m_args.heads;
            task.head = head % m_args.heads;
            task.panel = m_plan.panel(workspace, index / count);
            task.scratch = m_plan.scratch(workspace, worker);
            body(task, head, static_cast<std::size_t>(index % count));
        });
    }

    void packSlot(BlockTask& task, std::int64_t head, std::size_t index) const {
        const PanelSlot& slot = m_layout.slots[index];
        const std::size_t sequence = sequenceOf(m_sequences, head);
        task.first = static_cast<std::int64_t>(index) * kSlotKeys;
        task.count = slot.count;
        task.tokenStep = slot.sink ? m_sinkSteps[sequence] : 1;
        task.tokens = m_sequences.tokens[sequence] + slot.position * task.tokenStep;
        m_kernel.pack(task);
    }

    void attendTile(BlockTask& task, std::int64_t head, const QueryTile& tile) const {
        auto* list = reinterpret_cast<KeySlot*>(task.scratch + m_plan.scratchBytes);
        task.first = tile.position;
        task.count = tile.count;
        task.tokens = m_sequences.tokens[sequenceOf(m_sequences, head)] + tile.position;
        task.slots = list;
        task.slotCount = m_listKeys(task, tile, head, list);
        m_kernel.attend(task);
    }

    const AttentionArgs& m_args;
    const AttentionKernel& m_kernel;
    const TokenSequences& m_sequences;
    const Layout& m_layout;
    const std::int64_t* m_sinkSteps;
    const ListKeys& m_listKeys;
    WorkspacePlan m_plan;
};

Layout blockLayout(const BlockSparseArgs& args, const AttentionKernel& kernel) {
    Layout layout;
    std::int64_t largest = 0;
    for (std::int64_t block = 0; block < args.blocks; ++block) {
        largest = std::max(largest, divideUp(args.starts[block + 1] - args.starts[block], kSlotKeys));
        layout.addSlots(args.starts[block], args.starts[block + 1], false);
        layout.addTiles(args.starts[block], args.starts[block + 1], block, kernel.queryBlock);
    }
    layout.longestList = args.blocks * largest;
    return layout;
}

Layout windowLayout(const WindowArgs& args, const AttentionKernel& kernel) {
    Layout layout;
    layout.addSlots(0, args.operands.keys, false);
    layout.addSlots(0, args.sinkTokens, true);
    layout.addTiles(0, args.operands.queries, 0, kernel.queryBlock);
    layout.longestList = static_cast<std::int64_t>(layout.slots.size());
    return layout;
}

bool validBlocks(const BlockSparseArgs& args) {
    if (args.blocks < 1 || args.starts[0] != 0 || args.starts[args.blocks] != args.operands.keys) {
        return false;
    }
    return std::adjacent_find(args.starts, args.starts + args.blocks + 1, std::greater_equal<>()) ==
           args.starts + args.blocks + 1;
}

// The kept blocks of each query block in range, none counted more often than there are blocks.
bool validLists(const BlockSparseArgs& args) {
    for (std::int64_t row = 0; row < args.operands.batch * args.operands.heads * args.blocks; ++row) {
        const std::int64_t batch = row / args.blocks / args.operands.heads;
        const std::int64_t head = row / args.blocks % args.operands.heads;
        const std::int64_t block = row % args.blocks;
        const std::int32_t count =
            args.counts[batch * args.countBatch + head * args.countHead + block * args.countRow];
        const std::int32_t* list =
            args.lists + batch * args.listBatch + head * args.listHead + block * args.listRow;
        const bool inRange =
            count >= 0 && count <= args.blocks &&
            std::all_of(list, list + count, [&](std::int32_t kept) { return kept >= 0 && kept < args.blocks; });
        if (!inRange) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::int64_t blockSparseWorkspaceBytes(const BlockSparseArgs& args, const AttentionKernel& kernel) {
    return WorkspacePlan(args.operands, kernel, blockLayout(args, kernel)).bytes();
}

std::int64_t windowWorkspaceBytes(const WindowArgs& args, const AttentionKernel& kernel) {
    return WorkspacePlan(args.operands, kernel, windowLayout(args, kernel)).bytes();
}

int blockSparseAttention(const BlockSparseArgs& args, const AttentionKernel& kernel) {
    if (!supported(args.operands) || !validBlocks(args) || !validLists(args)) {
        return -1;
    }
    std::vector<std::int64_t> firstSlot{0};
    for (std::int64_t block = 0; block < args.blocks; ++block) {
        firstSlot.push_back(firstSlot.back() + divideUp(args.starts[block + 1] - args.starts[block], kSlotKeys));
    }
    const Layout layout = blockLayout(args, kernel);
    const auto listKeys = [&](const BlockTask& task, const QueryTile& tile, std::int64_t, KeySlot* list) {
        const std::int32_t* kept =
            args.lists + task.batch * args.listBatch + task.head * args.listHead + tile.block * args.listRow;
        const std::int32_t count =
            args.counts[task.batch * args.countBatch + task.head * args.countHead + tile.block * args.countRow];
        std::int64_t slots = 0;
        for (std::int32_t i = 0; i < count; ++i) {
            const auto block = static_cast<std::size_t>(kept[i]);
            for (std::int64_t slot = firstSlot[block]; slot < firstSlot[block + 1]; ++slot) {
                list[slots++] = {slot, layout.slots[static_cast<std::size_t>(slot)].count, 0, 1, SlotMask::None};
            }
        }
        return slots;
    };
    SparseCall(args.operands, kernel, args.sequences, layout, nullptr, listKeys).run();
    return 0;
}

int windowAttention(const WindowArgs& args, const AttentionKernel& kernel) {
    if (!supported(args.operands) || args.window < 0 || args.sinkTokens < 0 ||
        args.sinkTokens > args.operands.keys) {
        return -1;
    }
    const Layout layout = windowLayout(args, kernel);
    const std::int64_t ordinary = divideUp(args.operands.keys, kSlotKeys);
    const std::int64_t window = args.window;
    const auto listKeys = [&](BlockTask& task, const QueryTile& tile, std::int64_t head, KeySlot* list) {
        task.window = window;
        const std::int64_t lastQuery = tile.position + tile.count - 1;
        const std::int64_t from = std::max<std::int64_t>(tile.position - window, 0) / kSlotKeys;
        const std::int64_t to = std::min(ordinary - 1, (lastQuery + window) / kSlotKeys);
        std::int64_t slots = 0;
        for (std::int64_t slot = from; slot <= to; ++slot) {
            const PanelSlot& keys = layout.slots[static_cast<std::size_t>(slot)];
            const std::int64_t lastKey = keys.position + keys.count - 1;
            const bool whole = lastQuery - keys.position <= window && lastKey - tile.position <= window;
            list[slots++] = {slot, keys.count, keys.position, 1, whole ? SlotMask::None : SlotMask::Within};
        }
        // The sink's tokens have slots of their own, in which those already in the window are masked.
        const std::int64_t step = args.sinkTokens > 0 ? args.sinkSteps[sequenceOf(args.sequences, head)] : 1;
        for (auto slot = static_cast<std::size_t>(ordinary); slot < layout.slots.size(); ++slot) {
            const PanelSlot& keys = layout.slots[slot];
            const std::int64_t first = keys.position * step;
            const std::int64_t last = (keys.position + keys.count - 1) * step;
            const bool seen = lastQuery - first <= window && last - tile.position <= window;
            const bool apart = first - lastQuery > window || tile.position - last > window;
            if (!seen) {
                list[slots++] = {static_cast<std::int64_t>(slot), keys.count, first, step,
                                 apart ? SlotMask::None : SlotMask::Beyond};
            }
        }
        return slots;
    };
    SparseCall(args.operands, kernel, args.sequences, layout, args.sinkSteps, listKeys).run();
    return 0;
}

std::int64_t blockSparseWorkspaceBytes(const BlockSparseArgs& args) {
    return blockSparseWorkspaceBytes(args, bestAttentionKernel(args.operands.element));
}
std::int64_t windowWorkspaceBytes(const WindowArgs& args) {
    return windowWorkspaceBytes(args, bestAttentionKernel(args.operands.element));
}
int blockSparseAttention(const BlockSparseArgs& args) {
    return blockSparseAttention(args, bestAttentionKernel(args.operands.element));
}
int windowAttention(const WindowArgs& args) {
    return windowAttention(args, bestAttentionKernel(args.operands.element));
}

}  // namespace fw::kernels::cpu
