#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "attention_reference.h"
#include "kernels/cpu/attention_internal.h"

namespace fw::kernels::cpu {
namespace {

// 64-byte aligned memory of exactly the promised size between guard words, so that both the guards and
// AddressSanitizer see a kernel that writes outside it.
class Workspace {
 public:
    explicit Workspace(std::int64_t bytes) : m_bytes(static_cast<std::size_t>(bytes)) {
        m_memory.reset(static_cast<std::uint8_t*>(
            std::aligned_alloc(kGuard, (m_bytes + kGuard - 1) / kGuard * kGuard + 2 * kGuard)));
        std::memset(m_memory.get(), kByte, m_bytes + 2 * kGuard);
    }

    [[nodiscard]] void* data() { return m_memory.get() + kGuard; }

    [[nodiscard]] bool guardsUntouched() const {
        for (std::size_t i = 0; i < kGuard; ++i) {
            if (m_memory[i] != kByte || m_memory[kGuard + m_bytes + i] != kByte) {
                return false;
            }
        }
        return true;
    }

 private:
    struct Free {
        void operator()(std::uint8_t* memory) const { std::free(memory); }
    };
    static constexpr std::size_t kGuard = 64;
    static constexpr std::uint8_t kByte =
        0xFF;  // NaN when read as a number: nothing may be used before it is written

    std::size_t m_bytes;
    std::unique_ptr<std::uint8_t[], Free> m_memory;
};

// Tolerances on outputs that are averages of values of magnitude 1.
double toleranceOf(const AttentionKernel& kernel, Element element) {
    if (element == Element::F32) {
        return 5e-6;
    }
    return kernel.target == AttentionTarget::AmxBf16 ? 2.5e-2
                                                     : 1.6e-2;  // bf16 keeps 8 bits: 2^-8 of values up to 4
}

class AttentionTest : public ::testing::TestWithParam<AttentionTarget> {
 protected:
    // The kernel under test, or nullptr (and the test is skipped) where this machine does not have it.
    static const AttentionKernel* kernelFor(Element element) { return findAttentionKernel(GetParam(), element); }

    static int run(AttentionProblem& problem, const AttentionKernel& kernel) {
        Workspace workspace(attentionWorkspaceBytes(problem.args, kernel));
        problem.args.workspace = workspace.data();
        const int code = attention(problem.args, kernel);
        EXPECT_TRUE(workspace.guardsUntouched()) << problem.parameters.name();
        EXPECT_TRUE(problem.out.gapsUntouched()) << problem.parameters.name();
        return code;
    }

    static void check(const AttentionCase& parameters) {
        const AttentionKernel* kernel = kernelFor(parameters.element);
        if (kernel == nullptr) {
            return;
        }
        AttentionProblem problem(parameters);
        ASSERT_EQ(run(problem, *kernel), 0) << parameters.name();
        EXPECT_LE(problem.largestError(), toleranceOf(*kernel, parameters.element))
            << kernel->name << " " << parameters.name();
    }

