#include "kernels/cuda/simple_product.h"

#include "kernels/cuda/fp8.cuh"
#include "kernels/cuda/fp8.h"
#include "kernels/cuda/mma.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kTile = 64;   // rows and columns of a block's result
constexpr int kDepth = 16;  // of the sum per step
constexpr int kPerThread = 4;
constexpr int kPitch = kTile + 4;  // floats; keeps columns in different banks

// Rows of x.
template <class T>
struct LinearRows {
    const LinearArgs& args;
    const T* row;
    bool exists;
    __device__ LinearRows(const LinearArgs& of, std::int64_t index)
        : args(of),
          row(static_cast<const T*>(of.x) + (index < of.rows ? index : 0) * of.xStride),
          exists(index < of.rows) {}
    __device__ float at(std::int64_t k) const { return exists ? toFloat(row[k]) : 0.0F; }
};

// Rows of the matrix of windows: one output pixel each, [kT, kH, kW, inC] long.
template <class T>
struct WindowRows {
    const ConvArgs& args;
    const T* frame;          // of the window's first frame
    std::int64_t top, left;  // of the window, in x
    bool exists;
    __device__ WindowRows(const ConvArgs& of, std::int64_t index) : args(of) {
        exists = index < of.batch * of.outFrames * of.outHeight * of.outWidth;
        std::int64_t rest = exists ? index : 0;
        left = rest % of.outWidth * of.stride[2] - of.padding[2];
        rest /= of.outWidth;
        top = rest % of.outHeight * of.stride[1] - of.padding[0];
        rest /= of.outHeight;
        const std::int64_t first = rest % of.outFrames * of.stride[0];
        const std::int64_t batch = rest / of.outFrames;
        frame = static_cast<const T*>(of.x) + (batch * of.frames + first) * of.height * of.width * of.inChannels;
    }
    // The channels of one pixel of the window; null outside of the picture.
    __device__ const T* tap(std::int64_t index) const {
        const std::int64_t w = left + index % args.kernel[2];
        index /= args.kernel[2];
        const std::int64_t h = top + index % args.kernel[1];
        const std::int64_t t = index / args.kernel[1];
        if (!exists || h < 0 || h >= args.height || w < 0 || w >= args.width) {
            return nullptr;
        }
        return frame + ((t * args.height + h) * args.width + w) * args.inChannels;
    }
    __device__ float at(std::int64_t k) const {
        const T* pixel = tap(k / args.inChannels);
        return pixel == nullptr ? 0.0F : toFloat(pixel[k % args.inChannels]);
    }
};

// Result element (row, column) of a product.
template <class T, class Ty>
__device__ __forceinline__ void finish(const LinearArgs& args, std::int64_t row, std::int64_t column, float sum) {
    if (row < args.rows && column < args.out) {
        const float bias = args.bias == nullptr ? 0.0F : args.bias[column];
        store(static_cast<Ty*>(args.y) + row * args.yStride + column, activated(sum + bias, args.activation));
    }
}
template <class T, class Ty>
__device__ __forceinline__ void finish(const Fp8LinearArgs& args, std::int64_t row, std::int64_t column,
                                       float sum) {
    if (row < args.rows && column < args.out) {
        const float scaled = sum * (args.xScales[row] * args.weightScales[column]);
        finish<T, Ty>(static_cast<const LinearArgs&>(args), row, column, scaled);
    }
}
template <class T, class Ty>
__device__ __forceinline__ void finish(const ConvArgs& args, std::int64_t row, std::int64_t column, float sum) {
    if (row < args.batch * args.outFrames * args.outHeight * args.outWidth && column < args.outChannels) {
        T* y = static_cast<T*>(args.y) + row * args.outChannels + column;
        const float bias = args.bias == nullptr ? 0.0F : args.bias[column];
        store(y, sum + bias + (args.accumulate ? toFloat(*y) : 0.0F));
    }
}

