#include "core/weights/tensor_table.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <set>
#include <system_error>

#include "core/weights/text.h"

namespace fw::weights {
namespace {

// Appends tensors under a prefix; one method per kind of module.
class TableBuilder {
 public:
    void add(const std::string& name, const Shape& shape, const std::string& alias = "") {
        m_table.push_back({name, shape, alias});
    }
    void linear(const std::string& name, std::int64_t in, std::int64_t out) {
        add(name + ".weight", {out, in});
        add(name + ".bias", {out});
    }
    void conv2d(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel) {
        add(name + ".weight", {out, in, kernel, kernel});
        add(name + ".bias", {out});
    }
    void conv3d(const std::string& name, std::int64_t in, std::int64_t out, const Shape& kernel) {
        add(name + ".weight", {out, in, kernel[0], kernel[1], kernel[2]});
        add(name + ".bias", {out});
    }
    [[nodiscard]] TensorTable take() { return std::move(m_table); }

 private:
    TensorTable m_table;
};

void addWanAttention(TableBuilder& table, const std::string& prefix, std::int64_t width) {
    for (const char* projection : {"to_q", "to_k", "to_v", "to_out.0"}) {
        table.linear(prefix + projection, width, width);
    }
    table.add(prefix + "norm_q.weight", {width});
    table.add(prefix + "norm_k.weight", {width});
}

// Walks the modules of the autoencoder in the reference's order.
class VaeTableBuilder {
 public:
    explicit VaeTableBuilder(const WanVaeConfig& config) : m_config(config) {}

    [[nodiscard]] TensorTable build() {
        addEncoder();
        m_table.conv3d("quant_conv", 2 * m_config.zDim, 2 * m_config.zDim, {1, 1, 1});
        m_table.conv3d("post_quant_conv", m_config.zDim, m_config.zDim, {1, 1, 1});
        addDecoder();
        return m_table.take();
    }

 private:
    void addResnet(const std::string& prefix, std::int64_t in, std::int64_t out) {
        m_table.add(prefix + ".norm1.gamma", {in, 1, 1, 1});
        m_table.conv3d(prefix + ".conv1", in, out, {3, 3, 3});
        m_table.add(prefix + ".norm2.gamma", {out, 1, 1, 1});
        m_table.conv3d(prefix + ".conv2", out, out, {3, 3, 3});
        if (in != out) {
            m_table.conv3d(prefix + ".conv_shortcut", in, out, {1, 1, 1});
        }
    }

    void addMiddle(const std::string& prefix, std::int64_t width) {
        addResnet(prefix + ".resnets.0", width, width);
        m_table.add(prefix + ".attentions.0.norm.gamma", {width, 1, 1});
        m_table.conv2d(prefix + ".attentions.0.to_qkv", width, 3 * width, 1);
        m_table.conv2d(prefix + ".attentions.0.proj", width, width, 1);
        addResnet(prefix + ".resnets.1", width, width);
    }

    void addEncoder() {
        std::int64_t width = m_config.baseDim;
        m_table.conv3d("encoder.conv_in", m_config.inChannels, width, {3, 3, 3});
        // Blocks of all levels stand in one flat list.
        int index = 0;
        const auto next = [&] { return fmt::format("encoder.down_blocks.{}", index++); };
        const std::size_t levels = m_config.dimMult.size();
        for (std::size_t level = 0; level < levels; ++level) {
            const std::int64_t out = m_config.baseDim * m_config.dimMult[level];
            for (std::int64_t block = 0; block < m_config.numResBlocks; ++block) {
                addResnet(next(), width, out);
                width = out;
            }
            if (level + 1 == levels) {
                continue;
            }
            const std::string prefix = next();
            m_table.conv2d(prefix + ".resample.1", out, out, 3);
            if (m_config.temporalDownsample[level]) {
                m_table.conv3d(prefix + ".time_conv", out, out, {3, 1, 1});
            }
        }
        addMiddle("encoder.mid_block", width);
        m_table.add("encoder.norm_out.gamma", {width, 1, 1, 1});
        m_table.conv3d("encoder.conv_out", width, 2 * m_config.zDim, {3, 3, 3});
    }

