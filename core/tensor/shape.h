// Shapes and strides: small fixed-capacity lists of int64.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "core/base/check.h"

namespace fw {

// Up to eight dimensions, outermost first. Used for shapes (extents) and for strides (elements).
class Dims {
 public:
    static constexpr std::size_t kMaxRank = 8;

    Dims() = default;
    Dims(std::initializer_list<std::int64_t> values) : Dims(std::span(values.begin(), values.size())) {}
    explicit Dims(std::span<const std::int64_t> values) : m_rank(values.size()) {
        FW_CHECK(values.size() <= kMaxRank, "rank {} is above {}", values.size(), kMaxRank);
        std::copy(values.begin(), values.end(), m_values.begin());
    }

    [[nodiscard]] std::size_t rank() const { return m_rank; }
    [[nodiscard]] std::int64_t operator[](std::size_t i) const { return m_values[i]; }
    [[nodiscard]] std::int64_t& operator[](std::size_t i) { return m_values[i]; }
    // at(-1) is the last dimension.
    [[nodiscard]] std::int64_t at(std::int64_t i) const {
        const auto rank = static_cast<std::int64_t>(m_rank);
        const std::int64_t index = i < 0 ? i + rank : i;
        FW_CHECK(index >= 0 && index < rank, "dimension {} of a rank-{} shape", i, rank);
        return m_values[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] const std::int64_t* begin() const { return m_values.data(); }
    [[nodiscard]] const std::int64_t* end() const { return m_values.data() + m_rank; }

    // Product of all extents; 1 for rank 0.
    [[nodiscard]] std::int64_t product() const {
        std::int64_t result = 1;
        for (const std::int64_t value : *this) {
            result *= value;
        }
        return result;
    }

    void push(std::int64_t value) {
        FW_CHECK(m_rank < kMaxRank, "more than {} dimensions", kMaxRank);
        m_values[m_rank++] = value;
    }

    bool operator==(const Dims& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

    // "[2, 3, 4]"
    [[nodiscard]] std::string text() const;

 private:
    std::array<std::int64_t, kMaxRank> m_values{};
    std::size_t m_rank = 0;
};

using Shape = Dims;
using Strides = Dims;

// Row-major strides in elements.
[[nodiscard]] Strides contiguousStrides(const Shape& shape);

}  // namespace fw
