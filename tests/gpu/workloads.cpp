#include "workloads.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "core/backend/cuda_library.h"
#include "core/backend/token_scan.h"
#include "core/model/adapter.h"
#include "core/model/video_model.h"
#include "core/weights/safetensors.h"
#include "part_workloads.h"
#include "sparse_workloads.h"

namespace fw::gpu {

namespace {

namespace cuda = kernels::cuda;
using backend::OwnedTensor;

// Sums of four uniform numbers, scaled to unit variance.
std::vector<float> randomValues(std::uint64_t seed, std::int64_t count, double scale) {
    std::vector<float> values(static_cast<std::size_t>(count));
    std::uint64_t state = seed * 0x9E3779B97F4A7C15U;
    const auto factor = static_cast<float>(scale * std::sqrt(3.0) / 65536.0);
    for (float& value : values) {
        state += 0x9E3779B97F4A7C15U;
        std::uint64_t z = state;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        const auto sum =
            static_cast<std::int64_t>((z & 0xffffU) + (z >> 16U & 0xffffU) + (z >> 32U & 0xffffU) + (z >> 48U)) -
            2 * 0xffff;
        value = static_cast<float>(sum) * factor;
    }
    return values;
}

Result<std::vector<float>> toHost(backend::Device& device, backend::Ops& ops, const ConstTensorView& view) {
    FW_ASSIGN(const OwnedTensor floats, backend::createTensor(device, DType::F32, view.shape()));
    std::vector<float> values(static_cast<std::size_t>(view.count()));
    ops.copy(view, floats.view);
    ops.download(floats.view, TensorView(values.data(), DType::F32, view.shape()));
    FW_TRY(ops.synchronize());
    return values;
}

// One operation of the queue.
class Operation final : public Workload {
 public:
    Operation(Bench& bench, TensorView output, std::function<void(backend::Ops&)> call)
        : m_bench(bench), m_output(std::move(output)), m_call(std::move(call)) {}
    Status run() override {
        m_call(m_bench.ops());
        return {};
    }
    Status synchronize() override { return m_bench.ops().synchronize(); }
    Result<std::vector<float>> result(Shape& shape) override {
        shape = m_output.shape();
        return toHost(m_bench.device(), m_bench.ops(), m_output);
    }

 private:
    Bench& m_bench;
    TensorView m_output;
    std::function<void(backend::Ops&)> m_call;
};

// Attention by a kernel of its own choice: around the queue of operations, which always takes the preferred one.
class Attention final : public Workload {
 public:
    Attention(Bench& bench, std::shared_ptr<const backend::CudaLibrary> library, cuda::Queue* queue,
              const cuda::AttentionArgs& args, TensorView output)
        : m_bench(bench),
          m_library(std::move(library)),
          m_queue(queue),
          m_args(args),
          m_output(std::move(output)) {}
    ~Attention() override { m_library->api().destroyQueue(m_queue); }
    Status run() override {
        const cuda::Code code = m_library->api().attention(m_queue, m_args);
        if (code == cuda::Code::Ok) {
            return {};
        }
        cuda::Message message{};
        m_library->api().lastMessage(m_queue, &message);
        return tl::make_unexpected(backend::cudaError(code, message));
    }
    Status synchronize() override {
        cuda::Message message{};
        const cuda::Code code = m_library->api().synchronize(m_queue, &message);
        return code == cuda::Code::Ok ? Status{} : tl::make_unexpected(backend::cudaError(code, message));
    }
    Result<std::vector<float>> result(Shape& shape) override {
        FW_TRY(synchronize());
        shape = m_output.shape();
        return toHost(m_bench.device(), m_bench.ops(), m_output);
    }

