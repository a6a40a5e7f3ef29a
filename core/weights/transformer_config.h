// transformer/config.json of either family of denoisers that this engine runs.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/weights/model_config.h"
#include "core/weights/tensor_table.h"

namespace fw::weights {

// What a LinGenTransformer3DModel has in the place of self-attention; docs/lingen.md defines every key. Extents are
// {frames, rows, columns} of tokens.
struct MateConfig {
    std::vector<std::string> scanOrders{"s_row", "s_col", "t_row", "t_col"};  // layer l: entry l mod size
    std::array<std::int64_t, 3> window{8, 4, 4}, shift{4, 2, 2};              // tesa_window, tesa_shift
    std::int64_t expand = 2;                                                  // inner width / width
    std::int64_t headDim = 64, stateDim = 64, groups = 1;
    std::int64_t convKernel = 4, chunk = 64;
    bool tiedDirections = false;                                          // ssm_directions
    std::optional<std::array<std::int64_t, 3>> reviewPooling{{3, 2, 2}};  // none: no review tokens
    bool reviewBothWays = false;                                          // review_directions
    enum class Positions { Shared, PerBlock, None };
    Positions positions = Positions::Shared;      // position_embedding
    std::array<std::int64_t, 3> positionSizes{};  // none: zeros

    [[nodiscard]] std::int64_t innerWidth(const WanTransformerConfig& dit) const { return expand * dit.width(); }
    [[nodiscard]] std::int64_t heads(const WanTransformerConfig& dit) const { return innerWidth(dit) / headDim; }
    // Channels x, B and C.
    [[nodiscard]] std::int64_t scannedWidth(const WanTransformerConfig& dit) const {
        return innerWidth(dit) + 2 * groups * stateDim;
    }
    [[nodiscard]] std::int64_t directions() const { return tiedDirections ? 1 : 2; }
    bool operator==(const MateConfig&) const = default;
};

struct TransformerConfig {
    WanTransformerConfig dit;        // all but what mixes tokens
    std::optional<MateConfig> mate;  // none: self-attention
};

// _class_name WanTransformer3DModel or LinGenTransformer3DModel. BadModel names the key, its value and what would
// fit. Names of scan orders are not looked at.
[[nodiscard]] Result<TransformerConfig> parseTransformerConfig(const Json& json);
[[nodiscard]] Result<TransformerConfig> loadTransformerConfig(const std::filesystem::path& modelFolder);
[[nodiscard]] TensorTable tensorTable(const TransformerConfig& config);

}  // namespace fw::weights
