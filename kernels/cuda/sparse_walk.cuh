// What a tile of queries sees of a sequence, tile of keys by tile of keys: listed blocks, or a window. Kernels walk
// either in the same way; positions are places in the sequence's order, tokens are rows in memory.
#pragma once

#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

// Neighbouring positions [first, end).
struct Run {
    int first, end;
};

__host__ __device__ __forceinline__ Run blockRun(const TokenCut& cut, int block, int tokens) {
    if (cut.starts != nullptr) {
        return {cut.starts[block], cut.starts[block + 1]};
    }
    const int first = block * static_cast<int>(cut.size);
    const int end = first + static_cast<int>(cut.size);
    return {first, end < tokens ? end : tokens};
}
__host__ __device__ __forceinline__ int tokenAt(const TokenCut& cut, int position) {
    return cut.order == nullptr ? position : cut.order[position];
}

// The key blocks listed for one block of queries.
template <int kQueries, int kKeys>
class BlockWalk {
 public:
    using Args = BlockSparseArgs;
    static __host__ std::int64_t queryTiles(const Args& args) {
        return args.cut.blocks * ceilDiv(args.cut.size, kQueries);
    }

    __device__ BlockWalk(const Args& args, int tile, std::int64_t head, std::int64_t batch)
        : m_cut(args.cut), m_tokens(static_cast<int>(args.operands.keys)) {
        const int tilesPerBlock = static_cast<int>(ceilDiv(m_cut.size, kQueries));
        const std::int64_t row = tile / tilesPerBlock;
        const Run block = blockRun(m_cut, static_cast<int>(row), m_tokens);
        m_queries.first = block.first + tile % tilesPerBlock * kQueries;
        m_queries.end = m_queries.first + kQueries < block.end ? m_queries.first + kQueries : block.end;
        m_list = args.lists + batch * args.listSteps.batch + head * args.listSteps.head + row * args.listSteps.row;
        m_left =
            args.counts[batch * args.countSteps.batch + head * args.countSteps.head + row * args.countSteps.row];
        enterBlock();
    }

    // Empty where a block has fewer tiles than the largest one.
    __device__ Run queries() const { return m_queries; }
    __device__ int queryToken(int position) const { return tokenAt(m_cut, position); }

    __device__ bool isDone() const { return m_left <= 0; }
    // The keys of this tile, at most kKeys.
    __device__ Run keys() const {
        return {m_keys.first, m_keys.first + kKeys < m_keys.end ? m_keys.first + kKeys : m_keys.end};
    }
    __device__ int keyToken(int position) const { return tokenAt(m_cut, position); }
    // Whether every query sees every key of this tile, and whether one sees one.
    __device__ bool isSeenByAll() const { return true; }
    __device__ bool sees(int, int) const { return true; }
    __device__ void advance() {
        m_keys.first += kKeys;
        if (m_keys.first >= m_keys.end) {
            ++m_list;
            --m_left;
            enterBlock();
        }
    }

 private:
    __device__ void enterBlock() {
        while (m_left > 0) {
            const int block = *m_list;
            if (block >= 0 && block < m_cut.blocks) {
                m_keys = blockRun(m_cut, block, m_tokens);
                return;
            }
            ++m_list;
            --m_left;
        }
    }

    TokenCut m_cut;
    int m_tokens;
    Run m_queries{}, m_keys{};
    const std::int32_t* m_list;
    int m_left;
};

// The keys within a window, then those of the first frame that it does not hold.
template <int kQueries, int kKeys>
class WindowWalk {
 public:
    using Args = WindowArgs;
    static __host__ std::int64_t queryTiles(const Args& args) { return ceilDiv(args.operands.queries, kQueries); }

    __device__ WindowWalk(const Args& args, int tile, std::int64_t head, std::int64_t batch) {
        const int tokens = static_cast<int>(args.operands.keys);
        const bool tokenMajor =
            args.orders != nullptr && args.orders[batch * args.orderBatch + head * args.orderHead] ==
                                          static_cast<std::uint8_t>(Order::TokenMajor);
        m_frames = tokenMajor ? static_cast<int>(args.frames) : 1;
        m_plane = tokens / static_cast<int>(args.frames);
        m_window = args.window < tokens ? static_cast<int>(args.window) : tokens;
        m_queries.first = tile * kQueries;
        m_queries.end = m_queries.first + kQueries < tokens ? m_queries.first + kQueries : tokens;
        m_keys.first = m_queries.first > m_window ? m_queries.first - m_window : 0;
        const int last = m_queries.end - 1;  // the sum below stays below 2^31: both are at most `tokens`
        m_keys.end = tokens - last > m_window ? last + m_window + 1 : tokens;
        m_sinkLeft = args.sinkFrame;
    }

    __device__ Run queries() const { return m_queries; }
    __device__ int queryToken(int position) const { return tokenOf(position); }

    __device__ bool isDone() const { return m_keys.first >= m_keys.end; }
    // Of the first frame, tokens stand for positions.
    __device__ Run keys() const {
        return {m_keys.first, m_keys.first + kKeys < m_keys.end ? m_keys.first + kKeys : m_keys.end};
    }
    __device__ int keyToken(int key) const { return m_inSink ? key : tokenOf(key); }
    __device__ bool isSeenByAll() const {
        const Run run = keys();
        return !m_inSink && m_queries.end - 1 - run.first <= m_window && run.end - 1 - m_queries.first <= m_window;
    }
    __device__ bool sees(int query, int key) const {
        const int distance = query - (m_inSink ? key * m_frames : key);
        return (distance <= m_window && -distance <= m_window) != m_inSink;
    }
    __device__ void advance() {
        m_keys.first += kKeys;
        if (m_keys.first >= m_keys.end && m_sinkLeft) {
            m_sinkLeft = false;
            m_inSink = true;
            m_keys = {0, m_plane};
        }
    }

 private:
    __device__ int tokenOf(int position) const {
        return m_frames == 1 ? position : position % m_frames * m_plane + position / m_frames;
    }

    int m_frames, m_plane, m_window;
    Run m_queries{}, m_keys{};
    bool m_sinkLeft, m_inSink = false;
};

}  // namespace fw::kernels::cuda
