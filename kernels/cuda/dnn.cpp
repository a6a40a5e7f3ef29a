#include "kernels/cuda/dnn.h"

#include <array>
#include <cstdio>
#include <map>
#include <tuple>
#include <utility>

#include "kernels/cuda/dnn_graph.h"
#include "kernels/cuda/simple_product.h"

namespace fw::kernels::cuda {

namespace {

// A convolution may not take more than this beside its operands.
constexpr std::int64_t kMostWorkspaceBytes = 512LL << 20;
// Shapes change with every clip size: beyond this many the plans start anew.
constexpr std::size_t kMostPlans = 512;

cudnnDataType_t dataType(Element element) {
    return element == Element::Bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

// [B, C, T, H, W] as the library names dimensions, channels last in memory.
DnnGraph::TensorSpec channelsLast(Element element, std::int64_t batch, std::int64_t channels,
                                  const std::int64_t (&extents)[3]) {
    const auto [frames, height, width] = extents;
    DnnGraph::TensorSpec spec;
    spec.type = dataType(element);
    spec.extents = {batch, channels, frames, height, width};
    spec.strides = {frames * height * width * channels, 1, height * width * channels, width * channels, channels};
    return spec;
}

void addConvolution(DnnGraph& graph, const ConvArgs& args, const Descriptor& x, const Descriptor& weight,
                    const Descriptor& y) {
    const std::int64_t dilations[3] = {1, 1, 1};
    const std::int64_t before[3] = {0, args.padding[0], args.padding[2]};
    const std::int64_t after[3] = {0, args.padding[1], args.padding[3]};
    Descriptor& description = graph.part(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    description.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{3})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, std::span<const std::int64_t>(dilations))
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, std::span<const std::int64_t>(args.stride))
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, std::span<const std::int64_t>(before))
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, std::span<const std::int64_t>(after))
        .finish();
    Descriptor& node = graph.part(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    node.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, description)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weight)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1.0F)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 0.0F);
    graph.operation(node);
}

// Tensors 1 x, 2 weight, 3 sums. The convolution alone: engines that fuse a bias are compiled for every shape,
// which costs a clip more than a pass of our own over the sums.
std::unique_ptr<DnnPlan> planConv(cudnnHandle_t handle, const ConvArgs& args, bool precompiled) {
    const std::int64_t in[3] = {args.frames, args.height, args.width};
    const std::int64_t out[3] = {args.outFrames, args.outHeight, args.outWidth};
    DnnGraph graph(handle);
    const Descriptor& x = graph.tensor(channelsLast(args.element, args.batch, args.inChannels, in));
    const Descriptor& weight =
        graph.tensor(channelsLast(args.element, args.outChannels, args.inChannels, args.kernel));
    const Descriptor& sums = graph.tensor(channelsLast(args.element, args.batch, args.outChannels, out));
    addConvolution(graph, args, x, weight, sums);
    return graph.finish({.fullPrecision = args.element == Element::F32, .precompiled = precompiled},
                        kMostWorkspaceBytes);
}

DnnGraph::TensorSpec headsSpec(const AttentionArgs& args, std::int64_t tokens, std::int64_t batch,
                               std::int64_t token, std::int64_t head) {
    DnnGraph::TensorSpec spec;
    spec.type = dataType(args.element);
    spec.extents = {args.batch, args.heads, tokens, args.headDim};
    spec.strides = {batch, head, token, 1};
    return spec;
}

DnnGraph::TensorSpec scaleSpec() {
    DnnGraph::TensorSpec spec;
    spec.type = CUDNN_DATA_FLOAT;
    spec.extents = {1, 1, 1, 1};
    spec.strides = {1, 1, 1, 1};
    spec.byValue = true;
    return spec;
}

// Both graphs: tensors 1 q, 2 k, 3 v, 4 out, 5 scale.
std::unique_ptr<DnnPlan> planSingleNodeAttention(cudnnHandle_t handle, const AttentionArgs& args) {
    DnnGraph graph(handle);
    const Descriptor& q = graph.tensor(headsSpec(args, args.queries, args.qBatch, args.qToken, args.qHead));
    const Descriptor& k = graph.tensor(headsSpec(args, args.keys, args.kBatch, args.kToken, args.kHead));
    const Descriptor& v = graph.tensor(headsSpec(args, args.keys, args.vBatch, args.vToken, args.vHead));
    const Descriptor& out = graph.tensor(headsSpec(args, args.queries, args.outBatch, args.outToken, args.outHead));
    const Descriptor& scale = graph.tensor(scaleSpec());
    Descriptor& node = graph.part(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    node.set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, q)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, k)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, v)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, out)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, scale);
    graph.operation(node);
    return graph.finish({}, kMostWorkspaceBytes);
}

