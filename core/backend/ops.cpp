#include "core/backend/ops.h"

#include <algorithm>
#include <cstring>

#include "core/backend/ops_checks.h"

namespace fw::backend {

namespace {

// FLOPs charged per element by operations that are bound by memory; products are charged exactly.
constexpr std::int64_t kRmsNormFlops = 4;     // square and add, two scalings
constexpr std::int64_t kRopeFlops = 3;        // four products and two sums per pair
constexpr std::int64_t kLayerNormFlops = 8;   // sum, centre, square and add, scale, multiply-add
constexpr std::int64_t kDifferenceFlops = 7;  // difference, two magnitudes, two squares into four sums

// Weights come from host memory; a dry run may pack shapes alone.
void checkHost(const char* op, DeviceKind device, const ConstTensorView& view) {
    const bool meta = device == DeviceKind::Meta && view.device() == DeviceKind::Meta;
    FW_CHECK(meta || view.device() == DeviceKind::Cpu, "{}: weights must be in host memory, not {}", op,
             view.text());
    FW_CHECK(isFloat(view.dtype()), "{}: weights are {}, f32, f16 or bf16 expected", op, view.text());
}

// Rows quantised for a product: an element a byte and a scale a row.
std::int64_t fp8RowBytes(std::int64_t rows, std::int64_t channels) {
    return rows * (channels + dtypeSize(DType::F32));
}

// Operands of attention in tiles of at most so many rows, and what their scales are made from.
std::int64_t fp8AttentionBytes(const ConstTensorView& q, const ConstTensorView& k) {
    constexpr std::int64_t kMostTileRows = 224;
    constexpr std::int64_t kChunkTokens = 256, kRangeBytes = 16;
    const std::int64_t heads = q.dim(0) * q.dim(2);
    const std::int64_t width = q.dim(3);
    return heads * (fp8RowBytes(q.dim(1) + kMostTileRows, width) + 2 * (k.dim(1) + kMostTileRows) * width +
                    (k.dim(1) / kChunkTokens + 1) * width * kRangeBytes);
}

std::int64_t convExtent(std::int64_t in, std::int64_t padding, std::int64_t kernel, std::int64_t stride) {
    return in + padding < kernel ? 0 : (in + padding - kernel) / stride + 1;
}

}  // namespace

void Ops::charge(std::int64_t flops, std::initializer_list<ConstTensorView> operands) {
    m_cost.flops += flops;
    for (const ConstTensorView& view : operands) {
        m_cost.bytes += view.isNone() ? 0 : view.bytes();
    }
}

std::size_t Ops::mark() {
    m_marked.push_back(timestampUs());
    return m_marked.size() - 1;
}

std::vector<std::int64_t> Ops::markedTimes() {
    return std::exchange(m_marked, {});
}

void Ops::upload(const ConstTensorView& host, const TensorView& device) {
    checkShape("upload", "device tensor", device, host.shape());
    FW_CHECK(host.dtype() == device.dtype(), "upload of {} to {}", host.text(), device.text());
    FW_CHECK(host.isContiguous() && device.isContiguous(), "upload of a strided view {}", host.text());
    FW_CHECK(host.device() == DeviceKind::Cpu, "upload from {}", host.text());
    checkDevice("upload", deviceKind(), {device});
    charge(0, {host});
    if (host.count() > 0) {
        doUpload(host, device);
    }
}

void Ops::download(const ConstTensorView& device, const TensorView& host) {
    checkShape("download", "host tensor", host, device.shape());
    FW_CHECK(host.dtype() == device.dtype(), "download of {} to {}", device.text(), host.text());
    FW_CHECK(host.isContiguous() && device.isContiguous(), "download of a strided view {}", device.text());
    FW_CHECK(host.device() == DeviceKind::Cpu, "download to {}", host.text());
    checkDevice("download", deviceKind(), {device});
    charge(0, {host});
    if (host.count() > 0) {
        doDownload(device, host);
    }
}

std::unique_ptr<PendingDownload> Ops::beginDownload(const ConstTensorView& device) {
    FW_CHECK(device.isContiguous(), "download of a strided view {}", device.text());
    checkDevice("download", deviceKind(), {device});
    charge(0, {device});
    return doBeginDownload(device);
}

std::unique_ptr<PendingDownload> Ops::doBeginDownload(const ConstTensorView& device) {
    class Copy final : public PendingDownload {
     public:
        explicit Copy(std::size_t bytes) : m_bytes(bytes) {}
        void take(void* host) override { std::memcpy(host, m_bytes.data(), m_bytes.size()); }
        [[nodiscard]] void* data() { return m_bytes.data(); }

     private:
        std::vector<std::byte> m_bytes;
    };
    auto copy = std::make_unique<Copy>(static_cast<std::size_t>(device.bytes()));
    if (device.count() > 0) {
        doDownload(device, TensorView(copy->data(), device.dtype(), device.shape()));
    }
    return copy;
}

Result<std::unique_ptr<PackedLinear>> Ops::packLinear(const LinearSource& source, DType compute) {
    FW_CHECK(!source.weights.empty(), "packLinear without weights");
    FW_CHECK(source.biases.empty() || source.biases.size() == source.weights.size(),
             "packLinear of {} weights with {} biases", source.weights.size(), source.biases.size());
    std::int64_t out = 0;
    for (std::size_t i = 0; i < source.weights.size(); ++i) {
        const ConstTensorView& weight = source.weights[i];
        checkHost("packLinear", deviceKind(), weight);
        FW_CHECK(weight.rank() == 2, "packLinear: weight is {}, [out, in] expected", weight.text());
        FW_CHECK(weight.dim(1) == source.weights[0].dim(1), "packLinear: weight {} beside {}", weight.text(),
                 source.weights[0].text());
        if (!source.biases.empty()) {
            checkHost("packLinear", deviceKind(), source.biases[i]);
            checkShape("packLinear", "bias", source.biases[i], {weight.dim(0)});
        }
        out += weight.dim(0);
    }
    const std::int64_t in = source.weights[0].dim(1);
    FW_CHECK(out > 0 && in > 0, "packLinear of an empty matrix {} x {}", out, in);
    FW_ASSIGN(auto packed, doPackLinear(source, compute));
    packed->inFeatures = in;
    packed->outFeatures = out;
    packed->compute = activationType(compute);
    return packed;
}

Result<std::unique_ptr<PackedConv3d>> Ops::packConv3d(const ConstTensorView& weight, const ConstTensorView& bias,
                                                      const Conv3dGeometry& geometry, DType compute) {
    checkHost("packConv3d", deviceKind(), weight);
    FW_CHECK(weight.rank() == 5 && weight.count() > 0, "packConv3d: weight is {}, [outC, inC, kT, kH, kW] expected",
             weight.text());
    if (!bias.isNone()) {
        checkHost("packConv3d", deviceKind(), bias);
        checkShape("packConv3d", "bias", bias, {weight.dim(0)});
    }
    for (const std::int64_t stride : geometry.stride) {
        FW_CHECK(stride >= 1, "packConv3d: stride {}", stride);
    }
    for (const std::int64_t padding : geometry.padding) {
        FW_CHECK(padding >= 0, "packConv3d: padding {}", padding);
    }
    FW_ASSIGN(auto packed, doPackConv3d(weight, bias, geometry, compute));
    packed->outChannels = weight.dim(0);
    packed->inChannels = weight.dim(1);
    packed->kernel = {weight.dim(2), weight.dim(3), weight.dim(4)};
    packed->stride = geometry.stride;
    packed->padding = geometry.padding;
    packed->compute = compute;
    return packed;
}

void Ops::checkLinear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y, bool atHand) {
    checkDevice("linear", deviceKind(), {x, y});
    checkAct("linear", "x", x);
    checkAct("linear", "y", y);
    FW_CHECK(x.rank() >= 1 && x.dim(-1) == weights.inFeatures, "linear: x is {}, {} input features expected",
             x.text(), weights.inFeatures);
    Shape expected = x.shape();
    expected[expected.rank() - 1] = weights.outFeatures;
    checkShape("linear", "y", y, expected);
    FW_CHECK(x.dtype() == weights.compute, "linear: x is {}, the weights compute in {}", x.text(),
             dtypeName(weights.compute));
    FW_CHECK(y.dtype() == weights.compute || y.dtype() == DType::F32, "linear: y is {}, {} or f32 expected",
             y.text(), dtypeName(weights.compute));
    charge(2 * y.count() * weights.inFeatures, {atHand ? ConstTensorView() : x, y});
    m_cost.bytes += weights.inFeatures * weights.outFeatures * (weights.fp8 ? 1 : dtypeSize(weights.compute));
    if (weights.fp8) {
        m_scratchBytes = std::max(m_scratchBytes, fp8RowBytes(x.count() / weights.inFeatures, weights.inFeatures));
    }
}