__host__ __device__ __forceinline__ std::int64_t depthOf(const LinearArgs& args) {
    return args.in;
}
__host__ __device__ __forceinline__ std::int64_t depthOf(const ConvArgs& args) {
    return args.kernel[0] * args.kernel[1] * args.kernel[2] * args.inChannels;
}
__host__ __device__ __forceinline__ std::int64_t columnsOf(const LinearArgs& args) {
    return args.out;
}
__host__ __device__ __forceinline__ std::int64_t columnsOf(const ConvArgs& args) {
    return args.outChannels;
}

// A 64 x 64 tile of rows · weightᵀ; weight [columns, depth] is contiguous. A thread loads four neighbours of one
// row of either operand and sums a 4 x 4 corner.
template <class Source, class Args, class T, class Ty>
__global__ __launch_bounds__(kThreads) void productKernel(const Args args) {
    __shared__ float left[kDepth][kPitch];
    __shared__ float right[kDepth][kPitch];
    const int thread = static_cast<int>(threadIdx.x);
    const std::int64_t firstRow = static_cast<std::int64_t>(blockIdx.x) * kTile;
    const std::int64_t firstColumn = static_cast<std::int64_t>(blockIdx.y) * kTile;
    const std::int64_t depth = depthOf(args);
    const int loadRow = thread / kPerThread;
    const int loadDepth = thread % kPerThread * kPerThread;
    const Source source(args, firstRow + loadRow);
    const bool columnExists = firstColumn + loadRow < columnsOf(args);
    const T* weight = static_cast<const T*>(args.weight) + (columnExists ? firstColumn + loadRow : 0) * depth;
    const int cornerRow = thread / (kTile / kPerThread) * kPerThread;
    const int cornerColumn = thread % (kTile / kPerThread) * kPerThread;
    float sums[kPerThread][kPerThread] = {};
    for (std::int64_t begin = 0; begin < depth; begin += kDepth) {
#pragma unroll
        for (int j = 0; j < kPerThread; ++j) {
            const std::int64_t k = begin + loadDepth + j;
            left[loadDepth + j][loadRow] = k < depth ? source.at(k) : 0.0F;
            right[loadDepth + j][loadRow] = k < depth && columnExists ? toFloat(weight[k]) : 0.0F;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < kDepth; ++k) {
            float a[kPerThread];
            float b[kPerThread];
#pragma unroll
            for (int j = 0; j < kPerThread; ++j) {
                a[j] = left[k][cornerRow + j];
                b[j] = right[k][cornerColumn + j];
            }
#pragma unroll
            for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
                for (int j = 0; j < kPerThread; ++j) {
                    sums[i][j] += a[i] * b[j];
                }
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
        for (int j = 0; j < kPerThread; ++j) {
            finish<T, Ty>(args, firstRow + cornerRow + i, firstColumn + cornerColumn + j, sums[i][j]);
        }
    }
}

// kWide neighbours of a row a thread, 1 or 8.
template <class Ty, int kWide>
__global__ __launch_bounds__(kThreads) void biasActivationKernel(const LinearArgs args, bool withBias) {
    const std::int64_t perRow = args.out / kWide;
    const std::int64_t items = args.rows * perRow;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < items; i += step) {
        // 64-bit division is several times slower.
        const std::int64_t row =
            i <= 0x7fffffff ? static_cast<std::uint32_t>(i) / static_cast<std::uint32_t>(perRow) : i / perRow;
        const std::int64_t column = (i - row * perRow) * kWide;
        Ty* y = static_cast<Ty*>(args.y) + row * args.yStride + column;
        float values[kWide];
        if constexpr (kWide == 8) {
            load8(static_cast<const Ty*>(y), values);
        } else {
            values[0] = toFloat(*y);
        }
#pragma unroll
        for (int j = 0; j < kWide; ++j) {
            values[j] = activated(values[j] + (withBias ? args.bias[column + j] : 0.0F), args.activation);
        }
        if constexpr (kWide == 8) {
            store8(y, values);
        } else {
            store(y, values[0]);
        }
    }
}

// Convolutions to at most kFew channels (the decoder's colours), where a tile of 64 columns would be idle: a thread
// a pixel, weights in shared memory as [tap][inC][kFew] in f32.
constexpr int kFew = 4;

