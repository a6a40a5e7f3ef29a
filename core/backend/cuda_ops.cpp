// Memory, weights, products, convolutions and attention on a GPU.
#include "core/backend/cuda_ops.h"

#include <chrono>
#include <cstring>
#include <vector>

#include "core/backend/cuda_views.h"

namespace fw::backend {

namespace cuda = kernels::cuda;

namespace {

class CudaBuffer final : public Buffer {
 public:
    CudaBuffer(std::shared_ptr<const CudaLibrary> library, std::int32_t device, void* data, std::int64_t bytes)
        : Buffer(data, bytes, DeviceKind::Cuda), m_library(std::move(library)), m_index(device) {}
    ~CudaBuffer() override { m_library->api().release(m_index, m_data); }

 private:
    std::shared_ptr<const CudaLibrary> m_library;
    std::int32_t m_index;
};

// The elements of a host tensor one behind the other.
std::vector<std::byte> packedBytes(const ConstTensorView& host) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(host.bytes()));
    auto nest = loopsOver<1>(host.rank(), {&host}).merged();
    std::int64_t run = 1;
    if (nest.rank > 0 && nest.step(nest.rank - 1)[0] == 1) {
        run = nest.extents[static_cast<std::size_t>(nest.rank - 1)];
        nest = nest.without(nest.rank - 1);
    }
    const std::int64_t runBytes = run * dtypeSize(host.dtype());
    for (std::int64_t i = 0; i < nest.count(); ++i) {
        std::memcpy(bytes.data() + i * runBytes, advanced(host, nest.offsetsAt(i)[0]),
                    static_cast<std::size_t>(runBytes));
    }
    return bytes;
}

Status checkCompute(const char* what, DType compute) {
    if (compute != DType::F32 && compute != DType::BF16) {
        return fail(ErrorCode::Unsupported, "{} in {} cannot be computed on a GPU; use f32 or bf16", what,
                    dtypeName(compute));
    }
    return {};
}

cuda::Activation cudaActivation(Activation activation) {
    switch (activation) {
        case Activation::GeluTanh:
            return cuda::Activation::GeluTanh;
        case Activation::Silu:
            return cuda::Activation::Silu;
        case Activation::None:
            break;
    }
    return cuda::Activation::None;
}

}  // namespace

Result<std::unique_ptr<Buffer>> allocateCuda(const std::shared_ptr<const CudaLibrary>& library, std::int32_t device,
                                             std::int64_t bytes) {
    void* data = nullptr;
    cuda::Message message{};
    const cuda::Code code = library->api().allocate(device, bytes, &data, &message);
    if (code == cuda::Code::OutOfMemory) {
        cuda::DeviceDescription now{};
        library->api().describe(device, &now, &message);
        return fail(ErrorCode::OutOfMemory, "{} bytes of memory are needed at once on cuda:{}, {} are free", bytes,
                    device, now.freeBytes);
    }
    if (code != cuda::Code::Ok) {
        return tl::make_unexpected(cudaError(code, message));
    }
    return std::make_unique<CudaBuffer>(library, device, data, bytes);
}

Result<std::unique_ptr<Ops>> CudaOps::create(std::shared_ptr<const CudaLibrary> library, std::int32_t device) {
    cuda::Queue* queue = nullptr;
    cuda::Message message{};
    const cuda::Code code = library->api().createQueue(device, &queue, &message);
    if (code != cuda::Code::Ok) {
        return tl::make_unexpected(cudaError(code, message).within(fmt::format("cuda:{}", device)));
    }
    return std::unique_ptr<Ops>(new CudaOps(std::move(library), device, queue));
}

CudaOps::~CudaOps() {
    api().destroyQueue(m_queue);
}

void CudaOps::note(cuda::Code code) {
    if (code != cuda::Code::Ok && m_failure) {
        cuda::Message message{};
        api().lastMessage(m_queue, &message);
        m_failure = tl::make_unexpected(cudaError(code, message));
    }
}

void CudaOps::note(Status status) {
    if (!status && m_failure) {
        m_failure = std::move(status);
    }
}

Status CudaOps::synchronize() {
    cuda::Message message{};
    const cuda::Code code = api().synchronize(m_queue, &message);
    Status failure = std::move(m_failure);
    m_failure = {};
    // What a library says of a lost device is less than that it is lost.
    if (code == cuda::Code::DeviceLost || (failure && code != cuda::Code::Ok)) {
        return tl::make_unexpected(cudaError(code, message));
    }
    return failure;
}

