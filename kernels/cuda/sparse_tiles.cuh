// What the wgmma kernel of sparse attention walks over, tile by tile, and how a tile is copied: runs of tokens,
// windows in either order, boxes of the clip.
#pragma once

#include "kernels/cuda/sparse.h"
#include "kernels/cuda/sparse_walk.cuh"
#include "kernels/cuda/wgmma.cuh"

namespace fw::kernels::cuda {

// Rows of neighbouring tokens; and either all frames of neighbouring places (what a window in token-major order
// reads, dimensions channel, frame, place, head, batch) or boxes (channel, column, line, frame, head).
struct SparseMaps {
    TensorMap q, k, v;
    TensorMap gridQ, gridK, gridV;
};

// The map and the barrier of a copy, and where it goes.
struct TileTarget {
    unsigned char* tile;
    std::uint64_t* barrier;
    int head, batch;
};
// kRows neighbouring tokens.
template <int kColumns, int kRows>
__device__ __forceinline__ void loadTokens(const TileTarget& to, const TensorMap& rows, int first) {
    arriveExpecting(to.barrier, kColumns * kRows * kTileRowBytes);
#pragma unroll
    for (int box = 0; box < kColumns; ++box) {
        loadBox(to.tile + box * kRows * kTileRowBytes, rows, to.barrier, box * kTileColumns, first, to.head,
                to.batch);
    }
}
// A box of `count` rows into a tile of kRows.
template <int kColumns, int kRows>
__device__ __forceinline__ void loadGrid(const TileTarget& to, const TensorMap& grid, int count,
                                         const int (&at)[4]) {
    arriveExpecting(to.barrier, kColumns * count * kTileRowBytes);
#pragma unroll
    for (int box = 0; box < kColumns; ++box) {
        const int all[5] = {box * kTileColumns, at[0], at[1], at[2], at[3]};
        loadGridBox(to.tile + box * kRows * kTileRowBytes, grid, to.barrier, all);
    }
}

// --- the columns of a tile of scores

// Of a query's scores a thread holds every fourth pair: up to 32 columns from its first key on, a bit each in
// masks.
__device__ __forceinline__ constexpr int columnOf(int bit) {
    return bit / 2 * 8 + bit % 2;
}
// Those of columns [first, end).
__device__ __forceinline__ std::uint32_t columnsBelow(int end) {
    const int count = end / 8 * 2 + (end % 8 < 2 ? end % 8 : 2);
    return end <= 0 ? 0 : count >= 32 ? ~0U : (1U << count) - 1;
}
__device__ __forceinline__ std::uint32_t columnsWithin(int first, int end) {
    return columnsBelow(end) & ~columnsBelow(first);
}

// --- what the kernel walks over
//
// The Mask of each says which keys a query sees in tiles that not all of its neighbours see whole: seen(query,
// first, inSink), columns from position `first` on.

// Listed runs of tokens; positions are tokens.
template <int kRows>
class BlockTiles : public BlockWalk<kRows, kRows> {
 public:
    using Args = BlockSparseArgs;
    static constexpr int kKeys = kRows;
    static constexpr bool kQueriesAhead = kRows == 128;  // measured to be faster only here
    using BlockWalk<kRows, kRows>::BlockWalk;

    static __host__ std::int64_t queryTiles(const Args& args) { return BlockWalk<kRows, kRows>::queryTiles(args); }
    // Past the last tile: empty.
    static __device__ Run queriesOf(const Args& args, int tile, std::int64_t, std::int64_t) {
        const int tilesPerBlock = static_cast<int>(ceilDiv(args.cut.size, kRows));
        const int block = tile / tilesPerBlock;
        if (block >= args.cut.blocks) {
            return {0, 0};
        }
        const Run run = blockRun(args.cut, block, static_cast<int>(args.operands.keys));
        const int first = run.first + tile % tilesPerBlock * kRows;
        return {first, first + kRows < run.end ? first + kRows : run.end};
    }
    static __device__ int tokenOf(const Args&, std::int64_t, std::int64_t, int position) { return position; }
    __device__ bool isInSink() const { return false; }
    // What a note's positions are read through.
    template <int kColumns>
    static __device__ void load(const Args&, const TileTarget& to, const TensorMap& rows, const TensorMap&,
                                int first, bool) {
        loadTokens<kColumns, kRows>(to, rows, first);
    }
    struct Mask {
        __device__ Mask(const Args&, std::int64_t, std::int64_t) {}
        __device__ std::uint32_t seen(int, int, bool) const { return ~0U; }
    };
};

// A window in either order. In token-major order a tile holds whole places, of all their frames.
class WindowTiles {
 public:
    using Args = WindowArgs;
    static constexpr int kKeys = 128;
    static constexpr bool kQueriesAhead = false;

