// Sparse attention against dense attention in double precision with the same keys masked.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "attention_reference.h"
#include "kernels/cpu/sparse_attention_internal.h"

namespace fw::kernels::cpu {
namespace {

constexpr Element kElements[] = {Element::F32, Element::Bf16};

double toleranceOf(const AttentionKernel& kernel, Element element) {
    if (element == Element::F32) {
        return 5e-6;
    }
    return kernel.target == AttentionTarget::AmxBf16 ? 2.5e-2 : 1.6e-2;
}

// Whether a query token of (batch, head) sees a key token.
using Visible = std::function<bool(std::int64_t batch, std::int64_t head, std::int64_t query, std::int64_t key)>;

// The largest distance between the result and masked dense attention; NaN when the result holds one.
double largestError(const AttentionProblem& problem, const Visible& visible) {
    const AttentionCase& p = problem.parameters;
    double largest = 0.0;
    std::vector<double> weights(static_cast<std::size_t>(p.keys));
    for (std::int64_t row = 0; row < p.batch * p.queries * p.heads; ++row) {
        const std::int64_t b = row / p.heads / p.queries, query = row / p.heads % p.queries, head = row % p.heads;
        double top = -std::numeric_limits<double>::infinity();
        for (std::int64_t key = 0; key < p.keys; ++key) {
            double& weight = weights[static_cast<std::size_t>(key)];
            weight = -std::numeric_limits<double>::infinity();
            if (!visible(b, head, query, key)) {
                continue;
            }
            double dot = 0.0;
            for (std::int64_t d = 0; d < p.headDim; ++d) {
                dot += double{problem.q.at(b, query, head, d)} * double{problem.k.at(b, key, head, d)};
            }
            weight = double{p.scale} * dot;
            top = std::max(top, weight);
        }
        double sum = 0.0;
        for (double& weight : weights) {
            weight = std::isinf(weight) ? 0.0 : std::exp(weight - top);
            sum += weight;
        }
        for (std::int64_t d = 0; d < p.headDim; ++d) {
            double value = 0.0;
            for (std::int64_t key = 0; key < p.keys; ++key) {
                if (weights[static_cast<std::size_t>(key)] == 0.0) {
                    continue;
                }
                value += weights[static_cast<std::size_t>(key)] * double{problem.v.at(b, key, head, d)};
            }
            const double error =
                std::abs(double{problem.out.at(b, query, head, d)} - (sum > 0 ? value / sum : 0.0));
            if (std::isnan(error)) {
                return error;
            }
            largest = std::max(largest, error);
        }
    }
    return largest;
}

// 64-byte aligned memory of exactly the promised size, full of NaN.
std::unique_ptr<void, void (*)(void*)> workspaceOf(std::int64_t bytes) {
    const auto size = static_cast<std::size_t>((bytes + 63) / 64 * 64);
    void* memory = std::aligned_alloc(64, std::max<std::size_t>(size, 64));
    std::memset(memory, 0xFF, std::max<std::size_t>(size, 64));
    return {memory, std::free};
}

// Raster order, and position p·frames + f for token f·plane + p (the last plane may be cut off).
struct Orders {
    std::vector<std::int32_t> raster, temporal;
    const std::int32_t* tables[2];

    Orders(std::int64_t frames, std::int64_t plane) {
        raster.resize(static_cast<std::size_t>(frames * plane));
        std::iota(raster.begin(), raster.end(), 0);
        for (std::int64_t p = 0; p < plane; ++p) {
            for (std::int64_t f = 0; f < frames; ++f) {
                temporal.push_back(static_cast<std::int32_t>(f * plane + p));
            }
        }
        tables[0] = raster.data();
        tables[1] = temporal.data();
    }
    [[nodiscard]] static std::vector<std::int64_t> positions(const std::vector<std::int32_t>& tokens) {
        std::vector<std::int64_t> result(tokens.size());
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            result[static_cast<std::size_t>(tokens[i])] = static_cast<std::int64_t>(i);
        }
        return result;
    }
};

class SparseAttentionTest : public ::testing::TestWithParam<AttentionTarget> {
 protected:
    static const AttentionKernel* kernelFor(Element element) { return findAttentionKernel(GetParam(), element); }

