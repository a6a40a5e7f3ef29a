#include "sparse_workloads.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <utility>

#include "core/backend/cuda_library.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::gpu {

namespace {

namespace cuda = kernels::cuda;

struct Command {
    std::string operation, kernel, check;
    std::int64_t heads = 0, tokens = 0, width = 0, a = 0, b = 0;
};

// Kernels by their own choice, around the queue of operations, which always takes the preferred one.
class SparseWorkload final : public Workload {
 public:
    using Call = std::function<cuda::Code(const cuda::Api& api, cuda::Queue* queue, cuda::AttentionKernel kernel,
                                          void* out)>;

    static Result<std::unique_ptr<SparseWorkload>> make(Bench& bench) {
        auto made = std::unique_ptr<SparseWorkload>(new SparseWorkload(bench));
        FW_ASSIGN(made->m_library, backend::CudaLibrary::open());
        cuda::Message message{};
        if (const auto code = made->m_library->api().createQueue(0, &made->m_queue, &message);
            code != cuda::Code::Ok) {
            return tl::make_unexpected(backend::cudaError(code, message));
        }
        return made;
    }
    ~SparseWorkload() override {
        if (m_queue != nullptr) {
            m_library->api().destroyQueue(m_queue);
        }
    }
    void set(Call call, cuda::AttentionKernel kernel, const TensorView& out) {
        m_call = std::move(call);
        m_kernel = kernel;
        m_out = out;
    }
    // `other`: where the kernel without tensor cores writes; means: f32 [4].
    void setCheck(const TensorView& other, const TensorView& means) {
        m_other = other;
        m_means = means;
    }

    Status run() override {
        FW_TRY(checked(m_call(api(), m_queue, m_kernel, m_out.mutableData())));
        if (m_means.isNone() || m_isChecked) {
            return {};
        }
        m_isChecked = true;
        FW_TRY(checked(m_call(api(), m_queue, cuda::AttentionKernel::Simple, m_other.mutableData())));
        cuda::DifferenceArgs args{};
        const Shape& shape = m_out.shape();
        const std::int64_t row = shape[2] * shape[3];
        args.extents = {shape[0], shape[1], row};
        args.a = {m_out.data(), cuda::Element::Bf16, shape[1] * row, row};
        args.b = {m_other.data(), cuda::Element::Bf16, shape[1] * row, row};
        args.means = m_means.mutableAs<float>();
        return checked(api().difference(m_queue, args));
    }
    Status synchronize() override {
        cuda::Message message{};
        const cuda::Code code = api().synchronize(m_queue, &message);
        return code == cuda::Code::Ok ? Status{} : tl::make_unexpected(backend::cudaError(code, message));
    }
    Result<std::vector<float>> result(Shape& shape) override {
        FW_TRY(synchronize());
        const TensorView& view = m_means.isNone() ? m_out : m_means;
        shape = view.shape();
        FW_ASSIGN(const auto floats, backend::createTensor(m_bench.device(), DType::F32, shape));
        std::vector<float> values(static_cast<std::size_t>(view.count()));
        m_bench.ops().copy(view, floats.view);
        m_bench.ops().download(floats.view, TensorView(values.data(), DType::F32, shape));
        FW_TRY(m_bench.ops().synchronize());
        return values;
    }

 private:
    explicit SparseWorkload(Bench& bench) : m_bench(bench) {}

    [[nodiscard]] const cuda::Api& api() const { return m_library->api(); }
    Status checked(cuda::Code code) {
        if (code == cuda::Code::Ok) {
            return {};
        }
        cuda::Message message{};
        api().lastMessage(m_queue, &message);
        return tl::make_unexpected(backend::cudaError(code, message));
    }

    Bench& m_bench;
    std::shared_ptr<const backend::CudaLibrary> m_library;
    cuda::Queue* m_queue = nullptr;
    Call m_call;
    cuda::AttentionKernel m_kernel = cuda::AttentionKernel::Auto;
    TensorView m_out, m_other, m_means;
    bool m_isChecked = false;
};

// Queries, keys and values beside one another in memory, as one product writes them.
Result<cuda::AttentionArgs> makeOperands(Bench& bench, const Command& c) {
    FW_ASSIGN(const TensorView fused, bench.random(DType::BF16, {1, c.tokens, 3 * c.heads, c.width}));
    const std::int64_t row = c.heads * c.width;
    cuda::AttentionArgs args{};
    args.batch = 1, args.queries = args.keys = c.tokens, args.heads = c.heads, args.headDim = c.width;
    const auto* data = static_cast<const std::uint16_t*>(fused.data());
    args.q = data, args.k = data + row, args.v = data + 2 * row;
    args.qBatch = args.kBatch = args.vBatch = 3 * c.tokens * row;
    args.qToken = args.kToken = args.vToken = 3 * row;
    args.qHead = args.kHead = args.vHead = args.outHead = c.width;
    args.outBatch = c.tokens * row, args.outToken = row;
    args.element = cuda::Element::Bf16;
    args.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.width)));
    return args;
}

