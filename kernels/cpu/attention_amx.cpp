// Attention in AMX bf16 tiles with an AVX-512 softmax.
//
// As in attention_simd.cpp the scores are held transposed, one vector lane per query. With that
//   - Sᵀ [keys, queries] = K · Qᵀ: K is a left operand as it lies in memory; Qᵀ is packed once per query block;
//   - Oᵀ [headDim, queries] += Vᵀ · Pᵀ: Vᵀ is packed once per head; Pᵀ comes out of the softmax;
// and no step needs a reduction across lanes. A right operand holds pairs of consecutive rows interleaved (VNNI).
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/attention_internal.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace fw::kernels::cpu {

namespace {

// The kernel asks for permission because the tile registers make each thread's saved state 8 KiB larger:
// https://docs.kernel.org/arch/x86/xstate.html
bool requestTileState() {
    constexpr long kArchRequestXcompPermission = 0x1023;
    constexpr long kTileDataFeature = 18;
    return syscall(SYS_arch_prctl, kArchRequestXcompPermission, kTileDataFeature) == 0;
}

bool processorHasTiles() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(1, 0, &a, &b, &c, &d) == 0 || (c & (1U << 27)) == 0) {  // OSXSAVE
        return false;
    }
    unsigned low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned kStates = 0x600E6;  // SSE, AVX, AVX-512 (three), tile configuration, tile data
    if ((low & kStates) != kStates || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) {
        return false;
    }
    constexpr unsigned kAvx512 = (1U << 16) | (1U << 17) | (1U << 30) | (1U << 31);  // F, DQ, BW, VL
    constexpr unsigned kAmx = (1U << 22) | (1U << 24);                               // BF16, TILE
    if ((b & kAvx512) != kAvx512 || (d & kAmx) != kAmx) {
        return false;
    }
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1U << 5)) != 0;  // AVX512_BF16
}

}  // namespace

}  // namespace fw::kernels::cpu

// Everything below may use these instructions and nothing above may: inline functions of the standard library that
// were compiled with them could otherwise be the copies the linker keeps for the whole program.
#if defined(__clang__)
#pragma clang attribute push(                                                                            \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2,amx-tile,amx-bf16"))), \
    apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wuninitialized"  // false positives inside g++ 12's own intrinsics (GCC bug 105593)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2,amx-tile,amx-bf16")
#endif

#include "kernels/cpu/attention_amx_pack-inl.h"
#include "kernels/cpu/attention_amx_softmax-inl.h"
#include "kernels/cpu/attention_amx_tiles-inl.h"

namespace fw::kernels::cpu {

namespace {

// Scratch of one thread. All of it is whole tiles, each 1 KiB and contiguous:
// Qᵀ (d / 32, query tile), Sᵀ (key tile, query tile), Pᵀ (pair of key tiles, query tile), Oᵀ (d / 16, query tile).
// Sᵀ and Pᵀ exist twice, for even and odd key blocks.
struct Scratch {
    std::byte* queries;
    float* scores[2];
    std::byte* probabilities[2];
    float* output;
};

constexpr std::int64_t kScoreBytes = kKeyTiles * kQueryTiles * kTileBytes;

Scratch viewScratch(std::byte* memory, std::int64_t chunks) {
    std::byte* scores = memory + chunks * kQueryTiles * kTileBytes;
    std::byte* probabilities = scores + 2 * kScoreBytes;
    return {memory,
            {reinterpret_cast<float*>(scores), reinterpret_cast<float*>(scores + kScoreBytes)},
            {probabilities, probabilities + kScoreBytes / 2},
            reinterpret_cast<float*>(probabilities + kScoreBytes)};
}

std::int64_t scratchBytes(std::int64_t headDim) {
    return 3 * chunksOf(headDim) * kQueryTiles * kTileBytes + 3 * kScoreBytes;
}

// One query block on its way through the key blocks, in three stages that overlap: while block j is exponentiated,
// the scores of block j + 1 and the output of block j - 1 are multiplied in tiles.
template <int kChunks>
class BlockPipeline {
 public:
    explicit BlockPipeline(const BlockTask& task)
        : m_task(task),
          m_args(*task.args),
          m_blocks(task.isSparse() ? task.slotCount : roundUp(m_args.keys, kKeyBlock) / kKeyBlock),
          m_factor(std::abs(m_args.scale) * kLog2E),
          m_scratch(viewScratch(task.scratch, kChunks)) {
        m_scale = m_args.bias == nullptr ? ScoreScale{m_factor, kMaximumSlack / m_factor}
                                         : ScoreScale{1.0F, kMaximumSlack};
        m_state[0] = m_state[1] = emptySoftmax();
    }