 private:
    Bench& m_bench;
    std::shared_ptr<const backend::CudaLibrary> m_library;
    cuda::Queue* m_queue;
    cuda::AttentionArgs m_args;
    TensorView m_output;
};

Result<std::unique_ptr<Workload>> makeAttention(Bench& bench, std::istringstream& words) {
    const std::map<std::string, cuda::AttentionKernel> kernels{
        {"auto", cuda::AttentionKernel::Auto},       {"simple", cuda::AttentionKernel::Simple},
        {"mma", cuda::AttentionKernel::Mma},         {"wgmma", cuda::AttentionKernel::Wgmma},
        {"cudnn", cuda::AttentionKernel::Cudnn},     {"fp8", cuda::AttentionKernel::Fp8},
        {"onetile", cuda::AttentionKernel::OneTile},
    };
    std::string name;
    std::int64_t heads = 0, queries = 0, keys = 0, width = 0;
    words >> name >> heads >> queries >> keys >> width;
    const auto kernel = kernels.find(name);
    if (kernel == kernels.end() || !words) {
        return fail(ErrorCode::InvalidArgument, "attention {}: kernel, heads, queries, keys, width expected", name);
    }
    FW_ASSIGN(auto library, backend::CudaLibrary::open());
    FW_ASSIGN(const TensorView q, bench.random(DType::BF16, {1, queries, heads, width}));
    FW_ASSIGN(const TensorView k, bench.random(DType::BF16, {1, keys, heads, width}));
    FW_ASSIGN(const TensorView v, bench.random(DType::BF16, {1, keys, heads, width}));
    FW_ASSIGN(const TensorView out, bench.empty(DType::BF16, {1, queries, heads, width}));
    cuda::Queue* queue = nullptr;
    cuda::Message message{};
    if (const cuda::Code code = library->api().createQueue(0, &queue, &message); code != cuda::Code::Ok) {
        return tl::make_unexpected(backend::cudaError(code, message));
    }
    cuda::AttentionArgs args{};
    args.batch = 1, args.queries = queries, args.keys = keys, args.heads = heads, args.headDim = width;
    args.q = q.data(), args.k = k.data(), args.v = v.data(), args.out = out.mutableData();
    args.qBatch = args.outBatch = queries * heads * width;
    args.kBatch = args.vBatch = keys * heads * width;
    args.qToken = args.kToken = args.vToken = args.outToken = heads * width;
    args.qHead = args.kHead = args.vHead = args.outHead = width;
    args.element = cuda::Element::Bf16;
    args.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
    args.kernel = kernel->second;
    return std::make_unique<Attention>(bench, std::move(library), queue, args, out);
}

Result<std::unique_ptr<Workload>> makeLinear(Bench& bench, std::istringstream& words) {
    std::int64_t rows = 0, in = 0, out = 0;
    std::string activation, type, stored;
    words >> rows >> in >> out >> activation >> type >> stored;
    FW_ASSIGN(const TensorView x, bench.random(DType::BF16, {rows, in}));
    FW_ASSIGN(const TensorView y, bench.empty(type == "f32" ? DType::F32 : DType::BF16, {rows, out}));
    FW_ASSIGN(auto packed, bench.randomLinear(in, out, stored == "fp8" ? DType::F8E4M3 : DType::BF16));
    if (stored == "fp8" && !packed->fp8) {
        return fail(ErrorCode::Unsupported, "no product of e4m3 takes {} x {} on this device", out, in);
    }
    const auto chosen = activation == "gelu" ? backend::Activation::GeluTanh : backend::Activation::None;
    std::shared_ptr<backend::PackedLinear> weights = std::move(packed);
    return std::make_unique<Operation>(bench, y, [=](backend::Ops& ops) { ops.linear(x, *weights, y, chosen); });
}

Result<std::unique_ptr<Workload>> makeNorm(Bench& bench, std::istringstream& words) {
    constexpr std::int64_t kHeadDim = 128;
    std::string kind;
    std::int64_t rows = 0, channels = 0;
    words >> kind >> rows >> channels;
    FW_ASSIGN(const TensorView vectors, bench.random(DType::F32, {1, channels}, 0.1));
    FW_ASSIGN(const TensorView y, bench.empty(DType::BF16, {1, rows, channels}));
    if (kind == "layer") {
        FW_ASSIGN(const TensorView x, bench.random(DType::F32, {1, rows, channels}));
        return std::make_unique<Operation>(
            bench, y, [=](backend::Ops& ops) { ops.layerNormModulate(x, vectors, vectors, 1e-6F, y); });
    }
    FW_ASSIGN(const TensorView x, bench.random(DType::BF16, {1, rows, channels}));
    FW_ASSIGN(const TensorView table, bench.random(DType::F32, {rows, kHeadDim / 2}));
    return std::make_unique<Operation>(bench, y, [=](backend::Ops& ops) {
        ops.rmsNormRope(x, vectors.reshape({vectors.dim(1)}), 1e-6F, backend::RopeTables{table, table}, kHeadDim,
                        y);
    });
}

Result<std::unique_ptr<Workload>> makeConv(Bench& bench, std::istringstream& words) {
    std::int64_t frames = 0, height = 0, width = 0, in = 0, out = 0;
    words >> frames >> height >> width >> in >> out;
    FW_ASSIGN(const TensorView x, bench.random(DType::BF16, {1, frames + 2, height, width, in}));
    FW_ASSIGN(const TensorView y, bench.empty(DType::BF16, {1, frames, height, width, out}));
    const std::vector<float> weight = randomValues(3, out * in * 27, 1.0 / std::sqrt(static_cast<double>(in * 27)));
    const std::vector<float> bias = randomValues(4, out, 0.1);
    FW_ASSIGN(auto packed, bench.ops().packConv3d(ConstTensorView(weight.data(), DType::F32, {out, in, 3, 3, 3}),
                                                  ConstTensorView(bias.data(), DType::F32, {out}),
                                                  {.stride = {1, 1, 1}, .padding = {1, 1, 1, 1}}, DType::BF16));
    std::shared_ptr<backend::PackedConv3d> weights = std::move(packed);
    return std::make_unique<Operation>(bench, y, [=](backend::Ops& ops) { ops.conv3d(x, *weights, y); });
}

// A state space scan of heads of 64 with one group, x, b and c side by side in the rows, as the convolution leaves
// them. After steps of about one a head forgets within some hundred positions; after the small ones of a `long`
// memory, never.
Result<std::unique_ptr<Workload>> makeScan(Bench& bench, std::istringstream& words) {
    constexpr std::int64_t kWidth = 64;
    constexpr std::int64_t kTile = 4096;  // rows drawn; longer ones repeat them
    std::int64_t frames = 0, height = 0, wide = 0, heads = 0, state = 0;
    std::string order, directions;
    words >> frames >> height >> wide >> heads >> state >> order >> directions;
    const backend::TokenGrid grid{frames, height, wide};
    const std::int64_t rows = grid.tokens();
    if (!words || rows % kTile != 0) {
        return fail(ErrorCode::InvalidArgument,
                    "scan: frames, height, width of a multiple of {} tokens, heads, state, "
                    "order, one|both, perhaps long expected",
                    kTile);
    }
    std::string memory;
    words >> memory;
    constexpr double kSmallStep = -6.0;  // before softplus
    const std::int64_t inner = heads * kWidth;
    FW_ASSIGN(const TensorView tile, bench.random(DType::BF16, {1, kTile, inner + 2 * state}));
    FW_ASSIGN(const TensorView stepTile, bench.random(DType::F32, {1, kTile, heads}));
    FW_ASSIGN(const TensorView all, bench.empty(DType::BF16, {1, rows, inner + 2 * state}));
    FW_ASSIGN(const TensorView step, bench.empty(DType::F32, {1, rows, heads}));
    for (std::int64_t row = 0; row < rows; row += kTile) {
        bench.ops().copy(tile, all.slice(1, row, row + kTile));
        bench.ops().copy(stepTile, step.slice(1, row, row + kTile));
    }
    FW_ASSIGN(const TensorView vectors, bench.random(DType::F32, {heads}));
    std::vector<float> biases = randomValues(5, heads, 1.0);
    for (float& bias : biases) {
        bias += static_cast<float>(memory == "long" ? kSmallStep : 0.0);
    }
    FW_ASSIGN(const TensorView stepBias, bench.empty(DType::F32, {heads}));
    bench.ops().upload(ConstTensorView(biases.data(), DType::F32, {heads}), stepBias);
    FW_TRY(bench.ops().synchronize());
    FW_ASSIGN(const TensorView y, bench.empty(DType::BF16, {1, rows, heads, kWidth}));
    TensorView path;
    if (order != "none") {
        FW_ASSIGN(const backend::ScanOrder chosen, backend::scanOrderFromName(order));
        const std::vector<std::int32_t> entries = backend::makeScan(grid, chosen);
        FW_ASSIGN(path, bench.empty(DType::I32, {rows}));
        bench.ops().upload(ConstTensorView(entries.data(), DType::I32, {rows}), path);
        FW_TRY(bench.ops().synchronize());
    }
    backend::StateSpaceInput in{.x = all.slice(2, 0, inner).split(2, heads, kWidth),
                                .b = all.slice(2, inner, inner + state).split(2, 1, state),
                                .c = all.slice(2, inner + state, inner + 2 * state).split(2, 1, state),
                                .step = step,
                                .stepBias = stepBias,
                                .decay = vectors,
                                .skip = vectors,
                                .initialState = {},
                                .finalState = {},
                                .reverse = false};
    std::vector<backend::StateSpaceInput> both{in};
    if (directions == "both") {
        in.reverse = true;
        both.push_back(in);
    }
    return std::make_unique<Operation>(
        bench, y, [=](backend::Ops& ops) { ops.stateSpaceScan(both, {.order = path, .chunk = 64}, y); });
}

// A model's part with an arena that a first run on the Meta device has measured.
struct Inputs {
    std::unique_ptr<weights::SafetensorsFile> file;
    [[nodiscard]] Result<TensorView> upload(Bench& bench, const std::string& name) const {
        FW_ASSIGN(const ConstTensorView host, file->tensor(name));
        FW_ASSIGN(const TensorView device, bench.empty(DType::F32, host.shape()));
        bench.ops().upload(host, device);
        FW_TRY(bench.ops().synchronize());
        return device;
    }
};

class Transformer final : public Workload {
 public:
    static Result<std::unique_ptr<Workload>> make(Bench& bench, std::istringstream& words) {
        std::string folder, inputs, type, adapter;
        words >> folder >> inputs >> type >> adapter;
        const DType dtype = dtypeFromName(type).value_or(DType::BF16);
        auto made = std::unique_ptr<Transformer>(new Transformer(bench));
        Inputs files;
        FW_ASSIGN(files.file, weights::SafetensorsFile::open(inputs));
        FW_ASSIGN(made->m_latents, files.upload(bench, "latents"));
        FW_ASSIGN(const TensorView text, files.upload(bench, "text"));
        FW_ASSIGN(const ConstTensorView tokens, files.file->tensor("tokens", {1}));
        made->m_text = {text, static_cast<std::int64_t>(tokens.as<std::int32_t>()[0])};
        FW_ASSIGN(const ConstTensorView timestep, files.file->tensor("timestep"));
        made->m_timestep = static_cast<double>(timestep.as<float>()[0]);
        FW_ASSIGN(made->m_velocity, bench.empty(DType::F32, made->m_latents.shape()));
        if (adapter.empty()) {
            FW_ASSIGN(made->m_method, method::createAttentionMethod("dense", Json::object()));
        } else {
            FW_TRY(made->useSalad(folder, adapter, dtype));
        }
        FW_ASSIGN(const std::int64_t bytes, made->measure(folder, dtype));
        FW_ASSIGN(made->m_arena, backend::Arena::create(bench.device(), bytes));
        FW_ASSIGN(made->m_model, model::loadTransformer(folder, bench.device(), bench.ops(), dtype));
        return made;
    }
    Status run() override {
        method::RunContext context{m_bench.ops(), *m_arena, *m_method, {}, nullptr, -1, 0};
        return m_model->forward(context, m_latents, m_timestep, m_text, m_velocity);
    }
    Status synchronize() override { return m_bench.ops().synchronize(); }
    Result<std::vector<float>> result(Shape& shape) override {
        shape = m_velocity.shape();
        return toHost(m_bench.device(), m_bench.ops(), m_velocity);
    }

