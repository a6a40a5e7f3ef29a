// Options of the sparse and linear attention operations of Ops.
#pragma once

#include <cstdint>
#include <optional>

#include "core/backend/token_blocks.h"
#include "core/tensor/tensor_view.h"

namespace fw::backend {

enum class GateMode : std::uint8_t { None, Token, Sample };

struct BranchOptions {
    float scale = 1.0F;
    GateMode gate = GateMode::None;
    ConstTensorView logits;  // f32 [B, N, 1] unless the mode is None; Sample takes their mean
};

// What Ops::addBranch() would add to the result of an attention, added where it is written: the same bits. The
// result's heads then lie one behind the other.
struct AddedBranch {
    ConstTensorView branch = {};  // [B, N, H·D] act; none: nothing is added
    BranchOptions options = {};
};

struct WindowOptions {
    float scale = 1.0F;  // > 0
    TokenGrid grid;
    std::int64_t window = 0;  // a query sees the keys at most this many positions away, both sides inclusive
    bool sinkFrame = false;   // and the whole first frame
    ConstTensorView orders;   // optional u8 [B, H], a TokenOrder each; none: frame-major
    AddedBranch added = {};
};

// The key blocks each block of queries sees: blocks[b, h, r, i] for i < counts[b, h, r], no block twice, ascending
// when made by selectBlocks. Dimensions may have stride 0 (shared by batch or heads).
struct BlockLists {
    TensorView blocks;  // i32 [B, H, R, K], stride 1 last
    TensorView counts;  // i32 [B, H, R]
};

struct BlockSparseOptions {
    float scale = 1.0F;  // > 0
    TokenBlocks blocks;
    // (query, key) pairs the lists keep per batch and head: what is charged. Lists may live where the host cannot
    // read them.
    std::int64_t pairs = 0;
    AddedBranch added = {};
};

// The keys that each query of one sample saw: those of the listed blocks where there are lists, of the window
// otherwise.
struct SeenKeys {
    WindowOptions window;
    TokenBlocks blocks;
    BlockLists lists;
    [[nodiscard]] bool areListed() const { return !lists.blocks.isNone(); }
};

struct SelectOptions {
    TokenBlocks blocks;
    std::int64_t kept = 1;   // key blocks for each block of queries, 1 … blocks.count()
    bool sinkFrame = false;  // among them always those that hold the first frame
};

// 3-D rotary position tables: f32 [N, D/2] each, for interleaved pairs (2m, 2m+1).
struct RopeTables {
    ConstTensorView cosine;
    ConstTensorView sine;
};

struct LinearAttentionOptions {
    float eps = 1e-6F;
    // Given: q and k are taken back to before their rotation, rectified, and rotated again for the numerator only.
    // Otherwise they are rectified as they are, for both.
    std::optional<RopeTables> rope;
};

}  // namespace fw::backend