    void SetUp() override {
        if (kernelFor(Element::F32) == nullptr && kernelFor(Element::Bf16) == nullptr) {
            GTEST_SKIP() << "this processor does not have it";
        }
    }

    // Random lists: each query block keeps each key block with this probability.
    struct BlockCase {
        std::int64_t batch = 1, heads = 1, headDim = 64;
        std::vector<std::int32_t> starts;
        double density = 0.5;
        bool shuffledTokens = false;
        std::int64_t gap = 0;
        int threads = 1;
    };

    static void checkBlocks(const BlockCase& c) {
        for (const Element element : kElements) {
            if (const AttentionKernel* kernel = kernelFor(element)) {
                checkBlocks(c, element, *kernel);
            }
        }
    }

    static void checkBlocks(const BlockCase& c, Element element, const AttentionKernel& kernel) {
        const std::int64_t tokens = c.starts.back();
        const auto blocks = static_cast<std::int64_t>(c.starts.size()) - 1;
        AttentionProblem problem({.batch = c.batch,
                                  .heads = c.heads,
                                  .queries = tokens,
                                  .keys = tokens,
                                  .headDim = c.headDim,
                                  .element = element,
                                  .gap = c.gap,
                                  .threads = c.threads});
        std::mt19937 random(static_cast<std::uint32_t>(tokens * 31 + blocks));
        std::vector<std::int32_t> order(static_cast<std::size_t>(tokens));
        std::iota(order.begin(), order.end(), 0);
        if (c.shuffledTokens) {
            std::shuffle(order.begin(), order.end(), random);
        }
        const std::int64_t rows = c.batch * c.heads * blocks;
        std::vector<std::int32_t> lists(static_cast<std::size_t>(rows * blocks), -1), counts;
        std::vector<bool> kept(static_cast<std::size_t>(rows * blocks), false);
        std::bernoulli_distribution keep(c.density);
        for (std::int64_t row = 0; row < rows; ++row) {
            std::int32_t count = 0;
            for (std::int64_t block = blocks - 1; block >= 0; --block) {  // lists need not be sorted
                if (keep(random)) {
                    lists[static_cast<std::size_t>(row * blocks + count++)] = static_cast<std::int32_t>(block);
                    kept[static_cast<std::size_t>(row * blocks + block)] = true;
                }
            }
            counts.push_back(count);
        }
        const std::int32_t* table = order.data();
        BlockSparseArgs args{.operands = problem.args,
                             .sequences = {&table, nullptr},
                             .starts = c.starts.data(),
                             .blocks = blocks,
                             .lists = lists.data(),
                             .counts = counts.data()};
        args.listRow = blocks, args.listHead = blocks * blocks, args.listBatch = c.heads * blocks * blocks;
        args.countRow = 1, args.countHead = blocks, args.countBatch = c.heads * blocks;
        const auto workspace = workspaceOf(blockSparseWorkspaceBytes(args, kernel));
        args.operands.workspace = workspace.get();
        ASSERT_EQ(blockSparseAttention(args, kernel), 0);
        EXPECT_TRUE(problem.out.gapsUntouched());

        const std::vector<std::int64_t> position = Orders::positions(order);
        const auto blockOf = [&](std::int64_t token) {
            const auto at = static_cast<std::int32_t>(position[static_cast<std::size_t>(token)]);
            return std::upper_bound(c.starts.begin(), c.starts.end(), at) - c.starts.begin() - 1;
        };
        const double error =
            largestError(problem, [&](std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t key) {
                const std::int64_t row = (b * c.heads + h) * blocks + blockOf(query);
                return kept[static_cast<std::size_t>(row * blocks + blockOf(key))];
            });
        EXPECT_LE(error, toleranceOf(kernel, element))
            << kernel.name << " tokens " << tokens << " blocks " << blocks;
    }

