#include "core/pipeline/forward_runner.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "core/pipeline/philox.h"

namespace fw::pipeline {

namespace {

constexpr double kMiddleTimestep = 500.0;

}  // namespace

Result<ForwardRunner> ForwardRunner::load(const std::filesystem::path& folder, backend::Device& device,
                                          backend::Ops& ops, DType dtype,
                                          std::unique_ptr<method::AttentionMethod> method) {
    ForwardRunner runner(device, ops, std::move(method));
    FW_ASSIGN(runner.m_transformer, model::loadTransformer(folder, device, ops, dtype));
    return runner;
}

Result<backend::OwnedTensor> ForwardRunner::drawOperand(const Shape& shape, std::int64_t rows) {
    FW_ASSIGN(auto tensor, backend::createTensor(*m_device, DType::F32, shape));
    if (m_ops->deviceKind() != DeviceKind::Meta) {
        std::vector<float> values(static_cast<std::size_t>(shape.product()));
        const auto drawn = static_cast<std::size_t>(rows * (shape.product() / shape[0]));
        fillNormal(1, NoiseStream::InitialLatents, 0, std::span(values).first(drawn));
        m_ops->upload(ConstTensorView(values.data(), DType::F32, shape), tensor.view);
        FW_TRY(m_ops->synchronize());
    }
    return tensor;
}

Status ForwardRunner::prepare(const Shape& latents, std::int64_t words) {
    clear();
    FW_ASSIGN(m_latents, drawOperand(latents, latents[0]));
    m_tokens = std::min(kBenchPromptTokens, words);
    FW_ASSIGN(m_words, drawOperand({words, m_transformer->geometry().textWidth}, m_tokens));
    FW_ASSIGN(m_velocity, backend::createTensor(*m_device, DType::F32, latents));
    return {};
}

Status ForwardRunner::forward(backend::Arena& arena) {
    FW_CHECK(!m_latents.view.isNone(), "a pass without operands");
    method::RunContext context{.ops = *m_ops, .arena = arena, .selfAttention = *m_method, .cancel = {}};
    return m_transformer->forward(context, m_latents.view, kMiddleTimestep, {m_words.view, m_tokens},
                                  m_velocity.view);
}

Result<ForwardCost> ForwardRunner::forecast(const Shape& latents, std::int64_t words) {
    FW_TRY(prepare(latents, words));
    const auto arena = backend::Arena::createMeta();
    const std::int64_t before = m_ops->cost().flops;
    FW_TRY(forward(*arena));
    const auto& geometry = m_transformer->geometry();
    ForwardCost cost;
    cost.tokens = latents[1] / geometry.patchT * (latents[2] / geometry.patchH) * (latents[3] / geometry.patchW);
    cost.flops = m_ops->cost().flops - before;
    cost.weights = m_transformer->weightBytes();
    cost.scratch = arena->highWater();
    return cost;
}

Result<double> ForwardRunner::run(backend::Arena& arena) {
    FW_TRY(m_ops->synchronize());
    const auto start = std::chrono::steady_clock::now();
    FW_TRY(forward(arena));
    FW_TRY(m_ops->synchronize());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<ForwardCost> forecastForward(const std::filesystem::path& folder, DType dtype, const Shape& latents,
                                    std::int64_t words) {
    const auto device = backend::createMetaDevice(dtype);
    FW_ASSIGN(const auto ops, device->createOps({}));
    FW_ASSIGN(auto dense, method::createAttentionMethod("dense", Json::object()));
    FW_ASSIGN(ForwardRunner runner, ForwardRunner::load(folder, *device, *ops, dtype, std::move(dense)));
    return runner.forecast(latents, words);
}

}  // namespace fw::pipeline
