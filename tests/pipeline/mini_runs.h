// Whole runs of the embedded model at a size that takes a moment, with what tests look at afterwards.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/generator.h"

namespace fw::pipeline {

// 64 × 64 × 5 in f32, guided.
inline job::GenerationRequest miniRequest(int steps) {
    job::GenerationRequest request;
    request.model = (std::filesystem::path(FW_SOURCE_DIR) / "resources" / "models" / "mini").string();
    request.prompt = "a red fox walks in the snow";
    request.width = 64;
    request.height = 64;
    request.frames = 5;
    request.steps = steps;
    request.guidance = 2.0;
    request.seed = 11;
    request.dtype = "f32";
    return request;
}

struct MiniRun {
    Result<GenerationReport> report = fail(ErrorCode::Internal, "not run");
    trace::Trace trace;
    std::vector<float> latents;
};

// The generator is made once for all tests of a suite.
class MiniRuns : public testing::Test {
 protected:
    static void SetUpTestSuite() {
        auto generator = Generator::create(miniRequest(1).model, "cpu", "f32", 1);
        FW_CHECK(generator.has_value(), "{}", generator.error().message);
        s_generator = std::move(*generator);
    }
    static void TearDownTestSuite() { s_generator.reset(); }

    // The run may fail: see its report.
    static MiniRun make(const job::GenerationRequest& request, GeneratorOptions options = {}) {
        MiniRun made;
        options.trace = &made.trace;
        options.latentsReady = [&](const ConstTensorView& latents) -> Status {
            made.latents.assign(latents.as<float>(), latents.as<float>() + latents.count());
            return {};
        };
        const auto sink = [](const ConstTensorView&) -> Status { return {}; };
        made.report = s_generator->generate(request, options, {}, sink, {});
        return made;
    }

    inline static std::unique_ptr<Generator> s_generator;
};

}  // namespace fw::pipeline
