// Element-wise operations: memory in, memory out, 8 elements a thread where the layout allows.
#include <utility>

#include "kernels/cuda/norm.cuh"
#include "kernels/cuda/rows.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;

// Enough blocks for one thread per item, at most what the grid's first dimension takes.
LaunchShape shapeFor(std::int64_t items) {
    constexpr std::int64_t kMostBlocks = 0x7fffffff;
    LaunchShape shape;
    const std::int64_t blocks = ceilDiv(items, kThreads);
    shape.grid = dim3(static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks));
    shape.threads = kThreads;
    return shape;
}

__device__ __forceinline__ std::int64_t firstItem() {
    return static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}
__device__ __forceinline__ std::int64_t itemStep() {
    return static_cast<std::int64_t>(gridDim.x) * kThreads;
}

template <class Tr, class Td, int kWide>
__global__ __launch_bounds__(kThreads) void gatedAddKernel(const GatedAddArgs args) {
    for (std::int64_t item = firstItem(); item < rowItems<kWide>(args.extents); item += itemStep()) {
        const RowPosition at = rowPosition<kWide>(args.extents, item);
        Tr* residual = rowOf<Tr>(args.residual, at.batch, at.row) + at.channel;
        float sum[kWide];
        float delta[kWide];
        loadWide<kWide>(static_cast<const Tr*>(residual), sum);
        const Addend& added = args.added;
        loadWide<kWide>(rowOf<Td>(added.delta, at.batch, at.row) + at.channel, delta);
#pragma unroll
        for (int j = 0; j < kWide; ++j) {
            const float gate =
                added.gate == nullptr ? 1.0F : added.gate[at.batch * added.gateBatchStride + at.channel + j];
            sum[j] += gate * delta[j];
        }
        storeWide<kWide>(residual, sum);
    }
}

template <class Tx, class Ty, int kWide>
__global__ __launch_bounds__(kThreads) void gatedGeluKernel(const GatedGeluArgs args) {
    for (std::int64_t item = firstItem(); item < rowItems<kWide>(args.extents); item += itemStep()) {
        const RowPosition at = rowPosition<kWide>(args.extents, item);
        const Tx* x = rowOf<Tx>(args.x, at.batch, at.row) + at.channel;
        float gate[kWide];
        float value[kWide];
        loadWide<kWide>(x, gate);
        loadWide<kWide>(x + args.extents.channels, value);
#pragma unroll
        for (int j = 0; j < kWide; ++j) {
            value[j] *= geluTanhOf(gate[j]);
        }
        storeWide<kWide>(rowOf<Ty>(args.y, at.batch, at.row) + at.channel, value);
    }
}

__global__ __launch_bounds__(kThreads) void siluKernel(const float* x, float* y, std::int64_t count) {
    for (std::int64_t i = firstItem(); i < count; i += itemStep()) {
        y[i] = siluOf(x[i]);
    }
}

template <class Tt, class Ty>
__global__ __launch_bounds__(kThreads) void embedKernel(const EmbedArgs args) {
    const std::int64_t items = args.rows * args.channels;
    for (std::int64_t item = firstItem(); item < items; item += itemStep()) {
        const std::int64_t row = item / args.channels;
        const std::int64_t channel = item % args.channels;
        const std::int64_t id = args.ids[row];
        const bool known = id >= 0 && id < args.tableRows;
        const float value = known ? toFloat(rowOf<Tt>(args.table, 0, id)[channel]) : __int_as_float(0x7fc00000);
        store(rowOf<Ty>(args.y, 0, row) + channel, value);
    }
}

