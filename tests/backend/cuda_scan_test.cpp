// The state space kernels on tensor cores by name, in bf16 against the recurrence in double precision: many chunks
// and segments, ragged ends, both directions, orders, strided operands. A kernel that a device has no instructions
// for is passed over. (The one without tensor cores is what scan_ops_test.cpp meets with its odd sizes.)
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "core/tensor/dtype.h"
#include "cuda_kernel_test.h"

namespace fw::backend {
namespace {

namespace cuda = kernels::cuda;
using cuda::StateSpaceKernel;

constexpr std::int64_t kWidth = 64;  // of a head

struct Case {
    std::int64_t rows = 1, state = 128;
    std::int64_t heads = 2, groups = 1, batch = 1;
    float stepOffset = -2.0F, stepSpread = 1.0F, decay = 0.0F, decaySpread = 0.3F;
    bool both = false, reverse = false, ordered = false, states = false, outputs = true;
};

// A direction's operands: x, b and c side by side in the same rows, as one product writes them.
struct Operands {
    std::vector<BFloat16> rows;
    std::vector<float> step, bias, decay, skip, initial;
};

class CudaScan : public CudaKernelTest<StateSpaceKernel> {
 protected:
    std::vector<float> values(std::int64_t count, float mean, float spread) {
        std::normal_distribution<float> normal(mean, spread);
        std::vector<float> result(static_cast<std::size_t>(count));
        std::generate(result.begin(), result.end(), [&] { return normal(m_random); });
        return result;
    }
    template <class T>
    std::vector<T> fromDevice(const T* data, std::size_t count) {
        std::vector<T> host(count);
        EXPECT_EQ(api().download(m_queue, data, host.data(), static_cast<std::int64_t>(count * sizeof(T))),
                  cuda::Code::Ok);
        EXPECT_EQ(api().synchronize(m_queue, &m_message), cuda::Code::Ok) << m_message.text;
        return host;
    }

    Operands operandsOf(const Case& c);
    cuda::StateSpaceDirection place(const Case& c, const Operands& operands, bool reverse);
    void run(const Case& c);
    void skipUnlessComputed() const {
        if (m_computed == 0 && !HasFailure()) {
            GTEST_SKIP() << "not on this device";
        }
    }

