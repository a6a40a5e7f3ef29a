#include "core/tensor/tensor_view.h"

#include <fmt/core.h>

namespace fw {

namespace {

std::size_t normalise(std::int64_t dim, std::size_t rank) {
    const std::int64_t index = dim < 0 ? dim + static_cast<std::int64_t>(rank) : dim;
    FW_CHECK(index >= 0 && index < static_cast<std::int64_t>(rank), "dimension {} of a rank-{} tensor", dim, rank);
    return static_cast<std::size_t>(index);
}

const char* deviceName(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::Cpu:
            return "cpu";
        case DeviceKind::Cuda:
            return "cuda";
        case DeviceKind::Meta:
            return "meta";
    }
    return "?";
}

}  // namespace

bool ConstTensorView::isContiguous() const {
    std::int64_t expected = 1;
    for (std::size_t i = rank(); i-- > 0;) {
        if (m_shape[i] != 1 && m_strides[i] != expected) {
            return false;
        }
        expected *= m_shape[i];
    }
    return true;
}

ConstTensorView ConstTensorView::reshape(const Shape& shape) const {
    FW_CHECK(isContiguous(), "reshape of a strided view {}", text());
    FW_CHECK(shape.product() == count(), "reshape of {} to {}", text(), shape.text());
    return {m_data, m_dtype, shape, m_device};
}

ConstTensorView ConstTensorView::slice(std::int64_t dim, std::int64_t begin, std::int64_t end) const {
    const std::size_t d = normalise(dim, rank());
    FW_CHECK(0 <= begin && begin <= end && end <= m_shape[d], "slice [{}, {}) of dimension {} of {}", begin, end, d,
             text());
    ConstTensorView result = *this;
    if (m_data != nullptr) {
        result.m_data = static_cast<std::byte*>(m_data) + begin * m_strides[d] * dtypeSize(m_dtype);
    }
    result.m_shape[d] = end - begin;
    return result;
}

ConstTensorView ConstTensorView::split(std::int64_t dim, std::int64_t outer, std::int64_t inner) const {
    const std::size_t d = normalise(dim, rank());
    FW_CHECK(outer * inner == m_shape[d], "split of {} into {} x {}", m_shape[d], outer, inner);
    Shape shape;
    Strides strides;
    for (std::size_t i = 0; i < rank(); ++i) {
        if (i == d) {
            shape.push(outer);
            strides.push(m_strides[i] * inner);
            shape.push(inner);
            strides.push(m_strides[i]);
        } else {
            shape.push(m_shape[i]);
            strides.push(m_strides[i]);
        }
    }
    return {m_data, m_dtype, shape, strides, m_device};
}

ConstTensorView ConstTensorView::permute(const Dims& order) const {
    FW_CHECK(order.rank() == rank(), "permutation {} of {}", order.text(), text());
    Shape shape;
    Strides strides;
    for (const std::int64_t i : order) {
        shape.push(m_shape.at(i));
        strides.push(m_strides.at(i));
    }
    return {m_data, m_dtype, shape, strides, m_device};
}

ConstTensorView ConstTensorView::broadcastTo(const Shape& shape) const {
    FW_CHECK(shape.rank() >= rank(), "broadcast of {} to {}", text(), shape.text());
    const std::size_t missing = shape.rank() - rank();
    Strides strides;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        if (i < missing) {
            strides.push(0);
            continue;
        }
        const std::int64_t extent = m_shape[i - missing];
        FW_CHECK(extent == shape[i] || extent == 1, "broadcast of {} to {}", text(), shape.text());
        strides.push(extent == shape[i] ? m_strides[i - missing] : 0);
    }
    return {m_data, m_dtype, shape, strides, m_device};
}

std::string ConstTensorView::text() const {
    return fmt::format("{}{} on {}", dtypeName(m_dtype), m_shape.text(), deviceName(m_device));
}

}  // namespace fw