template <class T>
__global__ __launch_bounds__(kThreads) void fewChannelsKernel(const ConvArgs args) {
    FW_DYNAMIC_SHARED(memory);
    float* weights = reinterpret_cast<float*>(memory);
    const int taps = static_cast<int>(args.kernel[0] * args.kernel[1] * args.kernel[2]);
    const int inChannels = static_cast<int>(args.inChannels);
    for (int i = static_cast<int>(threadIdx.x); i < taps * inChannels * kFew; i += kThreads) {
        const int out = i % kFew;
        weights[i] = out < args.outChannels
                         ? toFloat(static_cast<const T*>(args.weight)[out * taps * inChannels + i / kFew])
                         : 0.0F;
    }
    __syncthreads();
    const std::int64_t pixels = args.batch * args.outFrames * args.outHeight * args.outWidth;
    const std::int64_t pixel = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const WindowRows<T> window(args, pixel);
    float sums[kFew] = {};
    for (int tap = 0; tap < taps; ++tap) {
        const T* x = window.tap(tap);
        if (x == nullptr) {
            continue;
        }
        for (int channel = 0; channel < inChannels; channel += 8) {
            float values[8];
            load8(x + channel, values);
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                const float4 weight =
                    *reinterpret_cast<const float4*>(weights + (tap * inChannels + channel + j) * kFew);
                sums[0] += values[j] * weight.x;
                sums[1] += values[j] * weight.y;
                sums[2] += values[j] * weight.z;
                sums[3] += values[j] * weight.w;
            }
        }
    }
    if (pixel < pixels) {
#pragma unroll
        for (int out = 0; out < kFew; ++out) {
            finish<T, T>(args, pixel, out, sums[out]);
        }
    }
}

// The same in bf16 on the tensor cores: 16 pixels by 8 columns, of which those past the last channel are zeros. A
// sum may take its terms in any order: lane q of a row's four reads 8 neighbouring channels at once and counts them
// as its columns of two products. Needs input channels in multiples of 32; weights in shared memory as they lie.
constexpr int kColours = 8;
constexpr int kColourRows = 4;  // pixels of a lane
constexpr int kColourPixels = kThreads / 32 * 8 * kColourRows;

__device__ __forceinline__ uint4 eightChannels(const Bf16* from, bool exists) {
    return exists ? *reinterpret_cast<const uint4*>(from) : make_uint4(0U, 0U, 0U, 0U);
}

