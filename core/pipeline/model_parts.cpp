#include "core/pipeline/model_parts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace fw::pipeline {

Result<DType> chooseDType(const std::string& dtype, const backend::DeviceInfo& info) {
    if (dtype == "auto") {
        return info.preferredDType;
    }
    const auto wanted = dtypeFromName(dtype);
    const auto& offered = info.computeDTypes;
    if (!wanted || std::find(offered.begin(), offered.end(), *wanted) == offered.end()) {
        std::vector<std::string_view> names;
        for (const DType known : offered) {
            names.push_back(dtypeName(known));
        }
        return fail(ErrorCode::Unsupported, "{} ({}) cannot compute in {}; it offers {}", info.id, info.name, dtype,
                    fmt::join(names, ", "));
    }
    return *wanted;
}

Result<ModelParts> loadParts(const std::filesystem::path& folder, std::unique_ptr<backend::Device> device,
                             DType dtype, int threads, const CancelToken& cancel) {
    ModelParts parts;
    parts.dtype = dtype;
    parts.device = std::move(device);
    FW_ASSIGN(parts.ops, parts.device->createOps({.threads = threads}));
    FW_ASSIGN(parts.tokenizer, model::loadTokenizer(folder));
    FW_TRY(cancel.check());
    FW_ASSIGN(parts.textEncoder, model::loadTextEncoder(folder, *parts.device, *parts.ops, dtype));
    FW_TRY(cancel.check());
    FW_ASSIGN(parts.transformer, model::loadTransformer(folder, *parts.device, *parts.ops, dtype));
    FW_TRY(cancel.check());
    FW_ASSIGN(parts.vae, model::loadVae(folder, *parts.device, *parts.ops, dtype));
    FW_TRY(cancel.check());
    const std::int64_t textWidth = parts.transformer->geometry().textWidth;
    if (parts.textEncoder->width() != textWidth) {
        return fail(ErrorCode::BadModel, "{}: the text encoder is {} wide, the transformer expects {}",
                    folder.string(), parts.textEncoder->width(), textWidth);
    }
    if (parts.vae->geometry().latentChannels != parts.transformer->geometry().latentChannels) {
        return fail(ErrorCode::BadModel, "{}: the VAE has {} latent channels, the transformer {}", folder.string(),
                    parts.vae->geometry().latentChannels, parts.transformer->geometry().latentChannels);
    }
    return parts;
}

}  // namespace fw::pipeline
