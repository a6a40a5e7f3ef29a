// What the golden tests share: fixtures, model folders rebuilt from the recipe, an engine, the error measure.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/arena.h"
#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/json.h"
#include "core/method/attention_method.h"
#include "core/weights/safetensors.h"
#include "core/weights/tensor_table.h"

namespace fw::golden {

// The value of a result, or a failed test and the end of the program: fixtures must load.
template <class T>
T require(Result<T> result) {
    FW_CHECK(result.has_value(), "{}", result.error().message);
    return std::move(*result);
}
inline void require(const Status& status) {
    FW_CHECK(status.has_value(), "{}", status.error().message);
}

// tests/golden/fixtures/<name>.safetensors.
class Fixture {
 public:
    explicit Fixture(const std::string& name);
    [[nodiscard]] ConstTensorView tensor(const std::string& name) const { return require(m_file->tensor(name)); }
    [[nodiscard]] const std::string& text(const std::string& key) const { return m_file->metadata().at(key); }
    [[nodiscard]] Json metadata(const std::string& key) const { return Json::parse(text(key)); }

 private:
    std::unique_ptr<weights::SafetensorsFile> m_file;
};

// A folder that is removed at the end.
class TemporaryFolder {
 public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

 private:
    std::filesystem::path m_path;
};

// Writes <folder>/<part>/config.json and the weights of `table` by the recipe, as bf16. The first value of the
// tensor named `spoiled` becomes a NaN.
void writePart(const std::filesystem::path& folder, const std::string& part, const Json& config,
               const weights::TensorTable& table, std::uint64_t seed, const std::string& spoiled = "");

// One device, queue, arena and attention method.
struct Engine {
    explicit Engine(const std::string& deviceName = "cpu", int threads = 1);
    std::unique_ptr<backend::Device> device;
    std::unique_ptr<backend::Ops> ops;
    std::unique_ptr<backend::Arena> arena;
    std::unique_ptr<method::AttentionMethod> dense;
    [[nodiscard]] method::RunContext context() { return {*ops, *arena, *dense, {}, nullptr, -1, 0}; }
    [[nodiscard]] bool supports(DType dtype) const;
};

// An owned f32 host tensor.
struct HostTensor {
    HostTensor(std::vector<float> numbers, const Shape& shape)
        : values(std::move(numbers)), view(values.data(), DType::F32, shape) {}
    explicit HostTensor(const Shape& shape)
        : HostTensor(std::vector<float>(static_cast<std::size_t>(shape.product()), -7.0F), shape) {}
    HostTensor(HostTensor&&) = default;  // the moved buffer keeps its address
    HostTensor(const HostTensor&) = delete;
    std::vector<float> values;
    TensorView view;
};

// The values the recipe gives a weight of this name.
[[nodiscard]] HostTensor recipeWeight(const std::string& name, std::uint64_t seed, const Shape& shape);

// ‖a - b‖ / ‖b‖ over all elements; infinite when anything is not finite. Shapes must agree; any strides; f32.
[[nodiscard]] double relativeError(const ConstTensorView& a, const ConstTensorView& b);

// Expects a relative error of at most 1e-4 (computed in f32) or 3e-2 (bf16) against the reference in float32, and
// records it in the test's report.
void expectClose(const ConstTensorView& actual, const ConstTensorView& reference, DType compute);

[[nodiscard]] Shape shapeOf(const Json& json);

}  // namespace fw::golden
