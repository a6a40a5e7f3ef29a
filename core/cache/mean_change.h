// How far one tensor is from another, as numbers on the host: waits for the device.
#pragma once

#include <array>
#include <cmath>

#include "core/method/run_context.h"

namespace fw::cache {

class MeanChange {
 public:
    struct Values {
        double difference = 0.0;  // mean |a - b|
        double reference = 0.0;   // mean |b|
    };
    MeanChange() = default;
    // `means`: f32 [4] on the device, borrowed.
    explicit MeanChange(const TensorView& means) : m_means(means) {}

    // a, b of equal shape, contiguous. Internal when the values are not finite.
    [[nodiscard]] Result<Values> measure(method::RunContext& context, const ConstTensorView& a,
                                         const ConstTensorView& b) const {
        const Shape rows{1, a.count() / a.dim(-1), a.dim(-1)};
        context.ops.difference(a.reshape(rows), b.reshape(rows), m_means);
        std::array<float, 4> values{};
        context.ops.download(m_means, TensorView(values.data(), DType::F32, m_means.shape()));
        FW_TRY(context.ops.synchronize());
        if (!std::isfinite(values[0]) || !std::isfinite(values[1])) {
            return fail(ErrorCode::Internal,
                        "the step cache met numbers that are not finite at step {}; try --dtype f32 or no cache",
                        context.step + 1);
        }
        return Values{static_cast<double>(values[0]), static_cast<double>(values[1])};
    }

 private:
    TensorView m_means;
};

}  // namespace fw::cache