// Offsets of item `item` of a nest of loops, counted row-major.
template <int kOperands>
__device__ __forceinline__ void offsetsAt(const Nest<kOperands>& nest, std::int64_t item,
                                          std::int64_t (&offsets)[kOperands]) {
#pragma unroll
    for (int o = 0; o < kOperands; ++o) {
        offsets[o] = 0;
    }
    for (int loop = nest.rank - 1; loop >= 0; --loop) {
        const std::int64_t extent = nest.extents[loop];
        // As in rowPosition().
        std::int64_t position;
        if (item <= 0x7fffffff && extent <= 0x7fffffff) {
            const auto small = static_cast<std::uint32_t>(item);
            const auto by = static_cast<std::uint32_t>(extent);
            position = small % by;
            item = small / by;
        } else {
            position = item % extent;
            item /= extent;
        }
#pragma unroll
        for (int o = 0; o < kOperands; ++o) {
            offsets[o] += position * nest.strides[o][loop];
        }
    }
}
template <int kOperands>
__host__ __device__ __forceinline__ std::int64_t nestItems(const Nest<kOperands>& nest) {
    std::int64_t count = 1;
    for (int loop = 0; loop < nest.rank; ++loop) {
        count *= nest.extents[loop];
    }
    return count;
}

template <class Tx, class Ty>
__global__ __launch_bounds__(kThreads) void copyKernel(const CopyArgs args, std::int64_t items) {
    for (std::int64_t item = firstItem(); item < items; item += itemStep()) {
        std::int64_t offsets[2];
        offsetsAt(args.nest, item, offsets);
        store(static_cast<Ty*>(args.y) + offsets[0], toFloat(static_cast<const Tx*>(args.x)[offsets[1]]));
    }
}

// The innermost loop, of steps 1 and a multiple of 8 long, is walked 8 elements at a time: its extent in the nest
// is an eighth and its strides are 8.
template <class Tx, class Ty>
__global__ __launch_bounds__(kThreads) void copyWideKernel(const CopyArgs args, std::int64_t items) {
    for (std::int64_t item = firstItem(); item < items; item += itemStep()) {
        std::int64_t offsets[2];
        offsetsAt(args.nest, item, offsets);
        float values[8];
        load8(static_cast<const Tx*>(args.x) + offsets[1], values);
        store8(static_cast<Ty*>(args.y) + offsets[0], values);
    }
}

__global__ __launch_bounds__(kThreads) void addKernel(const AddArgs args, std::int64_t items) {
    for (std::int64_t item = firstItem(); item < items; item += itemStep()) {
        std::int64_t offsets[3];
        offsetsAt(args.nest, item, offsets);
        args.y[offsets[0]] = args.a[offsets[1]] + args.b[offsets[2]];
    }
}

__global__ __launch_bounds__(kThreads) void combinationKernel(const CombinationArgs args) {
    for (std::int64_t i = firstItem(); i < args.count; i += itemStep()) {
        float sum = 0.0F;
        for (int term = 0; term < args.terms; ++term) {
            sum += args.coefficients[term] * args.x[term][i];
        }
        args.y[i] = sum;
    }
}

// kWide elements of one pixel go to four.
template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void upsampleKernel(const Upsample2xArgs args, std::int64_t items) {
    const std::int64_t perPixel = args.channels / kWide;
    for (std::int64_t item = firstItem(); item < items; item += itemStep()) {
        const std::int64_t channel = item % perPixel * kWide;
        std::int64_t rest = item / perPixel;
        const std::int64_t w = rest % args.extents[3];
        rest /= args.extents[3];
        const std::int64_t h = rest % args.extents[2];
        rest /= args.extents[2];
        const std::int64_t t = rest % args.extents[1];
        const std::int64_t b = rest / args.extents[1];
        float values[kWide];
        loadWide<kWide>(static_cast<const T*>(args.x) + b * args.xStrides[0] + t * args.xStrides[1] +
                            h * args.xStrides[2] + w * args.xStrides[3] + channel,
                        values);
        T* corner = static_cast<T*>(args.y) + b * args.yStrides[0] + t * args.yStrides[1] +
                    2 * h * args.yStrides[2] + 2 * w * args.yStrides[3] + channel;
        storeWide<kWide>(corner, values);
        storeWide<kWide>(corner + args.yStrides[3], values);
        storeWide<kWide>(corner + args.yStrides[2], values);
        storeWide<kWide>(corner + args.yStrides[2] + args.yStrides[3], values);
    }
}

