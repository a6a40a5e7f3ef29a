#include "core/backend/arena.h"

#include <limits>

namespace fw::backend {

namespace {
constexpr std::int64_t kBlockAlignment = 256;
}  // namespace

Result<std::unique_ptr<Arena>> Arena::create(Device& device, std::int64_t capacityBytes) {
    FW_ASSIGN(auto buffer, device.allocate(capacityBytes));
    const DeviceKind kind = buffer->device();
    return std::unique_ptr<Arena>(new Arena(std::move(buffer), capacityBytes, kind));
}

std::unique_ptr<Arena> Arena::createMeta() {
    return std::unique_ptr<Arena>(
        new Arena(nullptr, std::numeric_limits<std::int64_t>::max() / 2, DeviceKind::Meta));
}

Status Arena::resize(Device& device, std::int64_t capacityBytes) {
    FW_CHECK(m_used == 0, "an arena with {} bytes in use", m_used);
    m_buffer.reset();
    m_capacity = 0;
    FW_ASSIGN(m_buffer, device.allocate(capacityBytes));
    m_capacity = capacityBytes;
    return {};
}

TensorView Arena::take(DType dtype, const Shape& shape) {
    const std::int64_t bytes = shape.product() * dtypeSize(dtype);
    FW_CHECK(bytes >= 0, "shape {}", shape.text());
    const std::int64_t padded = (bytes + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
    FW_CHECK(padded <= m_capacity - m_used, "arena of {} bytes, {} in use, {} asked: the plan was too small",
             m_capacity, m_used, padded);
    void* data = nullptr;
    if (m_buffer && m_buffer->data() != nullptr) {
        data = static_cast<std::byte*>(m_buffer->data()) + m_used;
    }
    m_used += padded;
    m_highWater = std::max(m_highWater, m_used);
    return {data, dtype, shape, m_device};
}

}  // namespace fw::backend
