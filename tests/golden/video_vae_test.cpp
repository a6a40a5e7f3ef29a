// The video auto-encoder against diffusers' AutoencoderKLWan.
#include "core/model/video_vae.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

class VaeGolden : public testing::TestWithParam<std::tuple<const char*, DType>> {
 protected:
    VaeGolden() : m_key(std::get<0>(GetParam())), m_compute(std::get<1>(GetParam())) {
        const Json config = m_fixture.metadata("configs").at(m_key);
        m_config = require(weights::parseWanVaeConfig(config));
        writePart(m_folder.path(), "vae", config, weights::tensorTable(m_config),
                  m_fixture.metadata("seeds").at(m_key));
    }

    std::unique_ptr<model::VideoVae> load(DType compute) {
        return require(model::loadVae(m_folder.path(), *m_engine.device, *m_engine.ops, compute));
    }
    // "latents" or "tiled_latents" of the fixture: [z, T, H, W].
    HostTensor latents(const std::string& name) const {
        Shape shape{m_config.zDim};
        for (const std::int64_t extent : shapeOf(m_fixture.metadata(name).at(m_key))) {
            shape.push(extent);
        }
        return {values(m_key + "." + name, 1, shape.product(), 0.7), shape};
    }
    static Shape clipShape(const HostTensor& latents) {
        const auto& view = latents.view;
        return {4 * view.dim(1) - 3, 8 * view.dim(2), 8 * view.dim(3), 3};
    }
    model::VaeTiling tiling() const {
        return {true, m_fixture.metadata("tile").get<std::int64_t>(),
                m_fixture.metadata("stride").get<std::int64_t>()};
    }

    Fixture m_fixture{"vae"};
    TemporaryFolder m_folder;
    Engine m_engine;
    std::string m_key;
    DType m_compute;
    weights::WanVaeConfig m_config;
};

class VaeGoldenInBothTypes : public VaeGolden {
 protected:
    void SetUp() override {
        if (!m_engine.supports(m_compute)) {
            GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
        }
    }
};

TEST_P(VaeGoldenInBothTypes, DecodesLikeTheReference) {
    auto vae = load(m_compute);
    auto context = m_engine.context();
    const HostTensor input = latents("latents");
    HostTensor clip(clipShape(input));
    require(vae->decodeToFloat(context, input.view, {}, clip.view));
    expectClose(clip.view.permute({3, 0, 1, 2}), m_fixture.tensor(m_key + ".decoded"), m_compute);
    EXPECT_EQ(m_engine.arena->mark(), 0);
}

TEST_P(VaeGoldenInBothTypes, EncodesLikeTheReference) {
    auto vae = load(m_compute);
    auto context = m_engine.context();
    HostTensor encoded(latents("latents").view.shape());
    const Shape shape = clipShape(encoded);
    const HostTensor planar(values(m_key + ".frames", 1, shape.product(), 0.5), {3, shape[0], shape[1], shape[2]});
    HostTensor frames(shape);
    m_engine.ops->copy(planar.view.permute({1, 2, 3, 0}), frames.view);
    require(vae->encode(context, frames.view, encoded.view));
    expectClose(encoded.view, m_fixture.tensor(m_key + ".encoded"), m_compute);
    EXPECT_EQ(m_engine.arena->mark(), 0);
}

TEST_P(VaeGoldenInBothTypes, DecodesTilesLikeTheReference) {
    auto vae = load(m_compute);
    auto context = m_engine.context();
    const HostTensor input = latents("tiled_latents");
    HostTensor clip(clipShape(input));
    require(vae->decodeToFloat(context, input.view, tiling(), clip.view));
    expectClose(clip.view.permute({3, 0, 1, 2}), m_fixture.tensor(m_key + ".tiled"), m_compute);
}

INSTANTIATE_TEST_SUITE_P(Configurations, VaeGoldenInBothTypes,
                         testing::Combine(testing::Values("a", "b"), testing::Values(DType::F32, DType::BF16)),
                         [](const auto& test) {
                             return fmt::format("{}_{}", std::get<0>(test.param),
                                                dtypeName(std::get<1>(test.param)));
                         });

TEST_P(VaeGolden, StreamsTheSameFramesAsBytes) {
    auto vae = load(DType::F32);
    auto context = m_engine.context();
    for (const bool tiled : {false, true}) {
        const HostTensor input = latents(tiled ? "tiled_latents" : "latents");
        const model::VaeTiling tiles = tiled ? tiling() : model::VaeTiling{};
        HostTensor clip(clipShape(input));
        require(vae->decodeToFloat(context, input.view, tiles, clip.view));
        std::vector<std::uint8_t> bytes;
        require(vae->decode(context, input.view, tiles, [&](const ConstTensorView& frames) -> Status {
            EXPECT_EQ(frames.dtype(), DType::U8);
            const auto* data = static_cast<const std::uint8_t*>(frames.data());
            bytes.insert(bytes.end(), data, data + frames.count());
            return {};
        }));
        ASSERT_EQ(bytes.size(), clip.values.size());
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            ASSERT_NEAR(bytes[i], std::clamp(clip.values[i], -1.0F, 1.0F) * 127.5F + 127.5F, 0.51F) << "at " << i;
        }
    }
}

TEST_P(VaeGolden, GivesTheSameBitsOnAnyNumberOfThreads) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
        Engine engine("cpu", threads);
        auto vae = require(model::loadVae(m_folder.path(), *engine.device, *engine.ops, DType::F32));
        auto context = engine.context();
        const HostTensor input = latents("latents");
        HostTensor clip(clipShape(input));
        require(vae->decodeToFloat(context, input.view, {}, clip.view));
        results.push_back(clip.values);
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
}

