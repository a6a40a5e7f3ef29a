// Speed of the CPU's operations at the shapes of the embedded model, beside oneDNN's own 2048³ product.
//
//   ops_bench --threads=2 --benchmark_filter=linear
//
// Counters: FLOP/s where the operation is a product, bytes/s (each operand once) where memory is the limit.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"

namespace {

using namespace fw;
using namespace fw::backend;

// A device, its queue and the tensors of one benchmark.
class Bench {
 public:
    explicit Bench(int threads)
        : m_device(*createDevice("cpu")), m_ops(*m_device->createOps({.threads = threads})) {}

    [[nodiscard]] Ops& ops() { return *m_ops; }

    // Small numbers that are no special case for any operation.
    TensorView tensor(DType dtype, const Shape& shape) {
        std::vector<float> values(static_cast<std::size_t>(shape.product()));
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(i * 2654435761U % 1009U) / 1009.0F - 0.5F;
        }
        m_tensors.push_back(*createTensor(*m_device, dtype, shape));
        m_ops->copy(ConstTensorView(values.data(), DType::F32, shape), m_tensors.back().view);
        return m_tensors.back().view;
    }

    [[nodiscard]] std::unique_ptr<PackedLinear> linear(std::int64_t in, std::int64_t out, DType dtype) {
        const ConstTensorView weight = tensor(DType::F32, {out, in});
        const ConstTensorView bias = tensor(DType::F32, {out});
        return *m_ops->packLinear({{&weight, 1}, {&bias, 1}}, dtype);
    }

    // Times `call` and reports what it charges.
    void measure(benchmark::State& state, bool product, const std::function<void()>& call) {
        call();  // makes primitives and scratch memory
        const OpCost before = m_ops->cost();
        for (auto _ : state) {
            call();
        }
        if (!m_ops->synchronize()) {
            state.SkipWithError("the operation failed");
        }
        const OpCost& after = m_ops->cost();
        if (product) {
            state.counters["FLOP/s"] =
                benchmark::Counter(static_cast<double>(after.flops - before.flops), benchmark::Counter::kIsRate);
        } else {
            state.counters["B/s"] =
                benchmark::Counter(static_cast<double>(after.bytes - before.bytes), benchmark::Counter::kIsRate);
        }
    }

 private:
    std::unique_ptr<Device> m_device;
    std::unique_ptr<Ops> m_ops;
    std::vector<OwnedTensor> m_tensors;
};

using Body = std::function<void(benchmark::State&, int threads, DType dtype)>;

void registerFor(const std::string& name, int threads, const std::vector<DType>& dtypes, const Body& body) {
    for (const DType dtype : dtypes) {
        const std::string full = name + "/" + std::string(dtypeName(dtype));
        benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) { body(state, threads, dtype); })
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
    }
}

// The measure of the machine: a large square product with packed weights and nothing around it.
void squareProduct(benchmark::State& state, int threads, DType dtype) {
    constexpr std::int64_t kSize = 2048;
    Bench bench(threads);
    const ConstTensorView weight = bench.tensor(DType::F32, {kSize, kSize});
    const auto packed = *bench.ops().packLinear({{&weight, 1}, {}}, dtype);
    const TensorView x = bench.tensor(dtype, {kSize, kSize});
    const TensorView y = bench.tensor(dtype, {kSize, kSize});
    bench.measure(state, true, [&] { bench.ops().linear(x, *packed, y); });
}

struct LinearShape {
    const char* name;
    std::int64_t rows, in, out;
    Activation activation;
};

void linear(benchmark::State& state, int threads, DType dtype, const LinearShape& shape) {
    Bench bench(threads);
    const auto packed = bench.linear(shape.in, shape.out, dtype);
    const TensorView x = bench.tensor(dtype, {shape.rows, shape.in});
    const TensorView y = bench.tensor(dtype, {shape.rows, shape.out});
    bench.measure(state, true, [&] { bench.ops().linear(x, *packed, y, shape.activation); });
}

