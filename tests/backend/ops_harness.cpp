#include "ops_harness.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>

#include "hwy/targets.h"

namespace fw::backend {

namespace {

constexpr std::int64_t kGuard = 64;  // elements on both sides
constexpr std::byte kGuardByte{0xa5};

// |difference| <= tolerance · (|reference| + root mean square of the reference) + kTiny. bf16: one step is 2^-7 at
// worst, and a product's operands were rounded as well.
constexpr double kTiny = 1e-30;  // exponentials may flush to about here
struct Tolerance {
    DType dtype;
    double relative;
};
constexpr Tolerance kTolerances[] = {
    {DType::F32, 1e-5},
    {DType::BF16, 8e-3},
    {DType::F16, 1e-3},
    {DType::U8, 1.0 / 255},
};

double toleranceOf(DType dtype) {
    for (const Tolerance& tolerance : kTolerances) {
        if (tolerance.dtype == dtype) {
            return tolerance.relative;
        }
    }
    return 0.0;
}

// Strides of a layout and the number of elements its storage needs.
Strides stridesOf(const Shape& shape, Layout layout, std::int64_t& elements) {
    Strides strides = contiguousStrides(shape);
    std::int64_t step = 1;
    for (std::size_t i = shape.rank(); i-- > 0;) {
        strides[i] = step;
        step *= shape[i];
        if (i + 1 == shape.rank() && layout == Layout::Fused) {
            step *= 3;
        } else if (layout == Layout::PaddedRows) {
            step += 3;
        }
    }
    elements = step;
    return strides;
}

// Instruction sets of our own kernels follow the limit set for oneDNN, so that one variable tests both.
class InstructionSetLimit : public ::testing::Environment {
 public:
    void SetUp() override {
        const char* text = std::getenv("DNNL_MAX_CPU_ISA");
        const std::string_view limit = text == nullptr ? "" : text;
        if (limit == "AVX2") {
            hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
        } else if (limit == "SSE41") {
            hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL | HWY_AVX2);
        }
    }
};
const auto* const kInstructionSetLimit = ::testing::AddGlobalTestEnvironment(new InstructionSetLimit);

}  // namespace

TestTensor::TestTensor(DType dtype, const Shape& shape, Layout layout) : m_dtype(dtype), m_shape(shape) {
    std::int64_t elements = 0;
    m_strides = stridesOf(shape, layout, elements);
    m_offset = kGuard + (layout == Layout::Fused && shape.rank() > 0 ? shape.at(-1) : 0);
    const std::int64_t bytes = (elements + 2 * kGuard) * dtypeSize(dtype);
    m_bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(bytes), kGuardByte);
}

TestTensor TestTensor::input(DType dtype, const Shape& shape, Layout layout, double spread) {
    TestTensor tensor(dtype, shape, layout);
    std::mt19937_64 generator(static_cast<std::uint64_t>(shape.product()) * 31 +
                              static_cast<std::uint64_t>(layout));
    std::normal_distribution<double> normal(0.0, spread);
    Dims index = firstIndex(shape);
    do {
        writeElement(tensor.view(), index, normal(generator));
    } while (advance(index, shape));
    return tensor;
}

TestTensor TestTensor::output(DType dtype, const Shape& shape, Layout layout) {
    TestTensor tensor(dtype, shape, layout);
    Dims index = firstIndex(shape);
    do {
        writeElement(tensor.view(), index, dtype == DType::U8 ? 255.0 : std::nan(""));
    } while (advance(index, shape));
    return tensor;
}

TestTensor TestTensor::viewedAs(const ConstTensorView& view) const {
    TestTensor result = *this;
    const auto* data = static_cast<const std::byte*>(view.data());
    result.m_shape = view.shape();
    result.m_strides = view.strides();
    result.m_offset = (data - m_bytes->data()) / dtypeSize(m_dtype);
    return result;
}

TensorView TestTensor::view() const {
    return viewAt(m_bytes->data(), DeviceKind::Cpu);
}

TensorView TestTensor::viewAt(void* data, DeviceKind device) const {
    return {static_cast<std::byte*>(data) + m_offset * dtypeSize(m_dtype), m_dtype, m_shape, m_strides, device};
}

TensorView TestTensor::storage() const {
    return {m_bytes->data(), m_dtype, {static_cast<std::int64_t>(m_bytes->size()) / dtypeSize(m_dtype)}};
}

TestTensor TestTensor::clone() const {
    TestTensor result = *this;
    result.m_bytes = std::make_shared<std::vector<std::byte>>(*m_bytes);
    return result;
}