// The pattern of products, reductions and point-wise operations the library recognises as attention.
std::unique_ptr<DnnPlan> planComposedAttention(cudnnHandle_t handle, const AttentionArgs& args) {
    DnnGraph graph(handle);
    const Descriptor& q = graph.tensor(headsSpec(args, args.queries, args.qBatch, args.qToken, args.qHead));
    DnnGraph::TensorSpec keySpec = headsSpec(args, args.keys, args.kBatch, args.kToken, args.kHead);
    std::swap(keySpec.extents[2], keySpec.extents[3]);  // transposed
    std::swap(keySpec.strides[2], keySpec.strides[3]);
    const Descriptor& k = graph.tensor(keySpec);
    const Descriptor& v = graph.tensor(headsSpec(args, args.keys, args.vBatch, args.vToken, args.vHead));
    const Descriptor& out = graph.tensor(headsSpec(args, args.queries, args.outBatch, args.outToken, args.outHead));
    const Descriptor& scale = graph.tensor(scaleSpec());
    const std::vector<std::int64_t> full{args.batch, args.heads, args.queries, args.keys};
    const std::vector<std::int64_t> rows{args.batch, args.heads, args.queries, 1};
    const Descriptor& raw = graph.between(full);
    const Descriptor& scores = graph.between(full);
    const Descriptor& highest = graph.between(rows);
    const Descriptor& shifted = graph.between(full);
    const Descriptor& powers = graph.between(full);
    const Descriptor& sums = graph.between(rows);
    const Descriptor& weights = graph.between(full, dataType(args.element));
    graph.product(q, k, raw);
    graph.pointwise(CUDNN_POINTWISE_MUL, raw, &scale, scores);
    graph.reduction(CUDNN_REDUCE_TENSOR_MAX, scores, highest);
    graph.pointwise(CUDNN_POINTWISE_SUB, scores, &highest, shifted);
    graph.pointwise(CUDNN_POINTWISE_EXP, shifted, nullptr, powers);
    graph.reduction(CUDNN_REDUCE_TENSOR_ADD, powers, sums);
    graph.pointwise(CUDNN_POINTWISE_DIV, powers, &sums, weights);
    graph.product(weights, v, out);
    return graph.finish({}, kMostWorkspaceBytes);
}

// Everything a plan depends on.
using ConvKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                           std::array<std::int64_t, 10>, Element>;
using AttentionKey = std::tuple<std::array<std::int64_t, 5>, std::array<std::int64_t, 12>, Element>;

ConvKey keyOf(const ConvArgs& a) {
    return {a.batch,
            a.frames,
            a.height,
            a.width,
            a.inChannels,
            a.outChannels,
            {a.kernel[0], a.kernel[1], a.kernel[2], a.stride[0], a.stride[1], a.stride[2], a.padding[0],
             a.padding[1], a.padding[2], a.padding[3]},
            a.element};
}
AttentionKey keyOf(const AttentionArgs& a) {
    return {{a.batch, a.queries, a.keys, a.heads, a.headDim},
            {a.qBatch, a.qToken, a.qHead, a.kBatch, a.kToken, a.kHead, a.vBatch, a.vToken, a.vHead, a.outBatch,
             a.outToken, a.outHead},
            a.element};
}

bool isAligned(const void* data) {
    return reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
}

class GraphContext final : public DnnContext {
 public:
    explicit GraphContext(cudnnHandle_t handle) : m_handle(handle) {}
    ~GraphContext() override {
        m_convs.clear();
        m_attentions.clear();
        cudnnDestroy(m_handle);
    }

