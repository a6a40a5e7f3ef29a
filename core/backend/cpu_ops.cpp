// What the CPU's operations share: scratch memory, failures, transfers, attention.
#include "core/backend/cpu_ops.h"

#include <omp.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/backend/cpu_views.h"
#include "kernels/cpu/attention.h"

namespace fw::backend {

namespace {
constexpr std::int64_t kBufferAlignment = 256;
}  // namespace

void FreeDeleter::operator()(void* data) const {
    std::free(data);
}

AlignedBytes allocateAligned(std::int64_t bytes) {
    const std::int64_t padded =
        (std::max<std::int64_t>(bytes, 1) + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    return AlignedBytes(std::aligned_alloc(kBufferAlignment, static_cast<std::size_t>(padded)));
}

void* Workspace::take(std::int64_t bytes) {
    if (bytes > m_bytes || m_data == nullptr) {
        m_data.reset();  // first, so that both never exist at once
        m_data = allocateAligned(bytes);
        m_bytes = m_data == nullptr ? 0 : bytes;
    }
    return m_data.get();
}

Result<std::unique_ptr<Ops>> CpuOps::create(int threads) {
    return guarded("CPU start", [&]() -> std::unique_ptr<Ops> {
        dnnl::engine engine(dnnl::engine::kind::cpu, 0);
        dnnl::stream stream(engine);
        return std::unique_ptr<Ops>(new CpuOps(threads, std::move(engine), std::move(stream)));
    });
}

Status CpuOps::synchronize() {
    Status failure = m_failure;
    m_failure = {};
    return failure;
}

std::int64_t CpuOps::timestampUs() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

bool CpuOps::note(Status status) {
    if (!status && m_failure) {
        m_failure = std::move(status);
    }
    return m_failure.has_value();
}

void CpuOps::doUpload(const ConstTensorView& host, const TensorView& device) {
    std::memcpy(device.mutableData(), host.data(), static_cast<std::size_t>(host.bytes()));
}

void CpuOps::doDownload(const ConstTensorView& device, const TensorView& host) {
    std::memcpy(host.mutableData(), device.data(), static_cast<std::size_t>(host.bytes()));
}

void CpuOps::doAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                         const TensorView& out, const AttentionOptions& options) {
    kernels::cpu::AttentionArgs args;
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.out = out.mutableData();
    args.qBatch = q.stride(0), args.qToken = q.stride(1), args.qHead = q.stride(2);
    args.kBatch = k.stride(0), args.kToken = k.stride(1), args.kHead = k.stride(2);
    args.vBatch = v.stride(0), args.vToken = v.stride(1), args.vHead = v.stride(2);
    args.outBatch = out.stride(0), args.outToken = out.stride(1), args.outHead = out.stride(2);
    args.batch = q.dim(0);
    args.queries = q.dim(1);
    args.heads = q.dim(2);
    args.headDim = q.dim(3);
    args.keys = options.keyCount;
    args.element = elementOf(q);
    args.scale = options.scale;
    args.firstKeyBias = std::log(options.firstKeyWeight);
    if (!options.bias.isNone()) {
        args.bias = options.bias.as<float>();
        args.biasHead = options.bias.stride(0);
        args.biasQuery = options.bias.stride(1);
    }
    args.threads = m_threads;
    const std::int64_t bytes = kernels::cpu::attentionWorkspaceBytes(args);
    args.workspace = m_attention.take(bytes);
    if (args.workspace == nullptr) {
        note(fail(ErrorCode::OutOfMemory, "attention over {} keys: {} bytes of scratch memory are needed",
                  args.keys, bytes));
        return;
    }
    const int code = kernels::cpu::attention(args);
    FW_CHECK(code == 0, "attention of {} failed with code {}", q.text(), code);
}

}  // namespace fw::backend
