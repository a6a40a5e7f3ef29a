#include "part_workloads.h"

#include <functional>
#include <utility>

#include "core/model/video_model.h"
#include "core/weights/safetensors.h"

namespace fw::gpu {

namespace {

// One call of a model's part with an arena that the same call on the Meta device has measured.
class PartCall final : public Workload {
 public:
    using Call = std::function<Status(method::RunContext&)>;

    static Result<std::unique_ptr<Workload>> make(Bench& bench, TensorView output, const Call& onMeta,
                                                  backend::Ops& metaOps, Call call) {
        auto made = std::unique_ptr<PartCall>(new PartCall(bench, std::move(output), std::move(call)));
        FW_ASSIGN(made->m_method, method::createAttentionMethod("dense", Json::object()));
        const auto measured = backend::Arena::createMeta();
        method::RunContext context{
            .ops = metaOps, .arena = *measured, .selfAttention = *made->m_method, .cancel = {}};
        FW_TRY(onMeta(context));
        FW_ASSIGN(made->m_arena, backend::Arena::create(bench.device(), measured->highWater()));
        return made;
    }
    Status run() override {
        method::RunContext context{
            .ops = m_bench.ops(), .arena = *m_arena, .selfAttention = *m_method, .cancel = {}};
        return m_call(context);
    }
    Status synchronize() override { return m_bench.ops().synchronize(); }
    Result<std::vector<float>> result(Shape& shape) override {
        shape = m_output.shape();
        std::vector<float> values(static_cast<std::size_t>(m_output.count()));
        m_bench.ops().download(m_output, TensorView(values.data(), DType::F32, shape));
        FW_TRY(m_bench.ops().synchronize());
        return values;
    }

 private:
    PartCall(Bench& bench, TensorView output, Call call)
        : m_bench(bench), m_output(std::move(output)), m_call(std::move(call)) {}

    Bench& m_bench;
    TensorView m_output;
    Call m_call;
    std::unique_ptr<method::AttentionMethod> m_method;
    std::unique_ptr<backend::Arena> m_arena;
};

TensorView onMetaDevice(const TensorView& view) {
    return {nullptr, view.dtype(), view.shape(), DeviceKind::Meta};
}

struct PartWords {
    std::string folder, inputs;
    DType dtype = DType::BF16;
};
PartWords partWords(std::istringstream& words) {
    PartWords read;
    std::string type;
    words >> read.folder >> read.inputs >> type;
    read.dtype = dtypeFromName(type).value_or(DType::BF16);
    return read;
}

}  // namespace

Result<std::unique_ptr<Workload>> makeEncode(Bench& bench, std::istringstream& words) {
    const PartWords wanted = partWords(words);
    FW_ASSIGN(const auto file, weights::SafetensorsFile::open(wanted.inputs));
    FW_ASSIGN(const ConstTensorView host, file->tensor("frames"));
    const auto meta = backend::createMetaDevice(wanted.dtype);
    FW_ASSIGN(std::shared_ptr<backend::Ops> metaOps, meta->createOps({}));
    FW_ASSIGN(std::shared_ptr<model::VideoVae> metaVae,
              model::loadVae(wanted.folder, *meta, *metaOps, wanted.dtype));
    FW_ASSIGN(std::shared_ptr<model::VideoVae> vae,
              model::loadVae(wanted.folder, bench.device(), bench.ops(), wanted.dtype));
    const model::VideoVae::Geometry& geometry = vae->geometry();
    FW_ASSIGN(const TensorView frames, bench.empty(DType::F32, host.shape()));
    FW_ASSIGN(
        const TensorView latents,
        bench.empty(DType::F32, {geometry.latentChannels, 1 + (host.dim(0) - 1) / geometry.temporalFactor,
                                 host.dim(1) / geometry.spatialFactor, host.dim(2) / geometry.spatialFactor}));
    bench.ops().upload(host, frames);
    FW_TRY(bench.ops().synchronize());
    return PartCall::make(
        bench, latents,
        [&](method::RunContext& context) {
            return metaVae->encode(context, onMetaDevice(frames), onMetaDevice(latents));
        },
        *metaOps, [=](method::RunContext& context) { return vae->encode(context, frames, latents); });
}

Result<std::unique_ptr<Workload>> makeText(Bench& bench, std::istringstream& words) {
    const PartWords wanted = partWords(words);
    FW_ASSIGN(const auto file, weights::SafetensorsFile::open(wanted.inputs));
    FW_ASSIGN(const ConstTensorView host, file->tensor("ids"));
    if (host.dtype() != DType::I32) {
        return fail(ErrorCode::BadModel, "ids are {}, i32 expected", host.text());
    }
    const std::vector<std::int32_t> ids(host.as<std::int32_t>(), host.as<std::int32_t>() + host.count());
    const auto meta = backend::createMetaDevice(wanted.dtype);
    FW_ASSIGN(std::shared_ptr<backend::Ops> metaOps, meta->createOps({}));
    FW_ASSIGN(std::shared_ptr<model::TextEncoder> metaText,
              model::loadTextEncoder(wanted.folder, *meta, *metaOps, wanted.dtype));
    FW_ASSIGN(std::shared_ptr<model::TextEncoder> text,
              model::loadTextEncoder(wanted.folder, bench.device(), bench.ops(), wanted.dtype));
    FW_ASSIGN(const TensorView rows,
              bench.empty(DType::F32, {static_cast<std::int64_t>(ids.size()), text->width()}));
    return PartCall::make(
        bench, rows,
        [&](method::RunContext& context) { return metaText->encode(context, ids, onMetaDevice(rows)); }, *metaOps,
        [=](method::RunContext& context) { return text->encode(context, ids, rows); });
}

}  // namespace fw::gpu
