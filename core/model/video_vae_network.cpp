#include "core/model/video_vae_network.h"

#include <algorithm>
#include <string>

namespace fw::model::vae {

namespace {

using Floats = std::vector<float>;

Result<backend::OwnedTensor> zeroTensor(backend::Device& device, backend::Ops& ops) {
    FW_ASSIGN(auto tensor, backend::createTensor(device, DType::F32, {1}));
    const float zero = 0.0F;
    ops.upload(ConstTensorView(&zero, DType::F32, {1}), tensor.view);
    FW_TRY(ops.synchronize());
    return tensor;
}

void clear(method::RunContext& context, const VaeState& state, const backend::OwnedTensor& zero) {
    for (const TensorView& past : state.past) {
        context.ops.copy(zero.view.broadcastTo(past.shape()), past);
    }
}

// Rows of a 1×1×1 convolution's weight and bias as one matrix, computed in double. On a Meta device zeros.
struct Affine {
    std::vector<double> weight, bias;
    std::size_t in = 0;
};

Result<Affine> loadAffine(WeightLoader& loader, const std::string& prefix, std::int64_t rows, std::int64_t in) {
    FW_ASSIGN(Floats weight, loader.hostFloats(prefix + ".weight"));
    FW_ASSIGN(Floats bias, loader.hostFloats(prefix + ".bias"));
    weight.resize(static_cast<std::size_t>(rows * in));
    bias.resize(static_cast<std::size_t>(rows));
    return Affine{{weight.begin(), weight.end()}, {bias.begin(), bias.end()}, static_cast<std::size_t>(in)};
}

Result<std::unique_ptr<backend::PackedLinear>> packAffine(WeightLoader& loader, const Affine& affine,
                                                          DType compute) {
    return loader.linear(Floats(affine.weight.begin(), affine.weight.end()),
                         Floats(affine.bias.begin(), affine.bias.end()), compute);
}

}  // namespace

TensorView patchesAsPixels(const TensorView& patches, std::int64_t patch) {
    // The channel index is colour·p² + column·p + row within the patch.
    return patches.split(3, 3, patch * patch).split(4, patch, patch).permute({0, 1, 5, 2, 4, 3});
}

ConstTensorView pixelsByPatch(const ConstTensorView& pixels, std::int64_t patch) {
    return pixels.split(2, pixels.dim(2) / patch, patch).split(1, pixels.dim(1) / patch, patch);
}

TensorView pixelsByPatch(const TensorView& pixels, std::int64_t patch) {
    return pixels.split(2, pixels.dim(2) / patch, patch).split(1, pixels.dim(1) / patch, patch);
}

// --- decoder

Result<Decoder> Decoder::load(WeightLoader& loader, const weights::WanVaeConfig& config, DType compute) {
    Decoder net;
    net.m_compute = compute;
    net.m_temporal = config.scaleFactorTemporal;
    net.m_spatial = config.scaleFactorSpatial / config.patchSize;
    FW_ASSIGN(net.m_zero, zeroTensor(loader.device(), loader.ops()));
    FW_ASSIGN(Affine affine, loadAffine(loader, "post_quant_conv", config.zDim, config.zDim));
    for (std::size_t o = 0; o < affine.bias.size(); ++o) {
        for (std::size_t i = 0; i < affine.in; ++i) {
            double& weight = affine.weight[o * affine.in + i];
            affine.bias[o] += weight * static_cast<double>(config.latentsMean[i]);
            weight *= static_cast<double>(config.latentsStd[i]);
        }
    }
    FW_ASSIGN(net.m_quant, packAffine(loader, affine, compute));

    const std::size_t levels = config.dimMult.size();
    std::int64_t channels = config.decoderBaseDim * config.dimMult.back();
    FW_ASSIGN(net.m_in, EdgeConv::load(loader, "decoder.conv_in", "", config.zDim, channels, compute));
    FW_ASSIGN(net.m_middle, MiddleBlock::load(loader, "decoder.mid_block", channels, compute));
    for (std::size_t i = 0; i < levels; ++i) {
        const std::string prefix = fmt::format("decoder.up_blocks.{}.", i);
        const std::int64_t out = config.decoderBaseDim * config.dimMult[levels - 1 - i];
        Level level;
        for (std::int64_t r = 0; r <= config.numResBlocks; ++r) {
            FW_ASSIGN(auto block, ResidualBlock::load(loader, fmt::format("{}resnets.{}", prefix, r),
                                                      r == 0 ? channels : out, out, compute));
            level.blocks.push_back(std::move(block));
        }
        channels = out;
        net.m_widestChannels = out;
        if (i + 1 < levels) {
            const bool temporal = config.temporalDownsample[levels - 2 - i];
            FW_ASSIGN(level.upsampler, Upsampler::load(loader, prefix + "upsamplers.0", out, temporal, compute));
            channels = out / 2;
        }
        net.m_levels.push_back(std::move(level));
    }
    FW_ASSIGN(net.m_out, EdgeConv::load(loader, "decoder.conv_out", "decoder.norm_out.gamma", channels,
                                        config.outChannels, compute));
    return net;
}

VaeState Decoder::plan(method::RunContext& context, std::int64_t height, std::int64_t width) const {
    VaeState state;
    StatePlanner planner{context, state, m_compute, height, width};
    m_in.plan(planner);
    m_middle.plan(planner);
    for (const Level& level : m_levels) {
        for (const ResidualBlock& block : level.blocks) {
            block.plan(planner);
        }
        if (level.upsampler) {
            level.upsampler->plan(planner);
        }
    }
    m_out.plan(planner);
    clear(context, state, m_zero);
    return state;
}

std::int64_t Decoder::widestBytes(std::int64_t height, std::int64_t width) const {
    return height * m_spatial * width * m_spatial * m_temporal * m_widestChannels * dtypeSize(m_compute);
}

Result<TensorView> Decoder::forward(method::RunContext& context, VaeState& state,
                                    const ConstTensorView& latents) const {
    FW_CHECK(!state.first || latents.dim(1) == 1, "the first chunk holds {} latent frames", latents.dim(1));
    Chunk chunk{context, state, m_compute};
    const Shape shape{1, latents.dim(1), latents.dim(2), latents.dim(3), m_in.inChannels()};
    CausalInput input(chunk, chunk.nextPast(), shape);
    {
        const backend::ArenaScope scope(context.arena);
        const TensorView channelsLast = chunk.take(shape);
        context.ops.copy(latents.permute({1, 2, 3, 0}),
                         channelsLast.reshape({shape[1], shape[2], shape[3], shape[4]}));
        context.ops.linear(channelsLast, *m_quant, input.frames());
    }
    TensorView x = m_middle.forward(chunk, m_in.forward(chunk, input));
    for (const Level& level : m_levels) {
        for (const ResidualBlock& block : level.blocks) {
            FW_TRY(context.cancel.check());
            x = block.forward(chunk, x);
        }
        if (level.upsampler) {
            x = level.upsampler->forward(chunk, x);
        }
    }
    x = m_out.forward(chunk, x);
    FW_CHECK(chunk.cursor == state.past.size(), "{} of {} histories used", chunk.cursor, state.past.size());
    state.first = false;
    return x;
}

// --- encoder

Result<Encoder> Encoder::load(WeightLoader& loader, const weights::WanVaeConfig& config, DType compute) {
    Encoder net;
    net.m_compute = compute;
    net.m_patch = config.patchSize;
    net.m_zDim = config.zDim;
    FW_ASSIGN(net.m_zero, zeroTensor(loader.device(), loader.ops()));

    const std::size_t levels = config.dimMult.size();
    std::int64_t channels = config.baseDim;
    FW_ASSIGN(net.m_in, EdgeConv::load(loader, "encoder.conv_in", "", config.inChannels, channels, compute));
    int index = 0;  // of the flat list encoder.down_blocks
    for (std::size_t i = 0; i < levels; ++i) {
        const std::int64_t out = config.baseDim * config.dimMult[i];
        Level level;
        for (std::int64_t r = 0; r < config.numResBlocks; ++r) {
            FW_ASSIGN(auto block, ResidualBlock::load(loader, fmt::format("encoder.down_blocks.{}", index++),
                                                      r == 0 ? channels : out, out, compute));
            level.blocks.push_back(std::move(block));
        }
        channels = out;
        if (i + 1 < levels) {
            FW_ASSIGN(level.downsampler, Downsampler::load(loader, fmt::format("encoder.down_blocks.{}", index++),
                                                           out, config.temporalDownsample[i], compute));
        }
        net.m_levels.push_back(std::move(level));
    }
    FW_ASSIGN(net.m_middle, MiddleBlock::load(loader, "encoder.mid_block", channels, compute));
    FW_ASSIGN(net.m_out, EdgeConv::load(loader, "encoder.conv_out", "encoder.norm_out.gamma", channels,
                                        2 * config.zDim, compute));

    FW_ASSIGN(Affine affine, loadAffine(loader, "quant_conv", 2 * config.zDim, 2 * config.zDim));
    affine.bias.resize(static_cast<std::size_t>(config.zDim));
    affine.weight.resize(affine.bias.size() * affine.in);
    for (std::size_t o = 0; o < affine.bias.size(); ++o) {
        const double deviation = static_cast<double>(config.latentsStd[o]);
        affine.bias[o] = (affine.bias[o] - static_cast<double>(config.latentsMean[o])) / deviation;
        for (std::size_t i = 0; i < affine.in; ++i) {
            affine.weight[o * affine.in + i] /= deviation;
        }
    }
    FW_ASSIGN(net.m_quant, packAffine(loader, affine, compute));
    return net;
}

VaeState Encoder::plan(method::RunContext& context, std::int64_t height, std::int64_t width) const {
    VaeState state;
    StatePlanner planner{context, state, m_compute, height / m_patch, width / m_patch};
    m_in.plan(planner);
    for (const Level& level : m_levels) {
        for (const ResidualBlock& block : level.blocks) {
            block.plan(planner);
        }
        if (level.downsampler) {
            level.downsampler->plan(planner);
        }
    }
    m_middle.plan(planner);
    m_out.plan(planner);
    clear(context, state, m_zero);
    return state;
}

Result<TensorView> Encoder::forward(method::RunContext& context, VaeState& state,
                                    const ConstTensorView& frames) const {
    FW_CHECK(!state.first || frames.dim(0) == 1, "the first chunk holds {} frames", frames.dim(0));
    Chunk chunk{context, state, m_compute};
    const Shape shape{1, frames.dim(0), frames.dim(1) / m_patch, frames.dim(2) / m_patch, m_in.inChannels()};
    CausalInput input(chunk, chunk.nextPast(), shape);
    const TensorView patches = input.frames().reshape({shape[1], shape[2], shape[3], shape[4]});
    context.ops.copy(pixelsByPatch(frames, m_patch), patchesAsPixels(patches, m_patch));
    TensorView x = m_in.forward(chunk, input);
    for (const Level& level : m_levels) {
        for (const ResidualBlock& block : level.blocks) {
            FW_TRY(context.cancel.check());
            x = block.forward(chunk, x);
        }
        if (level.downsampler) {
            x = level.downsampler->forward(chunk, x);
        }
    }
    x = m_out.forward(chunk, m_middle.forward(chunk, x));
    const TensorView latents = context.arena.take(DType::F32, {1, x.dim(1), x.dim(2), x.dim(3), m_zDim});
    context.ops.linear(x, *m_quant, latents);
    FW_CHECK(chunk.cursor == state.past.size(), "{} of {} histories used", chunk.cursor, state.past.size());
    state.first = false;
    return latents;
}

}  // namespace fw::model::vae
