// UMT5, the text encoder of Wan2.1 (https://arxiv.org/abs/2304.09151), as transformers' UMT5EncoderModel computes
// it.
#pragma once

#include <memory>
#include <vector>

#include "core/model/video_model.h"
#include "core/weights/model_config.h"

namespace fw::model {

// The bucket of a relative position (key - query) in [0, buckets): half of them for each direction; small distances
// have one each, larger ones share logarithmically up to maxDistance.
[[nodiscard]] std::int64_t relativePositionBucket(std::int64_t relative, std::int64_t buckets,
                                                  std::int64_t maxDistance);

// See TextEncoder. The embedding table stays in the mapped file: only the rows of a prompt are read.
class Umt5Encoder final : public TextEncoder {
 public:
    // `folder` is the model's root. Weights are packed in `compute`; the residual stream is f32.
    [[nodiscard]] static Result<std::unique_ptr<Umt5Encoder>> load(const std::filesystem::path& folder,
                                                                   backend::Device& device, backend::Ops& ops,
                                                                   DType compute);
    ~Umt5Encoder() override;

    [[nodiscard]] std::int64_t width() const override;
    [[nodiscard]] std::int64_t weightBytes() const override;
    // BadModel when an id lies outside the vocabulary. Waits for the device before it returns.
    [[nodiscard]] Status encode(method::RunContext& context, std::span<const std::int32_t> ids,
                                const TensorView& out) override;

 private:
    struct Parts;
    explicit Umt5Encoder(std::unique_ptr<Parts> parts);
    [[nodiscard]] Result<std::vector<float>> gatherEmbeddings(std::span<const std::int32_t> ids) const;
    [[nodiscard]] std::vector<float> relativeBiases(std::int64_t length) const;
    void attend(method::RunContext& context, std::size_t layer, const TensorView& x,
                const ConstTensorView& bias) const;
    void feedForward(method::RunContext& context, std::size_t layer, const TensorView& x) const;

    std::unique_ptr<Parts> m_parts;
};

}  // namespace fw::model