TEST_P(VaeGolden, MemoryDoesNotGrowWithTheClip) {
    Engine meta("meta");
    auto vae = require(model::loadVae(m_folder.path(), *meta.device, *meta.ops, DType::F32));
    auto context = meta.context();
    const auto peak = [&](std::int64_t frames) {
        meta.arena = backend::Arena::createMeta();
        method::RunContext fresh{*meta.ops, *meta.arena, *meta.dense, {}, nullptr, -1, 0};
        const TensorView input(nullptr, DType::F32, {m_config.zDim, frames, 8, 8}, DeviceKind::Meta);
        require(vae->decode(fresh, input, {}, [](const ConstTensorView&) -> Status { return {}; }));
        return meta.arena->highWater();
    };
    EXPECT_EQ(peak(9), peak(900));
}

TEST_P(VaeGolden, DryRunNeedsExactlyTheArenaAndWorkOfARealOne) {
    Engine meta("meta");
    auto dry = require(model::loadVae(m_folder.path(), *meta.device, *meta.ops, DType::F32));
    auto real = load(DType::F32);
    const auto sink = [](const ConstTensorView&) -> Status { return {}; };
    for (const bool tiled : {false, true}) {
        const HostTensor input = latents("tiled_latents");
        const TensorView ghost(nullptr, DType::F32, input.view.shape(), DeviceKind::Meta);
        auto dryContext = meta.context();
        auto context = m_engine.context();
        const auto before = std::pair(meta.ops->cost().flops, m_engine.ops->cost().flops);
        require(dry->decode(dryContext, ghost, tiled ? tiling() : model::VaeTiling{}, sink));
        require(real->decode(context, input.view, tiled ? tiling() : model::VaeTiling{}, sink));
        EXPECT_EQ(meta.arena->highWater(), m_engine.arena->highWater());
        EXPECT_EQ(meta.ops->cost().flops - before.first, m_engine.ops->cost().flops - before.second);
    }
}

TEST_P(VaeGolden, StopsAtTheSinksErrorAndWhenCancelled) {
    auto vae = load(DType::F32);
    auto context = m_engine.context();
    const HostTensor input = latents("latents");
    int calls = 0;
    const Status full = vae->decode(context, input.view, {}, [&](const ConstTensorView&) -> Status {
        ++calls;
        return fail(ErrorCode::Io, "disk full");
    });
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().message, "disk full");
    EXPECT_EQ(calls, 1);
    CancelSource source;
    context.cancel = source.token();
    const Status cancelled = vae->decode(context, input.view, {}, [&](const ConstTensorView&) -> Status {
        source.cancel();
        return {};
    });
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(m_engine.arena->mark(), 0);
}

INSTANTIATE_TEST_SUITE_P(Configurations, VaeGolden,
                         testing::Combine(testing::Values("a", "b"), testing::Values(DType::F32)),
                         [](const auto& test) { return std::string(std::get<0>(test.param)); });

// A field 7 × 11 cut into tiles of 4 at the given stride.
std::vector<float> blendField(std::int64_t stride, const std::function<float(std::int64_t, std::int64_t)>& field) {
    constexpr std::int64_t kHeight = 7;
    constexpr std::int64_t kWidth = 11;
    constexpr std::int64_t kTile = 4;
    std::vector<float> pixels(kHeight * kWidth * 3, -5.0F);
    const model::vae::PixelCanvas canvas{1, kHeight, kWidth, 1, pixels.data(), nullptr};
    model::vae::TileBlender blender(stride, kTile - stride);
    for (std::int64_t y = 0; y < kHeight; y += stride) {
        for (std::int64_t x = 0; x < kWidth; x += stride) {
            model::vae::Tile tile{1, std::min(kTile, kHeight - y), std::min(kTile, kWidth - x), 3, {}};
            for (std::int64_t i = 0; i < tile.height * tile.width * 3; ++i) {
                tile.values.push_back(field(y + i / 3 / tile.width, x + i / 3 % tile.width));
            }
            blender.add(y / stride, x / stride, std::move(tile), canvas);
        }
    }
    return pixels;
}

TEST(TileBlender, ReproducesAFieldThatAllTilesAgreeOn) {
    const auto field = [](std::int64_t y, std::int64_t x) { return static_cast<float>(y * 11 + x) / 100.0F; };
    for (const std::int64_t stride : {1, 2, 3, 4}) {
        const std::vector<float> pixels = blendField(stride, field);
        for (std::int64_t i = 0; i < 7 * 11 * 3; ++i) {
            ASSERT_NEAR(pixels[static_cast<std::size_t>(i)], field(i / 33, i / 3 % 11), 1e-6)
                << "stride " << stride;
        }
    }
}

TEST(PixelCanvas, ClampsAndUnfoldsPatches) {
    std::vector<std::uint8_t> bytes(2 * 2 * 3);
    const model::vae::PixelCanvas canvas{1, 2, 2, 2, nullptr, bytes.data()};
    // colour·4 + column·2 + row
    const std::vector<float> patch{-1.0F, 1.0F, 0.0F, 2.0F, -3.0F, -1.0F, -1.0F, -1.0F, 0.2F, 0.2F, 0.2F, 0.2F};
    canvas.write(0, 0, 0, patch.data());
    EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0, 0, 153, 128, 0, 153, 255, 0, 153, 255, 0, 153}));
}

}  // namespace
}  // namespace fw::golden
