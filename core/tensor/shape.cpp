#include "core/tensor/shape.h"

#include <fmt/ranges.h>

namespace fw {

std::string Dims::text() const {
    return fmt::format("[{}]", fmt::join(begin(), end(), ", "));
}

Strides contiguousStrides(const Shape& shape) {
    Strides strides = shape;
    std::int64_t step = 1;
    for (std::size_t i = shape.rank(); i-- > 0;) {
        strides[i] = step;
        step *= shape[i];
    }
    return strides;
}

}  // namespace fw
