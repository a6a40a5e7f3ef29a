// Step caches inside a run of the embedded model: what must be identical, what must not be shared, what the plan
// says beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "core/cache/step_cache.h"
#include "core/pipeline/generator.h"

namespace fw::pipeline {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int kSteps = 14;

struct Outcome {
    std::vector<float> latents;
    GenerationReport report;
    std::vector<int> checkpoints;  // steps after which one was written
};

// Parameters with which each cache stands in for something within kSteps steps of a tiny clip.
Json eager(const std::string& id) {
    static const std::map<std::string, Json> kParameters{
        {"pab", {{"mlp_blocks", 3}}},        {"teacache", {{"threshold", 0.4}}},
        {"easycache", {{"threshold", 0.4}}}, {"first_block", {{"threshold", 0.4}}},
        {"taylorseer", {{"order", 2}}},
    };
    const auto found = kParameters.find(id);
    return found == kParameters.end() ? Json::object() : found->second;
}

std::vector<std::string> cacheIds() {
    std::vector<std::string> ids;
    for (const cache::CacheEntry& entry : cache::stepCaches()) {
        ids.push_back(entry.description.id);
    }
    return ids;
}

class StepCaches : public testing::TestWithParam<std::string> {
 protected:
    static void SetUpTestSuite() {
        auto made = Generator::create(folder(), "cpu", "f32", 1);
        ASSERT_TRUE(made) << made.error().message;
        s_generator = std::move(*made);
    }
    static void TearDownTestSuite() { s_generator.reset(); }

