// Row-wise normalisations in one pass over memory: a row's values stay in registers between the sums and the
// result.
//
// A policy says what one norm does; a group of kGroup threads of a 128-thread block handles a row, 8 neighbouring
// channels a thread at a time, kChunks times. Rows of other widths or alignment go through a kernel that reads them
// again for every pass. Sums are taken in a fixed order.
#pragma once

#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

inline constexpr int kNormThreads = 128;
inline constexpr std::int64_t kWidestRegisterRow = 5120;

// kCount neighbours; eight or four of them in units of 16 bytes, which the caller has made sure they are aligned
// to.
template <int kCount>
__device__ __forceinline__ void loadFloats(const float* from, float (&values)[kCount]) {
    if constexpr (kCount == 8) {
        load8(from, values);
    } else if constexpr (kCount == 4) {
        const float4 all = *reinterpret_cast<const float4*>(from);
        values[0] = all.x, values[1] = all.y, values[2] = all.z, values[3] = all.w;
    } else {
#pragma unroll
        for (int j = 0; j < kCount; ++j) {
            values[j] = from[j];
        }
    }
}
[[nodiscard]] inline bool isAligned(const float* vector, std::int64_t step = 0) {
    return reinterpret_cast<std::uintptr_t>(vector) % 16 == 0 && step % 4 == 0;
}

[[nodiscard]] inline bool isVectorisable(const Addend& added) {
    return isVectorisable(added.delta) && (added.gate == nullptr || isAligned(added.gate, added.gateBatchStride));
}
[[nodiscard]] inline bool fitsRegisters(const RowExtents& extents) {
    return extents.channels % 8 == 0 && extents.channels <= kWidestRegisterRow;
}

// Interleaved pairs (2m, 2m + 1) of a head turned by the angle of table column m, as diffusers' Wan does
// (Su et al. 2021, https://arxiv.org/abs/2104.09864). `first` is the index of values[0] within the row, even.
template <int kCount>
__device__ __forceinline__ void rotate(const RmsNormArgs& args, std::int64_t row, std::int64_t first,
                                       float (&values)[kCount]) {
    // All values lie in one head: its width is a multiple of kCount.
    const std::uint32_t pair = static_cast<std::uint32_t>(first) % static_cast<std::uint32_t>(args.headDim) / 2;
    if constexpr (kCount > 1) {
        float cosine[kCount / 2];
        float sine[kCount / 2];
        loadFloats(args.cosine + row * args.cosineStride + pair, cosine);
        loadFloats(args.sine + row * args.sineStride + pair, sine);
#pragma unroll
        for (int j = 0; j < kCount / 2; ++j) {
            const float even = values[2 * j];
            const float odd = values[2 * j + 1];
            values[2 * j] = even * cosine[j] - odd * sine[j];
            values[2 * j + 1] = odd * cosine[j] + even * sine[j];
        }
    }
}

struct RmsPolicy {
    using Args = RmsNormArgs;
    static constexpr bool kCentred = false;
    static constexpr bool kAdds = false;
    static constexpr bool kMultiplies = false;
    static bool vectorsAligned(const Args& args) {
        return isAligned(args.weight) &&
               (args.cosine == nullptr || (args.headDim % 8 == 0 && isAligned(args.cosine, args.cosineStride) &&
                                           isAligned(args.sine, args.sineStride)));
    }
    __device__ static float factor(const Args& args, float squares) {
        return 1.0F / sqrtf(squares / static_cast<float>(args.extents.channels) + args.eps);
    }
    template <int kCount>
    __device__ static void apply(const Args& args, std::int64_t, std::int64_t row, std::int64_t first, float factor,
                                 float (&values)[kCount]) {
        float weight[kCount];
        loadFloats(args.weight + first, weight);
#pragma unroll
        for (int j = 0; j < kCount; ++j) {
            values[j] *= factor * weight[j];
        }
        if (args.cosine != nullptr) {
            rotate(args, row, first, values);
        }
    }
};

