#include "golden_support.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "recipe.h"

namespace fw::golden {

namespace {

bool endsWithAny(const std::string& name, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](std::string_view e) { return name.ends_with(e); });
}

// recipe.py: weight().
std::vector<BFloat16> weight(const std::string& name, std::uint64_t seed, const Shape& shape) {
    double deviation = 0.0;
    double mean = 0.0;
    if (endsWithAny(name, {"gamma", "norm_q.weight", "norm_k.weight", "layer_norm.weight", "norm2.weight",
                           "ssm.norm.weight"})) {
        deviation = 0.2;
        mean = 1.0;
    } else if (endsWithAny(name, {"dt_bias"})) {  // step sizes of a hundredth to a third
        deviation = 1.0;
        mean = -2.5;
    } else if (endsWithAny(name, {"A_log"})) {
        deviation = 0.8;
    } else if (endsWithAny(name, {"bias"})) {
        deviation = 0.1;
    } else if (endsWithAny(name, {"scale_shift_table", "relative_attention_bias.weight"})) {
        deviation = 0.5;
    } else if (name == "shared.weight") {
        deviation = 1.0;
    } else {
        deviation = 1.0 / std::sqrt(static_cast<double>(shape.product() / shape[0]));
    }
    const std::vector<float> numbers = values(name, seed, shape.product(), deviation, mean);
    std::vector<BFloat16> result(numbers.size());
    std::transform(numbers.begin(), numbers.end(), result.begin(), [](float v) { return BFloat16(v); });
    return result;
}

double at(const ConstTensorView& view, std::int64_t index) {
    std::int64_t offset = 0;
    for (std::size_t i = view.rank(); i-- > 0;) {
        offset += index % view.shape()[i] * view.strides()[i];
        index /= view.shape()[i];
    }
    return static_cast<double>(view.as<float>()[offset]);
}

}  // namespace

HostTensor recipeWeight(const std::string& name, std::uint64_t seed, const Shape& shape) {
    const std::vector<BFloat16> numbers = weight(name, seed, shape);
    return {std::vector<float>(numbers.begin(), numbers.end()), shape};
}

Fixture::Fixture(const std::string& name)
    : m_file(require(weights::SafetensorsFile::open(std::filesystem::path(FW_SOURCE_DIR) / "tests/golden/fixtures" /
                                                    (name + ".safetensors")))) {}

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fw_golden_XXXXXX").string();
    FW_CHECK(mkdtemp(pattern.data()) != nullptr, "{}", pattern);
    m_path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
}

void writePart(const std::filesystem::path& folder, const std::string& part, const Json& config,
               const weights::TensorTable& table, std::uint64_t seed, const std::string& spoiled) {
    std::filesystem::create_directories(folder / part);
    std::ofstream(folder / part / "config.json") << config.dump();
    std::vector<std::vector<BFloat16>> storage;
    std::vector<std::pair<std::string, ConstTensorView>> tensors;
    for (const weights::TensorSpec& spec : table) {
        storage.push_back(weight(spec.name, seed, spec.shape));
        if (spec.name == spoiled) {
            storage.back().front() = BFloat16(std::numeric_limits<float>::quiet_NaN());
        }
        tensors.emplace_back(spec.name, ConstTensorView(storage.back().data(), DType::BF16, spec.shape));
    }
    const char* name = part == "text_encoder" ? "model.safetensors" : "diffusion_pytorch_model.safetensors";
    require(weights::writeSafetensors(folder / part / name, tensors, {{"format", "pt"}}));
}

Engine::Engine(const std::string& deviceName, int threads) {
    constexpr std::int64_t kArenaBytes = std::int64_t{256} << 20;
    const bool meta = deviceName == "meta";
    device = meta ? backend::createMetaDevice(DType::F32) : require(backend::createDevice(deviceName));
    ops = require(device->createOps({threads}));
    arena = meta ? backend::Arena::createMeta() : require(backend::Arena::create(*device, kArenaBytes));
    dense = require(method::createAttentionMethod("dense", Json::object()));
}

bool Engine::supports(DType dtype) const {
    const auto dtypes = device->info().computeDTypes;
    return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}

double relativeError(const ConstTensorView& a, const ConstTensorView& b) {
    FW_CHECK(a.shape() == b.shape(), "{} against {}", a.text(), b.text());
    double difference = 0.0;
    double norm = 0.0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        const double x = at(a, i);
        const double y = at(b, i);
        difference += (x - y) * (x - y);
        norm += y * y;
    }
    const double error = std::sqrt(difference / norm);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

void expectClose(const ConstTensorView& actual, const ConstTensorView& reference, DType compute) {
    const double error = relativeError(actual, reference);
    testing::Test::RecordProperty("relative_error", fmt::format("{:.3g}", error));
    EXPECT_LE(error, compute == DType::F32 ? 1e-4 : 3e-2) << dtypeName(compute);
}

Shape shapeOf(const Json& json) {
    return Shape(json.get<std::vector<std::int64_t>>());
}

}  // namespace fw::golden
