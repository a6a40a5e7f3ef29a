// LinGen's MATE in the place of self-attention (https://arxiv.org/abs/2412.09856): a bidirectional Mamba2 over all
// tokens in one row, in another order in every layer and behind review tokens, plus attention within windows in
// space and time. Cost and memory are linear in tokens. docs/lingen.md defines every detail.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/backend/token_scan.h"
#include "core/method/block_lists.h"
#include "core/model/self_attention.h"
#include "core/model/token_mixer.h"
#include "core/model/weight_loader.h"
#include "core/weights/transformer_config.h"

namespace fw::model {

// The order of every layer. BadModel naming the one that is not known.
[[nodiscard]] Result<std::vector<backend::ScanOrder>> scanOrdersOf(const weights::MateConfig& config,
                                                                   std::int64_t layers);

// Attention methods do not apply: windows are part of the model.
class MateMixer final : public TokenMixer {
 public:
    // Unsupported on a device without state space models; BadModel as the loader's.
    [[nodiscard]] static Result<std::unique_ptr<TokenMixer>> create(WeightLoader& loader,
                                                                    const weights::TransformerConfig& config,
                                                                    DType compute);
    [[nodiscard]] Status loadLayer(WeightLoader& loader, std::int64_t index) override;
    [[nodiscard]] Status prepare(backend::Ops& ops, const method::TokenGrid& grid) override;
    [[nodiscard]] Status mix(const MixerCall& call, const TensorView& delta) override;

 private:
    // One direction's convolution and dynamics.
    struct Scan {
        backend::OwnedTensor weight, bias;           // [K, Cx], [Cx]
        backend::OwnedTensor stepBias, decay, skip;  // [S]
    };
    struct Positions {
        backend::OwnedTensor frames, rows, columns;  // [size, d]
    };
    struct Layer {
        QueryKeyValue attention;
        std::unique_ptr<backend::PackedLinear> in;    // d → [z; x; B; C]
        std::unique_ptr<backend::PackedLinear> step;  // d → [Δ forward; Δ backward] f32
        std::vector<Scan> scans;                      // one where the directions are tied
        backend::OwnedTensor norm;                    // [d_in]
        std::unique_ptr<Linear> out;                  // [windows' result | scan's result] → d
    };
    // Windows of even and odd layers.
    struct Windows {
        backend::TokenBlocks cut;
        backend::KeptWork work;               // of one head
        backend::OwnedTensor blocks, counts;  // on the device, as method::sharedLists() takes them
    };
    struct Orders {
        backend::OwnedTensor tokens, review;  // i32: of the clip and of its review tokens
    };
    // Tensors of one block's scan, in the arena.
    struct ScanCall;

    MateMixer(backend::Device& device, const weights::TransformerConfig& config, DType compute)
        : m_device(&device),
          m_dit(config.dit),
          m_mate(*config.mate),
          m_compute(compute),
          m_rotary(device, config.dit.headDim, config.dit.ropeMaxSeqLen) {}

    [[nodiscard]] Result<Scan> loadScan(WeightLoader& loader, const std::string& prefix) const;
    [[nodiscard]] Result<Positions> loadPositions(WeightLoader& loader, const std::string& prefix) const;
    [[nodiscard]] Result<backend::OwnedTensor> makeTable(
        backend::Ops& ops, std::int64_t count, const std::function<std::vector<std::int32_t>()>& values) const;
    [[nodiscard]] Result<Windows> makeWindows(backend::Ops& ops, const method::TokenGrid& grid, bool shifted) const;
    void normWithPositions(const MixerCall& call) const;
    [[nodiscard]] Status attendWindows(const MixerCall& call, const TensorView& out);
    [[nodiscard]] Status scanTokens(const MixerCall& call, const TensorView& out) const;
    [[nodiscard]] Status tellProbes(const MixerCall& call, const ScanCall& scan) const;
    void review(const MixerCall& call, const ScanCall& scan, std::int64_t direction, const TensorView& state) const;
    [[nodiscard]] backend::StateSpaceInput scanInput(const Scan& dynamics, const TensorView& rows,
                                                     const ConstTensorView& steps) const;
    [[nodiscard]] const Scan& dynamicsOf(const Layer& layer, std::int64_t direction) const {
        return layer.scans[m_mate.tiedDirections ? 0 : static_cast<std::size_t>(direction)];
    }

    backend::Device* m_device;
    weights::WanTransformerConfig m_dit;
    weights::MateConfig m_mate;
    DType m_compute;
    std::vector<backend::ScanOrder> m_layerOrders;
    std::vector<Layer> m_layers;
    std::vector<Positions> m_positions;  // one, one for each layer, or none
    RotaryTables m_rotary;

    // Of the grid prepared last.
    method::TokenGrid m_grid, m_reviewGrid;
    std::map<backend::ScanOrder, Orders> m_orders;
    std::array<Windows, 2> m_windows;
    backend::OwnedTensor m_frameIds, m_rowIds, m_columnIds;  // i32: positions within the tables
};

}  // namespace fw::model
