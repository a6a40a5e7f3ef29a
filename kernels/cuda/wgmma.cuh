// Hopper's asynchronous instructions as functions: products by warpgroups (wgmma), barriers in shared memory that
// count bytes (mbarrier), tiles copied by the tensor memory accelerator (TMA). Compute capability 9.0 only
// ("sm_90a"). PTX ISA 9.0, sections "Asynchronous warpgroup level matrix instructions", "mbarrier" and
// "cp.async.bulk.tensor": https://docs.nvidia.com/cuda/parallel-thread-execution/
#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tensor_map.h"

namespace fw::kernels::cuda {

// A tile row of 64 bf16 is 128 bytes; TMA and wgmma exchange the 16-byte units of eight such rows (128-byte
// swizzle).
inline constexpr int kTileColumns = 64;
inline constexpr int kTileRowBytes = 128;

#ifdef __CUDACC__
__device__ __forceinline__ std::uint32_t sharedAddressOf(const void* pointer) {
    return sharedAddress(pointer);
}

// --- barriers

__device__ __forceinline__ void initBarrier(std::uint64_t* barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(arrivals) : "memory");
}
// Makes the initialisation visible to the asynchronous proxy; a __syncthreads() must follow.
__device__ __forceinline__ void publishBarriers() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void arriveExpecting(std::uint64_t* barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(bytes)
                 : "memory");
}
__device__ __forceinline__ void arrive(std::uint64_t* barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(barrier)) : "memory");
}
// Until the phase of this parity is complete. The phase before the first counts as parity 1.
__device__ __forceinline__ void waitFor(std::uint64_t* barrier, int parity) {
    asm volatile(
        "{.reg .pred done;\n"
        "again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;}\n" ::"r"(sharedAddress(barrier)),
        "r"(parity)
        : "memory");
}

// --- copies

// The box of `map` at {column, token, head, batch}, counted into the barrier.
__device__ __forceinline__ void loadBox(void* shared, const TensorMap& map, std::uint64_t* barrier, int column,
                                        int token, int head, int batch) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, "
        "%6}], "
        "[%2];" ::"r"(sharedAddress(shared)),
        "l"(&map), "r"(sharedAddress(barrier)), "r"(column), "r"(token), "r"(head), "r"(batch)
        : "memory");
}

// The box of a map of makeGridMap() at these coordinates, the fastest first.
__device__ __forceinline__ void loadGridBox(void* shared, const TensorMap& map, std::uint64_t* barrier,
                                            const int (&at)[5]) {
    asm volatile(
        "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, "
        "%6, %7}], "
        "[%2];" ::"r"(sharedAddress(shared)),
        "l"(&map), "r"(sharedAddress(barrier)), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
        : "memory");
}

// `bytes` as they lie, a multiple of 16 like either address, counted into the barrier.
__device__ __forceinline__ void loadBytes(void* shared, const void* global, int bytes, std::uint64_t* barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                     sharedAddress(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(sharedAddress(barrier))
                 : "memory");
}

// --- registers and turns