    static std::vector<std::int32_t> uniform(std::int64_t tokens, std::int64_t size) {
        std::vector<std::int32_t> starts;
        for (std::int64_t at = 0; at < tokens; at += size) {
            starts.push_back(static_cast<std::int32_t>(at));
        }
        starts.push_back(static_cast<std::int32_t>(tokens));
        return starts;
    }

    struct WindowCase {
        std::int64_t frames = 1, plane = 1, window = 0, sinkTokens = 0;
        std::int64_t batch = 1, heads = 2, headDim = 32;
        int threads = 1;
    };

    // Head 0 in raster order, head 1 in token-major order, and so on.
    static void checkWindow(const WindowCase& c) {
        for (const Element element : kElements) {
            const AttentionKernel* kernel = kernelFor(element);
            if (kernel == nullptr) {
                continue;
            }
            const std::int64_t tokens = c.frames * c.plane;
            AttentionProblem problem({.batch = c.batch,
                                      .heads = c.heads,
                                      .queries = tokens,
                                      .keys = tokens,
                                      .headDim = c.headDim,
                                      .element = element,
                                      .gap = 3,
                                      .threads = c.threads});
            const Orders orders(c.frames, c.plane);
            std::vector<std::uint8_t> of;
            for (std::int64_t i = 0; i < c.batch * c.heads; ++i) {
                of.push_back(static_cast<std::uint8_t>(i % 2));
            }
            const std::int64_t steps[] = {1, c.frames};
            WindowArgs args{.operands = problem.args,
                            .sequences = {orders.tables, of.data()},
                            .window = c.window,
                            .sinkTokens = c.sinkTokens,
                            .sinkSteps = steps};
            const auto workspace = workspaceOf(windowWorkspaceBytes(args, *kernel));
            args.operands.workspace = workspace.get();
            ASSERT_EQ(windowAttention(args, *kernel), 0);
            EXPECT_TRUE(problem.out.gapsUntouched());
            const std::vector<std::int64_t> positions[] = {Orders::positions(orders.raster),
                                                           Orders::positions(orders.temporal)};
            const double error =
                largestError(problem, [&](std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t key) {
                    const auto& at = positions[of[static_cast<std::size_t>(b * c.heads + h)]];
                    const std::int64_t distance =
                        std::abs(at[static_cast<std::size_t>(query)] - at[static_cast<std::size_t>(key)]);
                    return distance <= c.window || key < c.sinkTokens;
                });
            EXPECT_LE(error, toleranceOf(*kernel, element)) << kernel->name << " " << c.frames << " x " << c.plane
                                                            << " window " << c.window << " sink " << c.sinkTokens;
        }
    }
};

TEST_P(SparseAttentionTest, RandomBlocksOfEverySize) {
    for (const std::int64_t size : {60, 64, 128}) {
        for (const std::int64_t tokens : {1, 63, 65, 127, 257}) {
            checkBlocks({.headDim = 32, .starts = uniform(tokens, size), .density = 0.4});
        }
    }
}

TEST_P(SparseAttentionTest, BlocksOfUnequalSizesInAnyTokenOrder) {
    checkBlocks({.batch = 2,
                 .heads = 3,
                 .headDim = 32,
                 .starts = {0, 1, 65, 66, 194, 195, 290},
                 .density = 0.5,
                 .shuffledTokens = true,
                 .gap = 5,
                 .threads = 2});
    checkBlocks({.headDim = 128, .starts = {0, 33, 64, 97, 150}, .density = 0.5, .shuffledTokens = true});
    checkBlocks({.headDim = 80, .starts = {0, 128, 150}, .density = 1.0, .shuffledTokens = true});
}

TEST_P(SparseAttentionTest, EveryDensityFromNothingToDense) {
    for (const double density : {0.0, 0.05, 0.95, 1.0}) {
        checkBlocks({.headDim = 16, .starts = uniform(265, 64), .density = density});
    }
}

TEST_P(SparseAttentionTest, WindowsInBothOrders) {
    for (const std::int64_t window : {0, 1, 15, 32, 63, 64, 100, 1000}) {
        checkWindow({.frames = 5, .plane = 41, .window = window, .headDim = 16});
    }
    checkWindow({.frames = 1, .plane = 1, .window = 0});
    checkWindow({.frames = 1, .plane = 131, .window = 7});
    checkWindow({.frames = 131, .plane = 1, .window = 7});
    checkWindow({.frames = 7, .plane = 41, .window = 70, .batch = 2, .heads = 1, .headDim = 64, .threads = 2});
}

TEST_P(SparseAttentionTest, TheFirstFrameIsSeenFromEverywhere) {
    for (const std::int64_t window : {0, 31, 64, 200}) {
        checkWindow({.frames = 4, .plane = 67, .window = window, .sinkTokens = 67, .headDim = 16});
    }
    checkWindow({.frames = 3, .plane = 11, .window = 2, .sinkTokens = 11});
    checkWindow({.frames = 2, .plane = 130, .window = 40, .sinkTokens = 130});
}

TEST_P(SparseAttentionTest, GivesTheSameBitsWithAnyNumberOfThreads) {
    for (const Element element : kElements) {
        const AttentionKernel* kernel = kernelFor(element);
        if (kernel == nullptr) {
            continue;
        }
        std::vector<std::uint8_t> first;
        for (const int threads : {1, 2, 5}) {
            AttentionProblem problem(
                {.heads = 3, .queries = 301, .keys = 301, .headDim = 64, .element = element, .threads = threads});
            const Orders orders(7, 43);
            const std::uint8_t of[] = {0, 1, 0};
            WindowArgs args{.operands = problem.args, .sequences = {orders.tables, of}, .window = 37};
            const auto workspace = workspaceOf(windowWorkspaceBytes(args, *kernel));
            args.operands.workspace = workspace.get();
            ASSERT_EQ(windowAttention(args, *kernel), 0);
            if (first.empty()) {
                first = problem.out.bytes();
            }
            EXPECT_EQ(first, problem.out.bytes()) << kernel->name << " " << threads << " threads";
        }
    }
}

TEST_P(SparseAttentionTest, RefusesListsAndOperandsThatCannotBe) {
    const AttentionKernel* kernel = kernelFor(Element::F32);
    if (kernel == nullptr) {
        GTEST_SKIP() << "bf16 only";
    }
    AttentionProblem problem({.queries = 100, .keys = 100, .headDim = 16});
    const Orders orders(1, 100);
    std::vector<std::int32_t> starts{0, 64, 100}, lists{0, 1, 0, 1}, counts{2, 2};
    BlockSparseArgs args{.operands = problem.args,
                         .sequences = {orders.tables, nullptr},
                         .starts = starts.data(),
                         .blocks = 2,
                         .lists = lists.data(),
                         .counts = counts.data(),
                         .listRow = 2,
                         .countRow = 1};
    const auto workspace = workspaceOf(blockSparseWorkspaceBytes(args, *kernel));
    args.operands.workspace = workspace.get();
    EXPECT_EQ(blockSparseAttention(args, *kernel), 0);
    lists[3] = 2;
    EXPECT_EQ(blockSparseAttention(args, *kernel), -1) << "there is no block 2";
    lists[3] = -1;
    EXPECT_EQ(blockSparseAttention(args, *kernel), -1);
    lists[3] = 1;
    counts[0] = 3;
    EXPECT_EQ(blockSparseAttention(args, *kernel), -1) << "more blocks than there are";
    counts[0] = 2;
    starts[1] = 100;
    EXPECT_EQ(blockSparseAttention(args, *kernel), -1) << "an empty block";
    WindowArgs window{.operands = args.operands, .sequences = args.sequences, .window = -1};
    EXPECT_EQ(windowAttention(window, *kernel), -1);
    window.window = 1;
    window.operands.headDim = 8;
    EXPECT_EQ(windowAttention(window, *kernel), -1);
}

std::string targetName(const ::testing::TestParamInfo<AttentionTarget>& info) {
    constexpr const char* kNames[] = {"AmxBf16", "Avx512", "Avx2", "Sse4", "Baseline"};
    return kNames[static_cast<std::size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Targets, SparseAttentionTest, ::testing::ValuesIn(kAttentionTargets), targetName);

}  // namespace
}  // namespace fw::kernels::cpu