    void SetUp() override {
        if (kernelFor(Element::F32) == nullptr && kernelFor(Element::Bf16) == nullptr) {
            GTEST_SKIP() << "this processor does not have it";
        }
    }
};

constexpr Element kElements[] = {Element::F32, Element::Bf16};

TEST_P(AttentionTest, MatchesTheReferenceForEveryKeyCountAroundTiles) {
    for (const Element element : kElements) {
        for (const std::int64_t keys :
             {1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 191, 193, 257, 521}) {
            check({.queries = 5, .keys = keys, .headDim = 64, .element = element});
        }
    }
}

TEST_P(AttentionTest, MatchesTheReferenceForEveryQueryCountAroundTiles) {
    for (const Element element : kElements) {
        for (const std::int64_t queries :
             {1, 2, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 97, 131}) {
            check({.queries = queries, .keys = 37, .headDim = 32, .element = element});
        }
    }
}

TEST_P(AttentionTest, MatchesTheReferenceForEveryHeadWidth) {
    for (const Element element : kElements) {
        for (std::int64_t headDim = 16; headDim <= kMaxHeadDim; headDim += headDim < 256 ? 16 : 64) {
            check({.queries = 34, .keys = 67, .headDim = headDim, .element = element});
        }
    }
}

TEST_P(AttentionTest, FollowsStridesBatchesAndHeads) {
    for (const Element element : kElements) {
        check({.batch = 2, .heads = 3, .queries = 33, .keys = 65, .headDim = 64, .element = element, .gap = 5});
        check({.batch = 3, .heads = 5, .queries = 7, .keys = 1, .headDim = 48, .element = element, .gap = 1});
        check({.batch = 2, .heads = 2, .queries = 131, .keys = 257, .headDim = 128, .element = element, .gap = 8});
    }
}

TEST_P(AttentionTest, AddsTheBias) {
    for (const Element element : kElements) {
        check({.batch = 2,
               .heads = 3,
               .queries = 64,
               .keys = 64,
               .headDim = 64,
               .element = element,
               .bias = true,
               .scale = 1.0F / 8});
        check({.heads = 2, .queries = 35, .keys = 201, .headDim = 80, .element = element, .gap = 3, .bias = true});
        check({.heads = 2, .queries = 1, .keys = 1, .headDim = 16, .element = element, .bias = true});
    }
}

TEST_P(AttentionTest, RaisesTheFirstKey) {
    for (const Element element : kElements) {
        for (const std::int64_t keys : {1, 2, 13, 31, 32, 33, 64, 65, 200}) {
            check({.batch = 2,
                   .heads = 2,
                   .queries = 35,
                   .keys = keys,
                   .headDim = 64,
                   .element = element,
                   .gap = 8,
                   .firstKeyBias = 6.0F});
        }
        check({.heads = 2,
               .queries = 35,
               .keys = 70,
               .headDim = 48,
               .element = element,
               .bias = true,
               .firstKeyBias = 3});
        check(
            {.queries = 33, .keys = 9, .headDim = 64, .element = element, .scale = -0.125F, .firstKeyBias = 4.0F});
        check({.queries = 33, .keys = 9, .headDim = 64, .element = element, .scale = 1e-30F, .firstKeyBias = 4.0F});
    }
}

TEST_P(AttentionTest, HasASoftmaxWithAnyScale) {
    for (const Element element : kElements) {
        check({.queries = 33, .keys = 129, .headDim = 64, .element = element, .scale = -0.125F});
        check({.queries = 33, .keys = 129, .headDim = 64, .element = element, .scale = 1e-30F});
    }
}

// Scores up to about fifty either way: nearly one-hot probabilities, and a maximum that moves far and often.
TEST_P(AttentionTest, StaysRightWhenTheMaximumMoves) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        AttentionProblem problem({.queries = 40, .keys = 700, .headDim = 64, .element = element});
        for (std::int64_t key = 0; key < 700; ++key) {
            for (std::int64_t d = 0; d < 64; ++d) {  // rises, then falls
                const float level = static_cast<float>(350 - std::abs(key - 350)) / 16.0F;
                problem.k.set(0, key, 0, d, level);
            }
        }
        ASSERT_EQ(run(problem, *kernel), 0);
        EXPECT_LE(problem.largestError(), toleranceOf(*kernel, element)) << kernel->name;
    }
}

TEST_P(AttentionTest, SurvivesHugeScores) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        for (const float level : {1e4F, -1e4F, 1e15F, -1e15F}) {
            AttentionProblem problem({.queries = 3, .keys = 200, .headDim = 16, .element = element, .scale = 1.0F});
            for (std::int64_t key = 0; key < 200; ++key) {
                for (std::int64_t d = 0; d < 16; ++d) {
                    problem.k.set(0, key, 0, d, d == 0 ? level * static_cast<float>(1 + key % 2) : 0.0F);
                }
            }
            for (std::int64_t query = 0; query < 3; ++query) {
                problem.q.set(0, query, 0, 0, query == 0 ? 1.0F : 1e15F);
            }
            ASSERT_EQ(run(problem, *kernel), 0);
            EXPECT_LE(problem.largestError(), toleranceOf(*kernel, element)) << kernel->name << " level " << level;
        }
    }
}

TEST_P(AttentionTest, LeavesOutKeysWithAnInfinitelyNegativeBias) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        AttentionProblem problem({.queries = 19, .keys = 300, .headDim = 32, .element = element});
        problem.bias.assign(19 * 300, 0.0F);
        for (std::size_t i = 0; i < problem.bias.size(); ++i) {
            const std::size_t query = i / 300;
            const std::size_t key = i % 300;  // query 0 sees nothing, the others only late keys
            if (query == 0 || key < 10 * query) {
                problem.bias[i] = -std::numeric_limits<float>::infinity();
            }
        }
        problem.args.bias = problem.bias.data();
        problem.args.biasHead = 0;
        problem.args.biasQuery = 300;
        ASSERT_EQ(run(problem, *kernel), 0);
        for (std::int64_t d = 0; d < 32; ++d) {
            EXPECT_EQ(problem.out.at(0, 0, 0, d), 0.0F) << "a query that sees no key gets zeros";
        }
        const std::vector<double> expected = problem.reference();
        for (std::int64_t query = 1; query < 19; ++query) {
            for (std::int64_t d = 0; d < 32; ++d) {
                EXPECT_NEAR(static_cast<double>(problem.out.at(0, query, 0, d)),
                            expected[static_cast<std::size_t>(query * 32 + d)], toleranceOf(*kernel, element));
            }
        }
    }
}

