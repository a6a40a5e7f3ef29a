// The products a chunked scan is made of, by a warpgroup of four warps each: with mma.sync for any device, with
// wgmma for Hopper. Both leave sums and take operands in the same places, so that one kernel is written for both.
//
// Sums of a 64 x n tile: thread t of the warpgroup holds rows 16 (t/32) + t%32/4 and 8 below, columns 8j + 2(t%4)
// and the next, as sums[4j .. 4j+3] = {(r, c), (r, c+1), (r+8, c), (r+8, c+1)}. Operands in shared memory are boxes
// of 64 rows by 64 columns, rows of 128 bytes whose 16-byte units are exchanged by the row's lower three bits.
#pragma once

#include "kernels/cuda/wgmma.cuh"

namespace fw::kernels::cuda {

inline constexpr int kScanBoxBytes = 64 * kTileRowBytes;
inline constexpr int kScanGroupBytes = 8 * kTileRowBytes;  // eight rows

// Where unit `unit` (8 columns) of a row lies in a tile of boxes side by side, in bytes.
__host__ __device__ __forceinline__ int unitAt(int row, int unit) {
    return unit / 8 * kScanBoxBytes + row * kTileRowBytes + ((unit ^ row) & 7) * 16;
}

// `triangle`: what is above the diagonal is not wanted, or is zero, and may be left out.
struct MmaProducts {
    // Whether the sums are there as soon as a product returns.
    static constexpr bool kAsynchronous = false;

    __device__ static void publish() {}
    __device__ static void begin() {}
    __device__ static void commit() {}
    template <int kPending>
    __device__ static void wait() {}
    template <int kCount>
    __device__ static void claim(float (&)[kCount]) {}

    // sums = a · bᵀ; a [64, kDepth], b [kColumns, kDepth] in shared memory.
    template <int kColumns, int kDepth>
    __device__ __forceinline__ static void fromShared(float (&sums)[kColumns / 2], const unsigned char* a,
                                                      const unsigned char* b, bool triangle) {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        const int warp = static_cast<int>(threadIdx.x) / 32 % 4;
#pragma unroll
        for (float& sum : sums) {
            sum = 0.0F;
        }
#pragma unroll
        for (int step = 0; step < kDepth / 16; ++step) {
            std::uint32_t left[4];
            loadMatrices(left, a + unitAt(16 * warp + lane % 16, 2 * step + lane / 16));
#pragma unroll
            for (int pair = 0; pair < kColumns / 16; ++pair) {
                if (!triangle || pair <= warp) {
                    std::uint32_t right[4];
                    loadMatrices(right, b + unitAt(pair * 16 + lane % 8 + lane / 16 * 8, 2 * step + lane / 8 % 2));
                    multiply(sums, pair, left, right);
                }
            }
        }
    }

    // sums += a · b; a [64, 64] in registers as the sums of an earlier product lie, b [64, kColumns] in shared
    // memory.
    template <int kColumns>
    __device__ __forceinline__ static void fromRegisters(float (&sums)[kColumns / 2],
                                                         const std::uint32_t (&a)[4][4], const unsigned char* b,
                                                         bool triangle) {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        const int warp = static_cast<int>(threadIdx.x) / 32 % 4;
#pragma unroll
        for (int step = 0; step < 4; ++step) {
            if (!triangle || step <= warp) {
#pragma unroll
                for (int pair = 0; pair < kColumns / 16; ++pair) {
                    std::uint32_t right[4];
                    loadMatricesTransposed(right, b + unitAt(step * 16 + lane % 16, 2 * pair + lane / 16));
                    multiply(sums, pair, a[step], right);
                }
            }
        }
    }

 private:
    // Two neighbouring tiles of 8 columns.
    template <int kCount>
    __device__ __forceinline__ static void multiply(float (&sums)[kCount], int pair, const std::uint32_t (&a)[4],
                                                    const std::uint32_t (&b)[4]) {
        float low[4];
        float high[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            low[i] = sums[8 * pair + i];
            high[i] = sums[8 * pair + 4 + i];
        }
        mmaBf16(low, a, b[0], b[1]);
        mmaBf16(high, a, b[2], b[3]);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            sums[8 * pair + i] = low[i];
            sums[8 * pair + 4 + i] = high[i];
        }
    }
};

struct WgmmaProducts {
    static constexpr bool kAsynchronous = true;

    // What this thread wrote to shared memory may be read by products behind the next barrier.
    __device__ __forceinline__ static void publish() { publishToProducts(); }
    __device__ __forceinline__ static void begin() { beginProducts(); }
    __device__ __forceinline__ static void commit() { commitProducts(); }
    template <int kPending>
    __device__ __forceinline__ static void wait() {
        waitForProducts<kPending>();
    }
    template <int kCount>
    __device__ __forceinline__ static void claim(float (&sums)[kCount]) {
        cuda::claim(sums);
    }

    template <int kColumns, int kDepth>
    __device__ __forceinline__ static void fromShared(float (&sums)[kColumns / 2], const unsigned char* a,
                                                      const unsigned char* b, bool) {
        const std::uint64_t left = operandAt(a, 0, kScanGroupBytes);
        const std::uint64_t right = operandAt(b, 0, kScanGroupBytes);
#pragma unroll
        for (int step = 0; step < kDepth / 16; ++step) {
            // 16 columns are 32 bytes of a box; the next box begins after 64.
            const int at = step / 4 * kScanBoxBytes + step % 4 * 32;
            wgmmaFromShared(sums, advanced(left, at), advanced(right, at), step > 0);
        }
    }

    template <int kColumns>
    __device__ __forceinline__ static void fromRegisters(float (&sums)[kColumns / 2],
                                                         const std::uint32_t (&a)[4][4], const unsigned char* b,
                                                         bool) {
        const std::uint64_t right = operandAt(b, kScanBoxBytes, kScanGroupBytes);
#pragma unroll
        for (int step = 0; step < 4; ++step) {
            wgmmaFromRegisters(sums, a[step], advanced(right, step * 2 * kScanGroupBytes));
        }
    }
};

}  // namespace fw::kernels::cuda
