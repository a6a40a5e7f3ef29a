// Compiled with -ffp-contract=off: a fused multiply-add would change the last bit.
#include "core/pipeline/philox.h"

#include <bit>
#include <cmath>

namespace fw::pipeline {

namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53U;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57U;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;
constexpr int kRounds = 10;

constexpr double kTwoPi = 6.283185307179586476925286766559;
constexpr double kLn2 = 0.69314718055994530941723212145818;
constexpr double kSqrt2 = 1.4142135623730950488016887242097;

std::uint32_t high(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32U);
}
std::uint32_t low(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}

// The middle of the word's cell: never 0, never 1.
double unit(std::uint32_t word) {
    return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

// ln(x) for normal x > 0: x = m·2^e with m in [√½, √2), ln m = 2·artanh((m-1)/(m+1)) as a series to f²³.
double naturalLog(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    int exponent = static_cast<int>(bits >> 52U) - 1023;
    double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
    if (m >= kSqrt2) {
        m *= 0.5;
        ++exponent;
    }
    const double f = (m - 1.0) / (m + 1.0);
    const double square = f * f;
    double series = 0.0;
    for (int k = 23; k >= 1; k -= 2) {
        series = series * square + 1.0 / static_cast<double>(k);
    }
    return static_cast<double>(exponent) * kLn2 + 2.0 * f * series;
}

struct SineCosine {
    double sine;
    double cosine;
};

// Of 2π·turns for turns in [0, 1): reduced exactly to an eighth of a turn around a quarter, then Taylor's series.
SineCosine sineCosineOfTurns(double turns) {
    const auto quarter = static_cast<int>(turns * 4.0 + 0.5);
    const double x = (turns - static_cast<double>(quarter) * 0.25) * kTwoPi;
    const double square = x * x;
    double s = 1.0;
    double c = 1.0;
    for (int k = 18; k >= 2; k -= 2) {
        s = 1.0 - s * square / static_cast<double>(k * (k + 1));
        c = 1.0 - c * square / static_cast<double>(k * (k - 1));
    }
    s *= x;
    switch (quarter & 3) {
        case 0:
            return {s, c};
        case 1:
            return {c, -s};
        case 2:
            return {-s, -c};
        default:
            return {-c, s};
    }
}

// Box and Muller 1958, https://doi.org/10.1214/aoms/1177706645.
std::array<float, 2> normalPair(std::uint32_t radiusWord, std::uint32_t angleWord) {
    const double radius = std::sqrt(-2.0 * naturalLog(unit(radiusWord)));
    const auto [sine, cosine] = sineCosineOfTurns(unit(angleWord));
    return {static_cast<float>(radius * cosine), static_cast<float>(radius * sine)};
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < kRounds; ++round) {
        const std::uint64_t product0 = static_cast<std::uint64_t>(kMultiplier0) * counter[0];
        const std::uint64_t product1 = static_cast<std::uint64_t>(kMultiplier1) * counter[2];
        counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
                   low(product0)};
        key[0] += kWeyl0;
        key[1] += kWeyl1;
    }
    return counter;
}

void fillNormal(std::uint64_t seed, NoiseStream stream, std::uint64_t first, std::span<float> out) {
    const std::array<std::uint32_t, 2> key{low(seed), high(seed)};
    std::uint64_t block = 0;
    std::array<float, 4> normals{};
    bool haveBlock = false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::uint64_t element = first + i;
        if (!haveBlock || element / 4 != block) {
            block = element / 4;
            haveBlock = true;
            const auto words = philox4x32({low(block), high(block), static_cast<std::uint32_t>(stream), 0}, key);
            const auto front = normalPair(words[0], words[1]);
            const auto back = normalPair(words[2], words[3]);
            normals = {front[0], front[1], back[0], back[1]};
        }
        out[i] = normals[element % 4];
    }
}

}  // namespace fw::pipeline