TEST_P(AttentionTest, KeepsNaNWithinItsQuery) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        AttentionProblem problem({.queries = 20, .keys = 40, .headDim = 16, .element = element});
        problem.q.set(0, 7, 0, 3, std::numeric_limits<float>::quiet_NaN());
        ASSERT_EQ(run(problem, *kernel), 0);
        for (std::int64_t query = 0; query < 20; ++query) {
            for (std::int64_t d = 0; d < 16; ++d) {
                EXPECT_EQ(std::isnan(problem.out.at(0, query, 0, d)), query == 7)
                    << kernel->name << " query " << query;
            }
        }
    }
}

TEST_P(AttentionTest, GivesTheSameBitsWithAnyNumberOfThreads) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        AttentionCase parameters{
            .batch = 2, .heads = 3, .queries = 131, .keys = 259, .headDim = 64, .element = element};
        AttentionProblem alone(parameters);
        ASSERT_EQ(run(alone, *kernel), 0);
        for (const int threads : {2, 3, 8}) {
            parameters.threads = threads;
            AttentionProblem together(parameters);
            ASSERT_EQ(run(together, *kernel), 0);
            EXPECT_EQ(alone.out.bytes(), together.out.bytes()) << kernel->name << " " << threads << " threads";
        }
    }
}

TEST_P(AttentionTest, WorkspaceGrowsLinearlyWithTokens) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        AttentionArgs args;
        args.batch = 1, args.heads = 4, args.headDim = 64, args.element = element, args.threads = 2;
        const auto bytesAt = [&](std::int64_t tokens) {
            args.queries = args.keys = tokens;
            return attentionWorkspaceBytes(args, *kernel);
        };
        const std::int64_t atMost = 2 * 2 * 64 * static_cast<std::int64_t>(sizeof(float));  // K and V of two heads
        EXPECT_LE(bytesAt(4096) - bytesAt(2048), 2048 * atMost) << kernel->name;
        EXPECT_LE(bytesAt(8192) - bytesAt(4096), 4096 * atMost) << kernel->name;
        EXPECT_LE(bytesAt(8192), 2 * bytesAt(4096)) << kernel->name;
    }
}

TEST_P(AttentionTest, RefusesHeadWidthsItDoesNotKnow) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        AttentionArgs args;
        args.batch = args.heads = args.queries = args.keys = 1;
        args.element = element;
        for (const std::int64_t headDim : {-16, 0, 8, 17, 528}) {
            args.headDim = headDim;
            EXPECT_EQ(attention(args, *kernel), -1) << headDim;
        }
    }
}

std::string targetName(const ::testing::TestParamInfo<AttentionTarget>& info) {
    constexpr const char* kNames[] = {"AmxBf16", "Avx512", "Avx2", "Sse4", "Baseline"};
    return kNames[static_cast<std::size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Targets, AttentionTest, ::testing::ValuesIn(kAttentionTargets), targetName);

TEST(Attention, RunsTheBestKernelOfThisProcessor) {
    for (const Element element : kElements) {
        AttentionProblem problem(
            {.heads = 2, .queries = 70, .keys = 90, .headDim = 64, .element = element, .threads = 2});
        Workspace workspace(attentionWorkspaceBytes(problem.args));
        problem.args.workspace = workspace.data();
        ASSERT_EQ(attention(problem.args), 0);
        EXPECT_LE(problem.largestError(), element == Element::F32 ? 5e-6 : 2.5e-2);
        EXPECT_TRUE(workspace.guardsUntouched());
        bool known = false;
        for (const AttentionTarget target : kAttentionTargets) {
            const AttentionKernel* kernel = findAttentionKernel(target, element);
            if (kernel != nullptr) {  // the first that is there is the best
                EXPECT_STREQ(attentionTarget(element), kernel->name);
                known = true;
                break;
            }
        }
        EXPECT_TRUE(known);
    }
}

}  // namespace
}  // namespace fw::kernels::cpu