void Ops::linear(const ConstTensorView& x, const PackedLinear& weights, const TensorView& y,
                 Activation activation) {
    checkLinear(x, weights, y, false);
    if (y.count() > 0) {
        doLinear(x, weights, y, activation);
    }
}

void Ops::attention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                    const TensorView& out, const AttentionOptions& options) {
    checkDevice("attention", deviceKind(), {q, k, v, out, options.bias});
    for (const auto& [name, view] :
         {std::pair<const char*, const ConstTensorView*>{"q", &q}, {"k", &k}, {"v", &v}, {"out", &out}}) {
        checkAct("attention", name, *view);
        FW_CHECK(view->rank() == 4, "attention: {} is {}, [B, tokens, H, D] expected", name, view->text());
        FW_CHECK(view->dtype() == q.dtype(), "attention: {} is {}, q is {}", name, view->text(), q.text());
    }
    checkShape("attention", "out", out, q.shape());
    checkShape("attention", "v", v, k.shape());
    checkShape("attention", "k", k, {q.dim(0), k.dim(1), q.dim(2), q.dim(3)});
    FW_CHECK(q.dim(3) > 0 && q.dim(3) % 16 == 0 && q.dim(3) <= kMaxHeadDim,
             "attention: head width {}, a multiple of 16 up to {} expected", q.dim(3), kMaxHeadDim);
    AttentionOptions resolved = options;
    if (resolved.keyCount < 0) {
        resolved.keyCount = k.dim(1);
    }
    FW_CHECK(resolved.keyCount >= 1 && resolved.keyCount <= k.dim(1), "attention over {} of {} keys",
             resolved.keyCount, k.dim(1));
    checkFirstKey("attention", options.firstKeyWeight, options.scale);
    if (!options.bias.isNone()) {
        checkF32("attention", "bias", options.bias);
        checkShape("attention", "bias", options.bias, {q.dim(2), q.dim(1), k.dim(1)});
    }
    charge(4 * q.count() * resolved.keyCount, {q, k, v, out, options.bias});
    if (options.fp8) {
        m_scratchBytes = std::max(m_scratchBytes, fp8AttentionBytes(q, k));
    }
    if (out.count() > 0) {
        doAttention(q, k, v, out, resolved);
    }
}

