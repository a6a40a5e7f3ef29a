// Counter-based random numbers: the same seed gives the same noise on every device, thread count and order.
//
// Philox4x32-10 of Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
// https://doi.org/10.1145/2063384.2063405.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace fw::pipeline {

// One block: four 32-bit words from a 128-bit counter and a 64-bit key, ten rounds.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

// Independent sequences of one seed.
enum class NoiseStream : std::uint32_t { InitialLatents = 0 };

// Fills `out` with elements [first, first + out.size()) of the standard normal sequence of (seed, stream).
//
// Element i comes from block i/4 (counter {low, high of i/4, stream, 0}, key = the seed's halves) by the Box-Muller
// transform: words (0, 1) give elements 0 and 1 of the block, words (2, 3) elements 2 and 3. Logarithm, sine and
// cosine are evaluated here with a fixed order of IEEE operations (add, multiply, divide, square root only), so the
// bits do not depend on the C library or the processor. Values lie within ±6.8.
void fillNormal(std::uint64_t seed, NoiseStream stream, std::uint64_t first, std::span<float> out);

}  // namespace fw::pipeline
