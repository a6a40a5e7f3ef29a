// What caches keep: apart for each branch, newest first, and whole after a checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/backend/arena.h"
#include "core/cache/low_pass.h"
#include "core/cache/residual_store.h"
#include "core/cache/site_store.h"
#include "core/method/attention_method.h"

namespace fw::cache {
namespace {

struct Engine {
    std::unique_ptr<backend::Device> device = *backend::createDevice("cpu");
    std::unique_ptr<backend::Ops> ops = *device->createOps({.threads = 1});
    std::unique_ptr<backend::Arena> arena = *backend::Arena::create(*device, 1 << 20);
    std::unique_ptr<method::AttentionMethod> dense = *method::createAttentionMethod("dense", Json::object());
    std::vector<backend::OwnedTensor> owned;
    method::RunContext context{*ops, *arena, *dense, {}};
    RunShape shape;
    Constants constants;

    Engine() {
        shape.timesteps = std::vector<double>(20, 500.0);
        shape.branches = 2;
        shape.layers = 2;
        shape.kinds = {SiteKind::SelfAttention, SiteKind::CrossAttention, SiteKind::FeedForward};
        shape.tokens = 3;
        shape.width = 5;
        shape.latents = {2, 1, 8, 8};
        constants.embedding = Polynomial{0, 0, 0, 1, 0};
        constants.magnitudes = {std::vector<double>(20, 0.999), std::vector<double>(20, 0.999)};
    }
    TensorView filled(float value) {
        owned.push_back(*backend::createTensor(*device, DType::F32, {1, 3, 5}));
        const TensorView view = owned.back().view;
        std::fill(view.mutableAs<float>(), view.mutableAs<float>() + view.count(), value);
        return view;
    }
    TensorView latents(float value) {
        owned.push_back(*backend::createTensor(*device, DType::F32, shape.latents));
        const TensorView view = owned.back().view;
        std::fill(view.mutableAs<float>(), view.mutableAs<float>() + view.count(), value);
        return view;
    }
    std::unique_ptr<StepCache> create(std::string_view id, const Json& parameters = Json::object()) {
        return *createStepCache(id, parameters, {*device, *ops, shape, constants});
    }
    void at(int step, int branch) {
        context.step = step;
        context.branch = branch;
    }
};

constexpr Site kSite{SiteKind::SelfAttention, 1};

// Fails when the branches share a slot: what the second stored would come back in the first.
TEST(Branches, ReuseTheirOwnOutputs) {
    Engine engine;
    const auto cache = engine.create("pab");
    for (const int branch : {0, 1}) {
        engine.at(4, branch);
        EXPECT_TRUE(cache->replaceSite(engine.context, kSite).output.isNone());
        ASSERT_TRUE(cache->siteDone(engine.context, kSite, engine.filled(branch == 0 ? 2.0F : -7.0F)));
    }
    for (const int branch : {0, 1}) {
        engine.at(5, branch);
        const Replacement kept = cache->replaceSite(engine.context, kSite);
        ASSERT_FALSE(kept.output.isNone());
        const TensorView wide = engine.filled(0.0F);
        engine.ops->copy(kept.output, wide);
        EXPECT_EQ(wide.as<float>()[14], branch == 0 ? 2.0F : -7.0F);
        EXPECT_TRUE(cache->replaceSite(engine.context, {SiteKind::FeedForward, 1}).output.isNone());
    }
}

TEST(Branches, AddTheirOwnResiduals) {
    Engine engine;
    const auto cache = engine.create("magcache", {{"retention", 0.0}});
    const auto pass = [&](int step, int branch, float added) {
        engine.at(step, branch);
        const TensorView x = engine.filled(10.0F);
        const bool replaced = *cache->replaceBlocks(engine.context, {x, {}, {}});
        if (!replaced) {
            const TensorView more = engine.filled(added);
            engine.ops->gatedAdd(x, more, {});
            EXPECT_TRUE(cache->blocksDone(engine.context, x));
        }
        return std::pair(replaced, x.as<float>()[0]);
    };
    EXPECT_EQ(pass(0, 0, 2.0F), std::pair(false, 12.0F));
    EXPECT_EQ(pass(0, 1, -4.0F), std::pair(false, 6.0F));
    EXPECT_EQ(pass(1, 0, 99.0F), std::pair(true, 12.0F));
    EXPECT_EQ(pass(1, 1, 99.0F), std::pair(true, 6.0F));
}

// A run may have a step computed without its cache: what was kept before it is older than the rule allows.
TEST(StandingAside, LeavesNothingOlderThanTheRuleToReuse) {
    Engine engine;
    const auto pab = engine.create("pab", {{"from", 0.0}, {"to", 1.0}});
    const auto asks = [&](int step) {
        engine.at(step, 0);
        const bool computed = pab->replaceSite(engine.context, kSite).output.isNone();
        if (computed) {
            EXPECT_TRUE(pab->siteDone(engine.context, kSite, engine.filled(1.0F)));
        }
        return computed;
    };
    EXPECT_TRUE(asks(0));
    EXPECT_FALSE(asks(1));
    // Step 2 is computed aside.
    EXPECT_TRUE(asks(3));
    EXPECT_TRUE(asks(4));
    EXPECT_FALSE(asks(5));

    const auto magcache = engine.create("magcache", {{"retention", 0.0}, {"longest_run", 1}});
    const auto passes = [&](StepCache& cache, int step) {
        engine.at(step, 0);
        const TensorView x = engine.filled(10.0F);
        const bool computed = !*cache.replaceBlocks(engine.context, {x, {}, {}});
        if (computed) {
            EXPECT_TRUE(cache.blocksDone(engine.context, x));
        }
        return computed;
    };
    EXPECT_TRUE(passes(*magcache, 0));
    EXPECT_FALSE(passes(*magcache, 1));
    // After a checkpoint as well.
    const auto resumed = engine.create("magcache", {{"retention", 0.0}, {"longest_run", 1}});
    ASSERT_TRUE(resumed->restore(magcache->state().numbers));
    EXPECT_TRUE(passes(*resumed, 3));
    EXPECT_TRUE(passes(*magcache, 3));
    EXPECT_TRUE(passes(*magcache, 4));
    EXPECT_FALSE(passes(*magcache, 5));
    // Of TaylorSeer's steps 0 to 2, 7, 12 and 17 are computed, here the seventh aside.
    const auto taylor = engine.create("taylorseer", {{"interval", 5}, {"order", 1}});
    std::vector<int> computed;
    for (const int step : {0, 1, 2, 3, 6, 8, 9, 12, 13}) {
        engine.at(step, 0);
        const backend::ArenaScope scope(*engine.arena);
        if (taylor->replaceSite(engine.context, kSite).output.isNone()) {
            computed.push_back(step);
            EXPECT_TRUE(taylor->siteDone(engine.context, kSite, engine.filled(1.0F)));
        }
    }
    EXPECT_EQ(computed, (std::vector{0, 1, 2, 8, 12}));

    // Of the negative passes those of steps 0, 5, 10 and 15 are computed, here the fifth aside; after a checkpoint
    // as well.
    for (const char* id : {"guidance", "fastercache"}) {
        const Json parameters{{"guidance_from", 0.0}, {"guidance_interval", 5}};
        auto guidance = engine.create(id, parameters);
        computed.clear();
        for (const int step : {0, 1, 4, 6, 7, 10, 11}) {
            for (const int branch : {0, 1}) {
                engine.at(step, branch);
                const backend::ArenaScope scope(*engine.arena);
                const TensorView velocity = engine.latents(static_cast<float>(branch));
                if (!*guidance->replacePass(engine.context, velocity, velocity)) {
                    EXPECT_TRUE(guidance->passDone(engine.context, velocity, velocity));
                    computed.insert(computed.end(), static_cast<std::size_t>(branch), step);
                }
            }
            if (step == 4) {
                auto anew = engine.create(id, parameters);
                EXPECT_TRUE(anew->restore(guidance->state().numbers));
                std::swap(guidance, anew);
            }
        }
        EXPECT_EQ(computed, (std::vector{0, 6, 10})) << id;
        EXPECT_FALSE(guidance->restore(Json::array())) << id;
        Json foreign = guidance->state().numbers;
        foreign["guidance_step"] = 20;
        EXPECT_FALSE(guidance->restore(foreign)) << id << ": there are steps 0 to 19";
    }
    EXPECT_FALSE(resumed->restore(Json{{"steps", {1}}}));
    EXPECT_FALSE(resumed->restore(Json{{"steps", {"0", "0"}}}));
    EXPECT_FALSE(resumed->restore(Json::array()));
}

TEST(TaylorSeer, ContinuesAPolynomialExactly) {
    Engine engine;
    const auto cache = engine.create("taylorseer", {{"interval", 5}, {"order", 1}, {"precision", "f32"}});
    for (int step = 0; step < 13; ++step) {
        for (const int branch : {0, 1}) {
            engine.at(step, branch);
            const float line = 3.0F + (branch == 0 ? 0.5F : -2.0F) * static_cast<float>(step);
            const backend::ArenaScope scope(*engine.arena);
            const Replacement kept = cache->replaceSite(engine.context, kSite);
            const bool computed = step < 3 || step == 7 || step == 12;
            ASSERT_EQ(kept.output.isNone(), computed) << step;
            if (computed) {
                ASSERT_TRUE(cache->siteDone(engine.context, kSite, engine.filled(line)));
            } else {
                EXPECT_FLOAT_EQ(kept.output.as<float>()[0], line) << step;
                EXPECT_EQ(kept.source, trace::Source::Predicted);
            }
        }
    }
}

TEST(FasterCache, ExtrapolatesOnlyFromFreshOutputs) {
    Engine engine;
    const auto cache = engine.create("fastercache", {{"from", 0.2}, {"precision", "f32"}});
    const auto ask = [&](int step) {
        engine.at(step, 0);
        const backend::ArenaScope scope(*engine.arena);
        const Replacement kept = cache->replaceSite(engine.context, kSite);
        if (kept.output.isNone()) {
            EXPECT_TRUE(cache->siteDone(engine.context, kSite, engine.filled(static_cast<float>(step))));
            return -1.0F;
        }
        return kept.output.as<float>()[0];
    };
    for (int step = 0; step < 5; ++step) {
        EXPECT_EQ(ask(step), -1.0F);
    }
    // From step 4 = 0.2 · 20 on; 4 and 2 are known: 4 + (4 - 2) · w, w = (5 - 4) / 15, which is 1 at the last step.
    EXPECT_NEAR(ask(5), 4.0F + 2.0F / 15.0F, 1e-6);
    EXPECT_EQ(ask(6), -1.0F);
    EXPECT_NEAR(ask(7), 6.0F + 2.0F * 3.0F / 15.0F, 1e-6);
    EXPECT_EQ(ask(9), -1.0F);  // 8 was left out: too old
}

// What was never written is not saved: it may be anything, and a checkpoint with a NaN is none.
TEST(FasterCache, SavesTheDifferenceOfGuidanceOnceThereIsOne) {
    Engine engine;
    const auto names = [](StepCache& cache) {
        std::vector<std::string> all;
        for (const auto& [name, view] : cache.state().tensors) {
            all.push_back(name);
        }
        return all;
    };
    const auto cache = engine.create("fastercache", {{"from", 0.2}, {"guidance_from", 0.35}});
    const auto copied = [&] {
        auto other = engine.create("fastercache", {{"from", 0.2}, {"guidance_from", 0.35}});
        EXPECT_TRUE(other->restore(cache->state().numbers));
        return names(*other);
    };
    engine.at(4, 0);
    ASSERT_TRUE(cache->siteDone(engine.context, kSite, engine.filled(3.0F)));
    ASSERT_FALSE(cache->cleanBefore(5)) << "attention has something to save";
    EXPECT_THAT(names(*cache), testing::SizeIs(1));
    EXPECT_EQ(copied(), names(*cache));
    for (const int branch : {0, 1}) {
        engine.at(7, branch);  // 0.35 · 20: the next pass of the negative prompt is predicted
        const TensorView velocity = engine.latents(static_cast<float>(branch));
        ASSERT_TRUE(cache->passDone(engine.context, velocity, velocity));
    }
    EXPECT_THAT(names(*cache), testing::IsSupersetOf({"slow", "fast"}));
    EXPECT_EQ(copied(), names(*cache));
}

// In eight bits a slot has two tensors: both come back.
TEST(Branches, ReuseTheirOwnOutputsInEightBits) {
    Engine engine;
    const auto cache = engine.create("pab", {{"precision", "fp8"}});
    engine.at(4, 1);
    const TensorView output = engine.filled(1.0F);
    output.mutableAs<float>()[4] = -300.0F;
    ASSERT_TRUE(cache->siteDone(engine.context, kSite, output));
    const SavedState saved = cache->state();
    ASSERT_EQ(saved.tensors.size(), 2U);
    EXPECT_EQ(saved.tensors[0].second.dtype(), DType::U8);
    EXPECT_EQ(saved.tensors[1].first, saved.tensors[0].first + ".scales");
    engine.at(5, 1);
    const backend::ArenaScope scope(*engine.arena);
    const Replacement kept = cache->replaceSite(engine.context, kSite);
    ASSERT_FALSE(kept.output.isNone());
    EXPECT_EQ(kept.output.dtype(), DType::BF16);
    const TensorView wide = engine.filled(0.0F);
    engine.ops->copy(kept.output, wide);
    EXPECT_NEAR(wide.as<float>()[0], 1.0F, 0.07F);
    EXPECT_NEAR(wide.as<float>()[4], -300.0F, 2.0F);
    EXPECT_NEAR(wide.as<float>()[9], 1.0F, 0.01F) << "another row, another scale";
}

TEST(ResidualAndSiteStates, SurviveACheckpoint) {
    for (const char* id : {"pab", "taylorseer", "magcache"}) {
        Engine engine;
        const auto cache = engine.create(id);
        engine.at(4, 0);
        ASSERT_TRUE(cache->siteDone(engine.context, kSite, engine.filled(3.0F)));
        const SavedState saved = cache->state();
        const auto other = engine.create(id);
        ASSERT_TRUE(other->restore(saved.numbers)) << id;
        const SavedState restored = other->state();
        ASSERT_EQ(restored.tensors.size(), saved.tensors.size()) << id;
        for (std::size_t i = 0; i < saved.tensors.size(); ++i) {
            EXPECT_EQ(restored.tensors[i].first, saved.tensors[i].first);
            EXPECT_EQ(restored.tensors[i].second.shape(), saved.tensors[i].second.shape());
        }
        for (const char* wrong : {"null", "[]", "3", R"({"steps": 3})", R"({"steps": [1]})", R"({"x": 1})"}) {
            const Status refused = other->restore(Json::parse(wrong));
            ASSERT_FALSE(refused) << id << wrong;
            EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
        }
    }
}

// Against the definition: every frequency by its own sums in double precision.
TEST(LowPass, KeepsTheLowFrequencies) {
    for (const auto& [h, w] : {std::pair(8, 8), std::pair(1, 1), std::pair(7, 13), std::pair(30, 16)}) {
        Engine engine;
        const Shape shape{2, 1, h, w};
        const auto allocate = [&](DType dtype, const Shape& wanted) -> Result<TensorView> {
            engine.owned.push_back(*backend::createTensor(*engine.device, dtype, wanted));
            return engine.owned.back().view;
        };
        const LowPass pass = *LowPass::create(*engine.ops, h, w, allocate);
        const TensorView x = *allocate(DType::F32, shape);
        for (std::int64_t i = 0; i < x.count(); ++i) {
            x.mutableAs<float>()[i] = static_cast<float>(std::sin(static_cast<double>(i * i % 97)));
        }
        const TensorView y = *allocate(DType::F32, shape);
        pass.apply(engine.context, x, y);
        const int radius = std::min(h, w) / 5;
        const double unit = 2.0 * std::numbers::pi;
        for (int picture = 0; picture < 2; ++picture) {
            for (int row = 0; row < h; ++row) {
                for (int column = 0; column < w; ++column) {
                    double expected = 0.0;
                    for (int v = -radius; v <= radius; ++v) {
                        for (int u = -radius; u <= radius; ++u) {
                            if (u * u + v * v > radius * radius) {
                                continue;
                            }
                            for (int r = 0; r < h; ++r) {
                                for (int c = 0; c < w; ++c) {
                                    const double angle = unit * (static_cast<double>(v * (row - r)) / h +
                                                                 static_cast<double>(u * (column - c)) / w);
                                    expected += std::cos(angle) *
                                                static_cast<double>(x.as<float>()[(picture * h + r) * w + c]);
                                }
                            }
                        }
                    }
                    EXPECT_NEAR(y.as<float>()[(picture * h + row) * w + column], expected / (h * w), 2e-5);
                }
            }
        }
    }
}

}  // namespace
}  // namespace fw::cache