__global__ __launch_bounds__(kThreads) void fewChannelsMmaKernel(const ConvArgs args) {
    FW_DYNAMIC_SHARED(memory);
    Bf16* weights = reinterpret_cast<Bf16*>(memory);
    const int inChannels = static_cast<int>(args.inChannels);
    const int taps = static_cast<int>(args.kernel[0] * args.kernel[1] * args.kernel[2]);
    const int perColumn = taps * inChannels;
    for (int i = static_cast<int>(threadIdx.x); i < perColumn * static_cast<int>(args.outChannels); i += kThreads) {
        weights[i] = static_cast<const Bf16*>(args.weight)[i];
    }
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int quarter = lane % 4 * 8;  // first channel of this lane in every 32
    const std::int64_t firstPixel = static_cast<std::int64_t>(blockIdx.x) * kColourPixels +
                                    static_cast<std::int64_t>(threadIdx.x) / 32 * 8 * kColourRows + lane / 4;
    const Bf16* frames[kColourRows];
    int tops[kColourRows];
    int lefts[kColourRows];
#pragma unroll
    for (int row = 0; row < kColourRows; ++row) {
        const WindowRows<Bf16> window(args, firstPixel + 8 * row);
        frames[row] = window.frame;
        tops[row] = window.exists ? static_cast<int>(window.top) : -0x40000000;  // every tap outside
        lefts[row] = static_cast<int>(window.left);
    }
    const int height = static_cast<int>(args.height);
    const int width = static_cast<int>(args.width);
    const bool columnExists = lane / 4 < args.outChannels;
    const Bf16* weight = weights + (columnExists ? lane / 4 : 0) * perColumn + quarter;
    float sums[kColourRows / 2][4] = {};
    for (int t = 0; t < args.kernel[0]; ++t) {
        for (int h = 0; h < args.kernel[1]; ++h) {
            for (int w = 0; w < args.kernel[2]; ++w, weight += inChannels) {
                const Bf16* x[kColourRows];
                bool inside[kColourRows];
#pragma unroll
                for (int row = 0; row < kColourRows; ++row) {
                    const int y = tops[row] + h;
                    const int column = lefts[row] + w;
                    inside[row] = y >= 0 && y < height && column >= 0 && column < width;
                    const std::int64_t pixel = (static_cast<std::int64_t>(t) * height + y) * width + column;
                    x[row] = frames[row] + (inside[row] ? pixel * inChannels : 0) + quarter;
                }
                for (int channel = 0; channel < inChannels; channel += 32) {
                    const uint4 b = eightChannels(weight + channel, columnExists);
#pragma unroll
                    for (int tile = 0; tile < kColourRows / 2; ++tile) {
                        const uint4 upper = eightChannels(x[2 * tile] + channel, inside[2 * tile]);
                        const uint4 lower = eightChannels(x[2 * tile + 1] + channel, inside[2 * tile + 1]);
                        const std::uint32_t first[4] = {upper.x, lower.x, upper.y, lower.y};
                        const std::uint32_t second[4] = {upper.z, lower.z, upper.w, lower.w};
                        mmaBf16(sums[tile], first, b.x, b.y);
                        mmaBf16(sums[tile], second, b.z, b.w);
                    }
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 4 * (kColourRows / 2); ++i) {
        finish<Bf16, Bf16>(args, firstPixel + i / 2 * 8, lane % 4 * 2 + i % 2, sums[i / 4][i % 4]);
    }
}

// Whether it applies, and then bytes of shared memory, as below.
std::int64_t fewChannelsMmaBytes(const Queue& queue, const ConvArgs& args) {
    constexpr std::int64_t kMostPixels = 0x3fffffff;  // of a side, for 32-bit positions
    const std::int64_t bytes = depthOf(args) * args.outChannels * static_cast<std::int64_t>(sizeof(Bf16));
    const bool applies = args.element == Element::Bf16 && args.outChannels <= kColours &&
                         args.inChannels % 32 == 0 && reinterpret_cast<std::uintptr_t>(args.x) % 16 == 0 &&
                         bytes <= queue.sharedBytesPerBlock && args.height < kMostPixels &&
                         args.width < kMostPixels;
    return applies ? bytes : 0;
}

// Bytes of shared memory, or 0 where the kernel does not apply.
std::int64_t fewChannelsBytes(const Queue& queue, const ConvArgs& args) {
    const std::int64_t bytes = depthOf(args) * kFew * static_cast<std::int64_t>(sizeof(float));
    const bool applies = args.outChannels <= kFew && args.inChannels % 8 == 0 &&
                         reinterpret_cast<std::uintptr_t>(args.x) % 16 == 0 && bytes <= queue.sharedBytesPerBlock;
    return applies ? bytes : 0;
}

// kWide neighbouring channels of a pixel a thread.
template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void finishConvKernel(const ConvArgs args, const void* sums,
                                                             std::int64_t items) {
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
    const auto perPixel = static_cast<std::uint32_t>(args.outChannels / kWide);
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < items; i += step) {
        const std::int64_t group = i <= 0x7fffffff ? static_cast<std::uint32_t>(i) % perPixel : i % perPixel;
        const std::int64_t channel = group * kWide;
        T* y = static_cast<T*>(args.y) + i * kWide;
        const T* sum = static_cast<const T*>(sums) + i * kWide;
        float values[kWide];
        float old[kWide] = {};
        if constexpr (kWide == 8) {
            load8(sum, values);
            if (args.accumulate) {
                load8(static_cast<const T*>(y), old);
            }
        } else {
            values[0] = toFloat(*sum);
            old[0] = args.accumulate ? toFloat(*y) : 0.0F;
        }
#pragma unroll
        for (int j = 0; j < kWide; ++j) {
            values[j] += old[j] + (args.bias == nullptr ? 0.0F : args.bias[channel + j]);
        }
        if constexpr (kWide == 8) {
            store8(y, values);
        } else {
            store(y, values[0]);
        }
    }
}

LaunchShape tilesOf(std::int64_t rows, std::int64_t columns) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(rows, kTile)), static_cast<unsigned>(ceilDiv(columns, kTile)));
    shape.threads = kThreads;
    return shape;
}

}  // namespace