std::vector<OpsParameter> allParameters() {
    std::vector<OpsParameter> parameters;
    for (const BackendEntry& backend : createBackends()) {
        for (const auto& device : backend.devices) {
            const DeviceInfo info = device->info();
            for (const DType dtype : info.computeDTypes) {
                parameters.push_back({info.id, dtype});
            }
        }
    }
    return parameters;
}

std::string parameterName(const ::testing::TestParamInfo<OpsParameter>& info) {
    std::string name = info.param.device + "_" + std::string(dtypeName(info.param.dtype));
    std::replace(name.begin(), name.end(), ':', '_');
    return name;
}

void OpsTest::SetUp() {
    auto device = createDevice(GetParam().device);
    ASSERT_TRUE(device) << device.error().message;
    m_device = std::move(*device);
    auto ops = m_device->createOps({});
    ASSERT_TRUE(ops) << ops.error().message;
    m_ops = std::move(*ops);
}

namespace {

double rootMeanSquare(const TensorView& view) {
    double sum = 0.0;
    double count = 0.0;
    Dims index = firstIndex(view.shape());
    do {
        const double value = readElement(view, index);
        if (std::isfinite(value)) {
            sum += value * value;
            count += 1.0;
        }
    } while (advance(index, view.shape()));
    return count == 0.0 ? 0.0 : std::sqrt(sum / count);
}

void compareValues(const std::string& what, const TensorView& actual, const TensorView& expected, double slack) {
    const double tolerance = slack * toleranceOf(actual.dtype());
    const double scale = rootMeanSquare(expected);
    Dims index = firstIndex(expected.shape());
    do {
        const double reference = readElement(expected, index);
        const double value = readElement(actual, index);
        if (std::isnan(reference)) {
            ASSERT_TRUE(std::isnan(value)) << what << " at " << index.text() << ": " << value << ", NaN expected";
        } else if (std::isinf(reference)) {
            ASSERT_EQ(value, reference) << what << " at " << index.text();
        } else {
            // Written so that a NaN value fails.
            const double allowed = tolerance * (std::fabs(reference) + scale) + kTiny;
            ASSERT_TRUE(std::fabs(value - reference) <= allowed)
                << what << " at " << index.text() << ": " << value << ", " << reference << " expected within "
                << allowed;
        }
    } while (advance(index, expected.shape()));
}

// Copies the reference's elements over the actual ones: what differs then was written outside of them.
void compareOutside(const std::string& what, const TestTensor& actual, const TestTensor& expected) {
    TestTensor patched = actual.clone();
    const TensorView to = patched.view();
    const TensorView from = expected.view();
    Dims index = firstIndex(from.shape());
    do {
        writeElement(to, index, readElement(from, index));
    } while (advance(index, from.shape()));
    ASSERT_EQ(0, std::memcmp(patched.storage().data(), expected.storage().data(),
                             static_cast<std::size_t>(expected.storage().bytes())))
        << what << ": bytes outside the output were written";
}

}  // namespace

void OpsTest::expectMatch(const std::string& what, const std::vector<const TestTensor*>& inputs,
                          const TestTensor& output, const OpCall& call) {
    if (HasFatalFailure()) {
        return;
    }
    std::vector<const TestTensor*> tensors = inputs;
    tensors.push_back(&output);
    std::vector<OwnedTensor> owned;
    for (const TestTensor* tensor : tensors) {
        auto copy = createTensor(*m_device, tensor->storage().dtype(), tensor->storage().shape());
        ASSERT_TRUE(copy) << copy.error().message;
        m_ops->upload(tensor->storage(), copy->view);
        owned.push_back(std::move(*copy));
    }
    call(*m_ops, [&](const TestTensor& tensor) {
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            if (tensors[i] == &tensor) {
                return tensor.viewAt(owned[i].view.mutableData(), owned[i].view.device());
            }
        }
        ADD_FAILURE() << what << ": a tensor is missing from the list of inputs";
        return tensor.view();
    });
    std::vector<TestTensor> after;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        after.push_back(tensors[i]->clone());
        m_ops->download(owned[i].view, after.back().storage());
    }
    const Status status = m_ops->synchronize();
    ASSERT_TRUE(status) << what << ": " << status.error().message;

    const TestTensor expected = output.clone();
    call(m_reference,
         [&](const TestTensor& tensor) { return &tensor == &output ? expected.view() : tensor.view(); });
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        ASSERT_EQ(0, std::memcmp(after[i].storage().data(), inputs[i]->storage().data(),
                                 static_cast<std::size_t>(inputs[i]->storage().bytes())))
            << what << ": input " << i << " was changed";
    }
    compareValues(what, after.back().view(), expected.view(), m_slack);
    if (!HasFatalFailure()) {
        compareOutside(what, after.back(), expected);
    }
}

}  // namespace fw::backend