Result<TensorView> uploaded(Bench& bench, const std::vector<std::int32_t>& values) {
    const Shape shape{static_cast<std::int64_t>(values.size())};
    FW_ASSIGN(const TensorView device, bench.empty(DType::I32, shape));
    bench.ops().upload(ConstTensorView(values.data(), DType::I32, shape), device);
    FW_TRY(bench.ops().synchronize());
    return device;
}

struct Lists {
    std::int32_t *blocks, *counts;
    cuda::RowSteps blockSteps, countSteps;
    cuda::TokenCut cut;
};

// `b` of the blocks of `a` tokens for every row, at random, ascending.
Result<Lists> makeLists(Bench& bench, const Command& c) {
    const std::int64_t count = (c.tokens + c.a - 1) / c.a;
    if (c.b < 1 || c.b > count) {
        return fail(ErrorCode::InvalidArgument, "{} of {} blocks", c.b, count);
    }
    std::mt19937 random(5);
    std::vector<std::int32_t> blocks;
    std::vector<std::int32_t> order(static_cast<std::size_t>(count));
    for (std::int64_t row = 0; row < c.heads * count; ++row) {
        std::iota(order.begin(), order.end(), 0);
        for (std::int64_t i = 0; i < c.b; ++i) {
            const auto other = i + static_cast<std::int64_t>(random() % static_cast<unsigned>(count - i));
            std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(other)]);
        }
        std::sort(order.begin(), order.begin() + c.b);
        blocks.insert(blocks.end(), order.begin(), order.begin() + c.b);
    }
    FW_ASSIGN(const TensorView lists, uploaded(bench, blocks));
    FW_ASSIGN(const TensorView counts,
              uploaded(bench, std::vector<std::int32_t>(static_cast<std::size_t>(c.heads * count),
                                                        static_cast<std::int32_t>(c.b))));
    return Lists{lists.mutableAs<std::int32_t>(),
                 counts.mutableAs<std::int32_t>(),
                 {c.heads * count * c.b, count * c.b, c.b},
                 {c.heads * count, count, 1},
                 {nullptr, nullptr, count, c.a, {}}};
}

Result<SparseWorkload::Call> makeBlocks(Bench& bench, const Command& c) {
    FW_ASSIGN(const cuda::AttentionArgs operands, makeOperands(bench, c));
    FW_ASSIGN(const Lists lists, makeLists(bench, c));
    cuda::BlockSparseArgs args{};
    args.operands = operands;
    args.cut = lists.cut;
    args.lists = lists.blocks, args.counts = lists.counts;
    args.listSteps = lists.blockSteps, args.countSteps = lists.countSteps;
    return [args](const cuda::Api& api, cuda::Queue* queue, cuda::AttentionKernel kernel, void* out) mutable {
        args.operands.kernel = kernel;
        args.operands.out = out;
        return api.blockSparseAttention(queue, args);
    };
}

Result<SparseWorkload::Call> makeSelect(Bench& bench, const Command& c) {
    FW_ASSIGN(const cuda::AttentionArgs operands, makeOperands(bench, c));
    FW_ASSIGN(const Lists lists, makeLists(bench, c));
    cuda::SelectBlocksArgs args{};
    args.operands = operands;
    args.cut = lists.cut;
    args.kept = c.b;
    args.lists = lists.blocks, args.counts = lists.counts;
    args.listSteps = lists.blockSteps, args.countSteps = lists.countSteps;
    return [args](const cuda::Api& api, cuda::Queue* queue, cuda::AttentionKernel, void*) {
        return api.selectBlocks(queue, args);
    };
}

Result<SparseWorkload::Call> makeWindow(Bench& bench, const Command& c) {
    FW_ASSIGN(const cuda::AttentionArgs operands, makeOperands(bench, c));
    FW_ASSIGN(const TensorView orders, bench.empty(DType::U8, {c.heads}));
    std::vector<std::uint8_t> alternate;
    for (std::int64_t head = 0; head < c.heads; ++head) {
        alternate.push_back(static_cast<std::uint8_t>(head % 2));
    }
    bench.ops().upload(ConstTensorView(alternate.data(), DType::U8, {c.heads}), orders);
    FW_TRY(bench.ops().synchronize());
    cuda::WindowArgs args{};
    args.operands = operands;
    args.frames = c.a, args.window = c.b;
    args.orders = static_cast<const std::uint8_t*>(orders.data());
    args.orderBatch = c.heads, args.orderHead = 1;
    return [args](const cuda::Api& api, cuda::Queue* queue, cuda::AttentionKernel kernel, void* out) mutable {
        args.operands.kernel = kernel;
        args.operands.out = out;
        return api.windowAttention(queue, args);
    };
}