Code simpleLinear(Queue& queue, const LinearArgs& args) {
    return withAct(args.compute, [&](auto t) {
        return withAct(args.result, [&](auto ty) {
            using T = decltype(t);
            return launch(queue, productKernel<LinearRows<T>, LinearArgs, T, decltype(ty)>,
                          tilesOf(args.rows, args.out), args);
        });
    });
}

Code simpleFp8Linear(Queue& queue, const Fp8LinearArgs& args) {
    return withAct(args.result, [&](auto ty) {
        return launch(queue, productKernel<LinearRows<Fp8>, Fp8LinearArgs, Fp8, decltype(ty)>,
                      tilesOf(args.rows, args.out), args);
    });
}

Code simpleConv(Queue& queue, const ConvArgs& args) {
    return withAct(args.element, [&](auto t) {
        using T = decltype(t);
        const std::int64_t pixels = args.batch * args.outFrames * args.outHeight * args.outWidth;
        if (const std::int64_t bytes = fewChannelsMmaBytes(queue, args); bytes > 0) {
            LaunchShape shape;
            shape.grid = dim3(static_cast<unsigned>(ceilDiv(pixels, kColourPixels)));
            shape.threads = kThreads;
            shape.sharedBytes = bytes;
            return launch(queue, fewChannelsMmaKernel, shape, args);
        }
        if (const std::int64_t bytes = fewChannelsBytes(queue, args); bytes > 0) {
            LaunchShape shape;
            shape.grid = dim3(static_cast<unsigned>(ceilDiv(pixels, kThreads)));
            shape.threads = kThreads;
            shape.sharedBytes = bytes;
            return launch(queue, fewChannelsKernel<T>, shape, args);
        }
        return launch(queue, productKernel<WindowRows<T>, ConvArgs, T, T>, tilesOf(pixels, args.outChannels), args);
    });
}

Code finishConv(Queue& queue, const ConvArgs& args, const void* sums) {
    if (args.bias == nullptr && !args.accumulate) {
        return Code::Ok;
    }
    constexpr std::int64_t kMostBlocks = 1 << 20;
    const std::int64_t elements = args.batch * args.outFrames * args.outHeight * args.outWidth * args.outChannels;
    const bool wide = args.outChannels % 8 == 0 && reinterpret_cast<std::uintptr_t>(args.y) % 16 == 0 &&
                      reinterpret_cast<std::uintptr_t>(sums) % 16 == 0;
    const std::int64_t items = wide ? elements / 8 : elements;
    const std::int64_t blocks = ceilDiv(items, kThreads);
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks));
    shape.threads = kThreads;
    return withAct(args.element, [&](auto t) {
        using T = decltype(t);
        return wide ? launch(queue, finishConvKernel<T, 8>, shape, args, sums, items)
                    : launch(queue, finishConvKernel<T, 1>, shape, args, sums, items);
    });
}

Code biasAndActivation(Queue& queue, const LinearArgs& args, bool withBias) {
    constexpr std::int64_t kMostBlocks = 1 << 20;
    const bool wide =
        args.out % 8 == 0 && args.yStride % 8 == 0 && reinterpret_cast<std::uintptr_t>(args.y) % 16 == 0;
    LaunchShape shape;
    const std::int64_t blocks = ceilDiv(args.rows * args.out, kThreads * (wide ? 8 : 1));
    shape.grid = dim3(static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks));
    shape.threads = kThreads;
    return withAct(args.result, [&](auto ty) {
        using Ty = decltype(ty);
        return wide ? launch(queue, biasActivationKernel<Ty, 8>, shape, args, withBias)
                    : launch(queue, biasActivationKernel<Ty, 1>, shape, args, withBias);
    });
}

}  // namespace fw::kernels::cuda