    static fs::path folder() { return fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini"; }

    static job::GenerationRequest request(const std::string& id, const Json& parameters) {
        job::GenerationRequest request;
        request.prompt = "a red balloon rises over the city";
        request.model = folder().string();
        request.width = request.height = 64;
        request.frames = 1;
        request.steps = kSteps;
        request.seed = 5;
        request.threads = 1;
        request.dtype = "f32";
        request.cache = id;
        request.cacheParameters = parameters;
        return request;
    }

    static Result<Outcome> tryRun(const job::GenerationRequest& request, GeneratorOptions options = {},
                                  const CancelToken& cancel = {}) {
        Outcome outcome;
        options.latentsReady = [&](const ConstTensorView& view) -> Status {
            outcome.latents.assign(view.as<float>(), view.as<float>() + view.count());
            return {};
        };
        const auto inner = options.checkpointSaved;
        options.checkpointSaved = [&](int step) {
            outcome.checkpoints.push_back(step);
            if (inner) {
                inner(step);
            }
        };
        const auto sink = [](const ConstTensorView&) -> Status { return {}; };
        FW_ASSIGN(outcome.report, s_generator->generate(request, options, {}, sink, cancel));
        return outcome;
    }
    static Outcome run(const job::GenerationRequest& request, const GeneratorOptions& options = {}) {
        auto made = tryRun(request, options);
        FW_CHECK(made.has_value(), "{}", made.error().message);
        return std::move(*made);
    }

    inline static std::unique_ptr<Generator> s_generator;
};

INSTANTIATE_TEST_SUITE_P(All, StepCaches, testing::ValuesIn(cacheIds()),
                         [](const auto& test) { return test.param; });

// Those that say in what precision they keep: others keep nothing that is large.
std::vector<std::string> preciseCacheIds() {
    std::vector<std::string> ids;
    for (const cache::CacheEntry& entry : cache::stepCaches()) {
        const auto& parameters = entry.description.parameters;
        if (std::any_of(parameters.begin(), parameters.end(),
                        [](const auto& one) { return one.name == "precision"; })) {
            ids.push_back(entry.description.id);
        }
    }
    return ids;
}

class PreciseCaches : public StepCaches {};

INSTANTIATE_TEST_SUITE_P(All, PreciseCaches, testing::ValuesIn(preciseCacheIds()),
                         [](const auto& test) { return test.param; });

TEST(PreciseCacheIds, AreAllThatKeepWholeOutputs) {
    EXPECT_THAT(preciseCacheIds(), testing::IsSupersetOf({"pab", "magcache"}));
    EXPECT_THAT(preciseCacheIds(), testing::Not(testing::Contains("none")));
}

TEST_P(StepCaches, StandsInForSomethingAndRepeatsItselfExactly) {
    const Outcome plain = run(request("none", Json::object()));
    const Outcome first = run(request(GetParam(), eager(GetParam())));
    const Outcome second = run(request(GetParam(), eager(GetParam())));  // nothing is left of the first
    EXPECT_EQ(first.latents, second.latents);
    EXPECT_EQ(first.latents == plain.latents, GetParam() == "none");
    EXPECT_EQ(run(request("none", Json::object())).latents, plain.latents);
}

TEST_P(StepCaches, WorksInTheUsualPrecision) {
    job::GenerationRequest wanted = request(GetParam(), eager(GetParam()));
    wanted.dtype = "bf16";
    job::GenerationRequest none = wanted;
    none.cache = "none";
    none.cacheParameters = Json::object();
    EXPECT_EQ(run(wanted).latents == run(none).latents, GetParam() == "none");
}

// What the machine has free differs from moment to moment.
std::string withoutLimit(job::Plan plan) {
    plan.memory.limitBytes = 0;
    return job::toJson(plan).dump();
}

// Half the memory, the same rules, and a clip that stays near the one made from what is kept in f32.
TEST_P(PreciseCaches, KeepsEightBitsWhereItIsAsked) {
    std::map<std::string, Outcome> runs;
    for (const char* precision : {"f32", "bf16", "fp8"}) {
        Json with = eager(GetParam());
        with["precision"] = precision;
        if (with.contains("order")) {
            with["order"] = 0;  // a polynomial multiplies what is lost by rounding
        }
        runs[precision] = run(request(GetParam(), with));
        EXPECT_EQ(withoutLimit(makePlan(request(GetParam(), with)).value()),
                  withoutLimit(runs[precision].report.plan));
    }
    const auto bytes = [&](const char* precision) { return runs[precision].report.plan.cache.bytes; };
    // Of what is kept in bf16 a half is left, and a scale for each token of 256 numbers.
    const std::int64_t kept = (bytes("f32") - bytes("bf16")) / 2;
    EXPECT_NEAR(static_cast<double>(bytes("bf16") - bytes("fp8")), static_cast<double>(kept) * (1.0 - 4.0 / 256.0),
                1.0);
    double difference = 0.0, size = 0.0;
    for (std::size_t i = 0; i < runs["f32"].latents.size(); ++i) {
        const auto wanted = static_cast<double>(runs["f32"].latents[i]);
        difference += std::pow(static_cast<double>(runs["fp8"].latents[i]) - wanted, 2.0);
        size += wanted * wanted;
    }
    EXPECT_NE(runs["fp8"].latents, runs["bf16"].latents);
    EXPECT_LT(std::sqrt(difference / size), 0.2);
}

TEST_P(StepCaches, ForecastsItsWorkAndMemory) {
    trace::Trace trace;
    GeneratorOptions options;
    options.trace = &trace;
    const Outcome made = run(request(GetParam(), eager(GetParam())), options);
    std::int64_t flops = 0;
    bool reused = false;
    for (const trace::Row& row : trace.rows()) {
        if (row.step >= 0 && row.module != trace::Module::AttentionCore) {  // inside self-attention
            flops += row.flops;
        }
        reused = reused || row.source != trace::Source::Computed;
    }
    const job::Plan& plan = made.report.plan;
    const auto denoise = plan.phases.at(1).flops;
    EXPECT_EQ(plan.cache.id, GetParam());
    EXPECT_EQ(plan.cache.bytes > 0, GetParam() != "none");
    if (GetParam() == "none" || !plan.cache.rows.empty()) {
        EXPECT_EQ(flops, denoise);
    } else {
        EXPECT_LT(flops, denoise);  // the plan of a rule that depends on data is the most it can be
        EXPECT_FALSE(trace.metadata.at("cache_log").empty());
    }
    const auto planned = makePlan(request(GetParam(), eager(GetParam()))).value();
    EXPECT_EQ(withoutLimit(planned), withoutLimit(plan));
}

// Rows of eight bits and their scales come back from a checkpoint as they were written.
TEST_P(PreciseCaches, ResumesFromWhatIsKeptInEightBits) {
    const fs::path file = fs::temp_directory_path() / ("fw_cache_packed_" + std::to_string(getpid()));
    const fs::path copy = file.string() + ".copy";
    Json with = eager(GetParam());
    with["precision"] = "fp8";
    GeneratorOptions saving;
    saving.checkpointFile = file;
    saving.checkpointSaved = [&](int step) {
        if (step == kSteps / 2) {
            fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
        }
    };
    const Outcome whole = run(request(GetParam(), with), saving);
    GeneratorOptions resuming;
    resuming.resumeFrom = copy;
    const Outcome resumed = run(request(GetParam(), with), resuming);
    EXPECT_EQ(resumed.report.resumedSteps, kSteps / 2);
    EXPECT_EQ(resumed.latents, whole.latents);
    fs::remove(file);
    fs::remove(copy);
}

// From every checkpoint a run writes, the run that was never stopped.
TEST_P(StepCaches, ResumesToTheSameClip) {
    const fs::path file = fs::temp_directory_path() / ("fw_cache_resume_" + std::to_string(getpid()));
    const fs::path copies = file.string() + ".d";
    fs::create_directories(copies);
    const auto wanted = request(GetParam(), eager(GetParam()));
    GeneratorOptions saving;
    saving.checkpointFile = file;
    saving.checkpointSaved = [&](int step) { fs::copy_file(file, copies / std::to_string(step)); };
    const Outcome whole = run(wanted, saving);
    ASSERT_FALSE(whole.checkpoints.empty());
    const std::set<int> from{whole.checkpoints.front(), whole.checkpoints[whole.checkpoints.size() / 2],
                             whole.checkpoints[whole.checkpoints.size() * 3 / 4]};
    for (const int step : from) {
        GeneratorOptions resuming;
        resuming.resumeFrom = copies / std::to_string(step);
        const Outcome resumed = run(wanted, resuming);
        EXPECT_EQ(resumed.report.resumedSteps, step);
        EXPECT_EQ(resumed.latents, whole.latents) << "from step " << step;
    }
    // Another cache's checkpoint is no start.
    GeneratorOptions foreign;
    foreign.resumeFrom = copies / std::to_string(whole.checkpoints.front());
    const auto refused = tryRun(request(GetParam() == "none" ? "pab" : "none", Json::object()), foreign);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    fs::remove_all(copies);
    fs::remove(file);
}

TEST_P(StepCaches, LeavesNothingBehindWhenCancelled) {
    const auto wanted = request(GetParam(), eager(GetParam()));
    const Outcome whole = run(wanted);
    CancelSource source;
    GeneratorOptions options;
    const fs::path file = fs::temp_directory_path() / ("fw_cache_cancel_" + std::to_string(getpid()));
    options.checkpointFile = file;
    options.checkpointSaved = [&](int) { source.cancel(); };
    const auto cancelled = tryRun(wanted, options, source.token());
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(run(wanted).latents, whole.latents);
    fs::remove(file);
}

TEST_P(StepCaches, WorksWithoutGuidance) {
    auto wanted = request(GetParam(), eager(GetParam()));
    wanted.guidance = 1.0;
    const Outcome made = run(wanted);
    EXPECT_TRUE(std::all_of(made.latents.begin(), made.latents.end(), [](float v) { return std::isfinite(v); }));
}

using PabRuns = StepCaches;
INSTANTIATE_TEST_SUITE_P(Pab, PabRuns, testing::Values(std::string("pab")),
                         [](const auto& test) { return test.param; });

TEST_P(PabRuns, RangeOneIsNoCache) {
    const Outcome plain = run(request("none", Json::object()));
    const Outcome cached = run(request("pab", {{"self_range", 1}, {"cross_range", 1}, {"from", 0}, {"to", 1}}));
    EXPECT_EQ(cached.latents, plain.latents);
    EXPECT_EQ(cached.report.plan.cache.bytes, 0);
}

TEST_P(PabRuns, RefusesAnEmptyWindowBeforeTheRun) {
    const auto made = tryRun(request("pab", {{"from", 0.5}, {"to", 0.5}}));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(made.error().message, HasSubstr("window is empty"));
    EXPECT_FALSE(makePlan(request("pab", {{"from", 0.5}, {"to", 0.5}})));
}

}  // namespace
}  // namespace fw::pipeline
