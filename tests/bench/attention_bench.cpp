// CPU attention: every instruction set this processor has, f32 and bf16, one and two threads. GFLOP/s counts the
// two products, 4 · batch · heads · queries · keys · headDim.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/attention_internal.h"

namespace fw::kernels::cpu {
namespace {

struct Shape {
    const char* name;
    std::int64_t heads, queries, keys, headDim;
    bool bias;
};

constexpr Shape kShapes[] = {
    {"mini_256x256x33", 4, 2304, 2304, 64, false}, {"long", 4, 8192, 8192, 64, false},
    {"wide_heads", 4, 2304, 2304, 128, false},     {"cross_attention", 4, 2304, 64, 64, false},
    {"text_encoder", 4, 64, 64, 64, true},
};

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

Memory allocate(std::int64_t bytes) {
    return Memory(std::aligned_alloc(64, (static_cast<std::size_t>(bytes) + 63) / 64 * 64));
}

// `count` normal numbers of this element type; bf16 by truncation.
Memory makeRandom(std::int64_t count, Element element, std::uint32_t seed) {
    Memory memory = allocate(count * 4);
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < count; ++i) {
        const float value = normal(generator);
        if (element == Element::F32) {
            std::memcpy(static_cast<float*>(memory.get()) + i, &value, 4);
        } else {
            std::memcpy(static_cast<std::uint16_t*>(memory.get()) + i, reinterpret_cast<const char*>(&value) + 2,
                        2);
        }
    }
    return memory;
}

void runAttention(benchmark::State& state, const AttentionKernel& kernel, const Shape& shape, Element element,
                  int threads) {
    const std::int64_t token = shape.heads * shape.headDim;
    const Memory q = makeRandom(shape.queries * token, element, 1);
    const Memory k = makeRandom(shape.keys * token, element, 2);
    const Memory v = makeRandom(shape.keys * token, element, 3);
    const Memory out = allocate(shape.queries * token * 4);
    const Memory bias = makeRandom(shape.heads * (shape.queries + shape.keys), Element::F32, 4);
    AttentionArgs args;
    args.q = q.get(), args.k = k.get(), args.v = v.get(), args.out = out.get();
    args.qBatch = args.outBatch = shape.queries * token;
    args.kBatch = args.vBatch = shape.keys * token;
    args.qToken = args.kToken = args.vToken = args.outToken = token;
    args.qHead = args.kHead = args.vHead = args.outHead = shape.headDim;
    args.batch = 1, args.heads = shape.heads, args.queries = shape.queries, args.keys = shape.keys;
    args.headDim = shape.headDim;
    args.element = element;
    args.scale = 1.0F / std::sqrt(static_cast<float>(shape.headDim));
    args.threads = threads;
    if (shape.bias) {
        args.bias = static_cast<const float*>(bias.get()) + shape.queries - 1;
        args.biasHead = shape.queries + shape.keys;
        args.biasQuery = -1;
    }
    const Memory workspace = allocate(attentionWorkspaceBytes(args, kernel));
    args.workspace = workspace.get();
    for (auto _ : state) {
        benchmark::DoNotOptimize(attention(args, kernel));
        benchmark::ClobberMemory();
    }
    const double flops = 4.0 * static_cast<double>(shape.queries * shape.keys * token);
    state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void registerAll() {
    for (const Shape& shape : kShapes) {
        for (const Element element : {Element::F32, Element::Bf16}) {
            for (const AttentionTarget target : kAttentionTargets) {
                const AttentionKernel* kernel = findAttentionKernel(target, element);
                if (kernel == nullptr || target == AttentionTarget::Baseline) {
                    continue;
                }
                for (const int threads : {1, 2}) {
                    const std::string name = std::string(shape.name) + "/" + kernel->name +
                                             (element == Element::F32 ? "/f32" : "/bf16") +
                                             "/threads:" + std::to_string(threads);
                    benchmark::RegisterBenchmark(name.c_str(), runAttention, *kernel, shape, element, threads)
                        ->Unit(benchmark::kMillisecond)
                        ->UseRealTime();
                }
            }
        }
    }
}

}  // namespace
}  // namespace fw::kernels::cpu

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    fw::kernels::cpu::registerAll();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