void Ops::rmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                      const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y) {
    checkDevice("rmsNormRope", deviceKind(), {x, weight, y});
    checkAct("rmsNormRope", "x", x);
    checkAct("rmsNormRope", "y", y);
    checkF32("rmsNormRope", "weight", weight);
    FW_CHECK(x.rank() == 3, "rmsNormRope: x is {}, [B, N, C] expected", x.text());
    checkShape("rmsNormRope", "y", y, x.shape());
    checkShape("rmsNormRope", "weight", weight, {x.dim(2)});
    charge(x.count() * (kRmsNormFlops + (rope ? kRopeFlops : 0)), {x, weight, y});
    if (rope) {
        FW_CHECK(headDim > 0 && headDim % 2 == 0 && x.dim(2) % headDim == 0,
                 "rmsNormRope: heads of width {} in {} channels", headDim, x.dim(2));
        for (const ConstTensorView& table : {rope->cosine, rope->sine}) {
            checkDevice("rmsNormRope", deviceKind(), {table});
            checkF32("rmsNormRope", "rope table", table);
            checkShape("rmsNormRope", "rope table", table, {x.dim(1), headDim / 2});
        }
        charge(0, {rope->cosine, rope->sine});
    }
    if (y.count() > 0) {
        doRmsNormRope(x, weight, eps, rope, headDim, y);
    }
}