struct LayerPolicy {
    using Args = LayerNormArgs;
    static constexpr bool kCentred = true;
    static constexpr bool kAdds = false;
    static constexpr bool kMultiplies = false;
    static bool vectorsAligned(const Args& args) {
        return isAligned(args.scale, args.scaleBatchStride) && isAligned(args.shift, args.shiftBatchStride);
    }
    __device__ static float factor(const Args& args, float squares) {
        return 1.0F / sqrtf(squares / static_cast<float>(args.extents.channels) + args.eps);
    }
    template <int kCount>
    __device__ static void apply(const Args& args, std::int64_t batch, std::int64_t, std::int64_t first,
                                 float factor, float (&values)[kCount]) {
        float scale[kCount];
        float shift[kCount];
        loadFloats(args.scale + batch * args.scaleBatchStride + first, scale);
        loadFloats(args.shift + batch * args.shiftBatchStride + first, shift);
#pragma unroll
        for (int j = 0; j < kCount; ++j) {
            values[j] = values[j] * factor * (args.scaleOffset + scale[j]) + shift[j];
        }
    }
};

// Gated additions to the rows, one after the other, and the layer norm of the sums, in one pass.
inline constexpr int kMostAddends = 2;
struct AddLayerArgs : LayerNormArgs {
    Addend addends[kMostAddends];
    Rows sums;  // where they are written; data null: nowhere
};
template <class Td, int kCount>
struct AddLayerPolicy : LayerPolicy {
    using Args = AddLayerArgs;
    static constexpr bool kAdds = true;
    // Of one chunk, as they lie: half the registers of numbers in f32.
    struct Deltas {
        Eight<Td> of[kCount];
    };
    __device__ static void loadDeltas(const Args& args, std::int64_t batch, std::int64_t row, std::int64_t first,
                                      Deltas& deltas) {
#pragma unroll
        for (int i = 0; i < kCount; ++i) {
            deltas.of[i].load(rowOf<Td>(args.addends[i].delta, batch, row) + first);
        }
    }
    __device__ static void add(const Args& args, std::int64_t batch, std::int64_t row, std::int64_t first,
                               const Deltas& deltas, float (&values)[8]) {
#pragma unroll
        for (int i = 0; i < kCount; ++i) {
            const Addend& addend = args.addends[i];
            float delta[8];
            deltas.of[i].unpack(delta);
            float gate[8] = {1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
            if (addend.gate != nullptr) {
                loadFloats(addend.gate + batch * addend.gateBatchStride + first, gate);
            }
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                values[j] += gate[j] * delta[j];
            }
        }
        if (args.sums.data != nullptr) {
            store8(rowOf<float>(args.sums, batch, row) + first, values);
        }
    }
    // One number of a row, for rows that do not fit into registers. Nothing is written.
    __device__ static float sumAt(const Args& args, std::int64_t batch, std::int64_t row, std::int64_t channel,
                                  float value) {
#pragma unroll
        for (int i = 0; i < kCount; ++i) {
            const Addend& addend = args.addends[i];
            const float gate =
                addend.gate == nullptr ? 1.0F : addend.gate[batch * addend.gateBatchStride + channel];
            value += gate * toFloat(rowOf<Td>(addend.delta, batch, row)[channel]);
        }
        return value;
    }
};

// A norm whose result goes into a product with a single column as well, as it is written: bf16. Where a warp holds
// a row, in the order of row_products.cu.
template <class Policy>
struct WithProduct : Policy {
    static constexpr bool kMultiplies = true;
    __device__ static void multiply(const typename Policy::Args& args, std::int64_t first, const float (&values)[8],
                                    float& product) {
        float factors[8];
        load8(static_cast<const Bf16*>(args.product.weight) + first, factors);
#pragma unroll
        for (int j = 0; j < 8; j += 2) {
            float low = 0.0F;
            float high = 0.0F;
            unpackBf16(packBf16(values[j], values[j + 1]), low, high);
            product += low * factors[j];
            product += high * factors[j + 1];
        }
    }
    __device__ static void finish(const typename Policy::Args& args, std::int64_t batch, std::int64_t row,
                                  float product) {
        const LinearArgs& made = args.product;
        const float bias = made.bias == nullptr ? 0.0F : made.bias[0];
        static_cast<float*>(made.y)[(batch * args.extents.rows + row) * made.yStride] = product + bias;
    }
};

struct ChannelPolicy {
    using Args = ChannelNormArgs;
    static constexpr bool kCentred = false;
    static constexpr bool kAdds = false;
    static constexpr bool kMultiplies = false;
    static bool vectorsAligned(const Args& args) { return isAligned(args.gamma); }
    __device__ static float factor(const Args& args, float squares) {
        const float length = sqrtf(squares);
        // Not fmaxf, which would swallow a NaN.
        return sqrtf(static_cast<float>(args.extents.channels)) / (length < 1e-12F ? 1e-12F : length);
    }
    template <int kCount>
    __device__ static void apply(const Args& args, std::int64_t, std::int64_t, std::int64_t first, float factor,
                                 float (&values)[kCount]) {
        float gamma[kCount];
        loadFloats(args.gamma + first, gamma);
#pragma unroll
        for (int j = 0; j < kCount; ++j) {
            const float value = values[j] * factor * gamma[j];
            values[j] = args.silu ? siluOf(value) : value;
        }
    }
};

