#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/cache/step_cache.h"

namespace fw::cache {
namespace {

using testing::HasSubstr;

struct Bench {
    std::unique_ptr<backend::Device> device = backend::createMetaDevice(DType::F32);
    std::unique_ptr<backend::Ops> ops = *device->createOps({});
    RunShape shape;
    Constants constants;

    Bench() {
        shape.timesteps.resize(20);
        for (std::size_t i = 0; i < 20; ++i) {
            shape.timesteps[i] = 999.0 - 50.0 * static_cast<double>(i);
        }
        shape.branches = 2;
        shape.layers = 3;
        shape.kinds = {SiteKind::SelfAttention, SiteKind::CrossAttention, SiteKind::FeedForward};
        shape.tokens = 16;
        shape.width = 32;
        shape.latents = {16, 1, 8, 8};
        constants.source = "this test";
        constants.embedding = Polynomial{0, 0, 0, 1, 0};
        constants.modulation = constants.embedding;
        constants.magnitudes = {std::vector<double>(20, 0.99), std::vector<double>(20, 0.98)};
    }
    Result<std::unique_ptr<StepCache>> create(std::string_view id, const Json& parameters = Json::object()) {
        return createStepCache(id, parameters, {*device, *ops, shape, constants});
    }
};

TEST(CacheRegistry, StartsWithNoneAndDescribesEveryCache) {
    Bench bench;
    ASSERT_FALSE(stepCaches().empty());
    EXPECT_EQ(stepCaches().front().description.id, "none");
    std::set<std::string> ids;
    for (const CacheEntry& entry : stepCaches()) {
        const std::string& id = entry.description.id;
        EXPECT_TRUE(ids.insert(id).second) << id;
        EXPECT_FALSE(entry.description.name.empty());
        EXPECT_FALSE(entry.description.summary.empty());
        std::set<std::string> names;
        for (const job::ParameterSchema& parameter : entry.description.parameters) {
            EXPECT_TRUE(names.insert(parameter.name).second) << id << " " << parameter.name;
            EXPECT_FALSE(parameter.help.empty()) << id << " " << parameter.name;
            EXPECT_TRUE(resolveCacheParameters(id, {{parameter.name, parameter.defaultValue}})) << parameter.name;
        }
        const auto made = bench.create(id);
        ASSERT_TRUE(made) << id << ": " << made.error().message;
        EXPECT_EQ(*made == nullptr, id == "none");
        if (*made != nullptr) {
            EXPECT_GT((*made)->bytes(), 0) << id;
            EXPECT_TRUE((*made)->cleanBefore(0)) << id;
            EXPECT_TRUE((*made)->cleanBefore(bench.shape.steps())) << id;
            for (const job::CacheRow& row : (*made)->table()) {
                EXPECT_EQ(row.steps.size(), 20U) << id;
                EXPECT_EQ(row.steps.front(), 'c') << id << " " << row.what;
            }
        }
    }
}

TEST(CacheRegistry, RefusesUnknownCachesAndParameters) {
    Bench bench;
    const auto message = [&](std::string_view id, const Json& parameters) {
        const auto made = bench.create(id, parameters);
        return made ? std::string("accepted") : made.error().message;
    };
    EXPECT_THAT(message("pub", Json::object()), testing::AllOf(HasSubstr("'pub'"), HasSubstr("none, pab")));
    EXPECT_THAT(message("none", {{"range", 2}}), testing::AllOf(HasSubstr("cache none"), HasSubstr("'range'")));
    EXPECT_THAT(message("pab", {{"self_range", 0}}),
                testing::AllOf(HasSubstr("cache pab"), HasSubstr("self_range is 0"), HasSubstr("1 to 50 steps")));
    EXPECT_THAT(message("pab", {{"from", 0.9}}), testing::AllOf(HasSubstr("from is 0.9"), HasSubstr("empty")));
    EXPECT_THAT(message("pab", {{"window", "timesteps"}, {"timestep_low", 900}}),
                testing::AllOf(HasSubstr("timestep_low is 900"), HasSubstr("850")));
}

TEST(CacheRegistry, RefusesCachesWithoutTheModelsConstants) {
    Bench bench;
    bench.constants = {};
    for (const char* id : {"teacache", "magcache"}) {
        const auto made = bench.create(id);
        ASSERT_FALSE(made) << id;
        EXPECT_EQ(made.error().code, ErrorCode::BadModel);
        EXPECT_THAT(made.error().message, HasSubstr("fw calibrate"));
    }
    bench.constants.damage = Error{ErrorCode::BadModel, "cache_constants.json is no JSON"};
    EXPECT_TRUE(bench.create("pab"));
    for (const char* id : {"teacache", "magcache"}) {
        const auto made = bench.create(id);
        ASSERT_FALSE(made) << id;
        EXPECT_THAT(made.error().message,
                    testing::AllOf(HasSubstr("cache_constants.json is no JSON"), HasSubstr("fw calibrate")));
    }
    bench.constants = findConstants("/nonexistent", 40, 5120);  // the 14B model has no published magnitudes
    EXPECT_TRUE(bench.create("teacache"));
    EXPECT_TRUE(bench.create("teacache", {{"signal", "modulation"}}));
    EXPECT_FALSE(bench.create("magcache"));
    for (const char* id : {"guidance", "fastercache"}) {
        bench.shape.branches = 1;
        const auto made = bench.create(id).value();
        EXPECT_EQ(made->bytes() == 0, std::string(id) == "guidance");
    }
}

TEST(CacheRegistry, AMemoryLimitKeepsTheMostUsefulAndSaysSo) {
    Bench bench;
    // Outputs of 16 x 32 in f32 for two branches: 4 KiB a module. Of 512-fold tokens: 2 MiB.
    bench.shape.tokens = 16 * 512;
    const Json wanted{{"precision", "f32"}};
    const auto all = bench.create("pab", wanted).value();
    EXPECT_EQ(all->bytes(), 6 * (2LL << 20));  // self and cross of three blocks
    EXPECT_EQ(all->note(), "");
    const auto some = bench.create("pab", {{"precision", "f32"}, {"memory_limit", 9}}).value();
    EXPECT_EQ(some->bytes(), 4 * (2LL << 20));
    EXPECT_THAT(some->note(), testing::AllOf(HasSubstr("9 MiB"), HasSubstr("4 of 6")));
    const auto half = bench.create("pab", Json::object()).value();
    EXPECT_EQ(half->bytes(), all->bytes() / 2);  // bf16
    const auto none = bench.create("pab", {{"memory_limit", 1}, {"precision", "f32"}}).value();
    EXPECT_EQ(none->bytes(), 0);
    EXPECT_THAT(none->note(), HasSubstr("0 of 6"));
}

}  // namespace
}  // namespace fw::cache