    void run() {
        packQueries(m_task, m_scratch.queries);
        if (m_blocks == 0) {
            std::fill(m_scratch.output, m_scratch.output + 2 * kChunks * kQueryTiles * kTileFloats, 0.0F);
        } else {
            const TileConfiguration tiles;
            runBlocks();
        }
        storeOutput(m_task, m_scratch.output, m_state);
    }

 private:
    using Actions = std::make_integer_sequence<int, TileActions<kChunks>::kCount>;

    // The maximum is only looked for in the first block. After that the reference stays, and a block whose
    // probabilities turn out too large for it is done again with a new one: rare, and cheaper than looking every
    // time.
    void runBlocks() {
        for (std::int64_t group = 0; group < groupsIn(0); ++group) {
            runActions(scoreWork(0, group));
        }
        finishScores(0);
        moveMaxima(0);
        for (std::int64_t block = 0; block < m_blocks; ++block) {
            const Softmax before[kQueryTiles] = {m_state[0], m_state[1]};
            for (std::int64_t group = 0; group < kGroups; ++group) {
                TileWork work = scoreWork(block + 1, group);
                addValueWork(block - 1, group, work);
                exponentiate(block, group, work);
            }
            if (outgrewReference(before[0], m_state[0]) || outgrewReference(before[1], m_state[1])) {
                m_state[0] = before[0];
                m_state[1] = before[1];
                redo(block);
            }
            finishScores(block + 1);
        }
        finishValues(m_blocks - 1);
    }

    // Exponentiates a block again, from sums that do not hold it yet.
    void redo(std::int64_t block) {
        moveMaxima(block);
        for (std::int64_t group = 0; group < kGroups; ++group) {
            exponentiate(block, group, TileWork());
        }
    }

    static void runActions(const TileWork& work) { SpreadGroup<kChunks, true>::runActions(Actions(), work); }

    [[nodiscard]] std::int64_t keysIn(std::int64_t block) const {
        if (m_task.isSparse()) {
            return block < m_blocks ? m_task.slots[block].count : 0;
        }
        return std::clamp<std::int64_t>(m_args.keys - block * kKeyBlock, 0, kKeyBlock);
    }

    // Where a block lies in the panel, in blocks.
    [[nodiscard]] std::int64_t panelBlock(std::int64_t block) const {
        return m_task.isSparse() ? m_task.slots[block].slot : block;
    }

    [[nodiscard]] std::int64_t groupsIn(std::int64_t block) const { return roundUp(keysIn(block), kPair) / kPair; }

    // The scores of a group of a block, if the block has it.
    [[nodiscard]] TileWork scoreWork(std::int64_t block, std::int64_t group) const {
        TileWork work;
        if (group < groupsIn(block)) {
            work.keys = m_task.panel.keys + (panelBlock(block) * kGroups + group) * 2 * kChunks * kTileBytes;
            work.queries = m_scratch.queries;
            work.scores = m_scratch.scores[block % 2] + group * 2 * kQueryTiles * kTileFloats;
        }
        return work;
    }

    // The part of a whole block's output that goes with a group of the next block.
    void addValueWork(std::int64_t block, std::int64_t group, TileWork& work) const {
        if (block >= 0) {
            work.values = m_task.panel.values + panelBlock(block) * kGroups * 2 * kChunks * kTileBytes;
            work.probabilities = m_scratch.probabilities[block % 2];
            work.output = m_scratch.output;
            work.firstUnit = group * TileActions<kChunks>::kUnits;
            work.begin = block == 0;
        }
    }

    // The output of the last block, which may have fewer groups.
    void finishValues(std::int64_t block) {
        orderMemory();
        for (std::int64_t unit = 0; unit < kChunks; ++unit) {
            float* target = m_scratch.output + unit * 2 * kQueryTiles * kTileFloats;
            if (block == 0) {
                zeroSums();
            } else {
                loadSums(target);
            }
            for (std::int64_t group = 0; group < groupsIn(block); ++group) {
                const std::byte* left =
                    m_task.panel.values + ((panelBlock(block) * kGroups + group) * kChunks + unit) * 2 * kTileBytes;
                const std::byte* right = m_scratch.probabilities[block % 2] + group * kQueryTiles * kTileBytes;
                multiplyTiles(left, left + kTileBytes, right);
            }
            storeSum<0>(target);
            storeSum<1>(target);
            storeSum<2>(target);
            storeSum<3>(target);
        }
        orderMemory();
    }

