// Nested loops over strided operands, reduced to as few loops as their strides allow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fw::kernels::cpu {

inline constexpr int kMaxLoops = 8;

// extents[0] is the outermost loop; strides[o][i] is what one step of loop i adds to operand o, in elements.
template <std::size_t kOperands>
struct LoopNest {
    int rank = 0;
    std::array<std::int64_t, kMaxLoops> extents{};
    std::array<std::array<std::int64_t, kMaxLoops>, kOperands> strides{};

    using Offsets = std::array<std::int64_t, kOperands>;

    void push(std::int64_t extent, const Offsets& step) {
        extents[static_cast<std::size_t>(rank)] = extent;
        for (std::size_t o = 0; o < kOperands; ++o) {
            strides[o][static_cast<std::size_t>(rank)] = step[o];
        }
        ++rank;
    }

    [[nodiscard]] std::int64_t count() const {
        std::int64_t result = 1;
        for (int i = 0; i < rank; ++i) {
            result *= extents[static_cast<std::size_t>(i)];
        }
        return result;
    }

    [[nodiscard]] Offsets step(int loop) const {
        Offsets result{};
        for (std::size_t o = 0; o < kOperands; ++o) {
            result[o] = strides[o][static_cast<std::size_t>(loop)];
        }
        return result;
    }

    // Offsets of iteration `index` of the whole nest, counted row-major.
    [[nodiscard]] Offsets offsetsAt(std::int64_t index) const {
        Offsets offsets{};
        for (int i = rank; i-- > 0;) {
            const auto loop = static_cast<std::size_t>(i);
            const std::int64_t position = index % extents[loop];
            index /= extents[loop];
            for (std::size_t o = 0; o < kOperands; ++o) {
                offsets[o] += position * strides[o][loop];
            }
        }
        return offsets;
    }

    // The same iterations in the same order without loops of extent 1, neighbours that step evenly merged.
    [[nodiscard]] LoopNest merged() const {
        LoopNest result;
        for (int i = 0; i < rank; ++i) {
            const auto loop = static_cast<std::size_t>(i);
            if (extents[loop] == 1) {
                continue;
            }
            if (result.rank > 0 && result.mergesWith(*this, loop)) {
                const auto last = static_cast<std::size_t>(result.rank - 1);
                result.extents[last] *= extents[loop];
                for (std::size_t o = 0; o < kOperands; ++o) {
                    result.strides[o][last] = strides[o][loop];
                }
            } else {
                result.push(extents[loop], step(i));
            }
        }
        return result;
    }

    // The nest without loop `removed`.
    [[nodiscard]] LoopNest without(int removed) const {
        LoopNest result;
        for (int i = 0; i < rank; ++i) {
            if (i != removed) {
                result.push(extents[static_cast<std::size_t>(i)], step(i));
            }
        }
        return result;
    }

 private:
    [[nodiscard]] bool mergesWith(const LoopNest& other, std::size_t loop) const {
        const auto last = static_cast<std::size_t>(rank - 1);
        for (std::size_t o = 0; o < kOperands; ++o) {
            if (strides[o][last] != other.strides[o][loop] * other.extents[loop]) {
                return false;
            }
        }
        return true;
    }
};

}  // namespace fw::kernels::cpu
