#include "core/model/weight_loader.h"

#include <algorithm>
#include <functional>

#include "core/model/adapter.h"

namespace fw::model {

namespace {

template <class T, class Convert>
std::vector<float> convertAll(const ConstTensorView& view, const Convert& convert) {
    const auto* data = static_cast<const T*>(view.data());
    std::vector<float> result(static_cast<std::size_t>(view.count()));
    std::transform(data, data + view.count(), result.begin(), convert);
    return result;
}

ConstTensorView asMatrix(const ConstTensorView& weight) {
    return weight.reshape({weight.dim(0), weight.count() / weight.dim(0)});
}

}  // namespace

std::vector<float> toFloats(const ConstTensorView& view) {
    FW_CHECK(view.isContiguous() && view.device() == DeviceKind::Cpu, "{}", view.text());
    switch (view.dtype()) {
        case DType::F32:
            return convertAll<float>(view, [](float v) { return v; });
        case DType::F64:
            return convertAll<double>(view, [](double v) { return static_cast<float>(v); });
        case DType::BF16:
            return convertAll<BFloat16>(view, [](BFloat16 v) { return static_cast<float>(v); });
        case DType::F16:
            return convertAll<std::uint16_t>(view, halfToFloat);
        default:
            FW_CHECK(false, "{} has no floating-point values", view.text());
    }
    return {};
}

std::int64_t footprintOf(const backend::Device& device, const backend::PackedLinear& packed) {
    const DType stored = packed.fp8 ? DType::F8E4M3 : packed.compute;
    const std::int64_t matrix = std::min(packed.bytes, packed.outFeatures * packed.inFeatures * dtypeSize(stored));
    return device.footprint(matrix) + device.footprint(packed.bytes - matrix);
}

std::int64_t footprintOf(const backend::Device& device, const backend::PackedConv3d& packed) {
    const auto& kernel = packed.kernel;
    const std::int64_t weights = std::min(packed.bytes, packed.outChannels * packed.inChannels * kernel[0] *
                                                            kernel[1] * kernel[2] * dtypeSize(packed.compute));
    return device.footprint(weights) + device.footprint(packed.bytes - weights);
}

Result<WeightLoader> WeightLoader::open(const std::filesystem::path& folder, std::string_view part,
                                        const weights::TensorTable& table, backend::Device& device,
                                        backend::Ops& ops) {
    FW_ASSIGN(const auto path, weights::findWeightFile(folder, part));
    FW_ASSIGN(auto file, weights::SafetensorsFile::open(path));
    FW_TRY(weights::checkTable(*file, table));
    return WeightLoader(std::move(file), device, ops);
}

Result<ConstTensorView> WeightLoader::checked(const std::string& name) const {
    FW_ASSIGN(const auto view, m_file->tensor(name));
    if (!isMeta()) {
        if (auto finite = weights::checkFinite(view, name); !finite) {
            return tl::unexpected(std::move(finite).error().within(m_file->path().string()));
        }
    }
    return view;
}

Result<ConstTensorView> WeightLoader::matrix(const std::string& name,
                                             std::deque<std::vector<float>>& widened) const {
    FW_ASSIGN(const auto view, checked(name));
    if (view.dtype() != DType::I8) {
        return asMatrix(view);
    }
    if (isMeta()) {
        return ConstTensorView(nullptr, DType::F32, asMatrix(view).shape(), DeviceKind::Meta);
    }
    FW_ASSIGN(const auto scales, checked(weights::rowScalesOf(name)));
    std::vector<float>& values = widened.emplace_back(static_cast<std::size_t>(view.count()));
    const std::int64_t width = view.count() / view.dim(0);
    const auto* bytes = static_cast<const std::int8_t*>(view.data());
    const auto* rows = static_cast<const float*>(scales.data());
    for (std::int64_t i = 0; i < view.count(); ++i) {
        values[static_cast<std::size_t>(i)] = static_cast<float>(bytes[i]) * rows[i / width] / 127.0F;
    }
    return ConstTensorView(values.data(), DType::F32, asMatrix(view).shape());
}

Result<std::unique_ptr<backend::PackedLinear>> WeightLoader::packed(const backend::LinearSource& source,
                                                                    DType compute) {
    FW_ASSIGN(auto matrix, m_ops->packLinear(source, compute));
    if (m_stream != nullptr) {
        FW_TRY(m_stream->park(*matrix, m_group));
    } else {
        m_bytes += footprintOf(*m_device, *matrix);
    }
    return matrix;
}

Result<std::unique_ptr<backend::PackedLinear>> WeightLoader::linear(std::initializer_list<std::string> prefixes,
                                                                    bool bias, DType compute) {
    std::vector<ConstTensorView> matrices;
    std::vector<ConstTensorView> biases;
    std::deque<std::vector<float>> changed;  // keeps what `matrices` views
    for (const std::string& prefix : prefixes) {
        FW_ASSIGN(const auto weight, matrix(prefix + ".weight", changed));
        matrices.push_back(weight);
        if (m_merged != nullptr && m_merged->changes(prefix) && !isMeta()) {
            changed.push_back(toFloats(weight));
            m_merged->merge(prefix, changed.back());
            matrices.back() = ConstTensorView(changed.back().data(), DType::F32, matrices.back().shape());
        }
        if (bias) {
            FW_ASSIGN(const auto vector, checked(prefix + ".bias"));
            biases.push_back(vector);
        }
    }
    return packed({matrices, biases}, compute);
}

Result<std::unique_ptr<backend::PackedLinear>> WeightLoader::linearRows(const std::string& prefix,
                                                                        std::int64_t first, std::int64_t count,
                                                                        DType compute) {
    std::deque<std::vector<float>> widened;
    FW_ASSIGN(const auto weight, matrix(prefix + ".weight", widened));
    const ConstTensorView rows = weight.slice(0, first, first + count);
    return packed({{&rows, 1}, {}}, compute);
}

std::unique_ptr<Linear> WeightLoader::remembered(std::unique_ptr<backend::PackedLinear> matrix,
                                                 std::vector<Linear::Source> sources) {
    auto layer = std::make_unique<Linear>(std::move(matrix), std::move(sources));
    m_layers.push_back(layer.get());
    return layer;
}

Result<std::unique_ptr<Linear>> WeightLoader::layer(std::initializer_list<std::string> prefixes, DType compute) {
    FW_ASSIGN(auto matrix, linear(prefixes, true, compute));
    std::vector<Linear::Source> sources;
    std::int64_t row = 0;
    for (const std::string& prefix : prefixes) {
        FW_ASSIGN(const auto weight, m_file->tensor(prefix + ".weight"));
        sources.push_back({prefix, row, weight.dim(0), 0, matrix->inFeatures});
        row += weight.dim(0);
    }
    return remembered(std::move(matrix), std::move(sources));
}

Result<std::unique_ptr<Linear>> WeightLoader::layerSum(std::initializer_list<std::string> prefixes, DType compute) {
    std::int64_t out = 0, in = 0;
    for (const std::string& prefix : prefixes) {
        FW_ASSIGN(const auto weight, m_file->tensor(prefix + ".weight"));
        FW_CHECK(out == 0 || weight.dim(0) == out, "{}.weight is {}, {} rows expected", prefix, weight.text(), out);
        out = weight.dim(0);
        in += weight.dim(1);
    }
    std::vector<float> whole(isMeta() ? 0 : static_cast<std::size_t>(out * in));
    std::vector<float> bias(static_cast<std::size_t>(out), 0.0F);
    std::int64_t column = 0;
    std::vector<Linear::Source> sources;
    for (const std::string& prefix : prefixes) {
        FW_ASSIGN(const auto weight, m_file->tensor(prefix + ".weight"));
        FW_ASSIGN(std::vector<float> values, hostFloats(prefix + ".weight"));
        if (m_merged != nullptr && m_merged->changes(prefix) && !isMeta()) {
            m_merged->merge(prefix, values);
        }
        const std::int64_t width = weight.dim(1);
        for (std::int64_t row = 0; row < out && !isMeta(); ++row) {
            std::copy_n(values.begin() + row * width, width, whole.begin() + row * in + column);
        }
        sources.push_back({prefix, 0, out, column, width});
        column += width;
        if (m_file->tensors().contains(prefix + ".bias")) {
            FW_ASSIGN(const std::vector<float> part, hostFloats(prefix + ".bias"));
            std::transform(part.begin(), part.end(), bias.begin(), bias.begin(), std::plus<>());
        }
    }
    const DeviceKind place = isMeta() ? DeviceKind::Meta : DeviceKind::Cpu;
    const ConstTensorView matrix(whole.data(), DType::F32, {out, in}, place);
    const ConstTensorView vector(bias.data(), DType::F32, {out}, place);
    FW_ASSIGN(auto sum, packed({{&matrix, 1}, {&vector, 1}}, compute));
    return remembered(std::move(sum), std::move(sources));
}

Result<std::unique_ptr<backend::PackedLinear>> WeightLoader::linear(const std::vector<float>& weight,
                                                                    const std::vector<float>& bias, DType compute) {
    const auto out = static_cast<std::int64_t>(bias.size());
    const std::vector<ConstTensorView> matrices{
        ConstTensorView(weight.data(), DType::F32, {out, static_cast<std::int64_t>(weight.size()) / out})};
    const std::vector<ConstTensorView> biases{ConstTensorView(bias.data(), DType::F32, {out})};
    return packed({matrices, biases}, compute);
}

Result<std::unique_ptr<backend::PackedConv3d>> WeightLoader::conv(const std::string& prefix,
                                                                  const backend::Conv3dGeometry& geometry,
                                                                  DType compute) {
    FW_ASSIGN(auto weight, checked(prefix + ".weight"));
    FW_ASSIGN(const auto bias, checked(prefix + ".bias"));
    if (weight.rank() == 4) {  // a convolution of single frames
        weight = weight.reshape({weight.dim(0), weight.dim(1), 1, weight.dim(2), weight.dim(3)});
    }
    FW_ASSIGN(auto packed, m_ops->packConv3d(weight, bias, geometry, compute));
    m_bytes += footprintOf(*m_device, *packed);
    return packed;
}

Result<backend::OwnedTensor> WeightLoader::upload(const std::vector<float>& values, const Shape& shape) {
    FW_ASSIGN(auto tensor, backend::createTensor(*m_device, DType::F32, shape));
    m_bytes += m_device->footprint(tensor.view.bytes());
    if (!isMeta()) {
        m_ops->upload(ConstTensorView(values.data(), DType::F32, shape), tensor.view);
        FW_TRY(m_ops->synchronize());
    }
    return tensor;
}

Result<backend::OwnedTensor> WeightLoader::floats(const std::string& name, const Shape& shape) {
    return stacked({name}, shape);
}

Result<backend::OwnedTensor> WeightLoader::transposed(const std::string& name, std::int64_t rows,
                                                      std::int64_t columns) {
    FW_ASSIGN(const std::vector<float> values, hostFloats(name));
    std::vector<float> turned(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i) / columns, column = static_cast<std::int64_t>(i) % columns;
        turned[static_cast<std::size_t>(column * rows + row)] = values[i];
    }
    return upload(turned, {columns, rows});
}

Result<backend::OwnedTensor> WeightLoader::stacked(const std::vector<std::string>& names, const Shape& shape) {
    Shape whole;
    if (names.size() > 1) {
        whole.push(static_cast<std::int64_t>(names.size()));
    }
    for (const std::int64_t extent : shape) {
        whole.push(extent);
    }
    std::vector<float> values;
    for (const std::string& name : names) {
        FW_ASSIGN(const auto part, hostFloats(name));
        FW_CHECK(isMeta() || static_cast<std::int64_t>(part.size()) == shape.product(), "{} has {} values, not {}",
                 name, part.size(), shape.text());
        values.insert(values.end(), part.begin(), part.end());
    }
    return upload(values, whole);
}

Result<std::vector<float>> WeightLoader::hostFloats(const std::string& name) {
    FW_ASSIGN(const auto view, checked(name));
    if (isMeta()) {
        return std::vector<float>{};
    }
    if (view.dtype() != DType::I8) {
        return toFloats(view);
    }
    std::deque<std::vector<float>> widened;
    FW_TRY(matrix(name, widened));
    return std::move(widened.front());
}

}  // namespace fw::model