    static __host__ std::int64_t queryTiles(const Args& args) {
        const std::int64_t rows = args.orders == nullptr ? kKeys : kKeys / args.frames * args.frames;
        return ceilDiv(args.operands.queries, rows);
    }
    static __device__ int framesOf(const Args& args, std::int64_t head, std::int64_t batch) {
        const bool tokenMajor =
            args.orders != nullptr && args.orders[batch * args.orderBatch + head * args.orderHead] ==
                                          static_cast<std::uint8_t>(Order::TokenMajor);
        return tokenMajor ? static_cast<int>(args.frames) : 1;
    }
    static __device__ Run queriesOf(const Args& args, int tile, std::int64_t head, std::int64_t batch) {
        const int frames = framesOf(args, head, batch);
        const int rows = kKeys / frames * frames;
        const int tokens = static_cast<int>(args.operands.keys);
        const int first = tile * rows < tokens ? tile * rows : tokens;
        return {first, first + rows < tokens ? first + rows : tokens};
    }
    static __device__ int tokenOf(const Args& args, std::int64_t head, std::int64_t batch, int position) {
        const int frames = framesOf(args, head, batch);
        const int plane = static_cast<int>(args.operands.keys / args.frames);
        return frames == 1 ? position : position % frames * plane + position / frames;
    }

    __device__ WindowTiles(const Args& args, int tile, std::int64_t head, std::int64_t batch)
        : m_frames(framesOf(args, head, batch)),
          m_rows(kKeys / m_frames * m_frames),
          m_queries(queriesOf(args, tile, head, batch)) {
        const int tokens = static_cast<int>(args.operands.keys);
        m_plane = tokens / static_cast<int>(args.frames);
        m_window = args.window < tokens ? static_cast<int>(args.window) : tokens;
        const int last = m_queries.end - 1;
        m_keys.first = m_queries.first > m_window ? (m_queries.first - m_window) / m_frames * m_frames : 0;
        m_keys.end = tokens - last > m_window ? last + m_window + 1 : tokens;
        m_sinkLeft = args.sinkFrame;
    }
    __device__ Run queries() const { return m_queries; }
    __device__ bool isDone() const { return m_keys.first >= m_keys.end; }
    __device__ Run keys() const {
        const int rows = m_inSink ? kKeys : m_rows;
        return {m_keys.first, m_keys.first + rows < m_keys.end ? m_keys.first + rows : m_keys.end};
    }
    __device__ bool isSeenByAll() const {
        const Run run = keys();
        return !m_inSink && m_queries.end - 1 - run.first <= m_window && run.end - 1 - m_queries.first <= m_window;
    }
    __device__ void advance() {
        m_keys.first += m_inSink ? kKeys : m_rows;
        if (m_keys.first >= m_keys.end && m_sinkLeft) {
            m_sinkLeft = false;
            m_inSink = true;
            m_keys = {0, m_plane};
        }
    }
    __device__ bool isInSink() const { return m_inSink; }
    template <int kColumns>
    static __device__ void load(const Args& args, const TileTarget& to, const TensorMap& rows,
                                const TensorMap& grid, int first, bool inSink) {
        const int frames = inSink ? 1 : framesOf(args, to.head, to.batch);
        if (frames == 1) {
            loadTokens<kColumns, kKeys>(to, rows, first);
        } else {
            loadGrid<kColumns, kKeys>(to, grid, kKeys / frames * frames, {0, first / frames, to.head, to.batch});
        }
    }

    struct Mask {
        int window, frames;
        __device__ Mask(const Args& args, std::int64_t head, std::int64_t batch)
            : window(static_cast<int>(args.window < args.operands.keys ? args.window : args.operands.keys)),
              frames(framesOf(args, head, batch)) {}
        // Of the first frame, the keys that the window does not hold.
        __device__ std::uint32_t seen(int query, int first, bool inSink) const {
            if (inSink) {
                return ~columnsWithin(floorDiv(query - window + frames - 1, frames) - first,
                                      floorDiv(query + window, frames) + 1 - first);
            }
            return columnsWithin(query - window - first, query + window + 1 - first);
        }

     private:
        static __device__ int floorDiv(int a, int b) { return a < 0 ? -((b - 1 - a) / b) : a / b; }
    };

 private:
    int m_frames, m_rows, m_plane, m_window;
    Run m_queries, m_keys{};
    bool m_sinkLeft, m_inSink = false;
};

// Listed boxes of one clip; positions count the places of all boxes, also those outside of the clip. A tile is a
// part of a box: whole frames of it, or whole lines.
template <int kRows>
class BoxTiles {
 public:
    using Args = BlockSparseArgs;
    static constexpr int kKeys = kRows;
    static constexpr bool kQueriesAhead = false;