// What a policy keeps of a chunk that it adds.
template <class Policy, bool kAdds = Policy::kAdds>
struct DeltasOf {
    using Type = char;
};
template <class Policy>
struct DeltasOf<Policy, true> {
    using Type = typename Policy::Deltas;
};

template <class Policy, class Tx, class Ty, int kGroup, int kChunks>
__global__ __launch_bounds__(kNormThreads) void normRegisters(const typename Policy::Args args) {
    __shared__ float shared[kNormThreads / 32];
    const int lane = static_cast<int>(threadIdx.x) % kGroup;
    // Rows fit into 32 bits, as the grid does; 64-bit division is several times slower.
    // The last rows first: the product before has just left them in the second-level cache, and the one behind
    // begins with the first.
    const std::uint32_t index = (gridDim.x - 1 - blockIdx.x) * (kNormThreads / kGroup) + threadIdx.x / kGroup;
    const bool exists = index < args.extents.batch * args.extents.rows;
    const std::int64_t batch = exists ? index / static_cast<std::uint32_t>(args.extents.rows) : 0;
    const std::int64_t row = exists ? index % static_cast<std::uint32_t>(args.extents.rows) : 0;
    const Tx* x = rowOf<Tx>(args.x, batch, row);
    float values[kChunks][8];
    [[maybe_unused]] typename DeltasOf<Policy>::Type deltas[Policy::kAdds ? kChunks : 1];
    // All that is read of the row is on its way before the first use.
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = (chunk * kGroup + lane) * 8;
        if (exists && first < args.extents.channels) {
            load8(x + first, values[chunk]);
            if constexpr (Policy::kAdds) {
                Policy::loadDeltas(args, batch, row, first, deltas[chunk]);
            }
        } else {
#pragma unroll
            for (float& value : values[chunk]) {
                value = 0.0F;
            }
        }
    }
    float sum = 0.0F;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        if constexpr (Policy::kAdds) {
            const int first = (chunk * kGroup + lane) * 8;
            if (exists && first < args.extents.channels) {
                Policy::add(args, batch, row, first, deltas[chunk], values[chunk]);
            }
        }
#pragma unroll
        for (const float value : values[chunk]) {
            sum += Policy::kCentred ? value : value * value;
        }
    }
    sum = groupSum<kGroup>(sum, shared);
    if constexpr (Policy::kCentred) {
        const float mean = sum / static_cast<float>(args.extents.channels);
        sum = 0.0F;
#pragma unroll
        for (int chunk = 0; chunk < kChunks; ++chunk) {
            const int first = (chunk * kGroup + lane) * 8;
            if (first < args.extents.channels) {
#pragma unroll
                for (float& value : values[chunk]) {
                    value -= mean;
                    sum += value * value;
                }
            }
        }
        sum = groupSum<kGroup>(sum, shared);
    }
    // A product is summed over whole warps, which may hold a row beside one that is none.
    if (!Policy::kMultiplies && !exists) {
        return;
    }
    const float factor = Policy::factor(args, sum);
    Ty* y = rowOf<Ty>(args.y, batch, row);
    [[maybe_unused]] float product = 0.0F;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = (chunk * kGroup + lane) * 8;
        if ((!Policy::kMultiplies || exists) && first < args.extents.channels) {
            Policy::apply(args, batch, row, first, factor, values[chunk]);
            store8(y + first, values[chunk]);
            if constexpr (Policy::kMultiplies) {
                Policy::multiply(args, first, values[chunk], product);
            }
        }
    }
    if constexpr (Policy::kMultiplies) {
        product = groupSum<kGroup>(product, shared);
        if (exists && lane == 0) {
            Policy::finish(args, batch, row, product);
        }
    }
}