Result<SparseWorkload::Call> makeLinear(Bench& bench, const Command& c) {
    cuda::LinearAttentionArgs args{};
    FW_ASSIGN(args.operands, makeOperands(bench, c));
    args.eps = 1e-6F;
    if (c.a == 1) {
        std::vector<float> cosine;
        std::vector<float> sine;
        for (std::int64_t i = 0; i < c.tokens * c.width / 2; ++i) {
            const double angle = static_cast<double>(i % 1009) * 0.01;
            cosine.push_back(static_cast<float>(std::cos(angle)));
            sine.push_back(static_cast<float>(std::sin(angle)));
        }
        const Shape shape{c.tokens, c.width / 2};
        FW_ASSIGN(const TensorView first, bench.empty(DType::F32, shape));
        FW_ASSIGN(const TensorView second, bench.empty(DType::F32, shape));
        bench.ops().upload(ConstTensorView(cosine.data(), DType::F32, shape), first);
        bench.ops().upload(ConstTensorView(sine.data(), DType::F32, shape), second);
        FW_TRY(bench.ops().synchronize());
        args.cosine = first.as<float>(), args.sine = second.as<float>();
        args.cosineRow = args.sineRow = c.width / 2;
    }
    return [args](const cuda::Api& api, cuda::Queue* queue, cuda::AttentionKernel kernel, void* out) mutable {
        args.operands.kernel = kernel;
        args.operands.out = out;
        return api.linearAttention(queue, args);
    };
}

Result<SparseWorkload::Call> makeBranch(Bench& bench, const Command& c) {
    const std::int64_t channels = c.heads * c.width;
    FW_ASSIGN(const TensorView branch, bench.random(DType::BF16, {1, c.tokens, channels}));
    FW_ASSIGN(const TensorView logits, bench.random(DType::F32, {1, c.tokens}));
    cuda::AddBranchArgs args{};
    args.extents = {1, c.tokens, channels};
    args.target = {nullptr, cuda::Element::Bf16, c.tokens * channels, channels};
    args.branch = {branch.data(), cuda::Element::Bf16, c.tokens * channels, channels};
    args.logits = logits.as<float>();
    args.logitBatch = c.tokens, args.logitRow = 1;
    args.scale = 1.0F;
    return [args](const cuda::Api& api, cuda::Queue* queue, cuda::AttentionKernel, void* out) mutable {
        args.target.data = out;
        return api.addBranch(queue, args);
    };
}

}  // namespace

Result<std::unique_ptr<Workload>> makeSparse(Bench& bench, std::istringstream& words) {
    using Maker = Result<SparseWorkload::Call> (*)(Bench&, const Command&);
    const std::map<std::string, Maker> makers{{"blocks", makeBlocks},
                                              {"select", makeSelect},
                                              {"window", makeWindow},
                                              {"linear", makeLinear},
                                              {"branch", makeBranch}};
    const std::map<std::string, cuda::AttentionKernel> kernels{{"auto", cuda::AttentionKernel::Auto},
                                                               {"simple", cuda::AttentionKernel::Simple},
                                                               {"mma", cuda::AttentionKernel::Mma},
                                                               {"wgmma", cuda::AttentionKernel::Wgmma}};
    Command c;
    words >> c.operation >> c.kernel >> c.heads >> c.tokens >> c.width >> c.a >> c.b;
    const bool complete = static_cast<bool>(words);
    words >> c.check;
    const auto maker = makers.find(c.operation);
    const auto kernel = kernels.find(c.kernel);
    if (maker == makers.end() || kernel == kernels.end() || !complete || c.a < 0) {
        return fail(ErrorCode::InvalidArgument,
                    "sparse {}: operation, kernel, heads, tokens, width and two numbers expected", c.operation);
    }
    const Shape shape{1, c.tokens, c.heads, c.width};
    FW_ASSIGN(auto workload, SparseWorkload::make(bench));
    FW_ASSIGN(const TensorView out, bench.empty(DType::BF16, shape));
    FW_ASSIGN(auto call, maker->second(bench, c));
    workload->set(std::move(call), kernel->second, out);
    if (c.check == "check") {
        FW_ASSIGN(const TensorView other, bench.empty(DType::BF16, shape));
        FW_ASSIGN(const TensorView means, bench.empty(DType::F32, {4}));
        workload->setCheck(other, means);
    }
    return std::unique_ptr<Workload>(std::move(workload));
}

}  // namespace fw::gpu