    // The extents of a tile within a box; the product is kRows where boxTilesApply().
    struct Part {
        int frames, lines, columns;
    };
    static __host__ __device__ Part partOf(const BoxCut& boxes) {
        const int columns = boxes.box[2];
        const int lines = boxes.box[1] * columns < kRows ? boxes.box[1] : kRows / columns;
        return {kRows / (lines * columns), lines, columns};
    }
    static __host__ __device__ int volumeOf(const BoxCut& boxes) {
        return boxes.box[0] * boxes.box[1] * boxes.box[2];
    }
    static __host__ std::int64_t queryTiles(const Args& args) {
        return args.cut.blocks * volumeOf(args.cut.boxes) / kRows;
    }
    static __device__ Run queriesOf(const Args& args, int tile, std::int64_t, std::int64_t) {
        if (tile >= args.cut.blocks * volumeOf(args.cut.boxes) / kRows) {
            return {0, 0};
        }
        return {tile * kRows, (tile + 1) * kRows};
    }
    static __device__ int tokenOf(const Args& args, std::int64_t, std::int64_t, int position) {
        return args.cut.boxes.rows[position];
    }

    __device__ BoxTiles(const Args& args, int tile, std::int64_t head, std::int64_t batch)
        : m_boxes(args.cut.boxes), m_blocks(static_cast<int>(args.cut.blocks)), m_volume(volumeOf(args.cut.boxes)) {
        const std::int64_t row = static_cast<std::int64_t>(tile) * kRows / m_volume;
        m_list = args.lists + batch * args.listSteps.batch + head * args.listSteps.head + row * args.listSteps.row;
        m_left =
            args.counts[batch * args.countSteps.batch + head * args.countSteps.head + row * args.countSteps.row];
        enterBlock();
    }
    __device__ bool isDone() const { return m_left <= 0; }
    __device__ Run keys() const { return {m_first + m_offset, m_first + m_offset + kRows}; }
    __device__ bool isSeenByAll() const { return m_isWhole; }
    __device__ bool isInSink() const { return false; }
    __device__ void advance() {
        m_offset += kRows;
        if (m_offset >= m_volume) {
            m_offset = 0;
            ++m_list;
            --m_left;
            enterBlock();
        }
    }

    template <int kColumns>
    static __device__ void load(const Args& args, const TileTarget& to, const TensorMap&, const TensorMap& grid,
                                int first, bool) {
        const BoxCut& boxes = args.cut.boxes;
        const int volume = volumeOf(boxes);
        const int block = first / volume;
        const int within = first % volume;
        const int plane = boxes.box[1] * boxes.box[2];
        const int frame =
            block / (boxes.count[1] * boxes.count[2]) * boxes.box[0] - boxes.before[0] + within / plane;
        const int line = block / boxes.count[2] % boxes.count[1] * boxes.box[1] - boxes.before[1] +
                         within % plane / boxes.box[2];
        const int column = block % boxes.count[2] * boxes.box[2] - boxes.before[2];
        loadGrid<kColumns, kRows>(to, grid, kRows, {column, line, frame, to.head});
    }
    struct Mask {
        const std::int32_t* rows;
        __device__ Mask(const Args& args, std::int64_t, std::int64_t) : rows(args.cut.boxes.rows) {}
        __device__ std::uint32_t seen(int, int first, bool) const {
            std::uint32_t bits = 0;
#pragma unroll
            for (int i = 0; i < kRows / 4; ++i) {
                bits |= rows[first + columnOf(i)] >= 0 ? 1U << i : 0U;
            }
            return bits;
        }
    };

 private:
    __device__ void enterBlock() {
        while (m_left > 0) {
            const int block = *m_list;
            if (block >= 0 && block < m_blocks) {
                m_first = block * m_volume;
                const int at[3] = {block / (m_boxes.count[1] * m_boxes.count[2]),
                                   block / m_boxes.count[2] % m_boxes.count[1], block % m_boxes.count[2]};
                m_isWhole = true;
                for (int axis = 0; axis < 3; ++axis) {
                    const int begin = at[axis] * m_boxes.box[axis] - m_boxes.before[axis];
                    m_isWhole = m_isWhole && begin >= 0 && begin + m_boxes.box[axis] <= m_boxes.grid[axis];
                }
                return;
            }
            ++m_list;
            --m_left;
        }
    }

    const BoxCut& m_boxes;
    int m_blocks, m_volume;
    const std::int32_t* m_list;
    int m_left, m_first = 0, m_offset = 0;
    bool m_isWhole = true;
};

}  // namespace fw::kernels::cuda