std::int64_t CudaOps::timestampUs() {
    cuda::Message message{};
    // A failure stays with the stream: synchronize() reports it.
    static_cast<void>(api().synchronize(m_queue, &message));
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// The queue keeps the last point of the call before, or at first one whose time is that of the host.
std::size_t CudaOps::mark() {
    if (!m_markedFrom) {
        m_markedFrom = timestampUs();
        note(api().mark(m_queue));
    }
    note(api().mark(m_queue));
    return m_marked++;
}

std::vector<std::int64_t> CudaOps::markedTimes() {
    std::vector<std::int64_t> times(std::exchange(m_marked, 0), m_markedFrom.value_or(0));
    if (times.empty()) {
        return times;
    }
    std::vector<double> behind(times.size() + 1);
    note(api().markedMicroseconds(m_queue, behind.data(), std::ssize(behind)));
    for (std::size_t i = 0; i < times.size(); ++i) {
        times[i] += std::llround(behind[i + 1]);
    }
    m_markedFrom = times.back();
    return times;
}

void CudaOps::doUpload(const ConstTensorView& host, const TensorView& device) {
    note(api().upload(m_queue, host.data(), device.mutableData(), host.bytes()));
}

void CudaOps::doDownload(const ConstTensorView& device, const TensorView& host) {
    note(api().download(m_queue, device.data(), host.mutableData(), host.bytes()));
}

std::unique_ptr<PendingDownload> CudaOps::doBeginDownload(const ConstTensorView& device) {
    class Fetch final : public PendingDownload {
     public:
        Fetch(CudaOps& ops, const ConstTensorView& device) : m_ops(ops) {
            std::int32_t slot = 0;
            const cuda::Code code = ops.api().beginFetch(ops.m_queue, device.data(), device.bytes(), &slot);
            ops.note(code);
            if (code == cuda::Code::Ok) {
                m_slot = slot;
            }
        }
        ~Fetch() override { finish(nullptr); }
        Fetch(const Fetch&) = delete;
        Fetch& operator=(const Fetch&) = delete;
        void take(void* host) override { finish(host); }

     private:
        void finish(void* host) {
            if (m_slot) {
                m_ops.note(m_ops.api().endFetch(m_ops.m_queue, *std::exchange(m_slot, std::nullopt), host));
            }
        }

        CudaOps& m_ops;
        std::optional<std::int32_t> m_slot;  // none: failed, or taken
    };
    return std::make_unique<Fetch>(*this, device);
}

Status CudaOps::place(const ConstTensorView& host, const TensorView& device) {
    std::vector<std::byte> packed;
    const void* bytes = host.data();
    if (!host.isContiguous()) {
        packed = packedBytes(host);
        bytes = packed.data();
    }
    if (host.dtype() == device.dtype() && device.isContiguous()) {
        note(api().upload(m_queue, bytes, device.mutableData(), host.bytes()));
        return synchronize();
    }
    FW_ASSIGN(const auto staged, allocateCuda(m_library, m_device, host.bytes()));
    note(api().upload(m_queue, bytes, staged->data(), host.bytes()));
    doCopy(ConstTensorView(staged->data(), host.dtype(), host.shape(), DeviceKind::Cuda), device);
    return synchronize();
}

Status CudaOps::quantise(CudaPackedLinear& packed, std::int64_t out, std::int64_t in) {
    FW_ASSIGN(auto elements, allocateCuda(m_library, m_device, out * in));
    FW_ASSIGN(packed.scales, allocateCuda(m_library, m_device, out * dtypeSize(DType::F32)));
    note(api().quantiseRows(m_queue, {.rows = out,
                                      .channels = in,
                                      .x = packed.weight->data(),
                                      .element = cuda::Element::Bf16,
                                      .xStride = in,
                                      .y = elements->data(),
                                      .scales = static_cast<float*>(packed.scales->data())}));
    FW_TRY(synchronize());
    packed.bytes += elements->bytes() + packed.scales->bytes() - packed.weight->bytes();
    packed.weight = std::move(elements);
    packed.fp8 = true;
    return {};
}

Result<std::unique_ptr<PackedLinear>> CudaOps::doPackLinear(const LinearSource& source, DType stored) {
    const DType compute = activationType(stored);
    FW_TRY(checkCompute("a matrix product", compute));
    std::int64_t out = 0;
    for (const ConstTensorView& weight : source.weights) {
        out += weight.dim(0);
    }
    const std::int64_t in = source.weights[0].dim(1);
    auto packed = std::make_unique<CudaPackedLinear>();
    FW_ASSIGN(packed->weight, allocateCuda(m_library, m_device, out * in * dtypeSize(compute)));
    packed->bytes = packed->weight->bytes();
    const TensorView rows(packed->weight->data(), compute, {out, in}, DeviceKind::Cuda);
    TensorView bias;
    if (!source.biases.empty()) {
        FW_ASSIGN(packed->bias, allocateCuda(m_library, m_device, out * dtypeSize(DType::F32)));
        packed->bytes += packed->bias->bytes();
        bias = TensorView(packed->bias->data(), DType::F32, {out}, DeviceKind::Cuda);
    }
    std::int64_t first = 0;
    for (std::size_t i = 0; i < source.weights.size(); ++i) {
        const std::int64_t last = first + source.weights[i].dim(0);
        FW_TRY(place(source.weights[i], rows.slice(0, first, last)));
        if (packed->bias) {
            FW_TRY(place(source.biases[i], bias.slice(0, first, last)));
        }
        first = last;
    }
    if (packed->bias && compute != DType::F32) {
        FW_ASSIGN(packed->biasCompute, allocateCuda(m_library, m_device, out * dtypeSize(compute)));
        doCopy(bias, TensorView(packed->biasCompute->data(), compute, {out}, DeviceKind::Cuda));
        FW_TRY(synchronize());
    }
    if (stored == DType::F8E4M3 && api().fp8LinearApplies(m_queue, in, out) == cuda::Code::Ok) {
        FW_TRY(quantise(*packed, out, in));
    }
    return packed;
}

Result<std::unique_ptr<PackedConv3d>> CudaOps::doPackConv3d(const ConstTensorView& weight,
                                                            const ConstTensorView& bias, const Conv3dGeometry&,
                                                            DType compute) {
    FW_TRY(checkCompute("a convolution", compute));
    auto packed = std::make_unique<CudaPackedConv3d>();
    FW_ASSIGN(packed->weight, allocateCuda(m_library, m_device, weight.count() * dtypeSize(compute)));
    packed->bytes = packed->weight->bytes();
    const Shape channelsLast{weight.dim(0), weight.dim(2), weight.dim(3), weight.dim(4), weight.dim(1)};
    const TensorView target(packed->weight->data(), compute, channelsLast, DeviceKind::Cuda);
    FW_TRY(place(weight, target.permute({0, 4, 1, 2, 3})));
    if (!bias.isNone()) {
        FW_ASSIGN(packed->bias, allocateCuda(m_library, m_device, bias.count() * dtypeSize(DType::F32)));
        packed->bytes += packed->bias->bytes();
        FW_TRY(place(bias, TensorView(packed->bias->data(), DType::F32, bias.shape(), DeviceKind::Cuda)));
    }
    return packed;
}

cuda::LinearArgs linearArgs(const PackedLinear& weights, DType result) {
    const auto* packed = dynamic_cast<const CudaPackedLinear*>(&weights);
    FW_CHECK(packed != nullptr, "linear: weights were packed for another device");
    cuda::LinearArgs args{};
    args.rows = 1;
    args.in = weights.inFeatures;
    args.out = weights.outFeatures;
    args.xStride = args.in;
    args.yStride = args.out;
    args.weight = packed->weight->data();
    args.compute = cudaElement(weights.compute);
    args.weightScales = packed->scales ? static_cast<const float*>(packed->scales->data()) : nullptr;
    if (packed->bias) {
        args.bias = static_cast<const float*>(packed->bias->data());
        args.biasCompute = packed->biasCompute ? packed->biasCompute->data() : packed->bias->data();
    }
    args.result = cudaElement(result);
    return args;
}

void CudaOps::doLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                       Activation activation) {
    cuda::LinearArgs args = linearArgs(weights, y.dtype());
    args.activation = cudaActivation(activation);
    kernels::cpu::LoopNest<2> nest = loopsOver<2>(x.rank() - 1, {&x, &y}).merged();
    // The innermost loop becomes the rows of one product, unless rows overlap (broadcast views).
    if (nest.rank > 0 && nest.step(nest.rank - 1)[1] >= args.out && nest.step(nest.rank - 1)[0] >= args.in) {
        args.rows = nest.extents[static_cast<std::size_t>(nest.rank - 1)];
        args.xStride = nest.step(nest.rank - 1)[0];
        args.yStride = nest.step(nest.rank - 1)[1];
        nest = nest.without(nest.rank - 1);
    }
    for (std::int64_t i = 0; i < nest.count(); ++i) {
        const auto offsets = nest.offsetsAt(i);
        args.x = advanced(x, offsets[0]);
        args.y = advancedMutable(y, offsets[1]);
        note(api().linear(m_queue, args));
    }
}