namespace {

void checkDelta(const char* op, const GatedDelta& added, const Shape& rows) {
    checkAct(op, "delta", added.delta);
    checkShape(op, "delta", added.delta, rows);
    if (!added.gate.isNone()) {
        checkF32(op, "gate", added.gate);
        checkShape(op, "gate", added.gate, {rows[0], rows[2]});
    }
}

}  // namespace

void Ops::layerNormModulate(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                            float eps, const TensorView& y, const RowProduct& product) {
    checkDevice("layerNormModulate", deviceKind(), {x, scale, shift, y});
    checkAct("layerNormModulate", "x", x);
    checkAct("layerNormModulate", "y", y);
    checkF32("layerNormModulate", "scale", scale);
    checkF32("layerNormModulate", "shift", shift);
    FW_CHECK(x.rank() == 3, "layerNormModulate: x is {}, [B, N, C] expected", x.text());
    checkShape("layerNormModulate", "y", y, x.shape());
    checkShape("layerNormModulate", "scale", scale, {x.dim(0), x.dim(2)});
    checkShape("layerNormModulate", "shift", shift, {x.dim(0), x.dim(2)});
    charge(x.count() * kLayerNormFlops, {x, scale, shift, y});
    if (product.weights != nullptr) {
        checkLinear(y, *product.weights, product.y, true);
    }
    if (y.count() == 0) {
        return;
    }
    if (product.weights != nullptr) {
        doLayerNormProduct(x, scale, shift, eps, y, product);
    } else {
        doLayerNormModulate(x, scale, shift, eps, y);
    }
}

void Ops::doLayerNormProduct(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                             float eps, const TensorView& y, const RowProduct& product) {
    doLayerNormModulate(x, scale, shift, eps, y);
    doLinear(y, *product.weights, product.y, Activation::None);
}

void Ops::layerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias, float eps,
                    const TensorView& y, const GatedDelta& added) {
    checkDevice("layerNorm", deviceKind(), {x, weight, bias, y, added.delta, added.gate});
    checkAct("layerNorm", "x", x);
    checkAct("layerNorm", "y", y);
    checkF32("layerNorm", "weight", weight);
    checkF32("layerNorm", "bias", bias);
    FW_CHECK(x.rank() == 3, "layerNorm: x is {}, [B, N, C] expected", x.text());
    checkShape("layerNorm", "y", y, x.shape());
    checkShape("layerNorm", "weight", weight, {x.dim(2)});
    checkShape("layerNorm", "bias", bias, {x.dim(2)});
    std::int64_t perElement = kLayerNormFlops;
    if (!added.delta.isNone()) {
        checkF32("layerNorm", "x", x);
        checkDelta("layerNorm", added, x.shape());
        perElement += added.gate.isNone() ? 1 : 2;
    }
    charge(x.count() * perElement, {x, weight, bias, y, added.delta, added.gate});
    if (y.count() > 0) {
        doLayerNorm(x, weight, bias, eps, y, added);
    }
}

void Ops::rmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps, const TensorView& y) {
    checkDevice("rmsNorm", deviceKind(), {x, weight, y});
    checkAct("rmsNorm", "x", x);
    checkAct("rmsNorm", "y", y);
    checkF32("rmsNorm", "weight", weight);
    checkShape("rmsNorm", "y", y, x.shape());
    checkShape("rmsNorm", "weight", weight, {x.dim(-1)});
    charge(x.count() * kRmsNormFlops, {x, weight, y});
    if (y.count() > 0) {
        doRmsNorm(x, weight, eps, y);
    }
}

