// Pseudo-random weights and inputs that Python and C++ compute bit for bit alike: the C++ half of recipe.py.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fw::golden {

// Numbers of the stream that `name` and `seed` start: splitmix64 (https://prng.di.unimi.it/splitmix64.c).
class Stream {
 public:
    Stream(std::string_view name, std::uint64_t seed) {
        for (const char c : name) {
            m_state = (m_state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
        }
        m_state ^= seed * 0x9E3779B97F4A7C15U;
    }

    // Uniform in [-1, 1), a multiple of 2^-23.
    double next() {
        m_state += 0x9E3779B97F4A7C15U;
        std::uint64_t z = m_state;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        z ^= z >> 31U;
        return static_cast<double>(z >> 40U) * 0x1p-23 - 1.0;
    }

 private:
    std::uint64_t m_state = 0xCBF29CE484222325U;  // FNV-1a's offset basis
};

// `count` numbers, uniform with this mean and standard deviation.
inline std::vector<float> values(std::string_view name, std::uint64_t seed, std::int64_t count,
                                 double deviation = 1.0, double mean = 0.0) {
    Stream stream(name, seed);
    std::vector<float> result(static_cast<std::size_t>(count));
    for (float& value : result) {
        value = static_cast<float>(mean + stream.next() * (deviation * std::sqrt(3.0)));
    }
    return result;
}

// `count` numbers, nearly N(0, 1): sums of twelve uniform ones.
inline std::vector<float> gaussian(std::string_view name, std::uint64_t seed, std::int64_t count) {
    Stream stream(name, seed);
    std::vector<float> result(static_cast<std::size_t>(count));
    for (float& value : result) {
        double sum = 0.0;
        for (int i = 0; i < 12; ++i) {
            sum += stream.next();
        }
        value = static_cast<float>(0.5 * sum);
    }
    return result;
}

}  // namespace fw::golden
