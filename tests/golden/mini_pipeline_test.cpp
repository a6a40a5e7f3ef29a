// The embedded model from a prompt and a given noise to frames, against diffusers' WanPipeline.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "core/model/sha256.h"
#include "core/model/video_vae.h"
#include "core/pipeline/generator.h"
#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

double psnr(const ConstTensorView& a, const ConstTensorView& b, double peak) {
    FW_CHECK(a.shape() == b.shape(), "{} against {}", a.text(), b.text());
    double sum = 0.0;
    const auto value = [](const ConstTensorView& view, std::int64_t i) {
        return view.dtype() == DType::U8 ? static_cast<double>(view.as<std::uint8_t>()[i])
                                         : static_cast<double>(view.as<float>()[i]);
    };
    for (std::int64_t i = 0; i < a.count(); ++i) {
        sum += std::pow(value(a, i) - value(b, i), 2.0);
    }
    return 10.0 * std::log10(peak * peak * static_cast<double>(a.count()) / sum);
}

std::string fileHash(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    model::Sha256 hash;
    hash.add(std::as_bytes(std::span(bytes)));
    return hash.finish();
}

class MiniPipeline : public testing::TestWithParam<DType> {
 protected:
    static std::filesystem::path folder() {
        return std::filesystem::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
    }

    job::GenerationRequest request() const {
        const Json wanted = m_fixture.metadata("request");
        job::GenerationRequest result;
        result.prompt = wanted.at("prompt");
        result.negativePrompt = wanted.at("negative_prompt");
        result.width = wanted.at("width").get<std::int64_t>();
        result.height = wanted.at("height").get<std::int64_t>();
        result.frames = wanted.at("frames").get<std::int64_t>();
        result.steps = wanted.at("steps").get<int>();
        result.guidance = wanted.at("guidance").get<double>();
        result.shift = wanted.at("shift").get<double>();
        result.seed = wanted.at("seed").get<std::uint64_t>();
        result.sampler = job::SamplerKind::UniPc;
        result.threads = 1;
        return result;
    }

    // The reference's latents, [C, T, H, W] f32.
    HostTensor referenceLatents() {
        const ConstTensorView stored = m_fixture.tensor("latents");
        HostTensor result(stored.shape());
        m_engine.ops->copy(stored, result.view);
        return result;
    }

    HostTensor decode(const ConstTensorView& latents) {
        auto vae = require(model::loadVae(folder(), *m_engine.device, *m_engine.ops, DType::F32));
        auto context = m_engine.context();
        HostTensor clip({4 * latents.dim(1) - 3, 8 * latents.dim(2), 8 * latents.dim(3), 3});
        require(vae->decodeToFloat(context, latents, {}, clip.view));
        return clip;
    }

    Fixture m_fixture{"mini"};
    Engine m_engine;
};

TEST_P(MiniPipeline, DrawsTheReferencesClipFromTheSameNoise) {
    const DType compute = GetParam();
    if (!m_engine.supports(compute)) {
        GTEST_SKIP() << "no " << dtypeName(compute) << " on this machine";
    }
    ASSERT_EQ(fileHash(folder() / "transformer" / "diffusion_pytorch_model.safetensors"),
              m_fixture.text("transformer_sha256"))
        << "the embedded model has changed: run tests/golden/make_fixtures.py mini";
    const double bound = compute == DType::F32 ? 45.0 : 33.0;
    auto generator = require(pipeline::Generator::create(folder(), "cpu", std::string(dtypeName(compute)), 1));
    const HostTensor reference = referenceLatents();
    const HostTensor noise(gaussian("mini.noise", request().seed.value(), reference.view.count()),
                           reference.view.shape());
    HostTensor latents(reference.view.shape());
    std::vector<std::uint8_t> frames;
    pipeline::GeneratorOptions options;
    options.initialNoise = noise.view;
    options.latentsReady = [&](const ConstTensorView& view) -> Status {
        std::copy(view.as<float>(), view.as<float>() + view.count(), latents.values.begin());
        return {};
    };
    const auto sink = [&](const ConstTensorView& view) -> Status {
        frames.insert(frames.end(), view.as<std::uint8_t>(), view.as<std::uint8_t>() + view.count());
        return {};
    };
    require(generator->generate(request(), options, {}, sink, {}));

    // All frames, from both latents by the same decoder; and stored frames of the reference's own decoder.
    const double whole = psnr(decode(latents.view).view, decode(reference.view).view, 2.0);
    RecordProperty("psnr", fmt::format("{:.1f}", whole));
    EXPECT_GE(whole, bound);
    const ConstTensorView stored = m_fixture.tensor("frames");
    const std::int64_t frameBytes = stored.count() / stored.dim(0);
    ASSERT_EQ(static_cast<std::int64_t>(frames.size()), request().frames.value() * frameBytes);
    std::vector<std::uint8_t> picked;
    for (const std::int64_t number : m_fixture.metadata("frame_numbers").get<std::vector<std::int64_t>>()) {
        const auto first = frames.begin() + number * frameBytes;
        picked.insert(picked.end(), first, first + frameBytes);
    }
    const double exact = psnr(ConstTensorView(picked.data(), DType::U8, stored.shape()), stored, 255.0);
    RecordProperty("stored_frames_psnr", fmt::format("{:.1f}", exact));
    EXPECT_GE(exact, bound);
}

INSTANTIATE_TEST_SUITE_P(Types, MiniPipeline, testing::Values(DType::F32, DType::BF16),
                         [](const auto& test) { return std::string(dtypeName(test.param)); });

}  // namespace
}  // namespace fw::golden