void Ops::channelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu, const TensorView& y) {
    checkDevice("channelNorm", deviceKind(), {x, gamma, y});
    checkAct("channelNorm", "x", x);
    checkAct("channelNorm", "y", y);
    checkF32("channelNorm", "gamma", gamma);
    checkShape("channelNorm", "y", y, x.shape());
    checkShape("channelNorm", "gamma", gamma, {x.dim(-1)});
    charge(x.count() * (kRmsNormFlops + (silu ? kActivationFlops : 0)), {x, gamma, y});
    if (y.count() > 0) {
        doChannelNorm(x, gamma, silu, y);
    }
}

void Ops::gatedAdd(const TensorView& residual, const ConstTensorView& delta, const ConstTensorView& gate) {
    checkDevice("gatedAdd", deviceKind(), {residual, delta, gate});
    checkAct("gatedAdd", "residual", residual);
    FW_CHECK(residual.rank() == 3, "gatedAdd: residual is {}, [B, N, C] expected", residual.text());
    checkDelta("gatedAdd", {delta, gate}, residual.shape());
    charge(residual.count() * (gate.isNone() ? 1 : 2), {residual, delta, gate, residual});
    if (residual.count() > 0) {
        doGatedAdd(residual, delta, gate);
    }
}

void Ops::add(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) {
    checkDevice("add", deviceKind(), {a, b, y});
    checkF32("add", "y", y);
    for (const ConstTensorView& operand : {a, b}) {
        FW_CHECK(operand.dtype() == DType::F32, "add: operand {}, f32 expected", operand.text());
    }
    charge(y.count(), {a, b, y});
    if (y.count() > 0) {
        doAdd(a.broadcastTo(y.shape()), b.broadcastTo(y.shape()), y);
    }
}

void Ops::silu(const ConstTensorView& x, const TensorView& y) {
    checkDevice("silu", deviceKind(), {x, y});
    checkF32("silu", "x", x);
    checkF32("silu", "y", y);
    checkShape("silu", "y", y, x.shape());
    FW_CHECK(x.isContiguous() && y.isContiguous(), "silu of a strided view {}", x.text());
    charge(x.count() * kActivationFlops, {x, y});
    if (y.count() > 0) {
        doSilu(x, y);
    }
}

void Ops::gatedGelu(const ConstTensorView& x, const TensorView& y) {
    checkDevice("gatedGelu", deviceKind(), {x, y});
    checkAct("gatedGelu", "x", x);
    checkAct("gatedGelu", "y", y);
    FW_CHECK(x.rank() >= 1 && x.dim(-1) % 2 == 0, "gatedGelu: x is {}, an even last dimension expected", x.text());
    Shape expected = x.shape();
    expected[expected.rank() - 1] /= 2;
    checkShape("gatedGelu", "y", y, expected);
    charge(y.count() * (kActivationFlops + 5), {x, y});
    if (y.count() > 0) {
        doGatedGelu(x, y);
    }
}

void Ops::embed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y) {
    checkDevice("embed", deviceKind(), {table, ids, y});
    checkAct("embed", "table", table);
    checkAct("embed", "y", y);
    FW_CHECK(table.rank() == 2, "embed: table is {}, [V, C] expected", table.text());
    FW_CHECK(ids.dtype() == DType::I32 && ids.rank() == 1 && ids.isContiguous(),
             "embed: ids are {}, i32 [n] expected", ids.text());
    checkShape("embed", "y", y, {ids.dim(0), table.dim(1)});
    charge(0, {ids, y, y});
    if (y.count() > 0) {
        doEmbed(table, ids, y);
    }
}

void Ops::copy(const ConstTensorView& x, const TensorView& y) {
    checkDevice("copy", deviceKind(), {x, y});
    FW_CHECK(isFloat(x.dtype()) && isFloat(y.dtype()), "copy of {} to {}: f32, bf16 or f16 expected", x.text(),
             y.text());
    checkShape("copy", "y", y, x.shape());
    charge(0, {x, y});
    if (y.count() > 0) {
        doCopy(x, y);
    }
}