TensorView CudaOps::contiguousLike(const ConstTensorView& view, std::unique_ptr<Buffer>& buffer) {
    if (!buffer || buffer->bytes() < view.bytes()) {
        buffer.reset();
        auto grown = allocateCuda(m_library, m_device, view.bytes());
        if (!grown) {
            note(Status(tl::make_unexpected(std::move(grown).error())));
            return {};
        }
        buffer = std::move(*grown);
    }
    return {buffer->data(), view.dtype(), view.shape(), DeviceKind::Cuda};
}

void CudaOps::doConv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y,
                       bool accumulate) {
    const auto* packed = dynamic_cast<const CudaPackedConv3d*>(&weights);
    FW_CHECK(packed != nullptr, "conv3d: weights were packed for another device");
    ConstTensorView source = x;
    if (!x.isContiguous()) {
        const TensorView staged = contiguousLike(x, m_convSource);
        if (staged.isNone()) {
            return;
        }
        doCopy(x, staged);
        source = staged;
    }
    TensorView destination = y;
    if (!y.isContiguous()) {
        destination = contiguousLike(y, m_convDestination);
        if (destination.isNone()) {
            return;
        }
        if (accumulate) {
            doCopy(y, destination);
        }
    }
    cuda::ConvArgs args{};
    args.batch = x.dim(0), args.frames = x.dim(1), args.height = x.dim(2), args.width = x.dim(3);
    args.outFrames = y.dim(1), args.outHeight = y.dim(2), args.outWidth = y.dim(3);
    args.inChannels = weights.inChannels;
    args.outChannels = weights.outChannels;
    for (std::size_t i = 0; i < 3; ++i) {
        args.kernel[i] = weights.kernel[i];
        args.stride[i] = weights.stride[i];
    }
    for (std::size_t i = 0; i < 4; ++i) {
        args.padding[i] = weights.padding[i];
    }
    args.x = source.data();
    args.weight = packed->weight->data();
    args.bias = packed->bias ? static_cast<const float*>(packed->bias->data()) : nullptr;
    args.y = destination.mutableData();
    args.element = cudaElement(weights.compute);
    args.accumulate = accumulate;
    note(api().conv(m_queue, args));
    if (!y.isContiguous()) {
        doCopy(destination, y);
    }
}