 private:
    explicit Transformer(Bench& bench) : m_bench(bench) {}

    // SALAD as it comes, at 90 % sparsity.
    Status useSalad(const std::string& folder, const std::string& adapter, DType dtype) {
        const job::Adapter file{adapter, 1.0};
        FW_ASSIGN(const auto set, model::AdapterSet::open({&file, 1}, folder));
        FW_ASSIGN(const method::MethodEntry* entry, method::findAttentionMethod("salad"));
        FW_ASSIGN(m_methodWeights,
                  set.methodWeights(*entry, {m_bench.device(), m_bench.ops(), activationType(dtype)}));
        FW_ASSIGN(m_method, method::createAttentionMethod("salad", {{"sparsity", 0.9}}, m_methodWeights.get()));
        return {};
    }

    Result<std::int64_t> measure(const std::string& folder, DType dtype) const {
        const auto meta = backend::createMetaDevice(dtype);
        FW_ASSIGN(const auto ops, meta->createOps({}));
        FW_ASSIGN(const auto transformer, model::loadTransformer(folder, *meta, *ops, dtype));
        const auto arena = backend::Arena::createMeta();
        method::RunContext context{*ops, *arena, *m_method, {}, nullptr, -1, 0};
        const auto shaped = [](const TensorView& view) {
            return TensorView(nullptr, view.dtype(), view.shape(), DeviceKind::Meta);
        };
        const TensorView rows(nullptr, DType::F32, m_text.rows.shape(), DeviceKind::Meta);
        FW_TRY(transformer->forward(context, shaped(m_latents), m_timestep, {rows, m_text.tokens},
                                    shaped(m_velocity)));
        return arena->highWater();
    }