template <int kRegisters>
__device__ __forceinline__ void giveRegisters() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void takeRegisters() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
// Barrier `id` of the block's sixteen, met by `threads` threads: those that wait and those that only announce.
__device__ __forceinline__ void waitForTurn(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void giveTurn(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// --- products

// Ordinary and asynchronous (cp.async) stores of this thread to shared memory, once they are done, become visible
// to products behind the next barrier.
__device__ __forceinline__ void publishToProducts() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void beginProducts() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commitProducts() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void waitForProducts() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
// Keeps the compiler from using the sums of an asynchronous product before the wait above this call.
template <int kCount>
__device__ __forceinline__ void claim(float (&sums)[kCount]) {
#pragma unroll
    for (float& sum : sums) {
        asm volatile("" : "+f"(sum)::"memory");
    }
}

// The sums of a product as PTX and the compiler count them. Not functions: the text is an instruction's.
#define FW_SUMS_32                                                           \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define FW_SUM_OPERANDS_32                                                                                   \
    "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]), "+f"(sums[4]), "+f"(sums[5]), "+f"(sums[6]), \
        "+f"(sums[7]), "+f"(sums[8]), "+f"(sums[9]), "+f"(sums[10]), "+f"(sums[11]), "+f"(sums[12]),         \
        "+f"(sums[13]), "+f"(sums[14]), "+f"(sums[15]), "+f"(sums[16]), "+f"(sums[17]), "+f"(sums[18]),      \
        "+f"(sums[19]), "+f"(sums[20]), "+f"(sums[21]), "+f"(sums[22]), "+f"(sums[23]), "+f"(sums[24]),      \
        "+f"(sums[25]), "+f"(sums[26]), "+f"(sums[27]), "+f"(sums[28]), "+f"(sums[29]), "+f"(sums[30]),      \
        "+f"(sums[31])
#define FW_SUMS_64                                                                     \
    FW_SUMS_32                                                                         \
    ", "                                                                               \
    "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define FW_SUM_OPERANDS_64                                                                              \
    FW_SUM_OPERANDS_32, "+f"(sums[32]), "+f"(sums[33]), "+f"(sums[34]), "+f"(sums[35]), "+f"(sums[36]), \
        "+f"(sums[37]), "+f"(sums[38]), "+f"(sums[39]), "+f"(sums[40]), "+f"(sums[41]), "+f"(sums[42]), \
        "+f"(sums[43]), "+f"(sums[44]), "+f"(sums[45]), "+f"(sums[46]), "+f"(sums[47]), "+f"(sums[48]), \
        "+f"(sums[49]), "+f"(sums[50]), "+f"(sums[51]), "+f"(sums[52]), "+f"(sums[53]), "+f"(sums[54]), \
        "+f"(sums[55]), "+f"(sums[56]), "+f"(sums[57]), "+f"(sums[58]), "+f"(sums[59]), "+f"(sums[60]), \
        "+f"(sums[61]), "+f"(sums[62]), "+f"(sums[63])
#define FW_SUMS_88                                                                     \
    FW_SUMS_64                                                                         \
    ", "                                                                               \
    "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
    "%80, %81, %82, %83, %84, %85, %86, %87"
#define FW_SUM_OPERANDS_88                                                                              \
    FW_SUM_OPERANDS_64, "+f"(sums[64]), "+f"(sums[65]), "+f"(sums[66]), "+f"(sums[67]), "+f"(sums[68]), \
        "+f"(sums[69]), "+f"(sums[70]), "+f"(sums[71]), "+f"(sums[72]), "+f"(sums[73]), "+f"(sums[74]), \
        "+f"(sums[75]), "+f"(sums[76]), "+f"(sums[77]), "+f"(sums[78]), "+f"(sums[79]), "+f"(sums[80]), \
        "+f"(sums[81]), "+f"(sums[82]), "+f"(sums[83]), "+f"(sums[84]), "+f"(sums[85]), "+f"(sums[86]), \
        "+f"(sums[87])

// The sums of a warpgroup's 64 x n tile: thread t holds rows 16 (t/32) + t%32/4 and 8 below, columns 8j + 2(t%4)
// and the next, as sums[4j .. 4j+3] = {(r, c), (r, c+1), (r+8, c), (r+8, c+1)}.
//
// sums (+)= a · bᵀ: both operands in shared memory, rows of 16 neighbouring elements of the sum's dimension.
__device__ __forceinline__ void wgmmaFromShared(float (&sums)[64], std::uint64_t a, std::uint64_t b, bool add) {
    asm volatile(
        "{.reg .pred adds; setp.ne.b32 adds, %66, 0; "
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" FW_SUMS_64 "}, %64, %65, adds, 1, 1, 0, 0;}"
        : FW_SUM_OPERANDS_64
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
__device__ __forceinline__ void wgmmaFromShared(float (&sums)[32], std::uint64_t a, std::uint64_t b, bool add) {
    asm volatile(
        "{.reg .pred adds; setp.ne.b32 adds, %34, 0; "
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" FW_SUMS_32 "}, %32, %33, adds, 1, 1, 0, 0;}"
        : FW_SUM_OPERANDS_32
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
// sums += a · b: both in shared memory, a as rows of neighbouring elements of the sum's dimension, b as rows of
// neighbouring columns.
__device__ __forceinline__ void wgmmaOntoColumns(float (&sums)[64], std::uint64_t a, std::uint64_t b) {
    asm volatile(
        "{.reg .pred always; setp.eq.b32 always, 0, 0; "
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" FW_SUMS_64 "}, %64, %65, always, 1, 1, 0, 1;}"
        : FW_SUM_OPERANDS_64
        : "l"(a), "l"(b));
}
// sums += a · b: a in registers as the sums of an earlier product lie, b in shared memory, rows of neighbouring
// columns.
__device__ __forceinline__ void wgmmaFromRegisters(float (&sums)[64], const std::uint32_t (&a)[4],
                                                   std::uint64_t b) {
    asm volatile(
        "{.reg .pred always; setp.eq.b32 always, 0, 0; "
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" FW_SUMS_64
        "}, {%64, %65, %66, %67}, %68, always, 1, 1, 1;}"
        : FW_SUM_OPERANDS_64
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
__device__ __forceinline__ void wgmmaFromRegisters(float (&sums)[32], const std::uint32_t (&a)[4],
                                                   std::uint64_t b) {
    asm volatile(
        "{.reg .pred always; setp.eq.b32 always, 0, 0; "
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" FW_SUMS_32
        "}, {%32, %33, %34, %35}, %36, always, 1, 1, 1;}"
        : FW_SUM_OPERANDS_32
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
#define FW_SUMS_112                                                                              \
    FW_SUMS_88                                                                                   \
    ", "                                                                                         \
    "%88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, " \
    "%105, %106, %107, %108, %109, %110, %111"
#define FW_SUM_OPERANDS_112                                                                                   \
    FW_SUM_OPERANDS_88, "+f"(sums[88]), "+f"(sums[89]), "+f"(sums[90]), "+f"(sums[91]), "+f"(sums[92]),       \
        "+f"(sums[93]), "+f"(sums[94]), "+f"(sums[95]), "+f"(sums[96]), "+f"(sums[97]), "+f"(sums[98]),       \
        "+f"(sums[99]), "+f"(sums[100]), "+f"(sums[101]), "+f"(sums[102]), "+f"(sums[103]), "+f"(sums[104]),  \
        "+f"(sums[105]), "+f"(sums[106]), "+f"(sums[107]), "+f"(sums[108]), "+f"(sums[109]), "+f"(sums[110]), \
        "+f"(sums[111])

// The same of e4m3, 32 elements of the sum's dimension at a time; rows of either operand are along that dimension.
__device__ __forceinline__ void wgmmaFp8FromShared(float (&sums)[112], std::uint64_t a, std::uint64_t b, bool add) {
    asm volatile(
        "{.reg .pred adds; setp.ne.b32 adds, %114, 0; "
        "wgmma.mma_async.sync.aligned.m64n224k32.f32.e4m3.e4m3 {" FW_SUMS_112 "}, %112, %113, adds, 1, 1;}"
        : FW_SUM_OPERANDS_112
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
__device__ __forceinline__ void wgmmaFp8FromShared(float (&sums)[64], std::uint64_t a, std::uint64_t b, bool add) {
    asm volatile(
        "{.reg .pred adds; setp.ne.b32 adds, %66, 0; "
        "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 {" FW_SUMS_64 "}, %64, %65, adds, 1, 1;}"
        : FW_SUM_OPERANDS_64
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
__device__ __forceinline__ void wgmmaFp8FromRegisters(float (&sums)[64], const std::uint32_t (&a)[4],
                                                      std::uint64_t b) {
    asm volatile(
        "{.reg .pred always; setp.eq.b32 always, 0, 0; "
        "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 {" FW_SUMS_64
        "}, {%64, %65, %66, %67}, %68, always, 1, 1;}"
        : FW_SUM_OPERANDS_64
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
__device__ __forceinline__ void wgmmaFp8FromRegisters(float (&sums)[32], const std::uint32_t (&a)[4],
                                                      std::uint64_t b) {
    asm volatile(
        "{.reg .pred always; setp.eq.b32 always, 0, 0; "
        "wgmma.mma_async.sync.aligned.m64n64k32.f32.e4m3.e4m3 {" FW_SUMS_32
        "}, {%32, %33, %34, %35}, %36, always, 1, 1;}"
        : FW_SUM_OPERANDS_32
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
#undef FW_SUMS_112
#undef FW_SUM_OPERANDS_112
#undef FW_SUMS_32
#undef FW_SUM_OPERANDS_32
#undef FW_SUMS_64
#undef FW_SUM_OPERANDS_64
#undef FW_SUMS_88
#undef FW_SUM_OPERANDS_88
#endif

// Describes an operand in swizzled shared memory. `stride` is the distance of groups of eight rows, `leading` that
// of blocks of 64 columns where rows hold neighbouring columns (ignored otherwise), both in bytes.
__device__ __forceinline__ std::uint64_t operandAt(const void* tile, int leading, int stride) {
    constexpr std::uint64_t kSwizzle128 = 1ULL << 62U;
    const std::uint64_t address = (sharedAddressOf(tile) & 0x3ffffU) >> 4U;
    return kSwizzle128 | static_cast<std::uint64_t>(stride >> 4) << 32U |
           static_cast<std::uint64_t>(leading >> 4) << 16U | address;
}
// An operand whose rows are 32 bytes, all there is of the sum's dimension for one product (32-byte swizzle).
__device__ __forceinline__ std::uint64_t operandOfColumn(const void* column) {
    constexpr std::uint64_t kSwizzle32 = 3ULL << 62U;
    constexpr int kStride = 8 * 32;  // of groups of eight rows
    const std::uint64_t address = (sharedAddressOf(column) & 0x3ffffU) >> 4U;
    return kSwizzle32 | static_cast<std::uint64_t>(kStride >> 4) << 32U | address;
}
// The same operand `bytes` further on.
__device__ __forceinline__ std::uint64_t advanced(std::uint64_t operand, int bytes) {
    return operand + static_cast<std::uint64_t>(bytes >> 4);
}

}  // namespace fw::kernels::cuda
