// Weights of one part of a model on their way from the file to a device: found, checked, packed, counted.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/backend/weight_stream.h"
#include "core/base/result.h"
#include "core/model/linear.h"
#include "core/weights/safetensors.h"
#include "core/weights/tensor_table.h"

namespace fw::model {

class AdapterSet;

// A host tensor (f32, f16, bf16 or f64, contiguous) as float32 values.
[[nodiscard]] std::vector<float> toFloats(const ConstTensorView& view);

// Bytes of `device` that packed weights take. A matrix and its vectors (bias, scales of its rows) are allocations
// of their own, so each is rounded to pages alone.
[[nodiscard]] std::int64_t footprintOf(const backend::Device& device, const backend::PackedLinear& packed);
[[nodiscard]] std::int64_t footprintOf(const backend::Device& device, const backend::PackedConv3d& packed);

// Borrows device and ops; owns the mapped file, which packed weights no longer need. On a Meta device only names
// and shapes are looked at. Every function fails with BadModel naming file and tensor when a value is not finite,
// and with OutOfMemory when the device is full.
class WeightLoader {
 public:
    // Opens `part` ("transformer", "vae", "text_encoder") of a model folder and compares it with the table.
    [[nodiscard]] static Result<WeightLoader> open(const std::filesystem::path& folder, std::string_view part,
                                                   const weights::TensorTable& table, backend::Device& device,
                                                   backend::Ops& ops);

    // One matrix made of the rows of several ("<prefix>.weight" and, with `bias`, "<prefix>.bias"). Trailing
    // dimensions of convolution kernels are taken as input features.
    [[nodiscard]] Result<std::unique_ptr<backend::PackedLinear>> linear(std::initializer_list<std::string> prefixes,
                                                                        bool bias, DType compute);
    // The same as a layer that adapters can change later: setBeside() knows its matrices by their names. The loader
    // remembers where it is (layers()).
    [[nodiscard]] Result<std::unique_ptr<Linear>> layer(std::initializer_list<std::string> prefixes, DType compute);
    // Rows [first, first + count) of "<prefix>.weight", without bias. Adapters do not change it.
    [[nodiscard]] Result<std::unique_ptr<backend::PackedLinear>> linearRows(const std::string& prefix,
                                                                            std::int64_t first, std::int64_t count,
                                                                            DType compute);
    // Several matrices of equal out features side by side, [W_0 | W_1 | …]: one product adds their results. The sum
    // of the biases of those that have one.
    [[nodiscard]] Result<std::unique_ptr<Linear>> layerSum(std::initializer_list<std::string> prefixes,
                                                           DType compute);
    // The same from host memory: weight [out, in], bias [out].
    [[nodiscard]] Result<std::unique_ptr<backend::PackedLinear>> linear(const std::vector<float>& weight,
                                                                        const std::vector<float>& bias,
                                                                        DType compute);
    // "<prefix>.weight" [out, in, (kT,) kH, kW] and "<prefix>.bias".
    [[nodiscard]] Result<std::unique_ptr<backend::PackedConv3d>> conv(const std::string& prefix,
                                                                      const backend::Conv3dGeometry& geometry,
                                                                      DType compute);
    // A tensor as f32 on the device under another shape of equal count.
    [[nodiscard]] Result<backend::OwnedTensor> floats(const std::string& name, const Shape& shape);
    // A tensor of rows · columns values as f32 [columns, rows] on the device.
    [[nodiscard]] Result<backend::OwnedTensor> transposed(const std::string& name, std::int64_t rows,
                                                          std::int64_t columns);
    // Several tensors of equal shape, one behind the other: f32 [names.size(), shape…].
    [[nodiscard]] Result<backend::OwnedTensor> stacked(const std::vector<std::string>& names, const Shape& shape);
    // A tensor as float32 values on the host; empty on a Meta device.
    [[nodiscard]] Result<std::vector<float>> hostFloats(const std::string& name);
    // A view into the mapped file, its values not looked at. Valid while the file is kept (takeFile()).
    [[nodiscard]] Result<ConstTensorView> mapped(const std::string& name) const { return m_file->tensor(name); }

    // Merged into the matrices of linear() and layers loaded from here on; null: none. Must outlive the loading.
    void setMerged(const AdapterSet* adapters) { m_merged = adapters; }
    // Every layer made so far; owned by whoever asked for it.
    [[nodiscard]] const std::vector<Linear*>& layers() const { return m_layers; }

    // Matrices loaded from here on wait in host memory as a part of this group of the stream; null: on the device.
    // Their bytes are not counted: settle() says what the places take. Must outlive the loading.
    void setStream(backend::WeightStream* stream, std::int64_t group) {
        m_stream = stream;
        m_group = static_cast<int>(group);
    }

    [[nodiscard]] const weights::SafetensorsFile& file() const { return *m_file; }
    [[nodiscard]] std::unique_ptr<weights::SafetensorsFile> takeFile() { return std::move(m_file); }
    [[nodiscard]] backend::Device& device() const { return *m_device; }
    [[nodiscard]] backend::Ops& ops() const { return *m_ops; }
    [[nodiscard]] bool isMeta() const { return m_ops->deviceKind() == DeviceKind::Meta; }
    // Device bytes of everything loaded so far.
    [[nodiscard]] std::int64_t bytes() const { return m_bytes; }

 private:
    WeightLoader(std::unique_ptr<weights::SafetensorsFile> file, backend::Device& device, backend::Ops& ops)
        : m_file(std::move(file)), m_device(&device), m_ops(&ops) {}
    [[nodiscard]] Result<ConstTensorView> checked(const std::string& name) const;
    // A tensor as a matrix; values of eight bits are written out in `widened`, which must outlive the view.
    [[nodiscard]] Result<ConstTensorView> matrix(const std::string& name,
                                                 std::deque<std::vector<float>>& widened) const;
    [[nodiscard]] Result<backend::OwnedTensor> upload(const std::vector<float>& values, const Shape& shape);

    std::unique_ptr<weights::SafetensorsFile> m_file;
    backend::Device* m_device;
    backend::Ops* m_ops;
    [[nodiscard]] Result<std::unique_ptr<backend::PackedLinear>> packed(const backend::LinearSource& source,
                                                                        DType compute);
    [[nodiscard]] std::unique_ptr<Linear> remembered(std::unique_ptr<backend::PackedLinear> matrix,
                                                     std::vector<Linear::Source> sources);
    const AdapterSet* m_merged = nullptr;
    std::vector<Linear*> m_layers;
    backend::WeightStream* m_stream = nullptr;
    int m_group = 0;
    std::int64_t m_bytes = 0;
};

}  // namespace fw::model