// Any width and alignment; a block a row. kStep 2 keeps pairs together.
template <class Policy, class Tx, class Ty, int kStep>
__global__ __launch_bounds__(kNormThreads) void normAnyRow(const typename Policy::Args args) {
    __shared__ float shared[kNormThreads / 32];
    const std::int64_t batch = static_cast<std::int64_t>(blockIdx.x) / args.extents.rows;
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) % args.extents.rows;
    const std::int64_t channels = args.extents.channels;
    const Tx* x = rowOf<Tx>(args.x, batch, row);
    Ty* y = rowOf<Ty>(args.y, batch, row);
    const auto valueAt = [&](std::int64_t i) {
        if constexpr (Policy::kAdds) {
            return Policy::sumAt(args, batch, row, i, toFloat(x[i]));
        } else {
            return toFloat(x[i]);
        }
    };
    float mean = 0.0F;
    float sum = 0.0F;
    if constexpr (Policy::kCentred) {
        for (std::int64_t i = threadIdx.x; i < channels; i += kNormThreads) {
            mean += valueAt(i);
        }
        mean = groupSum<kNormThreads>(mean, shared) / static_cast<float>(channels);
    }
    for (std::int64_t i = threadIdx.x; i < channels; i += kNormThreads) {
        const float value = valueAt(i) - mean;
        sum += value * value;
    }
    const float factor = Policy::factor(args, groupSum<kNormThreads>(sum, shared));
    for (std::int64_t i = static_cast<std::int64_t>(threadIdx.x) * kStep; i < channels; i += kNormThreads * kStep) {
        float values[kStep];
#pragma unroll
        for (int j = 0; j < kStep; ++j) {
            values[j] = valueAt(i + j) - mean;
        }
        Policy::apply(args, batch, row, i, factor, values);
#pragma unroll
        for (int j = 0; j < kStep; ++j) {
            store(y + i + j, values[j]);
        }
    }
}

// The narrowest group that holds a row of `channels`, a multiple of 8. False: no group does.
template <class Policy, class Tx, class Ty>
bool launchNormRegisters(Queue& queue, const typename Policy::Args& args, Code& code) {
    const std::int64_t rows = args.extents.batch * args.extents.rows;
    const auto with = [&](auto kernel, int group) {
        LaunchShape shape;
        shape.grid = dim3(static_cast<unsigned>(ceilDiv(rows, kNormThreads / group)));
        shape.threads = kNormThreads;
        code = launch(queue, kernel, shape, args);
        return true;
    };
    const std::int64_t channels = args.extents.channels;
    if (channels <= 128) {
        return with(normRegisters<Policy, Tx, Ty, 16, 1>, 16);
    }
    if (channels <= 256) {
        return with(normRegisters<Policy, Tx, Ty, 32, 1>, 32);
    }
    if (channels <= 512) {
        return with(normRegisters<Policy, Tx, Ty, 32, 2>, 32);
    }
    // A warp a row as long as registers allow: sums of wider groups wait for one another.
    if (channels <= 768) {
        return with(normRegisters<Policy, Tx, Ty, 32, 3>, 32);
    }
    if (channels <= 1536) {
        return with(normRegisters<Policy, Tx, Ty, 32, 6>, 32);
    }
    if (channels <= kWidestRegisterRow) {
        return with(normRegisters<Policy, Tx, Ty, 128, 5>, 128);
    }
    return false;
}

// Launches one norm for the types and the layout of its operands.
template <class Policy>
Code launchNorm(Queue& queue, const typename Policy::Args& args, bool inPairs) {
    const bool vectors = args.extents.channels % 8 == 0 && isVectorisable(args.x) && isVectorisable(args.y) &&
                         Policy::vectorsAligned(args);
    return withAct(args.x.element, [&](auto tx) {
        return withAct(args.y.element, [&](auto ty) {
            using Tx = decltype(tx);
            using Ty = decltype(ty);
            Code code = Code::Ok;
            if constexpr (std::is_same_v<Tx, float> || std::is_same_v<Ty, Bf16>) {
                if (vectors && launchNormRegisters<Policy, Tx, Ty>(queue, args, code)) {
                    return code;
                }
            }
            LaunchShape shape;
            shape.grid = dim3(static_cast<unsigned>(args.extents.batch * args.extents.rows));
            shape.threads = kNormThreads;
            if constexpr (std::is_same_v<Policy, RmsPolicy>) {
                if (inPairs) {
                    return launch(queue, normAnyRow<Policy, Tx, Ty, 2>, shape, args);
                }
            }
            return launch(queue, normAnyRow<Policy, Tx, Ty, 1>, shape, args);
        });
    });
}

}  // namespace fw::kernels::cuda
