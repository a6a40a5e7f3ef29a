// Matrix products on the CPU, through oneDNN.
//
// Weights are packed once in the layout oneDNN asks for (format_tag::any); activations stay plain. A primitive is
// made once per shape, kept, and executed without allocation. https://oneapi-src.github.io/oneDNN/v2.6/
#include <algorithm>
#include <atomic>
#include <string_view>

#include "core/backend/cpu_ops.h"
#include "core/backend/cpu_views.h"
#include "kernels/cpu/parallel.h"

namespace fw::backend {

using dnnl::memory;

namespace {

dnnl::matmul::primitive_desc describeLinear(const LinearKey& key, const dnnl::engine& engine) {
    const auto compute = dnnlType(key.compute);
    const memory::desc source({key.rows, key.in}, compute, memory::dims{key.sourceStride, 1});
    const memory::desc weights({key.in, key.out}, compute, memory::format_tag::any);
    const memory::desc destination({key.rows, key.out}, dnnlType(key.result),
                                   memory::dims{key.destinationStride, 1});
    dnnl::primitive_attr attr = userScratchpad();
    dnnl::post_ops epilogue;
    if (key.activation == Activation::GeluTanh) {
        epilogue.append_eltwise(1.0F, dnnl::algorithm::eltwise_gelu_tanh, 0.0F, 0.0F);
    } else if (key.activation == Activation::Silu) {
        epilogue.append_eltwise(1.0F, dnnl::algorithm::eltwise_swish, 1.0F, 0.0F);
    }
    attr.set_post_ops(epilogue);
    if (!key.bias) {
        return {{source, weights, destination}, attr, engine};
    }
    const memory::desc bias({1, key.out}, memory::data_type::f32, memory::dims{key.out, 1});
    return {{source, weights, bias, destination}, attr, engine};
}

}  // namespace

CachedPrimitive CpuOps::makePrimitive(const dnnl::primitive_desc& description) const {
    CachedPrimitive cached;
    cached.primitive = dnnl::primitive(description);
    // Below AVX-512 oneDNN multiplies through a general product that divides its sums among the threads.
    cached.splitsSums = std::string_view(description.impl_info_str()).starts_with("gemm");
    cached.weightLayout = description.weights_desc();
    cached.source = memory(description.src_desc(), m_engine, nullptr);
    cached.destination = memory(description.dst_desc(), m_engine, nullptr);
    cached.scratchpad = memory(description.scratchpad_desc(), m_engine, nullptr);
    cached.arguments = {{DNNL_ARG_SRC, cached.source},
                        {DNNL_ARG_DST, cached.destination},
                        {DNNL_ARG_SCRATCHPAD, cached.scratchpad}};
    return cached;
}

void CpuOps::execute(CachedPrimitive& cached, const void* source, const memory& weights, const memory& bias,
                     void* destination) {
    cached.source.set_data_handle(const_cast<void*>(source));
    cached.destination.set_data_handle(destination);
    const auto bytes = static_cast<std::int64_t>(cached.scratchpad.get_desc().get_size());
    if (bytes > 0) {
        void* scratchpad = m_scratchpad.take(bytes);
        if (scratchpad == nullptr) {
            throw dnnl::error(dnnl_out_of_memory, "scratchpad");
        }
        cached.scratchpad.set_data_handle(scratchpad);
    }
    cached.arguments[DNNL_ARG_WEIGHTS] = weights;
    if (bias) {
        cached.arguments[DNNL_ARG_BIAS] = bias;
    }
    cached.primitive.execute(m_stream, cached.arguments);
    m_stream.wait();
}

Result<std::unique_ptr<PackedLinear>> CpuOps::doPackLinear(const LinearSource& source, DType compute) {
    FW_TRY(checkCompute("a matrix product", compute));
    std::int64_t out = 0;
    for (const ConstTensorView& weight : source.weights) {
        out += weight.dim(0);
    }
    const std::int64_t in = source.weights[0].dim(1);
    FW_TRY(checkPacking("packing a linear layer", out * in * dtypeSize(compute)));
    const ThreadScope threads(m_threads);
    return guarded("packing a linear layer", [&]() -> std::unique_ptr<PackedLinear> {
        auto packed = std::make_unique<CpuPackedLinear>();
        // The rows of [out, in] are the columns of oneDNN's [in, out].
        memory plain(memory::desc({in, out}, dnnlType(compute), memory::dims{1, in}), m_engine);
        memory bias;
        if (!source.biases.empty()) {
            bias = memory(memory::desc({1, out}, memory::data_type::f32, memory::dims{out, 1}), m_engine);
        }
        const TensorView rows(plain.get_data_handle(), compute, {out, in});
        std::int64_t first = 0;
        for (std::size_t i = 0; i < source.weights.size(); ++i) {
            const std::int64_t last = first + source.weights[i].dim(0);
            doCopy(source.weights[i], rows.slice(0, first, last));
            if (bias) {
                doCopy(source.biases[i],
                       TensorView(bias.get_data_handle(), DType::F32, {out}).slice(0, first, last));
            }
            first = last;
        }
        // The layout does not depend on much but the type; other layouts are added when a shape asks for one.
        constexpr std::int64_t kTypicalRows = 512;
        const LinearKey typical{kTypicalRows,     in,         out,      in, out, compute, compute,
                                Activation::None, bool(bias), m_threads};
        WeightLayouts temporary;
        temporary.add(plain);
        packed->weights.add(
            temporary.inLayout(describeLinear(typical, m_engine).weights_desc(), m_engine, m_stream));
        packed->bias = bias;
        packed->bytes = packed->weights.bytes() + (bias ? out * dtypeSize(DType::F32) : 0);
        return packed;
    });
}

CachedPrimitive& CpuOps::linearPrimitive(const LinearKey& key) {
    const auto found = m_linears.find(key);
    if (found != m_linears.end()) {
        return found->second;
    }
    if (m_linears.size() >= kMaxPrimitives) {
        m_linears.clear();
    }
    return m_linears.emplace(key, makePrimitive(describeLinear(key, m_engine))).first->second;
}

void CpuOps::multiplyInBlocks(const LinearKey& key, const void* source, const CpuPackedLinear& weights,
                              void* destination) {
    constexpr std::int64_t kBlockRows = 128;
    constexpr std::int64_t kScratchAlignment = 64;
    const ThreadScope single(1);
    const auto blockOf = [&](std::int64_t rows) -> CachedPrimitive& {
        LinearKey block = key;
        block.rows = rows;
        block.threads = 1;
        return linearPrimitive(block);
    };
    const std::int64_t blocks = (key.rows + kBlockRows - 1) / kBlockRows;
    const std::int64_t lastRows = key.rows - (blocks - 1) * kBlockRows;
    // Copies, which share oneDNN's objects: making the second primitive may empty the cache.
    const CachedPrimitive full = blockOf(std::min(kBlockRows, key.rows));
    const CachedPrimitive last = blockOf(lastRows);
    const memory fullWeights = weights.weights.inLayout(full.weightLayout, m_engine, m_stream);
    const memory lastWeights = weights.weights.inLayout(last.weightLayout, m_engine, m_stream);
    std::int64_t scratchBytes = static_cast<std::int64_t>(
        std::max(full.scratchpad.get_desc().get_size(), last.scratchpad.get_desc().get_size()));
    scratchBytes = (scratchBytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
    auto* scratch = static_cast<std::byte*>(m_scratchpad.take(scratchBytes * m_threads));
    if (scratch == nullptr) {
        throw std::bad_alloc();
    }
    std::atomic<bool> failed = false;
    kernels::cpu::parallelFor(blocks, m_threads, [&](std::int64_t index, int worker) {
        const bool isLast = index == blocks - 1;
        const CachedPrimitive& block = isLast ? last : full;
        const std::int64_t row = index * kBlockRows;
        const auto* from = static_cast<const std::byte*>(source) + row * key.sourceStride * dtypeSize(key.compute);
        auto* to = static_cast<std::byte*>(destination) + row * key.destinationStride * dtypeSize(key.result);
        try {
            std::unordered_map<int, memory> arguments{
                {DNNL_ARG_SRC, memory(block.source.get_desc(), m_engine, const_cast<std::byte*>(from))},
                {DNNL_ARG_DST, memory(block.destination.get_desc(), m_engine, to)},
                {DNNL_ARG_SCRATCHPAD,
                 memory(block.scratchpad.get_desc(), m_engine, scratch + worker * scratchBytes)},
                {DNNL_ARG_WEIGHTS, isLast ? lastWeights : fullWeights}};
            if (weights.bias) {
                arguments[DNNL_ARG_BIAS] = weights.bias;
            }
            block.primitive.execute(m_stream, arguments);
        } catch (...) {
            failed = true;  // nothing may leave a parallel region
        }
    });
    if (failed) {
        throw dnnl::error(dnnl_runtime_error, "a block of a product failed");
    }
}

void CpuOps::doLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                      Activation activation) {
    const auto* packed = dynamic_cast<const CpuPackedLinear*>(&weights);
    FW_CHECK(packed != nullptr, "linear: weights were packed for another device");
    kernels::cpu::LoopNest<2> nest = loopsOver<2>(x.rank() - 1, {&x, &y}).merged();
    const std::int64_t in = weights.inFeatures;
    const std::int64_t out = weights.outFeatures;
    LinearKey key{1, in, out, in, out, weights.compute, y.dtype(), activation, bool(packed->bias), m_threads};
    // The innermost loop becomes the rows of one product, unless rows overlap (broadcast views).
    if (nest.rank > 0 && nest.step(nest.rank - 1)[1] >= out && nest.step(nest.rank - 1)[0] >= in) {
        key.rows = nest.extents[static_cast<std::size_t>(nest.rank - 1)];
        key.sourceStride = nest.step(nest.rank - 1)[0];
        key.destinationStride = nest.step(nest.rank - 1)[1];
        nest = nest.without(nest.rank - 1);
    }
    const ThreadScope threads(m_threads);
    note(guarded("linear", [&] {
        CachedPrimitive& cached = linearPrimitive(key);
        if (cached.splitsSums) {
            for (std::int64_t i = 0; i < nest.count(); ++i) {
                const auto offsets = nest.offsetsAt(i);
                multiplyInBlocks(key, advanced(x, offsets[0]), *packed, advancedMutable(y, offsets[1]));
            }
            return;
        }
        const memory layout = packed->weights.inLayout(cached.weightLayout, m_engine, m_stream);
        for (std::int64_t i = 0; i < nest.count(); ++i) {
            const auto offsets = nest.offsetsAt(i);
            execute(cached, advanced(x, offsets[0]), layout, packed->bias, advancedMutable(y, offsets[1]));
        }
    }));
}

}  // namespace fw::backend
