// Runs one operation on a device and on the reference, and compares: values within the type's tolerance, NaN where
// the reference has NaN, inputs untouched, and nothing written outside the output's elements.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "reference_ops.h"

namespace fw::backend {

// How a tensor's elements lie in its memory.
enum class Layout {
    Contiguous,
    PaddedRows,  // gaps after every row and every plane, stride 1 in the last dimension
    Fused,       // a slice out of rows three times as long, as queries in [q | k | v]
};

// A tensor in host memory between guard words, all of it comparable byte for byte.
class TestTensor {
 public:
    // Inputs: values of a standard normal distribution times `spread`, repeatable.
    static TestTensor input(DType dtype, const Shape& shape, Layout layout = Layout::Contiguous,
                            double spread = 1.0);
    // Outputs: every element NaN (255 for bytes).
    static TestTensor output(DType dtype, const Shape& shape, Layout layout = Layout::Contiguous);
    // The same storage under other strides and an offset in elements. For permutations and broadcasts of inputs.
    [[nodiscard]] TestTensor viewedAs(const ConstTensorView& view) const;

    [[nodiscard]] TensorView view() const;
    // The view with its base at `data`, on `device`.
    [[nodiscard]] TensorView viewAt(void* data, DeviceKind device) const;
    // The whole storage, guards included, as one row.
    [[nodiscard]] TensorView storage() const;
    [[nodiscard]] TestTensor clone() const;
    void set(const Dims& index, double value) const { writeElement(view(), index, value); }

 private:
    TestTensor(DType dtype, const Shape& shape, Layout layout);

    std::shared_ptr<std::vector<std::byte>> m_bytes;
    DType m_dtype = DType::F32;
    Shape m_shape;
    Strides m_strides;
    std::int64_t m_offset = 0;
};

// What the operation sees of a tensor on the side it runs on.
using ViewOf = std::function<TensorView(const TestTensor&)>;
using OpCall = std::function<void(Ops&, const ViewOf&)>;

// A device and the type under test.
struct OpsParameter {
    std::string device;
    DType dtype = DType::F32;
};
// Every device of every back-end of this build, with every type it computes in.
[[nodiscard]] std::vector<OpsParameter> allParameters();
[[nodiscard]] std::string parameterName(const ::testing::TestParamInfo<OpsParameter>& info);

class OpsTest : public ::testing::TestWithParam<OpsParameter> {
 protected:
    void SetUp() override;
    [[nodiscard]] DType dtype() const { return GetParam().dtype; }
    // `inputs` are every tensor `call` reads or writes except `output`.
    void expectMatch(const std::string& what, const std::vector<const TestTensor*>& inputs,
                     const TestTensor& output, const OpCall& call);
    std::unique_ptr<Device> m_device;
    std::unique_ptr<Ops> m_ops;
    ReferenceOps m_reference;
    double m_slack = 1.0;  // times the tolerance of the result's type
};

}  // namespace fw::backend