    Code conv(Queue& queue, const ConvArgs& args) override {
        if (!isAligned(args.x) || !isAligned(args.weight) || !isAligned(args.y)) {
            return Code::Unsupported;
        }
        const DnnPlan* plan = planOf(m_convs, keyOf(args), [&] {
            auto made = planConv(m_handle, args, true);
            return made ? std::move(made) : planConv(m_handle, args, false);
        });
        if (plan == nullptr) {
            return Code::Unsupported;
        }
        void* sums = args.y;
        if (args.accumulate) {
            const std::int64_t bytes = args.batch * args.outFrames * args.outHeight * args.outWidth *
                                       args.outChannels * (args.element == Element::F32 ? 4 : 2);
            sums = queue.convSums.take(queue.stream, bytes);
            if (sums == nullptr) {
                return queue.fail(Code::OutOfMemory, "no device memory for the sums of a convolution");
            }
        }
        const std::vector<void*> data{const_cast<void*>(args.x), const_cast<void*>(args.weight), sums};
        const Code code = run(queue, *plan, data, "a convolution");
        return code == Code::Ok ? finishConv(queue, args, sums) : code;
    }

    Code attention(Queue& queue, const AttentionArgs& args) override {
        const bool aligned = isAligned(args.q) && isAligned(args.k) && isAligned(args.v) && isAligned(args.out);
        const DnnPlan* plan = nullptr;
        if (args.element == Element::Bf16 && args.bias == nullptr && aligned) {
            plan = planOf(m_attentions, keyOf(args), [&] {
                auto made = planSingleNodeAttention(m_handle, args);
                return made ? std::move(made) : planComposedAttention(m_handle, args);
            });
        }
        if (plan == nullptr) {
            return queue.fail(Code::Unsupported, "cuDNN does not take this attention");
        }
        float scale = args.scale;
        const std::vector<void*> data{const_cast<void*>(args.q), const_cast<void*>(args.k),
                                      const_cast<void*>(args.v), args.out, &scale};
        return run(queue, *plan, data, "attention");
    }

 private:
    // The kept plan of a key, made on first use; null: no engine takes it, which is kept as well.
    template <class Key, class Make>
    const DnnPlan* planOf(std::map<Key, std::unique_ptr<DnnPlan>>& plans, const Key& key, const Make& make) {
        if (const auto found = plans.find(key); found != plans.end()) {
            return found->second.get();
        }
        if (plans.size() >= kMostPlans) {
            plans.clear();
        }
        return plans.emplace(key, make()).first->second.get();
    }

    Code run(Queue& queue, const DnnPlan& plan, const std::vector<void*>& data, const char* what) {
        void* workspace = nullptr;
        if (plan.workspaceBytes() > 0) {
            workspace = queue.dnnWorkspace.take(queue.stream, plan.workspaceBytes());
            if (workspace == nullptr) {
                return queue.fail(Code::OutOfMemory, "no device memory for cuDNN's workspace");
            }
        }
        std::vector<std::int64_t> ids;
        for (std::size_t i = 0; i < data.size(); ++i) {
            ids.push_back(static_cast<std::int64_t>(i) + 1);
        }
        const cudnnStatus_t status = plan.run(m_handle, ids, data, workspace);
        if (status == CUDNN_STATUS_SUCCESS) {
            return Code::Ok;
        }
        std::snprintf(queue.message.text, sizeof(queue.message.text), "cuDNN failed %s: %s", what,
                      cudnnGetErrorString(status));
        return Code::Failed;
    }

    cudnnHandle_t m_handle;
    std::map<ConvKey, std::unique_ptr<DnnPlan>> m_convs;
    std::map<AttentionKey, std::unique_ptr<DnnPlan>> m_attentions;
};

}  // namespace

std::unique_ptr<DnnContext> DnnContext::create(Queue& queue) {
    cudnnHandle_t handle = nullptr;
    cudnnStatus_t status = cudnnCreate(&handle);
    if (status == CUDNN_STATUS_SUCCESS) {
        status = cudnnSetStream(handle, queue.stream);
    }
    if (status != CUDNN_STATUS_SUCCESS) {
        std::snprintf(queue.message.text, sizeof(queue.message.text), "cuDNN cannot start: %s",
                      cudnnGetErrorString(status));
        if (handle != nullptr) {
            cudnnDestroy(handle);
        }
        return nullptr;
    }
    return std::make_unique<GraphContext>(handle);
}

std::int32_t DnnContext::libraryVersion() {
    return static_cast<std::int32_t>(cudnnGetVersion());
}

}  // namespace fw::kernels::cuda
