// inspectModel and listModels: what a model folder is, from its configurations and tensor tables.
#include <algorithm>
#include <set>
#include <system_error>

#include "core/model/mate_dit.h"
#include "core/model/model_defaults.h"
#include "core/model/tokenizer.h"
#include "core/model/video_model.h"
#include "core/weights/model_config.h"
#include "core/weights/tensor_table.h"
#include "core/weights/text.h"
#include "core/weights/transformer_config.h"

namespace fw::model {
namespace {

struct Family {
    std::string_view name, pipeline, transformer;
};
constexpr Family kFamilies[] = {{"wan", "WanPipeline", "WanTransformer3DModel"},
                                {"lingen", "LinGenPipeline", "LinGenTransformer3DModel"}};

// The parts every family needs besides its transformer and the classes that fill them.
struct NeededPart {
    const char* name;
    std::vector<std::string_view> classes;
};

const std::vector<NeededPart>& sharedParts() {
    static const std::vector<NeededPart> parts{
        {"vae", {"AutoencoderKLWan"}},
        {"text_encoder", {"UMT5EncoderModel"}},
        {"tokenizer", {"T5TokenizerFast", "T5Tokenizer"}},
        {"scheduler", {"UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"}},
    };
    return parts;
}

std::string folderName(const std::filesystem::path& folder) {
    std::error_code error;
    const auto canonical = std::filesystem::weakly_canonical(folder, error);
    const auto& path = error ? folder : canonical;
    return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

// Fills one ModelInfo part by part; what fails becomes a problem and the rest is still looked at.
class Inspector {
 public:
    explicit Inspector(const std::filesystem::path& folder) : m_folder(folder) {
        m_info.folder = folder;
        m_info.name = folderName(folder);
    }

    [[nodiscard]] ModelInfo inspect() {
        checkIndex();
        if (m_info.family.empty()) {
            return std::move(m_info);
        }
        const auto denoiser = valueOf(weights::loadTransformerConfig(m_folder));
        const auto transformer = denoiser ? std::optional(denoiser->dit) : std::nullopt;
        const auto vae = valueOf(weights::loadWanVaeConfig(m_folder));
        const auto encoder = valueOf(weights::loadUmt5Config(m_folder));
        const auto scheduler = valueOf(weights::loadSchedulerConfig(m_folder));
        checkWeights("transformer", denoiser);
        checkWeights("vae", vae);
        checkWeights("text_encoder", encoder);
        checkTokenizer(encoder);
        if (transformer && encoder && transformer->textDim != encoder->dModel) {
            problem(fmt::format("the transformer reads text of width {} but the text encoder writes {}",
                                transformer->textDim, encoder->dModel));
        }
        if (transformer && vae && transformer->inChannels != vae->zDim) {
            problem(fmt::format("the transformer has {} latent channels but the autoencoder has {}",
                                transformer->inChannels, vae->zDim));
        }
        if (denoiser && denoiser->mate) {
            (void)valueOf(scanOrdersOf(*denoiser->mate, transformer->layers));
        }
        if (transformer && transformer->patchT != 1) {
            problem(
                fmt::format("the transformer joins {} frames to one patch; only 1 runs here", transformer->patchT));
        }
        if (transformer && vae && scheduler) {
            m_info.defaults = architectureDefaults(*transformer, *vae, *scheduler);
            note(applyModelPreferences(m_folder, vae->zDim, m_info));
        }
        return std::move(m_info);
    }

 private:
    void problem(std::string text) { m_info.problems.push_back(std::move(text)); }

    void note(const Status& status) {
        if (!status) {
            problem(status.error().message);
        }
    }

    template <class T>
    std::optional<T> valueOf(Result<T> result) {
        if (!result) {
            problem(result.error().message);
            return std::nullopt;
        }
        return std::move(*result);
    }

    void checkIndex() {
        const auto index = valueOf(weights::loadModelIndex(m_folder));
        if (!index) {
            return;
        }
        const auto* family = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                                          [&](const Family& known) { return known.pipeline == index->className; });
        if (family == std::end(kFamilies)) {
            problem(fmt::format("the folder holds a {}; WanPipeline and LinGenPipeline run here",
                                weights::quoteText(index->className)));
            return;
        }
        m_info.family = family->name;
        std::vector<NeededPart> parts{{"transformer", {family->transformer}}};
        parts.insert(parts.end(), sharedParts().begin(), sharedParts().end());
        for (const NeededPart& part : parts) {
            const auto found = index->parts.find(part.name);
            if (found == index->parts.end()) {
                problem(fmt::format("model_index.json names no {}", part.name));
            } else if (std::find(part.classes.begin(), part.classes.end(), found->second) == part.classes.end()) {
                problem(fmt::format("model_index.json has {} as {}; {} runs here",
                                    weights::quoteText(found->second), part.name, part.classes.front()));
            }
        }
        if (index->parts.contains("transformer_2")) {
            problem("model_index.json names a second transformer; Wan2.2's pair does not run here");
        }
    }

    template <class Config>
    void checkWeights(const char* part, const std::optional<Config>& config) {
        const auto path = valueOf(weights::findWeightFile(m_folder, part));
        if (!path) {
            return;
        }
        const auto file = valueOf(weights::SafetensorsFile::open(*path));
        if (!file) {
            return;
        }
        m_info.bytes += (*file)->fileBytes();
        if (!config) {
            return;
        }
        const auto table = weights::tensorTable(*config);
        m_info.parameters += weights::parameterCount(table);
        for (std::string& difference : weights::compareWithTable(**file, table)) {
            problem(std::move(difference));
        }
    }

    void checkTokenizer(const std::optional<weights::Umt5Config>& encoder) {
        const auto tokenizer = valueOf(loadSentencePieceTokenizer(m_folder));
        if (tokenizer && encoder && tokenizer->idLimit > encoder->vocabSize) {
            problem(fmt::format("the tokenizer has ids up to {} but the text encoder knows {} tokens",
                                tokenizer->idLimit - 1, encoder->vocabSize));
        }
    }

    std::filesystem::path m_folder;
    ModelInfo m_info;
};

bool hasIndex(const std::filesystem::path& folder) {
    std::error_code error;
    return std::filesystem::is_regular_file(folder / "model_index.json", error);
}

}  // namespace

Result<ModelInfo> inspectModel(const std::filesystem::path& folder) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) {
        const bool there = std::filesystem::exists(folder, error);
        return fail(ErrorCode::BadModel, "the model folder {} {}", folder.string(),
                    there ? "is not a folder" : "does not exist");
    }
    if (!hasIndex(folder)) {
        return fail(ErrorCode::BadModel, "{} holds no model_index.json, so it is no model in the diffusers layout",
                    folder.string());
    }
    return Inspector(folder).inspect();
}

std::vector<ModelInfo> listModels(std::span<const std::filesystem::path> roots) {
    std::vector<ModelInfo> result;
    std::set<std::filesystem::path> seen;
    for (const auto& root : roots) {
        std::error_code error;
        for (std::filesystem::directory_iterator entry(root, error), end; !error && entry != end;
             entry.increment(error)) {
            std::error_code ignored;
            const auto canonical = std::filesystem::weakly_canonical(entry->path(), ignored);
            if (!hasIndex(entry->path()) || !seen.insert(canonical).second) {
                continue;
            }
            if (auto info = inspectModel(entry->path())) {
                result.push_back(std::move(*info));
            }
        }
    }
    std::sort(result.begin(), result.end(), [](const ModelInfo& a, const ModelInfo& b) {
        return std::pair(a.name, a.folder) < std::pair(b.name, b.folder);
    });
    return result;
}

}  // namespace fw::model
