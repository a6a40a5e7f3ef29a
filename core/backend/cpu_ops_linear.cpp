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

// Rows a thread multiplies at a time where oneDNN's own threading would change the result.
constexpr std::int64_t kBlockRows = 128;

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

CachedPrimitive CpuOps::makePrimitive(const dnnl::primitive_desc& description, int workers) const {
    constexpr std::int64_t kScratchAlignment = 64;
    CachedPrimitive cached;
    cached.primitive = dnnl::primitive(description);
    cached.weightLayout = description.weights_desc();
    const auto bytes = static_cast<std::int64_t>(description.scratchpad_desc().get_size());
    cached.scratchBytes = (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
    // Below AVX-512 oneDNN multiplies through a general product that divides its sums among the threads.
    cached.splitsSums = std::string_view(description.impl_info_str()).starts_with("gemm");
    for (int worker = 0; worker < workers; ++worker) {
        PrimitiveArguments arguments;
        arguments.source = memory(description.src_desc(), m_engine, nullptr);
        arguments.destination = memory(description.dst_desc(), m_engine, nullptr);
        arguments.scratchpad = memory(description.scratchpad_desc(), m_engine, nullptr);
        arguments.all = {{DNNL_ARG_SRC, arguments.source},
                         {DNNL_ARG_DST, arguments.destination},
                         {DNNL_ARG_SCRATCHPAD, arguments.scratchpad}};
        cached.workers.push_back(std::move(arguments));
    }
    return cached;
}

void CpuOps::execute(CachedPrimitive& cached, int worker, const PrimitiveOperands& operands) {
    PrimitiveArguments& arguments = cached.workers[static_cast<std::size_t>(worker)];
    arguments.source.set_data_handle(const_cast<void*>(operands.source));
    arguments.destination.set_data_handle(operands.destination);
    if (cached.scratchBytes > 0) {
        arguments.scratchpad.set_data_handle(operands.scratchpad);
    }
    arguments.all[DNNL_ARG_WEIGHTS] = operands.weights;
    if (operands.bias) {
        arguments.all[DNNL_ARG_BIAS] = operands.bias;
    }
    cached.primitive.execute(m_stream, arguments.all);
}

std::byte* CpuOps::scratchFor(std::int64_t bytes) {
    if (bytes == 0) {
        return nullptr;
    }
    void* scratch = m_scratchpad.take(bytes);
    if (scratch == nullptr) {
        throw std::bad_alloc();
    }
    return static_cast<std::byte*>(scratch);
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

void CpuOps::trimPrimitives() {
    if (m_linears.size() + m_convs.size() > kMaxPrimitives) {
        m_linears.clear();
        m_convs.clear();
    }
}

CachedPrimitive& CpuOps::linearPrimitive(const LinearKey& key) {
    const auto found = m_linears.find(key);
    if (found != m_linears.end()) {
        return found->second;
    }
    const int workers = key.threads == 1 ? m_threads : 1;
    return m_linears.emplace(key, makePrimitive(describeLinear(key, m_engine), workers)).first->second;
}

void CpuOps::multiply(const LinearKey& key, const void* source, const CpuPackedLinear& weights, void* destination) {
    CachedPrimitive& cached = linearPrimitive(key);
    const memory layout = weights.weights.inLayout(cached.weightLayout, m_engine, m_stream);
    execute(cached, 0, {source, layout, weights.bias, destination, scratchFor(cached.scratchBytes)});
    m_stream.wait();
}

void CpuOps::multiplyInBlocks(const LinearKey& key, const void* source, const CpuPackedLinear& weights,
                              void* destination) {
    const ThreadScope single(1);
    const std::int64_t blocks = (key.rows + kBlockRows - 1) / kBlockRows;
    LinearKey blockKey = key;
    blockKey.threads = 1;
    blockKey.rows = std::min(kBlockRows, key.rows);
    CachedPrimitive& full = linearPrimitive(blockKey);
    blockKey.rows = key.rows - (blocks - 1) * kBlockRows;
    CachedPrimitive& last = linearPrimitive(blockKey);
    const memory fullWeights = weights.weights.inLayout(full.weightLayout, m_engine, m_stream);
    const memory lastWeights = weights.weights.inLayout(last.weightLayout, m_engine, m_stream);
    const std::int64_t scratchBytes = std::max(full.scratchBytes, last.scratchBytes);
    std::byte* scratch = scratchFor(scratchBytes * m_threads);
    std::atomic<bool> failed = false;
    kernels::cpu::parallelFor(blocks, m_threads, [&](std::int64_t index, int worker) {
        const bool isLast = index == blocks - 1;
        const std::int64_t row = index * kBlockRows;
        const auto* from = static_cast<const std::byte*>(source) + row * key.sourceStride * dtypeSize(key.compute);
        auto* to = static_cast<std::byte*>(destination) + row * key.destinationStride * dtypeSize(key.result);
        try {
            execute(isLast ? last : full, worker,
                    {from, isLast ? lastWeights : fullWeights, weights.bias, to, scratch + worker * scratchBytes});
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
    trimPrimitives();
    note(guarded("linear", [&] {
        const bool inBlocks = linearPrimitive(key).splitsSums;
        for (std::int64_t i = 0; i < nest.count(); ++i) {
            const auto offsets = nest.offsetsAt(i);
            const void* source = advanced(x, offsets[0]);
            void* destination = advancedMutable(y, offsets[1]);
            if (inBlocks) {
                multiplyInBlocks(key, source, *packed, destination);
            } else {
                multiply(key, source, *packed, destination);
            }
        }
    }));
}

}  // namespace fw::backend
