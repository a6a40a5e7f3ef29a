// Borrowed, strided views of tensors. They own nothing and are passed by value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace fw {

// Where the bytes live. Meta tensors have shape and type but no bytes: the planner's dry run uses them.
enum class DeviceKind : std::uint8_t { Cpu, Cuda, Meta };

// A read-only view: pointer, type, shape and strides in elements.
class ConstTensorView {
 public:
    ConstTensorView() = default;
    ConstTensorView(const void* data, DType dtype, const Shape& shape, const Strides& strides,
                    DeviceKind device = DeviceKind::Cpu)
        : m_data(const_cast<void*>(data)), m_dtype(dtype), m_device(device), m_shape(shape), m_strides(strides) {
        FW_CHECK(shape.rank() == strides.rank(), "shape {} with strides {}", shape.text(), strides.text());
    }
    ConstTensorView(const void* data, DType dtype, const Shape& shape, DeviceKind device = DeviceKind::Cpu)
        : ConstTensorView(data, dtype, shape, contiguousStrides(shape), device) {}

    [[nodiscard]] const void* data() const { return m_data; }
    [[nodiscard]] DType dtype() const { return m_dtype; }
    [[nodiscard]] DeviceKind device() const { return m_device; }
    [[nodiscard]] const Shape& shape() const { return m_shape; }
    [[nodiscard]] const Strides& strides() const { return m_strides; }
    [[nodiscard]] std::size_t rank() const { return m_shape.rank(); }
    [[nodiscard]] std::int64_t dim(std::int64_t i) const { return m_shape.at(i); }
    [[nodiscard]] std::int64_t stride(std::int64_t i) const { return m_strides.at(i); }
    [[nodiscard]] std::int64_t count() const { return m_shape.product(); }
    [[nodiscard]] std::int64_t bytes() const { return count() * dtypeSize(m_dtype); }
    // No view at all (optional operands), as opposed to a Meta view, whose data is also null.
    [[nodiscard]] bool isNone() const { return m_data == nullptr && m_device != DeviceKind::Meta; }
    [[nodiscard]] bool isContiguous() const;

    template <class T>
    [[nodiscard]] const T* as() const {
        FW_CHECK(kDTypeOf<T> == m_dtype, "tensor is {}", dtypeName(m_dtype));
        return static_cast<const T*>(m_data);
    }

    // The same bytes under another shape of equal count. The view must be contiguous.
    [[nodiscard]] ConstTensorView reshape(const Shape& shape) const;
    // Elements [begin, end) along `dim` (negative counts from the back).
    [[nodiscard]] ConstTensorView slice(std::int64_t dim, std::int64_t begin, std::int64_t end) const;
    // Dimension `dim` split in two of extents (outer, inner).
    [[nodiscard]] ConstTensorView split(std::int64_t dim, std::int64_t outer, std::int64_t inner) const;
    // Dimensions reordered: result dimension i is this view's dimension order[i].
    [[nodiscard]] ConstTensorView permute(const Dims& order) const;
    // Extents of 1 repeated to `shape` with stride 0, numpy's rule (missing leading dimensions count as 1).
    [[nodiscard]] ConstTensorView broadcastTo(const Shape& shape) const;

    // "bf16[2, 3] on cpu": for error messages.
    [[nodiscard]] std::string text() const;

 protected:
    void* m_data = nullptr;
    DType m_dtype = DType::F32;
    DeviceKind m_device = DeviceKind::Cpu;
    Shape m_shape;
    Strides m_strides;
};

// A view that may be written through.
class TensorView : public ConstTensorView {
 public:
    TensorView() = default;
    TensorView(void* data, DType dtype, const Shape& shape, const Strides& strides,
               DeviceKind device = DeviceKind::Cpu)
        : ConstTensorView(data, dtype, shape, strides, device) {}
    TensorView(void* data, DType dtype, const Shape& shape, DeviceKind device = DeviceKind::Cpu)
        : ConstTensorView(data, dtype, shape, device) {}

    using ConstTensorView::data;
    [[nodiscard]] void* data() { return m_data; }
    using ConstTensorView::as;
    template <class T>
    [[nodiscard]] T* mutableAs() const {
        FW_CHECK(kDTypeOf<T> == m_dtype, "tensor is {}", dtypeName(m_dtype));
        return static_cast<T*>(m_data);
    }
    [[nodiscard]] void* mutableData() const { return m_data; }

    [[nodiscard]] TensorView reshape(const Shape& shape) const { return from(ConstTensorView::reshape(shape)); }
    [[nodiscard]] TensorView slice(std::int64_t dim, std::int64_t begin, std::int64_t end) const {
        return from(ConstTensorView::slice(dim, begin, end));
    }
    [[nodiscard]] TensorView split(std::int64_t dim, std::int64_t outer, std::int64_t inner) const {
        return from(ConstTensorView::split(dim, outer, inner));
    }
    [[nodiscard]] TensorView permute(const Dims& order) const { return from(ConstTensorView::permute(order)); }

 private:
    static TensorView from(const ConstTensorView& view) {
        return {const_cast<void*>(view.data()), view.dtype(), view.shape(), view.strides(), view.device()};
    }
};

}  // namespace fw