void attention(benchmark::State& state, int threads, DType dtype, std::int64_t keys) {
    constexpr std::int64_t kTokens = 2304;
    Bench bench(threads);
    const TensorView fused = bench.tensor(dtype, {1, kTokens, 3, 4, 64});
    const auto part = [&](std::int64_t index, std::int64_t tokens) {
        const ConstTensorView slice = fused.slice(2, index, index + 1).slice(1, 0, tokens);
        return ConstTensorView(slice.data(), dtype, {1, tokens, 4, 64},
                               {slice.stride(0), slice.stride(1), slice.stride(3), 1});
    };
    const TensorView out = bench.tensor(dtype, {1, kTokens, 4, 64});
    AttentionOptions options;
    options.scale = 0.125F;
    bench.measure(state, true,
                  [&] { bench.ops().attention(part(0, kTokens), part(1, keys), part(2, keys), out, options); });
}

struct ConvShape {
    const char* name;
    Shape x;
    std::int64_t outChannels;
    std::array<std::int64_t, 3> kernel;
};

void conv(benchmark::State& state, int threads, DType dtype, const ConvShape& shape) {
    Bench bench(threads);
    const std::int64_t pad = shape.kernel[1] / 2;
    const ConstTensorView weight = bench.tensor(
        DType::F32, {shape.outChannels, shape.x[4], shape.kernel[0], shape.kernel[1], shape.kernel[2]});
    const ConstTensorView bias = bench.tensor(DType::F32, {shape.outChannels});
    const auto packed =
        *bench.ops().packConv3d(weight, bias, {.stride = {1, 1, 1}, .padding = {pad, pad, pad, pad}}, dtype);
    const TensorView x = bench.tensor(dtype, shape.x);
    const TensorView y = bench.tensor(
        dtype, {shape.x[0], shape.x[1] - shape.kernel[0] + 1, shape.x[2], shape.x[3], shape.outChannels});
    bench.measure(state, true, [&] { bench.ops().conv3d(x, *packed, y); });
}

void registerProducts(int threads, const std::vector<DType>& dtypes) {
    registerFor("product_2048", threads, dtypes, squareProduct);
    const LinearShape shapes[] = {
        {"linear/qkv_2304x256x768", 2304, 256, 768, Activation::None},
        {"linear/out_2304x256x256", 2304, 256, 256, Activation::None},
        {"linear/ffn1_2304x256x1024_gelu", 2304, 256, 1024, Activation::GeluTanh},
        {"linear/ffn2_2304x1024x256", 2304, 1024, 256, Activation::None},
        {"linear/text_64x256x512", 64, 256, 512, Activation::None},
        {"linear/head_2304x256x64", 2304, 256, 64, Activation::None},
        {"linear/time_1x256x1536", 1, 256, 1536, Activation::Silu},
    };
    for (const LinearShape& shape : shapes) {
        registerFor(shape.name, threads, dtypes, [shape](benchmark::State& state, int count, DType dtype) {
            linear(state, count, dtype, shape);
        });
    }
    for (const std::int64_t keys : {std::int64_t{2304}, std::int64_t{64}}) {
        registerFor(
            "attention/2304x" + std::to_string(keys), threads, dtypes,
            [keys](benchmark::State& state, int count, DType dtype) { attention(state, count, dtype, keys); });
    }
}

void registerConvolutions(int threads, const std::vector<DType>& dtypes) {
    // The decoder of the embedded model: widths 64, 64, 32 at 32², 64², 128²; 4 frames and 2 of the past at a time.
    const ConvShape shapes[] = {
        {"conv/in_16to64_32", {1, 3, 32, 32, 16}, 64, {3, 3, 3}},
        {"conv/res_64to64_32", {1, 3, 32, 32, 64}, 64, {3, 3, 3}},
        {"conv/time_64to128_32", {1, 3, 32, 32, 64}, 128, {3, 1, 1}},
        {"conv/up_64to32_64", {1, 2, 64, 64, 64}, 32, {1, 3, 3}},
        {"conv/res_64to64_64", {1, 4, 64, 64, 64}, 64, {3, 3, 3}},
        {"conv/res_32to32_128", {1, 6, 128, 128, 32}, 32, {3, 3, 3}},
        {"conv/out_32to12_128", {1, 6, 128, 128, 32}, 12, {3, 3, 3}},
        {"conv/out_32to16_128", {1, 6, 128, 128, 32}, 16, {3, 3, 3}},
        {"conv/out_96to3_128", {1, 6, 128, 128, 96}, 3, {3, 3, 3}},
        {"conv/out_96to16_128", {1, 6, 128, 128, 96}, 16, {3, 3, 3}},
        {"conv/encoder_in_12to24_128", {1, 6, 128, 128, 12}, 24, {3, 3, 3}},
        {"conv/shortcut_64to32_128", {1, 4, 128, 128, 64}, 32, {1, 1, 1}},
    };
    for (const ConvShape& shape : shapes) {
        registerFor(shape.name, threads, dtypes,
                    [shape](benchmark::State& state, int count, DType dtype) { conv(state, count, dtype, shape); });
    }
}

