// Adapters: files of trained changes to a transformer, beside its folder. LoRA weights are merged into the matrices
// they belong to while these are loaded, or computed beside them (linear.h); tensors of an attention method are
// handed to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/method/attention_method.h"
#include "core/weights/model_config.h"
#include "core/weights/safetensors.h"

namespace fw::model {

// One low-rank change of a matrix: W += scale · up · down.
struct LowRank {
    ConstTensorView down;  // [rank, in], in the mapped file
    ConstTensorView up;    // [out, rank]
    double scale = 1.0;    // strength · alpha / rank
};

// Where a LoRA tensor's name says it belongs: diffusers' name of the matrix, and which part of the pair it is.
struct LoraKey {
    enum class Part : std::uint8_t { Down, Up, Alpha };
    std::string matrix;  // "blocks.3.attn1.to_q"
    Part part = Part::Down;
};
// Known styles: diffusers and peft ("transformer.", "base_model.model.", lora_A, lora_B), and original Wan
// ("diffusion_model.", self_attn.q …, lora_down, lora_up, alpha). Empty when the name is of no such style.
[[nodiscard]] std::optional<LoraKey> loraKey(const std::string& name);

// Where weights are packed: a device, a queue of it, and the type they are multiplied in.
struct WeightTarget {
    backend::Device& device;
    backend::Ops& ops;
    DType compute;
};

// The adapters of a run, opened and compared with the model they are to change. The files stay mapped.
class AdapterSet {
 public:
    AdapterSet() = default;
    // BadModel naming file, tensor and what would fit, when a file is of another family than LoRA (DoRA, LoHa, LoKr
    // …: by name), when a tensor belongs to nothing known, has another size than the base model asks for, lacks its
    // partner or holds a number that is not finite, or when the file says that it was made for another base.
    // `folder`: the model's root.
    [[nodiscard]] static Result<AdapterSet> open(std::span<const job::Adapter> adapters,
                                                 const std::filesystem::path& folder);

    [[nodiscard]] bool isEmpty() const { return m_files.empty(); }
    // Whether any file holds LoRA weights.
    [[nodiscard]] bool hasLora() const { return !m_lora.empty(); }
    // Whether a matrix changes, by its name without ".weight".
    [[nodiscard]] bool changes(const std::string& matrix) const { return m_lora.contains(matrix); }
    // Its changes in the order the adapters were given; none when it does not change.
    [[nodiscard]] std::span<const LowRank> changesOf(const std::string& matrix) const;
    // Adds every change to `weight` [out, in]. Sums in f32, in the order the adapters were given.
    void merge(const std::string& matrix, std::vector<float>& weight) const;

    // The tensors of `entry`'s needs on the device, from the last file that has any; null when none has.
    [[nodiscard]] Result<std::unique_ptr<method::MethodWeights>> methodWeights(const method::MethodEntry& entry,
                                                                               const WeightTarget& where) const;
    // Of names, sizes and content of all files and their strengths, in order; empty without any.
    [[nodiscard]] const std::string& hash() const { return m_hash; }

 private:
    struct File {
        std::unique_ptr<weights::SafetensorsFile> file;
        double strength = 1.0;
    };
    [[nodiscard]] Status add(const job::Adapter& adapter, const std::filesystem::path& folder);
    [[nodiscard]] Status addLora(const File& file);
    [[nodiscard]] Status checkMethodTensors(const weights::SafetensorsFile& file) const;

    weights::WanTransformerConfig m_config;
    std::vector<File> m_files;
    std::map<std::string, std::vector<LowRank>> m_lora;
    std::string m_hash;
};

// What tells base models apart in an adapter's metadata ("base"): SHA-256 of the first block's query matrix rounded
// to bf16, so that a folder in f32 and its copy in bf16 count as the same.
[[nodiscard]] Result<std::string> baseFingerprint(const std::filesystem::path& folder);

// Trained numbers of a method on a model with this configuration, all layers.
[[nodiscard]] std::int64_t methodParameters(const method::MethodEntry& entry,
                                            const weights::WanTransformerConfig& config);

}  // namespace fw::model
