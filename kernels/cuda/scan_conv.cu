// What a state space model does to tokens before its scan: a short convolution along the row, means over boxes.
#include "kernels/cuda/rows.cuh"
#include "kernels/cuda/scan_order.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kUsualTaps = 4;  // of Mamba2
constexpr int kRun = 4;        // positions a thread

// The row at a position; positions below 0 are the prefix's. Null before that.
template <class T>
__device__ __forceinline__ const T* rowBefore(const ScanConvArgs& args, std::int64_t batch, std::int64_t position) {
    if (position >= 0) {
        return rowOf<T>(args.x, batch, rowAt(args.path.order, args.path.reverse, args.extents.rows, position));
    }
    const std::int64_t inPrefix = args.prefixRows + position;
    return inPrefix < 0 ? nullptr
                        : rowOf<T>(args.prefix, batch,
                                   rowAt(args.prefixOrder, args.path.reverse, args.prefixRows, inPrefix));
}

// blockIdx: {kThreads units of kWide channels of neighbouring positions, batch}. Neighbouring threads hold
// neighbouring channels, so that the taps of the next positions are still in the first cache.
template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void scanConvKernel(const ScanConvArgs args) {
    const auto units = static_cast<std::uint32_t>(args.extents.channels / kWide);
    const std::int64_t item = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const std::int64_t position = item / units;
    if (position >= args.extents.rows) {
        return;
    }
    const std::int64_t batch = blockIdx.y;
    const std::int64_t channel = item % units * kWide;
    float sums[kWide];
    loadWide<kWide>(args.bias + channel, sums);
    for (std::int64_t tap = 0; tap < args.taps; ++tap) {
        const T* row = rowBefore<T>(args, batch, position - (args.taps - 1) + tap);
        if (row != nullptr) {
            float values[kWide];
            float weights[kWide];
            loadWide<kWide>(row + channel, values);
            loadWide<kWide>(args.weight + tap * args.extents.channels + channel, weights);
#pragma unroll
            for (int j = 0; j < kWide; ++j) {
                sums[j] += weights[j] * values[j];
            }
        }
    }
#pragma unroll
    for (float& sum : sums) {
        sum = siluOf(sum);
    }
    const std::int64_t row = rowAt(args.path.order, args.path.reverse, args.extents.rows, position);
    storeWide<kWide>(rowOf<T>(args.y, batch, row) + channel, sums);
}

// The same for kTaps taps and kPositions positions a thread, which share their weights and most of their rows.
template <class T, int kTaps, int kPositions>
__global__ __launch_bounds__(kThreads) void scanConvRunKernel(const ScanConvArgs args) {
    const auto units = static_cast<std::uint32_t>(args.extents.channels / 8);
    const std::int64_t item = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const std::int64_t first = item / units * kPositions;
    if (first >= args.extents.rows) {
        return;
    }
    const std::int64_t batch = blockIdx.y;
    const std::int64_t channel = item % units * 8;
    float weights[kTaps][8];
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
        load8(args.weight + tap * args.extents.channels + channel, weights[tap]);
    }
    float sums[kPositions][8];
#pragma unroll
    for (float(&sum)[8] : sums) {
        load8(args.bias + channel, sum);
    }
#pragma unroll
    for (int i = 0; i < kTaps + kPositions - 1; ++i) {
        const std::int64_t position = first - (kTaps - 1) + i;
        const T* row = position < args.extents.rows ? rowBefore<T>(args, batch, position) : nullptr;
        if (row != nullptr) {
            float values[8];
            load8(row + channel, values);
#pragma unroll
            for (int own = 0; own < kPositions; ++own) {
                if (i - own >= 0 && i - own < kTaps) {
#pragma unroll
                    for (int j = 0; j < 8; ++j) {
                        sums[own][j] += weights[i - own][j] * values[j];
                    }
                }
            }
        }
    }