template <class T>
__global__ __launch_bounds__(kThreads) void toBytesKernel(const ToBytesArgs args) {
    for (std::int64_t item = firstItem(); item < rowItems<1>(args.extents); item += itemStep()) {
        const RowPosition at = rowPosition<1>(args.extents, item);
        const float value = toFloat(rowOf<T>(args.x, at.batch, at.row)[at.channel]);
        const float clamped = value < -1.0F ? -1.0F : value > 1.0F ? 1.0F : value;
        // A NaN passes both comparisons and becomes 0, as on the CPU.
        const float scaled = clamped * 127.5F + 127.5F;
        args.y[at.batch * args.yBatchStride + at.row * args.yRowStride + at.channel] =
            scaled == scaled ? static_cast<std::uint8_t>(rintf(scaled)) : std::uint8_t{0};
    }
}

// Whether the innermost loop of a copy can be walked in vectors, and the nest that does it.
bool widen(CopyArgs& args) {
    const int last = args.nest.rank - 1;
    if (args.xElement == Element::F16 || args.yElement == Element::F16 || last < 0 ||
        args.nest.extents[last] % 8 != 0 || args.nest.strides[0][last] != 1 || args.nest.strides[1][last] != 1 ||
        reinterpret_cast<std::uintptr_t>(args.x) % 16 != 0 || reinterpret_cast<std::uintptr_t>(args.y) % 16 != 0) {
        return false;
    }
    for (int loop = 0; loop < last; ++loop) {
        if (args.nest.strides[0][loop] % 8 != 0 || args.nest.strides[1][loop] % 8 != 0) {
            return false;
        }
    }
    args.nest.extents[last] /= 8;
    args.nest.strides[0][last] = 8;
    args.nest.strides[1][last] = 8;
    return true;
}

}  // namespace

namespace {

// Whether one pass can make both additions, which then were made in their order.
bool isToSameRows(const GatedAddArgs& first, const GatedAddArgs& second) {
    const Rows &a = first.residual, &b = second.residual;
    return a.data == b.data && a.element == b.element && a.batchStride == b.batchStride &&
           a.rowStride == b.rowStride && first.extents.batch == second.extents.batch &&
           first.extents.rows == second.extents.rows && first.extents.channels == second.extents.channels &&
           first.added.delta.element == second.added.delta.element &&
           second.added.delta.data != a.data;  // which the first one is still to change
}

Code addNow(Queue& queue, const GatedAddArgs& args) {
    const bool wide = args.extents.channels % 8 == 0 && isVectorisable(args.residual) && isVectorisable(args.added.delta);
    return withAct(args.residual.element, [&](auto tr) {
        return withAct(args.added.delta.element, [&](auto td) {
            using Tr = decltype(tr);
            using Td = decltype(td);
            const std::int64_t elements = args.extents.batch * args.extents.rows * args.extents.channels;
            return wide ? launch(queue, gatedAddKernel<Tr, Td, 8>, shapeFor(elements / 8), args)
                        : launch(queue, gatedAddKernel<Tr, Td, 1>, shapeFor(elements), args);
        });
    });
}

}  // namespace

Code runWaitingAdditions(Queue& queue) {
    Code code = Code::Ok;
    const std::int32_t waiting = std::exchange(queue.waitingAdditions, 0);
    for (std::int32_t i = 0; i < waiting && code == Code::Ok; ++i) {
        code = addNow(queue, queue.additions[i]);
    }
    return code;
}

// A block of a transformer adds to its residual stream and takes the norm of it next: the rows that such a norm can
// hold in registers wait for it, and are added on their own when something else comes (onDevice() in api.cpp).
Code gatedAdd(Queue* queue, const GatedAddArgs& args) {
    const bool mayWait = args.residual.element == Element::F32 && fitsRegisters(args.extents) &&
                         isVectorisable(args.residual) && isVectorisable(args.added);
    const bool joins = mayWait && queue->waitingAdditions == 1 && isToSameRows(queue->additions[0], args);
    Code code = joins ? Code::Ok : runWaitingAdditions(*queue);
    if (code == Code::Ok && mayWait) {
        queue->additions[queue->waitingAdditions++] = args;
    } else if (code == Code::Ok) {
        code = addNow(*queue, args);
    }
    return code;
}

