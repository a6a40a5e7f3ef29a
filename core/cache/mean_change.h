// How far one tensor is from another, as numbers on the host.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "core/method/run_context.h"

namespace fw::cache {

// mean |a - b| / mean |b| of numbers on the host; 0 when b is all zeros.
[[nodiscard]] inline double relativeChange(const std::vector<float>& a, const std::vector<float>& b) {
    double far = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        far += std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        size += std::fabs(static_cast<double>(b[i]));
    }
    return size > 0.0 ? far / size : 0.0;
}

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