void CudaOps::doAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                          const TensorView& out, const AttentionOptions& options) {
    cuda::AttentionArgs args{};
    args.batch = q.dim(0);
    args.queries = q.dim(1);
    args.keys = options.keyCount;
    args.heads = q.dim(2);
    args.headDim = q.dim(3);
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.out = out.mutableData();
    args.qBatch = q.stride(0), args.qToken = q.stride(1), args.qHead = q.stride(2);
    args.kBatch = k.stride(0), args.kToken = k.stride(1), args.kHead = k.stride(2);
    args.vBatch = v.stride(0), args.vToken = v.stride(1), args.vHead = v.stride(2);
    args.outBatch = out.stride(0), args.outToken = out.stride(1), args.outHead = out.stride(2);
    args.element = cudaElement(q.dtype());
    args.scale = options.scale;
    args.firstKeyRaise = firstKeyRaise(options.firstKeyWeight, options.scale);
    if (!options.bias.isNone()) {
        args.bias = options.bias.as<float>();
        args.biasHead = options.bias.stride(0);
        args.biasQuery = options.bias.stride(1);
    }
    if (options.fp8) {
        args.kernel = cuda::AttentionKernel::Fp8;
        const cuda::Code code = api().attention(m_queue, args);
        if (code != cuda::Code::Unsupported) {
            note(code);
            return;
        }
    }
    args.kernel = cuda::AttentionKernel::Auto;
    note(api().attention(m_queue, args));
}

}  // namespace fw::backend