    void addDecoder() {
        const std::size_t levels = m_config.dimMult.size();
        std::int64_t width = m_config.decoderBaseDim * m_config.dimMult.back();
        m_table.conv3d("decoder.conv_in", m_config.zDim, width, {3, 3, 3});
        addMiddle("decoder.mid_block", width);
        for (std::size_t level = 0; level < levels; ++level) {
            const std::int64_t out = m_config.decoderBaseDim * m_config.dimMult[levels - 1 - level];
            const std::string prefix = fmt::format("decoder.up_blocks.{}", level);
            for (std::int64_t block = 0; block <= m_config.numResBlocks; ++block) {
                addResnet(fmt::format("{}.resnets.{}", prefix, block), width, out);
                width = out;
            }
            if (level + 1 == levels) {
                continue;
            }
            m_table.conv2d(prefix + ".upsamplers.0.resample.1", out, out / 2, 3);
            // temporalDownsample is told from the encoder's side.
            if (m_config.temporalDownsample[levels - 2 - level]) {
                m_table.conv3d(prefix + ".upsamplers.0.time_conv", out, 2 * out, {3, 1, 1});
            }
            width = out / 2;
        }
        m_table.add("decoder.norm_out.gamma", {width, 1, 1, 1});
        m_table.conv3d("decoder.conv_out", width, m_config.outChannels, {3, 3, 3});
    }

    const WanVaeConfig& m_config;
    TableBuilder m_table;
};

}  // namespace

TensorTable tensorTable(const WanTransformerConfig& config) {
    const std::int64_t width = config.width();
    TableBuilder table;
    table.conv3d("patch_embedding", config.inChannels, width, {config.patchT, config.patchH, config.patchW});
    table.linear("condition_embedder.time_embedder.linear_1", config.freqDim, width);
    table.linear("condition_embedder.time_embedder.linear_2", width, width);
    table.linear("condition_embedder.time_proj", width, 6 * width);
    table.linear("condition_embedder.text_embedder.linear_1", config.textDim, width);
    table.linear("condition_embedder.text_embedder.linear_2", width, width);
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        const std::string prefix = fmt::format("blocks.{}.", layer);
        addWanAttention(table, prefix + "attn1.", width);
        addWanAttention(table, prefix + "attn2.", width);
        if (config.crossAttnNorm) {
            table.add(prefix + "norm2.weight", {width});
            table.add(prefix + "norm2.bias", {width});
        }
        table.linear(prefix + "ffn.net.0.proj", width, config.ffnDim);
        table.linear(prefix + "ffn.net.2", config.ffnDim, width);
        table.add(prefix + "scale_shift_table", {1, 6, width});
    }
    table.add("scale_shift_table", {1, 2, width});
    table.linear("proj_out", width, config.outChannels * config.patchT * config.patchH * config.patchW);
    return table.take();
}

TensorTable tensorTable(const WanVaeConfig& config) {
    return VaeTableBuilder(config).build();
}

TensorTable tensorTable(const Umt5Config& config) {
    TableBuilder table;
    table.add("shared.weight", {config.vocabSize, config.dModel}, "encoder.embed_tokens.weight");
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        const std::string attention = fmt::format("encoder.block.{}.layer.0.", layer);
        for (const char* projection : {"q", "k", "v"}) {
            table.add(fmt::format("{}SelfAttention.{}.weight", attention, projection),
                      {config.innerDim(), config.dModel});
        }
        table.add(attention + "SelfAttention.o.weight", {config.dModel, config.innerDim()});
        table.add(attention + "SelfAttention.relative_attention_bias.weight", {config.buckets, config.heads});
        table.add(attention + "layer_norm.weight", {config.dModel});
        const std::string feedForward = fmt::format("encoder.block.{}.layer.1.", layer);
        table.add(feedForward + "DenseReluDense.wi_0.weight", {config.dFf, config.dModel});
        table.add(feedForward + "DenseReluDense.wi_1.weight", {config.dFf, config.dModel});
        table.add(feedForward + "DenseReluDense.wo.weight", {config.dModel, config.dFf});
        table.add(feedForward + "layer_norm.weight", {config.dModel});
    }
    table.add("encoder.final_layer_norm.weight", {config.dModel});
    return table.take();
}

std::int64_t parameterCount(const TensorTable& table) {
    std::int64_t result = 0;
    for (const TensorSpec& spec : table) {
        result += spec.shape.product();
    }
    return result;
}

