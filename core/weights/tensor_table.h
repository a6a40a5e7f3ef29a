// The complete list of tensors (name → shape) a weight file must hold for a configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/shape.h"
#include "core/weights/model_config.h"
#include "core/weights/safetensors.h"

namespace fw::weights {

struct TensorSpec {
    std::string name;
    Shape shape;
    // Another name the same (tied) tensor may be stored under, instead or besides; empty: none.
    std::string alias;
};
using TensorTable = std::vector<TensorSpec>;

// diffusers' names: WanTransformer3DModel, AutoencoderKLWan; transformers' names: UMT5EncoderModel.
[[nodiscard]] TensorTable tensorTable(const WanTransformerConfig& config);
[[nodiscard]] TensorTable tensorTable(const WanVaeConfig& config);
[[nodiscard]] TensorTable tensorTable(const Umt5Config& config);

// Sum of all shapes' products.
[[nodiscard]] std::int64_t parameterCount(const TensorTable& table);

// Of "<prefix>.weight" stored as I8: "<prefix>.SCB", one f32 a row; a value is i8 · SCB / 127, as LLM.int8 of
// bitsandbytes stores them (Dettmers et al. 2022, https://arxiv.org/abs/2208.07339).
[[nodiscard]] std::string rowScalesOf(std::string_view weight);

// What differs between file and table by name, shape and type (weights are F32, F16 or BF16; matrices also I8 with
// their rows' scales beside them), one sentence each: missing, unknown, wrong shape. At most `limit` sentences,
// then one that counts the rest. Empty: they agree.
[[nodiscard]] std::vector<std::string> compareWithTable(const SafetensorsFile& file, const TensorTable& table,
                                                        std::size_t limit = 8);
// The same as a status: BadModel with the first difference and the number of further ones.
[[nodiscard]] Status checkTable(const SafetensorsFile& file, const TensorTable& table);

// <part folder>/diffusion_pytorch_model.safetensors, model.safetensors, or either's .index.json; BadModel when the
// folder has none. `part` is "transformer", "vae" or "text_encoder".
[[nodiscard]] Result<std::filesystem::path> findWeightFile(const std::filesystem::path& modelFolder,
                                                           std::string_view part);

}  // namespace fw::weights
