// 3-D convolutions on the CPU, through oneDNN: channels-last activations, packed weights, one primitive per shape.
#include <new>

#include "core/backend/cpu_ops.h"

namespace fw::backend {

using dnnl::memory;

namespace {

std::int64_t outExtent(std::int64_t in, std::int64_t padding, std::int64_t kernel, std::int64_t stride) {
    return (in + padding - kernel) / stride + 1;
}

dnnl::convolution_forward::primitive_desc describeConv(const ConvKey& key, const dnnl::engine& engine) {
    const auto compute = dnnlType(key.compute);
    const auto& [batch, frames, height, width] = key.extents;
    const auto& [top, bottom, left, right] = key.padding;
    const memory::desc source({batch, key.inChannels, frames, height, width}, compute, memory::format_tag::ndhwc);
    const memory::desc weights({key.outChannels, key.inChannels, key.kernel[0], key.kernel[1], key.kernel[2]},
                               compute, memory::format_tag::any);
    const memory::desc destination({batch, key.outChannels, outExtent(frames, 0, key.kernel[0], key.stride[0]),
                                    outExtent(height, top + bottom, key.kernel[1], key.stride[1]),
                                    outExtent(width, left + right, key.kernel[2], key.stride[2])},
                                   compute, memory::format_tag::ndhwc);
    const memory::desc bias =
        key.bias ? memory::desc({key.outChannels}, memory::data_type::f32, memory::format_tag::a) : memory::desc();
    dnnl::primitive_attr attr = userScratchpad();
    if (key.accumulate) {
        dnnl::post_ops epilogue;
        epilogue.append_sum(1.0F);
        attr.set_post_ops(epilogue);
    }
    const dnnl::convolution_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source, weights, bias, destination,
        {key.stride[0], key.stride[1], key.stride[2]}, {0, top, left}, {0, bottom, right});
    return {operation, attr, engine};
}

ConvKey keyOf(const Shape& x, const PackedConv3d& weights, bool bias, bool accumulate) {
    return {{x[0], x[1], x[2], x[3]},
            weights.inChannels,
            weights.outChannels,
            weights.kernel,
            weights.stride,
            weights.padding,
            weights.compute,
            bias,
            accumulate};
}

}  // namespace

Result<std::unique_ptr<PackedConv3d>> CpuOps::doPackConv3d(const ConstTensorView& weight,
                                                           const ConstTensorView& bias,
                                                           const Conv3dGeometry& geometry, DType compute) {
    FW_TRY(checkCompute("a convolution", compute));
    FW_TRY(checkPacking("packing a convolution", weight.count() * dtypeSize(compute)));
    const ThreadScope threads(m_threads);
    return guarded("packing a convolution", [&]() -> std::unique_ptr<PackedConv3d> {
        auto packed = std::make_unique<CpuPackedConv3d>();
        const memory::dims dims(weight.shape().begin(), weight.shape().end());
        memory plain(memory::desc(dims, dnnlType(compute), memory::format_tag::oidhw), m_engine);
        doCopy(weight, TensorView(plain.get_data_handle(), compute, weight.shape()));
        if (!bias.isNone()) {
            packed->bias =
                memory(memory::desc({weight.dim(0)}, memory::data_type::f32, memory::format_tag::a), m_engine);
            doCopy(bias, TensorView(packed->bias.get_data_handle(), DType::F32, bias.shape()));
        }
        // Packed for a typical picture; other layouts are added when a shape asks for one.
        constexpr std::int64_t kTypicalExtent = 32;
        ConvKey typical;
        typical.extents = {1, weight.dim(2) + 1, weight.dim(3) + kTypicalExtent, weight.dim(4) + kTypicalExtent};
        typical.inChannels = weight.dim(1);
        typical.outChannels = weight.dim(0);
        typical.kernel = {weight.dim(2), weight.dim(3), weight.dim(4)};
        typical.stride = geometry.stride;
        typical.padding = geometry.padding;
        typical.compute = compute;
        typical.bias = bool(packed->bias);
        WeightLayouts temporary;
        temporary.add(plain);
        packed->weights.add(temporary.inLayout(describeConv(typical, m_engine).weights_desc(), m_engine, m_stream));
        packed->bytes = packed->weights.bytes() + (packed->bias ? bias.count() * dtypeSize(DType::F32) : 0);
        return packed;
    });
}

CachedPrimitive& CpuOps::convPrimitive(const ConvKey& key) {
    const auto found = m_convs.find(key);
    if (found != m_convs.end()) {
        return found->second;
    }
    return m_convs.emplace(key, makePrimitive(describeConv(key, m_engine), 1)).first->second;
}

TensorView CpuOps::contiguousLike(const ConstTensorView& view, Workspace& workspace) {
    void* data = workspace.take(view.bytes());
    if (data == nullptr) {
        throw std::bad_alloc();
    }
    return {data, view.dtype(), view.shape()};
}

void CpuOps::doConv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y, bool accumulate) {
    const auto* packed = dynamic_cast<const CpuPackedConv3d*>(&weights);
    FW_CHECK(packed != nullptr, "conv3d: weights were packed for another device");
    const ThreadScope threads(m_threads);
    trimPrimitives();
    note(guarded("conv3d", [&] {
        CachedPrimitive& cached = convPrimitive(keyOf(x.shape(), weights, bool(packed->bias), accumulate));
        const memory layout = packed->weights.inLayout(cached.weightLayout, m_engine, m_stream);
        ConstTensorView source = x;
        if (!x.isContiguous()) {
            const TensorView staged = contiguousLike(x, m_convSource);
            doCopy(x, staged);
            source = staged;
        }
        TensorView destination = y;
        if (!y.isContiguous()) {
            destination = contiguousLike(y, m_convDestination);
            if (accumulate) {
                doCopy(y, destination);
            }
        }
        execute(cached, 0,
                {source.data(), layout, packed->bias, destination.mutableData(), scratchFor(cached.scratchBytes)});
        m_stream.wait();
        if (!y.isContiguous()) {
            doCopy(destination, y);
        }
    }));
}

}  // namespace fw::backend