    std::mt19937 m_random{11};
    int m_computed = 0;  // cases the kernel took
};

std::int64_t rowElements(const Case& c) {
    return c.heads * kWidth + 2 * c.groups * c.state;
}

Operands CudaScan::operandsOf(const Case& c) {
    Operands result;
    for (const float value : values(c.batch * c.rows * rowElements(c), 0.0F, 1.0F)) {
        result.rows.emplace_back(value);
    }
    result.step = values(c.batch * c.rows * c.heads, c.stepOffset, c.stepSpread);
    result.bias = values(c.heads, 0.0F, 0.1F);
    result.decay = values(c.heads, c.decay, c.decaySpread);
    result.skip = values(c.heads, 0.0F, 1.0F);
    result.initial = values(c.batch * c.heads * kWidth * c.state, 0.0F, c.states ? 1.0F : 0.0F);
    return result;
}

cuda::StateSpaceDirection CudaScan::place(const Case& c, const Operands& operands, bool reverse) {
    const std::int64_t row = rowElements(c);
    const BFloat16* rows = onDevice(operands.rows);
    cuda::StateSpaceDirection in{};
    in.x = rows, in.b = rows + c.heads * kWidth, in.c = rows + c.heads * kWidth + c.groups * c.state;
    in.xBatch = in.bBatch = in.cBatch = c.rows * row;
    in.xRow = in.bRow = in.cRow = row;
    in.xHead = kWidth, in.bGroup = in.cGroup = c.state;
    in.step = onDevice(operands.step);
    in.stepElement = cuda::Element::F32;
    in.stepBatch = c.rows * c.heads, in.stepRow = c.heads;
    in.stepBias = onDevice(operands.bias), in.decay = onDevice(operands.decay), in.skip = onDevice(operands.skip);
    if (c.states) {
        in.initialState = onDevice(operands.initial);
        in.finalState = onDevice(std::vector<float>(operands.initial.size(), NAN));
    }
    in.reverse = reverse;
    return in;
}

// The recurrence: adds to y, returns the last states.
std::vector<double> recur(const Case& c, const Operands& in, const std::vector<std::int32_t>& order, bool reverse,
                          std::vector<double>& y) {
    std::vector<double> states(in.initial.begin(), in.initial.end());
    const auto at = [](std::int64_t index) { return static_cast<std::size_t>(index); };
    for (std::int64_t head = 0; head < c.batch * c.heads; ++head) {
        const std::int64_t h = head % c.heads;
        double* state = states.data() + head * kWidth * c.state;
        const double rate = std::exp(static_cast<double>(in.decay[at(h)]));
        for (std::int64_t position = 0; position < c.rows; ++position) {
            const std::int64_t place = order[at(reverse ? c.rows - 1 - position : position)];
            const std::int64_t row = head / c.heads * c.rows + place;
            const double raw = static_cast<double>(in.step[at(row * c.heads + h)] + in.bias[at(h)]);
            const double delta = raw > 20.0 ? raw : std::log1p(std::exp(raw));
            const double kept = std::exp(-delta * rate);
            const BFloat16* x = in.rows.data() + row * rowElements(c);
            const BFloat16* b = x + c.heads * kWidth + h * c.groups / c.heads * c.state;
            const BFloat16* read = b + c.groups * c.state;
            for (std::int64_t p = 0; p < kWidth; ++p) {
                const auto value = static_cast<double>(static_cast<float>(x[h * kWidth + p]));
                double sum = static_cast<double>(in.skip[at(h)]) * value;
                for (std::int64_t n = 0; n < c.state; ++n) {
                    double& s = state[p * c.state + n];
                    s = kept * s + delta * value * static_cast<double>(static_cast<float>(b[n]));
                    sum += s * static_cast<double>(static_cast<float>(read[n]));
                }
                y[at((row * c.heads + h) * kWidth + p)] += sum;
            }
        }
    }
    return states;
}

// Root mean square of the differences against that of the expected values. NaN is an infinite one.
template <class T>
double relativeError(const std::vector<T>& actual, const std::vector<double>& expected) {
    double difference = 0.0;
    double size = 1e-30;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double delta = static_cast<double>(static_cast<float>(actual[i])) - expected[i];
        difference += delta * delta;
        size += expected[i] * expected[i];
    }
    return std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::sqrt(difference / size);
}

void CudaScan::run(const Case& c) {
    SCOPED_TRACE(::testing::Message() << c.rows << " rows, " << c.heads << " heads, state " << c.state
                                      << ", groups " << c.groups << ", step " << c.stepOffset << " +- "
                                      << c.stepSpread << ", both " << c.both << ", reverse " << c.reverse);
    const std::array<Operands, 2> operands{operandsOf(c), operandsOf(c)};
    std::vector<std::int32_t> order(static_cast<std::size_t>(c.rows));
    std::iota(order.begin(), order.end(), 0);
    if (c.ordered) {
        std::shuffle(order.begin(), order.end(), m_random);
    }
    cuda::StateSpaceArgs args{};
    args.directionCount = c.both ? 2 : 1;
    for (std::int32_t i = 0; i < args.directionCount; ++i) {
        args.directions[i] = place(c, operands[static_cast<std::size_t>(i)], c.reverse != (i == 1));
    }
    const std::vector<BFloat16> unwritten(static_cast<std::size_t>(c.batch * c.rows * c.heads * kWidth),
                                          BFloat16(NAN));
    BFloat16* y = onDevice(unwritten);
    if (c.outputs) {
        args.y = y;
        args.yBatch = c.rows * c.heads * kWidth, args.yRow = c.heads * kWidth, args.yHead = kWidth;
    }
    args.batch = c.batch, args.rows = c.rows, args.heads = c.heads, args.headDim = kWidth;
    args.groups = c.groups, args.stateDim = c.state;
    args.element = cuda::Element::Bf16;
    args.order = c.ordered ? onDevice(order) : nullptr;
    args.kernel = GetParam();
    const cuda::Code code = api().stateSpaceScan(m_queue, args);
    if (code == cuda::Code::Unsupported && args.kernel == StateSpaceKernel::Wgmma) {
        return;
    }
    ASSERT_EQ(code, cuda::Code::Ok);
    ++m_computed;
    std::vector<double> expected(unwritten.size());
    for (std::int32_t i = 0; i < args.directionCount; ++i) {
        const std::vector<double> last =
            recur(c, operands[static_cast<std::size_t>(i)], order, args.directions[i].reverse, expected);
        if (c.states) {
            EXPECT_LE(relativeError(fromDevice(args.directions[i].finalState, last.size()), last), 8e-3)
                << "final state of direction " << i;
        }
    }
    if (c.outputs) {
        EXPECT_LE(relativeError(fromDevice(y, unwritten.size()), expected), 8e-3);
    }
}

TEST_P(CudaScan, RaggedEnds) {
    for (const std::int64_t state : {64, 128}) {
        for (const std::int64_t rows : {1, 63, 64, 65, 130}) {
            run({.rows = rows, .state = state, .both = rows % 2 == 0, .states = rows > 63});
        }
    }
    skipUnlessComputed();
}

TEST_P(CudaScan, ManySegmentsBothWays) {
    run({.rows = 700, .both = true, .ordered = true, .states = true});
    run({.rows = 515, .state = 64, .heads = 3, .batch = 2, .both = true, .reverse = true, .ordered = true});
    run({.rows = 450, .state = 64, .heads = 4, .groups = 2, .reverse = true, .states = true});
    run({.rows = 200, .state = 64, .heads = 2, .groups = 2, .both = true, .states = true, .outputs = false});
    skipUnlessComputed();
}

TEST_P(CudaScan, LongAndShortMemories) {
    for (const float offset : {-12.0F, -5.0F, 3.0F, 1000.0F}) {
        run({.rows = 330, .state = 64, .stepOffset = offset, .stepSpread = 0.5F, .decay = -4.0F});
    }
    // Segments of several chunks, of which some heads remember only the last and others all.
    run({.rows = 4500, .state = 64, .heads = 2, .stepOffset = 1.0F, .states = true});
    run({.rows = 4500,
         .state = 64,
         .heads = 2,
         .stepOffset = 0.0F,
         .decay = -4.0F,
         .decaySpread = 5.0F,
         .both = true});
    // Huge and tiny steps side by side: what follows a huge one must not lose its digits.
    run({.rows = 330, .state = 64, .stepOffset = 0.0F, .stepSpread = 40.0F, .decay = 2.0F, .both = true});
    skipUnlessComputed();
}

std::string kernelName(const ::testing::TestParamInfo<StateSpaceKernel>& parameter) {
    constexpr std::array<const char*, 4> kNames{"Auto", "Simple", "Mma", "Wgmma"};
    return kNames[static_cast<std::size_t>(parameter.param)];
}
INSTANTIATE_TEST_SUITE_P(Kernels, CudaScan,
                         ::testing::Values(StateSpaceKernel::Mma, StateSpaceKernel::Wgmma, StateSpaceKernel::Auto),
                         kernelName);

}  // namespace
}  // namespace fw::backend