    Bench& m_bench;
    TensorView m_latents, m_velocity;
    model::TextEmbedding m_text;
    double m_timestep = 0.0;
    std::unique_ptr<method::MethodWeights> m_methodWeights;
    std::unique_ptr<method::AttentionMethod> m_method;
    std::unique_ptr<backend::Arena> m_arena;
    std::unique_ptr<model::VideoTransformer> m_model;
};

class Vae final : public Workload {
 public:
    static Result<std::unique_ptr<Workload>> make(Bench& bench, std::istringstream& words) {
        std::string folder, inputs, type, tiling;
        words >> folder >> inputs >> type >> tiling;
        const DType dtype = dtypeFromName(type).value_or(DType::BF16);
        auto made = std::unique_ptr<Vae>(new Vae(bench));
        made->m_tiling.enabled = tiling == "tiled";
        Inputs files;
        FW_ASSIGN(files.file, weights::SafetensorsFile::open(inputs));
        FW_ASSIGN(made->m_latents, files.upload(bench, "latents"));
        FW_ASSIGN(made->m_method, method::createAttentionMethod("dense", Json::object()));
        FW_ASSIGN(const std::int64_t bytes, made->measure(folder, dtype));
        FW_ASSIGN(made->m_arena, backend::Arena::create(bench.device(), bytes));
        FW_ASSIGN(made->m_model, model::loadVae(folder, bench.device(), bench.ops(), dtype));
        return made;
    }
    Status run() override {
        method::RunContext context{m_bench.ops(), *m_arena, *m_method, {}, nullptr, -1, 0};
        return m_model->decode(context, m_latents, m_tiling, [this](const ConstTensorView& frames) -> Status {
            m_bytes += frames.bytes();
            return {};
        });
    }
    Status synchronize() override { return m_bench.ops().synchronize(); }
    Result<std::vector<float>> result(Shape& shape) override {
        shape = clipShape();
        std::vector<float> values(static_cast<std::size_t>(shape.product()));
        method::RunContext context{m_bench.ops(), *m_arena, *m_method, {}, nullptr, -1, 0};
        FW_TRY(m_model->decodeToFloat(context, m_latents, m_tiling, TensorView(values.data(), DType::F32, shape)));
        return values;
    }