    // The tiles hold the bare products; only biases and the mask of a sparse call change them in memory.
    void finishScores(std::int64_t block) {
        if (m_task.isSparse() && block < m_blocks && m_task.slots[block].mask != SlotMask::None) {
            maskScores(m_task, m_task.slots[block], m_scratch.scores[block % 2]);
        }
        if (m_args.bias != nullptr && block < m_blocks) {
            addBias(m_task, block * kKeyBlock, keysIn(block), m_factor, m_scratch.scores[block % 2]);
        }
        if (m_args.firstKeyBias != 0.0F && block == 0) {
            raiseFirstKey(m_args, m_scale.factor, m_scratch.scores[0]);
        }
    }

    // To what this block's scores ask for. The output holds all blocks before this one.
    void moveMaxima(std::int64_t block) {
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            const __m512 rescale =
                moveMaximum(m_scratch.scores[block % 2], keysIn(block), tile, m_scale, m_state[tile]);
            if (block > 0) {
                scaleOutput(m_scratch.output, 2 * kChunks, tile, rescale);
            }
        }
    }

    void exponentiate(std::int64_t block, std::int64_t group, const TileWork& work) {
        const std::int64_t keys = keysIn(block) - group * kPair;
        const float* scores = m_scratch.scores[block % 2] + group * 2 * kQueryTiles * kTileFloats;
        std::byte* probabilities = m_scratch.probabilities[block % 2] + group * kQueryTiles * kTileBytes;
        if (keys < kPair) {
            runActions(work);
            exponentiateLast(scores, keys, probabilities);
        } else if (m_state[0].fused && m_state[1].fused) {
            SpreadGroup<kChunks, true>::run(scores, probabilities, m_scale.factor, work, m_state);
        } else {
            SpreadGroup<kChunks, false>::run(scores, probabilities, m_scale.factor, work, m_state);
        }
    }

    void exponentiateLast(const float* scores, std::int64_t keys, std::byte* probabilities) {
        for (int lot = 0; lot < kLots; ++lot) {  // also of a group without keys: its probabilities are zero
            Softmax& state = m_state[lot % kQueryTiles];
            const __m512 sum = exponentiateLastLot(lotScores(scores, lot), keys - lot / kQueryTiles * kLot,
                                                   LotConstants(m_scale.factor), state.reference,
                                                   lotProbabilities(probabilities, lot));
            state.sum = _mm512_add_ps(state.sum, sum);
        }
    }

    const BlockTask& m_task;
    const AttentionArgs& m_args;
    std::int64_t m_blocks;
    float m_factor;
    ScoreScale m_scale{};
    Scratch m_scratch;
    Softmax m_state[kQueryTiles];
};

template <int kChunks>
void attendChunks(const BlockTask& task) {
    BlockPipeline<kChunks>(task).run();
}

static_assert(kKeyBlock == kSlotKeys && kQueries <= 32, "sparse calls count on both");

void attend(const BlockTask& task) {
    switch (chunksOf(task.args->headDim)) {
        case 1:
            return attendChunks<1>(task);
        case 2:
            return attendChunks<2>(task);
        case 3:
            return attendChunks<3>(task);
        case 4:
            return attendChunks<4>(task);
        case 6:
            return attendChunks<6>(task);
        case 8:
            return attendChunks<8>(task);
        case 12:
            return attendChunks<12>(task);
        default:
            return attendChunks<16>(task);
    }
}

}  // namespace

}  // namespace fw::kernels::cpu

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace fw::kernels::cpu {

const AttentionKernel* findAmxAttentionKernel() {
    static const bool available = processorHasTiles() && requestTileState();
    static const AttentionKernel kernel = {
        AttentionTarget::AmxBf16, "amx_bf16", kQueries, kPackBlock, panelBytes, scratchBytes, pack, attend};
    return available ? &kernel : nullptr;
}

}  // namespace fw::kernels::cpu

#else

namespace fw::kernels::cpu {

const AttentionKernel* findAmxAttentionKernel() {
    return nullptr;
}

}  // namespace fw::kernels::cpu

#endif