namespace {

bool isWeightType(DType dtype) {
    return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

// A matrix of eight bits with the scales of its rows, and maybe the name of that format, beside it: what is known
// through it.
std::vector<std::string> partsOfEightBits(const SafetensorsFile& file, const std::string& name,
                                          const ConstTensorView& view) {
    const std::string scales = rowScalesOf(name);
    const auto found = scales.empty() ? file.tensors().end() : file.tensors().find(scales);
    if (view.dtype() != DType::I8 || view.rank() < 2 || found == file.tensors().end() ||
        found->second.dtype() != DType::F32 || found->second.count() != view.dim(0)) {
        return {};
    }
    return {scales, name + "_format"};
}

// Calls `report` for every difference.
void forEachDifference(const SafetensorsFile& file, const TensorTable& table,
                       const std::function<void(std::string)>& report) {
    std::set<std::string, std::less<>> known;
    for (const TensorSpec& spec : table) {
        bool present = false;
        for (const std::string& name : {spec.name, spec.alias}) {
            const auto found = name.empty() ? file.tensors().end() : file.tensors().find(name);
            if (found == file.tensors().end()) {
                continue;
            }
            present = true;
            known.insert(found->first);
            const ConstTensorView& view = found->second;
            if (!(view.shape() == spec.shape)) {
                report(fmt::format("tensor {} has shape {} where the configuration needs {}", quoteText(name),
                                   view.shape().text(), spec.shape.text()));
            } else if (!isWeightType(view.dtype())) {
                const std::vector<std::string> parts = partsOfEightBits(file, name, view);
                known.insert(parts.begin(), parts.end());
                if (parts.empty()) {
                    report(
                        fmt::format("tensor {} has type {} where f32, f16, bf16, or i8 with a scale for every row "
                                    "of a matrix is needed",
                                    quoteText(name), dtypeName(view.dtype())));
                }
            }
        }
        if (!present) {
            report(fmt::format("tensor {} {} is missing", quoteText(spec.name), spec.shape.text()));
        }
    }
    for (const auto& [name, view] : file.tensors()) {
        if (!known.contains(name)) {
            report(
                fmt::format("tensor {} {} is unknown to the configuration", quoteText(name), view.shape().text()));
        }
    }
}

}  // namespace

std::string rowScalesOf(std::string_view weight) {
    constexpr std::string_view kEnding = ".weight";
    return weight.ends_with(kEnding) ? std::string(weight.substr(0, weight.size() - kEnding.size())) + ".SCB"
                                     : std::string();
}

std::vector<std::string> compareWithTable(const SafetensorsFile& file, const TensorTable& table,
                                          std::size_t limit) {
    std::vector<std::string> result;
    std::size_t count = 0;
    forEachDifference(file, table, [&](std::string text) {
        if (count++ < limit) {
            result.push_back(fmt::format("{}: {}", file.path().string(), text));
        }
    });
    if (count > limit) {
        result.push_back(fmt::format("{}: {} more tensors differ", file.path().string(), count - limit));
    }
    return result;
}

Status checkTable(const SafetensorsFile& file, const TensorTable& table) {
    std::string first;
    std::size_t count = 0;
    forEachDifference(file, table, [&](std::string text) {
        if (count++ == 0) {
            first = std::move(text);
        }
    });
    if (count == 0) {
        return {};
    }
    const std::string more = count == 1 ? "" : fmt::format(" ({} more tensors differ)", count - 1);
    return fail(ErrorCode::BadModel, "{}: {}{}", file.path().string(), first, more);
}

Result<std::filesystem::path> findWeightFile(const std::filesystem::path& modelFolder, std::string_view part) {
    constexpr std::array kNames{"diffusion_pytorch_model.safetensors",
                                "diffusion_pytorch_model.safetensors.index.json", "model.safetensors",
                                "model.safetensors.index.json"};
    const std::filesystem::path folder = modelFolder / part;
    for (const char* name : kNames) {
        std::error_code error;
        if (std::filesystem::exists(folder / name, error)) {
            return folder / name;
        }
    }
    return fail(ErrorCode::BadModel, "{} holds no weights: neither {} nor {} nor an index of either is there",
                folder.string(), kNames[0], kNames[2]);
}

}  // namespace fw::weights