 private:
    explicit Vae(Bench& bench) : m_bench(bench) {}

    // Frames, height, width and colours of the decoded clip, by the factors of Wan's auto-encoder.
    [[nodiscard]] Shape clipShape() const {
        return {4 * m_latents.dim(1) - 3, 8 * m_latents.dim(2), 8 * m_latents.dim(3), 3};
    }

    Result<std::int64_t> measure(const std::string& folder, DType dtype) const {
        const auto meta = backend::createMetaDevice(dtype);
        FW_ASSIGN(const auto ops, meta->createOps({}));
        FW_ASSIGN(const auto vae, model::loadVae(folder, *meta, *ops, dtype));
        const auto arena = backend::Arena::createMeta();
        method::RunContext context{*ops, *arena, *m_method, {}, nullptr, -1, 0};
        const TensorView latents(nullptr, DType::F32, m_latents.shape(), DeviceKind::Meta);
        FW_TRY(vae->decode(context, latents, m_tiling, [](const ConstTensorView&) -> Status { return {}; }));
        const TensorView clip(nullptr, DType::F32, clipShape());
        FW_TRY(vae->decodeToFloat(context, latents, m_tiling, clip));
        return arena->highWater();
    }

    Bench& m_bench;
    TensorView m_latents;
    model::VaeTiling m_tiling;
    std::int64_t m_bytes = 0;  // decoded so far
    std::unique_ptr<method::AttentionMethod> m_method;
    std::unique_ptr<backend::Arena> m_arena;
    std::unique_ptr<model::VideoVae> m_model;
};

}  // namespace

Result<std::unique_ptr<Bench>> Bench::create() {
    auto bench = std::unique_ptr<Bench>(new Bench);
    FW_ASSIGN(bench->m_device, backend::createDevice("cuda:0"));
    FW_ASSIGN(bench->m_ops, bench->m_device->createOps({}));
    return bench;
}

Result<TensorView> Bench::empty(DType dtype, const Shape& shape) {
    FW_ASSIGN(OwnedTensor tensor, backend::createTensor(*m_device, dtype, shape));
    m_tensors.push_back(std::move(tensor));
    return m_tensors.back().view;
}

Result<TensorView> Bench::random(DType dtype, const Shape& shape, double scale) {
    const std::vector<float> values = randomValues(m_seed++, shape.product(), scale);
    FW_ASSIGN(const OwnedTensor floats, backend::createTensor(*m_device, DType::F32, shape));
    FW_ASSIGN(const TensorView tensor, empty(dtype, shape));
    m_ops->upload(ConstTensorView(values.data(), DType::F32, shape), floats.view);
    m_ops->copy(floats.view, tensor);
    FW_TRY(m_ops->synchronize());
    return tensor;
}

Result<std::unique_ptr<backend::PackedLinear>> Bench::randomLinear(std::int64_t in, std::int64_t out,
                                                                   DType stored) {
    const std::vector<float> weight = randomValues(m_seed++, out * in, 1.0 / std::sqrt(static_cast<double>(in)));
    const std::vector<float> bias = randomValues(m_seed++, out, 0.1);
    const ConstTensorView weightView(weight.data(), DType::F32, {out, in});
    const ConstTensorView biasView(bias.data(), DType::F32, {out});
    return m_ops->packLinear({{&weightView, 1}, {&biasView, 1}}, stored);
}

Result<std::unique_ptr<Workload>> makeWorkload(Bench& bench, std::istringstream& words) {
    using Maker = Result<std::unique_ptr<Workload>> (*)(Bench&, std::istringstream&);
    const std::map<std::string, Maker> makers{{"attention", makeAttention},
                                              {"linear", makeLinear},
                                              {"norm", makeNorm},
                                              {"conv", makeConv},
                                              {"transformer", Transformer::make},
                                              {"vae", Vae::make},
                                              {"encode", makeEncode},
                                              {"text", makeText},
                                              {"sparse", makeSparse},
                                              {"scan", makeScan}};
    std::string command;
    words >> command;
    const auto maker = makers.find(command);
    if (maker == makers.end()) {
        return fail(ErrorCode::InvalidArgument, "the benchmark knows no \"{}\"", command);
    }
    return maker->second(bench, words);
}

}  // namespace fw::gpu