Code gatedGelu(Queue* queue, const GatedGeluArgs& args) {
    const bool wide = args.extents.channels % 8 == 0 && isVectorisable(args.x) && isVectorisable(args.y);
    return withAct(args.x.element, [&](auto tx) {
        return withAct(args.y.element, [&](auto ty) {
            using Tx = decltype(tx);
            using Ty = decltype(ty);
            const std::int64_t elements = args.extents.batch * args.extents.rows * args.extents.channels;
            return wide ? launch(*queue, gatedGeluKernel<Tx, Ty, 8>, shapeFor(elements / 8), args)
                        : launch(*queue, gatedGeluKernel<Tx, Ty, 1>, shapeFor(elements), args);
        });
    });
}

Code silu(Queue* queue, const float* x, float* y, std::int64_t count) {
    return launch(*queue, siluKernel, shapeFor(count), x, y, count);
}

Code embed(Queue* queue, const EmbedArgs& args) {
    return withAct(args.table.element, [&](auto tt) {
        return withAct(args.y.element, [&](auto ty) {
            return launch(*queue, embedKernel<decltype(tt), decltype(ty)>, shapeFor(args.rows * args.channels),
                          args);
        });
    });
}

Code copy(Queue* queue, const CopyArgs& args) {
    CopyArgs wideArgs = args;
    const bool wide = widen(wideArgs);
    return withElement(args.xElement, [&](auto tx) {
        return withElement(args.yElement, [&](auto ty) {
            using Tx = decltype(tx);
            using Ty = decltype(ty);
            if constexpr (!std::is_same_v<Tx, F16> && !std::is_same_v<Ty, F16>) {
                if (wide) {
                    const std::int64_t items = nestItems(wideArgs.nest);
                    return launch(*queue, copyWideKernel<Tx, Ty>, shapeFor(items), wideArgs, items);
                }
            }
            const std::int64_t items = nestItems(args.nest);
            return launch(*queue, copyKernel<Tx, Ty>, shapeFor(items), args, items);
        });
    });
}

Code add(Queue* queue, const AddArgs& args) {
    const std::int64_t items = nestItems(args.nest);
    return launch(*queue, addKernel, shapeFor(items), args, items);
}

Code linearCombination(Queue* queue, const CombinationArgs& args) {
    return launch(*queue, combinationKernel, shapeFor(args.count), args);
}

Code upsample2x(Queue* queue, const Upsample2xArgs& args) {
    bool wide = args.channels % 8 == 0 && reinterpret_cast<std::uintptr_t>(args.x) % 16 == 0 &&
                reinterpret_cast<std::uintptr_t>(args.y) % 16 == 0;
    for (int i = 0; i < 4; ++i) {
        wide = wide && args.xStrides[i] % 8 == 0 && args.yStrides[i] % 8 == 0;
    }
    const std::int64_t elements =
        args.extents[0] * args.extents[1] * args.extents[2] * args.extents[3] * args.channels;
    return withAct(args.element, [&](auto t) {
        using T = decltype(t);
        return wide ? launch(*queue, upsampleKernel<T, 8>, shapeFor(elements / 8), args, elements / 8)
                    : launch(*queue, upsampleKernel<T, 1>, shapeFor(elements), args, elements);
    });
}

Code toBytes(Queue* queue, const ToBytesArgs& args) {
    return withAct(args.x.element, [&](auto t) {
        return launch(*queue, toBytesKernel<decltype(t)>,
                      shapeFor(args.extents.batch * args.extents.rows * args.extents.channels), args);
    });
}

}  // namespace fw::kernels::cuda
