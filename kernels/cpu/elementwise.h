// Element-wise kernels on the CPU. f32 or bf16 as stated, arithmetic f32, no dependence on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/element.h"
#include "kernels/cpu/loop_nest.h"

namespace fw::kernels::cpu {

// residual += gate · delta; gate [batch, channels] or null for 1.
struct GatedAddArgs {
    RowExtents extents;
    Rows residual;
    ConstRows delta;
    const float* gate = nullptr;
    std::int64_t gateBatchStride = 0;
};
void gatedAdd(const GatedAddArgs& args, int threads);

// target += scale · sigmoid(logit) · branch, one logit per row, or with `meanGate` their mean over the rows of a
// batch; logits null: target += scale · branch. target and branch of the same element type.
struct BranchAddArgs {
    RowExtents extents;
    Rows target;
    ConstRows branch;
    const float* logits = nullptr;  // [batch, rows]
    std::int64_t logitBatchStride = 0, logitRowStride = 0;
    bool meanGate = false;
    float scale = 1.0F;
};
void branchAdd(const BranchAddArgs& args, int threads);

// y = x · sigmoid(x) on contiguous f32; y may be x.
void silu(const float* x, float* y, std::int64_t count, int threads);

// y[…, F] = gelu_tanh(x[…, :F]) · x[…, F:]; extents.channels is F.
struct GatedGeluArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
};
void gatedGelu(const GatedGeluArgs& args, int threads);

// y = a + b, f32; operand 0 of the nest is y, 1 is a, 2 is b.
struct AddArgs {
    LoopNest<3> nest;
    float* y = nullptr;
    const float* a = nullptr;
    const float* b = nullptr;
};
void add(const AddArgs& args, int threads);

// y = Σ coefficients[i] · terms[i] on contiguous f32; y may be any term.
struct CombinationArgs {
    const float* const* terms = nullptr;
    const float* coefficients = nullptr;
    std::size_t termCount = 0;  // at least 1
    float* y = nullptr;
    std::int64_t count = 0;
};
void linearCombination(const CombinationArgs& args, int threads);

// means = {mean |a - b|, mean |b|, mean (a - b)², mean b²}. Sums of some 8,192 elements in f32, of
// those in f64 in their order.
struct DifferenceArgs {
    RowExtents extents;  // at least one element
    ConstRows a, b;
    double* workspace = nullptr;  // differenceWorkspaceBytes(extents)
    float* means = nullptr;       // [4]
};
[[nodiscard]] std::int64_t differenceWorkspaceBytes(const RowExtents& extents);
void difference(const DifferenceArgs& args, int threads);

// y = round(clamp(x, -1, 1) · 127.5 + 127.5), ties to even. y's element size is one byte; its `element` is ignored.
struct ToBytesArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
};
void toBytes(const ToBytesArgs& args, int threads);

}  // namespace fw::kernels::cpu