void registerRows(int threads, const std::vector<DType>& dtypes) {
    const Shape tokens{1, 2304, 256};
    registerFor("rows/layer_norm_modulate", threads, dtypes, [=](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView x = bench.tensor(DType::F32, tokens);
        const TensorView vectors = bench.tensor(DType::F32, {1, 256});
        const TensorView y = bench.tensor(dtype, tokens);
        bench.measure(state, false, [&] { bench.ops().layerNormModulate(x, vectors, vectors, 1e-6F, y); });
    });
    registerFor("rows/rms_norm_rope", threads, dtypes, [=](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView fused = bench.tensor(dtype, {1, 2304, 768});
        const TensorView weight = bench.tensor(DType::F32, {256});
        const TensorView table = bench.tensor(DType::F32, {2304, 32});
        const ConstTensorView q = fused.slice(2, 0, 256);
        const TensorView y = bench.tensor(dtype, tokens);
        bench.measure(state, false, [&] {
            bench.ops().rmsNormRope(q, weight, 1e-6F, RopeTables{table, table}, 64, y);
        });
    });
    registerFor("rows/gated_add", threads, dtypes, [=](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView residual = bench.tensor(DType::F32, tokens);
        const TensorView delta = bench.tensor(dtype, tokens);
        const TensorView gate = bench.tensor(DType::F32, {1, 256});
        bench.measure(state, false, [&] { bench.ops().gatedAdd(residual, delta, gate); });
    });
    registerFor("rows/channel_norm_silu", threads, dtypes, [](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView x = bench.tensor(dtype, {1, 4, 128, 128, 32});
        const TensorView gamma = bench.tensor(DType::F32, {32});
        const TensorView y = bench.tensor(dtype, {1, 4, 128, 128, 32});
        bench.measure(state, false, [&] { bench.ops().channelNorm(x, gamma, true, y); });
    });
}

void registerCopies(int threads, const std::vector<DType>& dtypes) {
    registerFor("copy/patchify", threads, dtypes, [](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView latents = bench.tensor(DType::F32, {16, 9, 32, 32});
        const TensorView y = bench.tensor(dtype, {9, 16, 16, 2, 2, 16});
        const ConstTensorView x = latents.split(2, 16, 2).split(4, 16, 2).permute({1, 2, 4, 3, 5, 0});
        bench.measure(state, false, [&] { bench.ops().copy(x, y); });
    });
    registerFor("copy/to_f32", threads, dtypes, [](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView x = bench.tensor(dtype, {4, 128, 128, 32});
        const TensorView y = bench.tensor(DType::F32, {4, 128, 128, 32});
        bench.measure(state, false, [&] { bench.ops().copy(x, y); });
    });
    registerFor("copy/upsample2x", threads, dtypes, [](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView x = bench.tensor(dtype, {1, 4, 64, 64, 32});
        const TensorView y = bench.tensor(dtype, {1, 4, 128, 128, 32});
        bench.measure(state, false, [&] { bench.ops().upsample2x(x, y); });
    });
    registerFor("copy/to_bytes", threads, dtypes, [](benchmark::State& state, int count, DType dtype) {
        Bench bench(count);
        const TensorView x = bench.tensor(dtype, {4, 256, 256, 3});
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(x.count()));
        const TensorView y(bytes.data(), DType::U8, x.shape());
        bench.measure(state, false, [&] { bench.ops().toBytes(x, y); });
    });
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view kThreads = "--threads=";
    int threads = 0;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]).starts_with(kThreads)) {
            threads = std::atoi(argv[i] + kThreads.size());
            std::rotate(argv + i, argv + i + 1, argv + argc);
            --argc;
            --i;
        }
    }
    const std::vector<DType> dtypes = (*createDevice("cpu"))->info().computeDTypes;
    registerProducts(threads, dtypes);
    registerConvolutions(threads, dtypes);
    registerRows(threads, dtypes);
    registerCopies(threads, dtypes);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
