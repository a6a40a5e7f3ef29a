#include "core/pipeline/philox.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

namespace fw::pipeline {
namespace {

using Counter = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

// The known answers published with the paper's library (Random123, kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, GivesThePublishedAnswers) {
    EXPECT_EQ(philox4x32(Counter{0, 0, 0, 0}, Key{0, 0}),
              (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox4x32(Counter{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, Key{0xffffffff, 0xffffffff}),
              (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32(Counter{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, Key{0xa4093822, 0x299f31d0}),
              (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<float> normals(std::uint64_t seed, std::uint64_t first, std::size_t count) {
    std::vector<float> result(count);
    fillNormal(seed, NoiseStream::InitialLatents, first, result);
    return result;
}

// The definition in philox.h evaluated with the C library in long double: our own series must agree to the float.
TEST(Normal, FollowsItsDefinition) {
    constexpr std::uint64_t kSeed = 0x0123456789abcdefULL;
    const auto values = normals(kSeed, 0, 4000);
    for (std::size_t block = 0; block < 1000; ++block) {
        const auto words = philox4x32({static_cast<std::uint32_t>(block), 0, 0, 0}, {0x89abcdefU, 0x01234567U});
        for (std::size_t pair = 0; pair < 2; ++pair) {
            const long double u = (static_cast<long double>(words[2 * pair]) + 0.5L) * 0x1p-32L;
            const long double angle = 6.283185307179586476925286766559L *
                                      (static_cast<long double>(words[2 * pair + 1]) + 0.5L) * 0x1p-32L;
            const long double radius = std::sqrt(-2.0L * std::log(u));
            const auto near = [](long double exact) { return static_cast<double>(std::abs(exact)) * 1e-7 + 1e-9; };
            const long double first = radius * std::cos(angle);
            const long double second = radius * std::sin(angle);
            EXPECT_NEAR(static_cast<double>(values[4 * block + 2 * pair]), static_cast<double>(first), near(first));
            EXPECT_NEAR(static_cast<double>(values[4 * block + 2 * pair + 1]), static_cast<double>(second),
                        near(second));
        }
    }
}

TEST(Normal, ElementsDoNotDependOnWhereAFillStarts) {
    const auto whole = normals(7, 0, 103);
    for (const std::size_t first : {0U, 1U, 2U, 3U, 4U, 5U, 50U, 101U}) {
        const auto part = normals(7, first, whole.size() - first);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
    }
    const std::uint64_t far = (1ULL << 40U) + 3;  // the counter's second word is in use
    EXPECT_EQ(normals(7, far, 5)[1], normals(7, far + 1, 1)[0]);
    EXPECT_NE(normals(7, far, 4), normals(7, 3, 4));
}

TEST(Normal, SeedsDiffer) {
    EXPECT_NE(normals(1, 0, 8), normals(2, 0, 8));
    EXPECT_NE(normals(1, 0, 8), normals(1ULL << 32U, 0, 8));
}

TEST(Normal, HasTheRightMoments) {
    const auto values = normals(42, 0, 1'000'000);
    double mean = 0;
    double square = 0;
    double fourth = 0;
    for (const float value : values) {
        const auto x = static_cast<double>(value);
        ASSERT_TRUE(std::isfinite(x));
        ASSERT_LT(std::abs(x), 6.8);
        mean += x;
        square += x * x;
        fourth += x * x * x * x;
    }
    const auto n = static_cast<double>(values.size());
    EXPECT_NEAR(mean / n, 0.0, 0.004);  // four standard errors
    EXPECT_NEAR(square / n, 1.0, 0.006);
    EXPECT_NEAR(fourth / n, 3.0, 0.04);
}

// Frozen bits: a clip made with a seed today must start from the same noise on every later version.
TEST(Normal, KeepsItsBits) {
    const auto values = normals(1234, 0, 6);
    std::uint64_t hash = 1469598103934665603ULL;
    for (const float value : normals(1234, 0, 100'000)) {
        hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 1099511628211ULL;
    }
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[0]), 1067275510U);
    EXPECT_EQ(hash, 4236438171637844680ULL);
}

}  // namespace
}  // namespace fw::pipeline