void Ops::linearCombination(std::span<const Term> terms, const TensorView& y) {
    FW_CHECK(!terms.empty() && terms.size() <= kMaxTerms, "linearCombination of {} terms, 1 to {} expected",
             terms.size(), kMaxTerms);
    checkDevice("linearCombination", deviceKind(), {y});
    checkF32("linearCombination", "y", y);
    FW_CHECK(y.isContiguous(), "linearCombination into a strided view {}", y.text());
    for (const Term& term : terms) {
        checkDevice("linearCombination", deviceKind(), {term.x});
        checkF32("linearCombination", "term", term.x);
        checkShape("linearCombination", "term", term.x, y.shape());
        FW_CHECK(term.x.isContiguous(), "linearCombination of a strided view {}", term.x.text());
        charge(2 * y.count(), {term.x});
    }
    charge(0, {y});
    if (y.count() > 0) {
        doLinearCombination(terms, y);
    }
}

void Ops::difference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means) {
    checkDevice("difference", deviceKind(), {a, b, means});
    checkAct("difference", "a", a);
    checkAct("difference", "b", b);
    checkF32("difference", "means", means);
    FW_CHECK(a.rank() == 3 && a.count() > 0, "difference: a is {}, [B, N, C] expected", a.text());
    checkShape("difference", "b", b, a.shape());
    checkShape("difference", "means", means, {4});
    charge(a.count() * kDifferenceFlops, {a, b, means});
    doDifference(a, b, means);
}

void Ops::conv3d(const ConstTensorView& x, const PackedConv3d& weights, const TensorView& y, bool accumulate) {
    checkDevice("conv3d", deviceKind(), {x, y});
    checkAct("conv3d", "x", x);
    checkAct("conv3d", "y", y);
    FW_CHECK(x.rank() == 5 && x.dim(4) == weights.inChannels, "conv3d: x is {}, [B, T, H, W, {}] expected",
             x.text(), weights.inChannels);
    FW_CHECK(x.dtype() == weights.compute && y.dtype() == weights.compute,
             "conv3d: x is {} and y is {}, the weights compute in {}", x.text(), y.text(),
             dtypeName(weights.compute));
    const auto& kernel = weights.kernel;
    const auto& padding = weights.padding;
    checkShape("conv3d", "y", y,
               {x.dim(0), convExtent(x.dim(1), 0, kernel[0], weights.stride[0]),
                convExtent(x.dim(2), padding[0] + padding[1], kernel[1], weights.stride[1]),
                convExtent(x.dim(3), padding[2] + padding[3], kernel[2], weights.stride[2]), weights.outChannels});
    const std::int64_t taps = weights.inChannels * kernel[0] * kernel[1] * kernel[2];
    charge(2 * y.count() * taps, {x, y});
    m_cost.bytes += weights.outChannels * taps * dtypeSize(weights.compute) + (accumulate ? y.bytes() : 0);
    if (y.count() > 0) {
        doConv3d(x, weights, y, accumulate);
    }
}

void Ops::upsample2x(const ConstTensorView& x, const TensorView& y) {
    checkDevice("upsample2x", deviceKind(), {x, y});
    checkAct("upsample2x", "x", x);
    checkAct("upsample2x", "y", y);
    FW_CHECK(x.rank() == 5, "upsample2x: x is {}, [B, T, H, W, C] expected", x.text());
    FW_CHECK(x.dtype() == y.dtype(), "upsample2x of {} to {}", x.text(), y.text());
    checkShape("upsample2x", "y", y, {x.dim(0), x.dim(1), 2 * x.dim(2), 2 * x.dim(3), x.dim(4)});
    charge(0, {x, y});
    if (y.count() > 0) {
        doUpsample2x(x, y);
    }
}

void Ops::toBytes(const ConstTensorView& x, const TensorView& y) {
    checkDevice("toBytes", deviceKind(), {x, y});
    checkAct("toBytes", "x", x);
    FW_CHECK(y.dtype() == DType::U8 && isInnerContiguous(y), "toBytes: y is {}, u8 expected", y.text());
    checkShape("toBytes", "y", y, x.shape());
    charge(4 * x.count(), {x, y});
    if (y.count() > 0) {
        doToBytes(x, y);
    }
}

}  // namespace fw::backend