#pragma unroll
    for (int own = 0; own < kPositions; ++own) {
        if (first + own < args.extents.rows) {
#pragma unroll
            for (float& sum : sums[own]) {
                sum = siluOf(sum);
            }
            const std::int64_t row = rowAt(args.path.order, args.path.reverse, args.extents.rows, first + own);
            store8(rowOf<T>(args.y, batch, row) + channel, sums[own]);
        }
    }
}

// Tokens of a box along one axis.
struct Span {
    std::int64_t first, last;
};
__device__ __forceinline__ Span boxSpan(std::int64_t index, std::int64_t box, std::int64_t extent) {
    const std::int64_t end = (index + 1) * box;
    return {index * box, end < extent ? end : extent};
}

template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void poolKernel(const PoolArgs args) {
    const std::int64_t units = args.extents.channels / kWide;
    const std::int64_t item = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const std::int64_t box = item / units;
    if (box >= args.extents.rows) {
        return;
    }
    const std::int64_t batch = blockIdx.y;
    const std::int64_t channel = item % units * kWide;
    const std::int64_t high = ceilDiv(args.grid[1], args.box[1]);
    const std::int64_t wide = ceilDiv(args.grid[2], args.box[2]);
    const Span t = boxSpan(box / (high * wide), args.box[0], args.grid[0]);
    const Span h = boxSpan(box / wide % high, args.box[1], args.grid[1]);
    const Span w = boxSpan(box % wide, args.box[2], args.grid[2]);
    float sums[kWide] = {};
    for (std::int64_t frame = t.first; frame < t.last; ++frame) {
        for (std::int64_t line = h.first; line < h.last; ++line) {
            for (std::int64_t column = w.first; column < w.last; ++column) {
                const std::int64_t token = (frame * args.grid[1] + line) * args.grid[2] + column;
                float values[kWide];
                loadWide<kWide>(rowOf<T>(args.x, batch, token) + channel, values);
#pragma unroll
                for (int j = 0; j < kWide; ++j) {
                    sums[j] += values[j];
                }
            }
        }
    }
    const auto count = static_cast<float>((t.last - t.first) * (h.last - h.first) * (w.last - w.first));
#pragma unroll
    for (float& sum : sums) {
        sum /= count;
    }
    storeWide<kWide>(rowOf<T>(args.y, batch, box) + channel, sums);
}

LaunchShape shapeFor(const RowExtents& extents, int wide, int rows = 1) {
    LaunchShape shape;
    const std::int64_t items = ceilDiv(extents.rows, rows) * (extents.channels / wide);
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(items, kThreads)), static_cast<unsigned>(extents.batch));
    shape.threads = kThreads;
    return shape;
}

bool isVectorisable(const float* vector) {
    return reinterpret_cast<std::uintptr_t>(vector) % 16 == 0;
}

}  // namespace

Code scanConv(Queue* queue, const ScanConvArgs& args) {
    const bool wide = args.extents.channels % 8 == 0 && isVectorisable(args.x) && isVectorisable(args.y) &&
                      (args.prefixRows == 0 || isVectorisable(args.prefix)) && isVectorisable(args.weight) &&
                      isVectorisable(args.bias);
    return withAct(args.x.element, [&](auto t) {
        using T = decltype(t);
        if (wide && args.taps == kUsualTaps) {
            return launch(*queue, scanConvRunKernel<T, kUsualTaps, kRun>, shapeFor(args.extents, 8, kRun), args);
        }
        return wide ? launch(*queue, scanConvKernel<T, 8>, shapeFor(args.extents, 8), args)
                    : launch(*queue, scanConvKernel<T, 1>, shapeFor(args.extents, 1), args);
    });
}

Code poolRows(Queue* queue, const PoolArgs& args) {
    const bool wide = args.extents.channels % 8 == 0 && isVectorisable(args.x) && isVectorisable(args.y);
    return withAct(args.x.element, [&](auto t) {
        using T = decltype(t);
        return wide ? launch(*queue, poolKernel<T, 8>, shapeFor(args.extents, 8), args)
                    : launch(*queue, poolKernel<T, 1>, shapeFor(args.extents, 1), args);
    });
}

}  // namespace fw::kernels::cuda
