#include "core/model/video_vae_layers.h"

#include <cmath>

namespace fw::model::vae {

using backend::ArenaScope;

namespace {

constexpr backend::Conv3dGeometry kSame{{1, 1, 1}, {1, 1, 1, 1}};       // 3×3 in space, size kept
constexpr backend::Conv3dGeometry kHalve{{1, 2, 2}, {0, 1, 0, 1}};      // 3×3 at stride 2, padded right and below
constexpr backend::Conv3dGeometry kTime{{1, 1, 1}, {0, 0, 0, 0}};       // 3 frames
constexpr backend::Conv3dGeometry kTimeHalve{{2, 1, 1}, {0, 0, 0, 0}};  // 3 frames at stride 2

Shape withSize(const ConstTensorView& x, std::int64_t frames, std::int64_t height, std::int64_t width,
               std::int64_t channels) {
    return {x.dim(0), frames, height, width, channels};
}

}  // namespace

void StatePlanner::add(std::int64_t frames, std::int64_t channels) {
    state.past.push_back(context.arena.take(act, {1, frames, height, width, channels}));
}

CausalInput::CausalInput(Chunk& chunk, const TensorView& past, const Shape& chunkShape) : m_past(past) {
    Shape whole = chunkShape;
    const std::int64_t history = past.dim(1);
    whole[1] += history;
    m_whole = chunk.take(whole);
    m_frames = m_whole.slice(1, history, whole[1]);
    chunk.context.ops.copy(past, m_whole.slice(1, 0, history));
}

const TensorView& CausalInput::withHistory(Chunk& chunk) {
    const std::int64_t end = m_whole.dim(1);
    chunk.context.ops.copy(m_whole.slice(1, end - m_past.dim(1), end), m_past);
    return m_whole;
}

// --- residual block

Result<ResidualBlock> ResidualBlock::load(WeightLoader& loader, const std::string& prefix, std::int64_t in,
                                          std::int64_t out, DType compute) {
    ResidualBlock block;
    block.m_in = in;
    block.m_out = out;
    FW_ASSIGN(block.m_norm1, loader.floats(prefix + ".norm1.gamma", {in}));
    FW_ASSIGN(block.m_conv1, loader.conv(prefix + ".conv1", kSame, compute));
    FW_ASSIGN(block.m_norm2, loader.floats(prefix + ".norm2.gamma", {out}));
    FW_ASSIGN(block.m_conv2, loader.conv(prefix + ".conv2", kSame, compute));
    if (in != out) {
        FW_ASSIGN(block.m_shortcut, loader.linear({prefix + ".conv_shortcut"}, true, compute));
    }
    return block;
}

void ResidualBlock::plan(StatePlanner& planner) const {
    planner.add(2, m_in);
    planner.add(2, m_out);
}

void ResidualBlock::convolve(Chunk& chunk, const ConstTensorView& x, const backend::OwnedTensor& norm,
                             const backend::PackedConv3d& conv, const TensorView& y, bool accumulate) const {
    const ArenaScope scope(chunk.context.arena);
    CausalInput input(chunk, chunk.nextPast(), x.shape());
    chunk.context.ops.channelNorm(x, norm.view, true, input.frames());
    chunk.context.ops.conv3d(input.withHistory(chunk), conv, y, accumulate);
}

TensorView ResidualBlock::forward(Chunk& chunk, const TensorView& x) const {
    TensorView y = x;
    if (m_shortcut) {
        y = chunk.take(withSize(x, x.dim(1), x.dim(2), x.dim(3), m_out));
        chunk.context.ops.linear(x, *m_shortcut, y);
    }
    const ArenaScope scope(chunk.context.arena);
    const TensorView middle = chunk.take(y.shape());
    convolve(chunk, x, m_norm1, *m_conv1, middle, false);
    convolve(chunk, middle, m_norm2, *m_conv2, y, true);
    return y;
}

// --- middle block

Result<MiddleBlock> MiddleBlock::load(WeightLoader& loader, const std::string& prefix, std::int64_t channels,
                                      DType compute) {
    if (channels % 16 != 0 || channels > 512) {
        return fail(ErrorCode::Unsupported,
                    "{} is {} channels wide; its attention can be computed for multiples of 16 up to 512", prefix,
                    channels);
    }
    MiddleBlock block;
    block.m_channels = channels;
    for (const char* name : {".resnets.0", ".resnets.1"}) {
        FW_ASSIGN(auto residual, ResidualBlock::load(loader, prefix + name, channels, channels, compute));
        block.m_blocks.push_back(std::move(residual));
    }
    FW_ASSIGN(block.m_norm, loader.floats(prefix + ".attentions.0.norm.gamma", {channels}));
    FW_ASSIGN(block.m_qkv, loader.linear({prefix + ".attentions.0.to_qkv"}, true, compute));
    FW_ASSIGN(block.m_out, loader.linear({prefix + ".attentions.0.proj"}, true, compute));
    return block;
}

void MiddleBlock::plan(StatePlanner& planner) const {
    for (const ResidualBlock& block : m_blocks) {
        block.plan(planner);
    }
}

void MiddleBlock::attend(Chunk& chunk, const TensorView& x) const {
    backend::Ops& ops = chunk.context.ops;
    const ArenaScope scope(chunk.context.arena);
    const std::int64_t frames = x.dim(1);
    const std::int64_t tokens = x.dim(2) * x.dim(3);
    const TensorView stream = x.reshape({frames, tokens, m_channels});
    const TensorView normed = chunk.take(stream.shape());
    const TensorView qkv = chunk.take({frames, tokens, 3, m_channels});
    const TensorView out = chunk.take({frames, tokens, 1, m_channels});
    ops.channelNorm(stream, m_norm.view, false, normed);
    ops.linear(normed, *m_qkv, qkv.reshape({frames, tokens, 3 * m_channels}));
    const float scale = 1.0F / std::sqrt(static_cast<float>(m_channels));
    ops.attention(qkv.slice(2, 0, 1), qkv.slice(2, 1, 2), qkv.slice(2, 2, 3), out,
                  {.scale = scale, .bias = {}, .keyCount = -1});
    ops.linear(out.reshape(stream.shape()), *m_out, normed);
    ops.gatedAdd(stream, normed, {});
}

TensorView MiddleBlock::forward(Chunk& chunk, const TensorView& x) const {
    const TensorView y = m_blocks[0].forward(chunk, x);
    attend(chunk, y);
    return m_blocks[1].forward(chunk, y);
}

// --- resampling

Result<Upsampler> Upsampler::load(WeightLoader& loader, const std::string& prefix, std::int64_t channels,
                                  bool temporal, DType compute) {
    Upsampler layer;
    layer.m_channels = channels;
    FW_ASSIGN(layer.m_conv, loader.conv(prefix + ".resample.1", kSame, compute));
    if (temporal) {
        FW_ASSIGN(layer.m_timeConv, loader.conv(prefix + ".time_conv", kTime, compute));
    }
    return layer;
}

void Upsampler::plan(StatePlanner& planner) const {
    if (m_timeConv) {
        planner.add(2, m_channels);
    }
    planner.height *= 2;
    planner.width *= 2;
}

TensorView Upsampler::forward(Chunk& chunk, const TensorView& x) const {
    backend::Ops& ops = chunk.context.ops;
    const std::int64_t frames = x.dim(1);
    const bool doubled = m_timeConv && !chunk.state.first;
    const std::int64_t outFrames = doubled ? 2 * frames : frames;
    const TensorView y = chunk.take(withSize(x, outFrames, 2 * x.dim(2), 2 * x.dim(3), m_channels / 2));
    const ArenaScope scope(chunk.context.arena);
    // [frames, 1 or 2 per frame, H, W, C]: the time convolution's 2C channels are two frames.
    ConstTensorView small = x.permute({1, 0, 2, 3, 4});
    if (m_timeConv) {
        const TensorView& past = chunk.nextPast();
        if (doubled) {
            const TensorView pairs = chunk.take(withSize(x, frames, x.dim(2), x.dim(3), 2 * m_channels));
            const ArenaScope inner(chunk.context.arena);
            CausalInput input(chunk, past, x.shape());
            ops.copy(x, input.frames());
            ops.conv3d(input.withHistory(chunk), *m_timeConv, pairs);
            small = pairs.reshape({frames, x.dim(2), x.dim(3), 2, m_channels}).permute({0, 3, 1, 2, 4});
        }
    }
    const TensorView large = chunk.take(withSize(x, outFrames, y.dim(2), y.dim(3), m_channels));
    ops.upsample2x(small, large.reshape({frames, outFrames / frames, y.dim(2), y.dim(3), m_channels}));
    ops.conv3d(large, *m_conv, y);
    return y;
}

Result<Downsampler> Downsampler::load(WeightLoader& loader, const std::string& prefix, std::int64_t channels,
                                      bool temporal, DType compute) {
    Downsampler layer;
    layer.m_channels = channels;
    FW_ASSIGN(layer.m_conv, loader.conv(prefix + ".resample.1", kHalve, compute));
    if (temporal) {
        FW_ASSIGN(layer.m_timeConv, loader.conv(prefix + ".time_conv", kTimeHalve, compute));
    }
    return layer;
}

void Downsampler::plan(StatePlanner& planner) const {
    planner.height /= 2;
    planner.width /= 2;
    if (m_timeConv) {
        planner.add(1, m_channels);
    }
}

TensorView Downsampler::forward(Chunk& chunk, const TensorView& x) const {
    backend::Ops& ops = chunk.context.ops;
    const Shape half = withSize(x, x.dim(1), x.dim(2) / 2, x.dim(3) / 2, m_channels);
    if (!m_timeConv) {
        const TensorView y = chunk.take(half);
        ops.conv3d(x, *m_conv, y);
        return y;
    }
    const TensorView& past = chunk.nextPast();
    if (chunk.state.first) {
        const TensorView y = chunk.take(half);
        ops.conv3d(x, *m_conv, y);
        ops.copy(y.slice(1, y.dim(1) - 1, y.dim(1)), past);
        return y;
    }
    const TensorView y = chunk.take(withSize(x, half[1] / 2, half[2], half[3], m_channels));
    const ArenaScope scope(chunk.context.arena);
    CausalInput input(chunk, past, half);
    ops.conv3d(x, *m_conv, input.frames());
    ops.conv3d(input.withHistory(chunk), *m_timeConv, y);
    return y;
}

// --- first and last layer

Result<EdgeConv> EdgeConv::load(WeightLoader& loader, const std::string& convPrefix, const std::string& normName,
                                std::int64_t in, std::int64_t out, DType compute) {
    EdgeConv layer;
    layer.m_in = in;
    layer.m_out = out;
    if (!normName.empty()) {
        FW_ASSIGN(layer.m_norm, loader.floats(normName, {in}));
    }
    FW_ASSIGN(layer.m_conv, loader.conv(convPrefix, kSame, compute));
    return layer;
}

void EdgeConv::plan(StatePlanner& planner) const {
    planner.add(2, m_in);
}

TensorView EdgeConv::forward(Chunk& chunk, CausalInput& input) const {
    const TensorView& frames = input.frames();
    const TensorView y = chunk.take(withSize(frames, frames.dim(1), frames.dim(2), frames.dim(3), m_out));
    chunk.context.ops.conv3d(input.withHistory(chunk), *m_conv, y);
    return y;
}

TensorView EdgeConv::forward(Chunk& chunk, const TensorView& x) const {
    const TensorView y = chunk.take(withSize(x, x.dim(1), x.dim(2), x.dim(3), m_out));
    const ArenaScope scope(chunk.context.arena);
    CausalInput input(chunk, chunk.nextPast(), x.shape());
    chunk.context.ops.channelNorm(x, m_norm.view, true, input.frames());
    chunk.context.ops.conv3d(input.withHistory(chunk), *m_conv, y);
    return y;
}

}  // namespace fw::model::vae
