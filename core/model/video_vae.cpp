#include "core/model/video_vae.h"

#include <algorithm>

#include "core/model/weight_loader.h"

namespace fw::model {

using backend::ArenaScope;
using method::ModuleScope;
using trace::Module;

namespace {

// Several latent frames per chunk save the copies of convolution histories; more than this much in one activation
// leaves the caches for nothing.
constexpr std::int64_t kChunkBytes = std::int64_t{16} << 20;

bool isMeta(const method::RunContext& context) {
    return context.ops.deviceKind() == DeviceKind::Meta;
}

}  // namespace

Result<std::unique_ptr<WanVae>> WanVae::load(const std::filesystem::path& folder, backend::Device& device,
                                             backend::Ops& ops, DType compute) {
    FW_ASSIGN(auto config, weights::loadWanVaeConfig(folder));
    FW_ASSIGN(auto loader, WeightLoader::open(folder, "vae", weights::tensorTable(config), device, ops));
    FW_ASSIGN(auto decoder, vae::Decoder::load(loader, config, compute));
    FW_ASSIGN(auto encoder, vae::Encoder::load(loader, config, compute));
    auto model = std::unique_ptr<WanVae>(new WanVae(std::move(config), std::move(decoder), std::move(encoder)));
    model->m_geometry = {model->m_config.zDim, model->m_config.scaleFactorSpatial,
                         model->m_config.scaleFactorTemporal, model->m_config.latentsMean,
                         model->m_config.latentsStd};
    model->m_bytes = loader.bytes();
    return model;
}

Status WanVae::decodeChunks(method::RunContext& context, const ConstTensorView& latents, std::int64_t pieceFrames,
                            const ChunkSink& sink) const {
    FW_CHECK(latents.rank() == 4 && latents.dim(0) == m_config.zDim && latents.dim(1) >= 1 && pieceFrames >= 1,
             "latents {}, {} at once", latents.text(), pieceFrames);
    const ArenaScope scope(context.arena);
    vae::VaeState state = m_decoder.plan(context, latents.dim(2), latents.dim(3));
    const std::int64_t perChunk = std::clamp<std::int64_t>(
        kChunkBytes / m_decoder.widestBytes(latents.dim(2), latents.dim(3)), 1, pieceFrames);
    for (std::int64_t begin = 0; begin < latents.dim(1);) {
        const std::int64_t end = begin == 0 ? 1 : std::min(begin + perChunk, latents.dim(1));
        FW_TRY(context.cancel.check());
        const ArenaScope chunkScope(context.arena);
        const ModuleScope timed(context, Module::VaeDecode);
        FW_ASSIGN(const TensorView patches, m_decoder.forward(context, state, latents.slice(1, begin, end)));
        FW_TRY(sink(patches.reshape({patches.dim(1), patches.dim(2), patches.dim(3), patches.dim(4)})));
        begin = end;
    }
    return {};
}

TensorView WanVae::unpatch(method::RunContext& context, const TensorView& patches) const {
    const std::int64_t patch = m_config.patchSize;
    if (patch == 1) {
        return patches;
    }
    const TensorView pixels =
        context.arena.take(patches.dtype(), {patches.dim(0), patches.dim(1) * patch, patches.dim(2) * patch, 3});
    context.ops.copy(vae::patchesAsPixels(patches, patch), vae::pixelsByPatch(pixels, patch));
    return pixels;
}

bool WanVae::isTiled(const Shape& latents, const VaeTiling& tiling) const {
    FW_CHECK(!tiling.enabled || (tiling.stride >= 1 && tiling.stride <= tiling.tile), "tile {}, stride {}",
             tiling.tile, tiling.stride);
    return tiling.enabled && (latents[2] > tiling.tile || latents[3] > tiling.tile);
}

// The canvas, one tile of floats with the copy its blending makes, and the overlaps kept: one below every tile of
// the last row, one beside the last tile.
std::int64_t WanVae::hostBytes(const Shape& latents, const VaeTiling& tiling) const {
    if (!isTiled(latents, tiling)) {
        return 0;
    }
    const std::int64_t frames = framesOf(latents[1]);
    const std::int64_t scale = m_geometry.spatialFactor / m_config.patchSize;
    const std::int64_t tile = tiling.tile * scale;
    const std::int64_t overlap = (tiling.tile - tiling.stride) * scale;
    const std::int64_t columns = (latents[3] + tiling.stride - 1) / tiling.stride;
    const std::int64_t canvas =
        frames * latents[2] * latents[3] * m_geometry.spatialFactor * m_geometry.spatialFactor * 3;
    const std::int64_t pixels = tile * tile + (columns + 2) * overlap * tile;
    return canvas + frames * pixels * m_config.outChannels * std::int64_t{sizeof(float)};
}

vae::PixelCanvas WanVae::canvasFor(const ConstTensorView& latents) const {
    vae::PixelCanvas canvas;
    canvas.frames = framesOf(latents.dim(1));
    canvas.height = latents.dim(2) * m_geometry.spatialFactor;
    canvas.width = latents.dim(3) * m_geometry.spatialFactor;
    canvas.patch = m_config.patchSize;
    return canvas;
}

Result<vae::Tile> WanVae::decodeTile(method::RunContext& context, const ConstTensorView& latents,
                                     std::int64_t pieceFrames) const {
    const std::int64_t scale = m_geometry.spatialFactor / m_config.patchSize;
    vae::Tile tile{
        framesOf(latents.dim(1)), latents.dim(2) * scale, latents.dim(3) * scale, m_config.outChannels, {}};
    if (!isMeta(context)) {
        tile.values.resize(static_cast<std::size_t>(tile.frames * tile.height * tile.width * tile.channels));
    }
    std::int64_t frame = 0;
    FW_TRY(decodeChunks(context, latents, pieceFrames, [&](const TensorView& patches) -> Status {
        const TensorView values = context.arena.take(DType::F32, patches.shape());
        context.ops.copy(patches, values);
        if (!isMeta(context)) {
            context.ops.download(values, TensorView(tile.at(frame, 0, 0), DType::F32, values.shape()));
        }
        frame += patches.dim(0);
        return context.ops.synchronize();
    }));
    return tile;
}

Status WanVae::decodeTiles(method::RunContext& context, const ConstTensorView& latents, const VaeTiling& tiling,
                           const vae::PixelCanvas& canvas) const {
    const std::int64_t scale = m_geometry.spatialFactor / m_config.patchSize;
    vae::TileBlender blender(tiling.stride * scale, (tiling.tile - tiling.stride) * scale);
    for (std::int64_t row = 0; row * tiling.stride < latents.dim(2); ++row) {
        for (std::int64_t column = 0; column * tiling.stride < latents.dim(3); ++column) {
            const std::int64_t y = row * tiling.stride;
            const std::int64_t x = column * tiling.stride;
            const auto part = latents.slice(2, y, std::min(y + tiling.tile, latents.dim(2)))
                                  .slice(3, x, std::min(x + tiling.tile, latents.dim(3)));
            FW_ASSIGN(vae::Tile tile, decodeTile(context, part, tiling.pieceFrames));
            if (!isMeta(context)) {
                blender.add(row, column, std::move(tile), canvas);
            }
        }
    }
    return {};
}

Status WanVae::decode(method::RunContext& context, const ConstTensorView& latents, const VaeTiling& tiling,
                      const FrameSink& sink) {
    std::vector<std::uint8_t> host;
    if (isTiled(latents.shape(), tiling)) {
        vae::PixelCanvas canvas = canvasFor(latents);
        if (!isMeta(context)) {
            host.resize(static_cast<std::size_t>(canvas.frames * canvas.height * canvas.width * 3));
        }
        canvas.bytes = host.data();
        FW_TRY(decodeTiles(context, latents, tiling, canvas));
        const ConstTensorView frames(host.data(), DType::U8, {canvas.frames, canvas.height, canvas.width, 3});
        // Frame by frame: whoever encodes them can be stopped in between.
        for (std::int64_t f = 0; !isMeta(context) && f < canvas.frames; ++f) {
            FW_TRY(sink(frames.slice(0, f, f + 1)));
        }
        return {};
    }
    return decodeChunks(context, latents, tiling.pieceFrames, [&](const TensorView& patches) -> Status {
        const TensorView pixels = unpatch(context, patches);
        const TensorView bytes = context.arena.take(DType::U8, pixels.shape());
        // Whole lines as rows: three values are too few for one.
        const Shape lines{pixels.dim(0), pixels.dim(1), pixels.dim(2) * 3};
        context.ops.toBytes(pixels.reshape(lines), bytes.reshape(lines));
        if (isMeta(context)) {
            return {};
        }
        if (bytes.device() == DeviceKind::Cpu) {
            FW_TRY(context.ops.synchronize());
            return sink(bytes);
        }
        host.resize(static_cast<std::size_t>(bytes.count()));
        const TensorView frames(host.data(), DType::U8, bytes.shape());
        context.ops.download(bytes, frames);
        FW_TRY(context.ops.synchronize());
        return sink(frames);
    });
}

Status WanVae::decodeToFloat(method::RunContext& context, const ConstTensorView& latents, const VaeTiling& tiling,
                             const TensorView& out) {
    vae::PixelCanvas canvas = canvasFor(latents);
    FW_CHECK(out.dtype() == DType::F32 && out.isContiguous() &&
                 out.shape() == (Shape{canvas.frames, canvas.height, canvas.width, 3}),
             "latents {} into {}", latents.text(), out.text());
    if (isTiled(latents.shape(), tiling)) {
        canvas.floats = isMeta(context) ? nullptr : out.mutableAs<float>();
        return decodeTiles(context, latents, tiling, canvas);
    }
    std::int64_t frame = 0;
    return decodeChunks(context, latents, tiling.pieceFrames, [&](const TensorView& patches) -> Status {
        const TensorView pixels = unpatch(context, patches);
        const TensorView values = context.arena.take(DType::F32, pixels.shape());
        context.ops.copy(pixels, values);
        const TensorView target = out.slice(0, frame, frame + pixels.dim(0));
        frame += pixels.dim(0);
        if (isMeta(context)) {
            return {};
        }
        context.ops.download(values, target);
        FW_TRY(context.ops.synchronize());
        auto* data = target.mutableAs<float>();
        std::transform(data, data + target.count(), data, [](float v) { return std::clamp(v, -1.0F, 1.0F); });
        return {};
    });
}

Status WanVae::encode(method::RunContext& context, const ConstTensorView& frames, const TensorView& latents) {
    const std::int64_t temporal = m_geometry.temporalFactor;
    const std::int64_t spatial = m_geometry.spatialFactor;
    FW_CHECK(frames.rank() == 4 && frames.dim(0) % temporal == 1 % temporal && frames.dim(1) % spatial == 0 &&
                 frames.dim(2) % spatial == 0 && frames.dim(3) == 3,
             "frames {}", frames.text());
    FW_CHECK(latents.shape() == (Shape{m_config.zDim, 1 + (frames.dim(0) - 1) / temporal, frames.dim(1) / spatial,
                                       frames.dim(2) / spatial}),
             "frames {} into {}", frames.text(), latents.text());
    const ArenaScope scope(context.arena);
    vae::VaeState state = m_encoder.plan(context, frames.dim(1), frames.dim(2));
    std::int64_t latentFrame = 0;
    for (std::int64_t begin = 0; begin < frames.dim(0);) {
        const std::int64_t end = begin == 0 ? 1 : begin + temporal;
        FW_TRY(context.cancel.check());
        const ArenaScope chunkScope(context.arena);
        const ModuleScope timed(context, Module::VaeEncode);
        FW_ASSIGN(const TensorView part, m_encoder.forward(context, state, frames.slice(0, begin, end)));
        const TensorView target = latents.slice(1, latentFrame, latentFrame + part.dim(1)).permute({1, 2, 3, 0});
        context.ops.copy(part.reshape(target.shape()), target);
        latentFrame += part.dim(1);
        begin = end;
    }
    return context.ops.synchronize();
}

Result<std::unique_ptr<VideoVae>> loadVae(const std::filesystem::path& folder, backend::Device& device,
                                          backend::Ops& ops, DType compute) {
    return WanVae::load(folder, device, ops, compute);
}

}  // namespace fw::model
