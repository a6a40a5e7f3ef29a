#include <array>
#include <cstddef>
#include <span>

#include "core/model/sha256.h"
#include "core/model/video_model.h"
#include "core/weights/read_file.h"
#include "core/weights/safetensors.h"
#include "core/weights/tensor_table.h"

namespace fw::model {
namespace {

// Files that decide what a model computes, besides its weights.
constexpr std::array kConfigFiles{
    "model_index.json",         "transformer/config.json",         "vae/config.json",
    "text_encoder/config.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json",
    "tokenizer/spiece.model"};

constexpr std::uintmax_t kMaxConfigBytes = std::uintmax_t{64} << 20U;

Status addFile(Sha256& hash, const std::filesystem::path& folder, const char* name) {
    FW_ASSIGN(const std::string content, weights::readSmallFile(folder / name, kMaxConfigBytes));
    hash.addText(name);
    hash.addText(content);
    return {};
}

// Name, type, shape and a piece from the middle: training moves every weight, and one page per tensor is quick to
// read.
void addTensor(Sha256& hash, const std::string& name, const ConstTensorView& view) {
    constexpr std::size_t kPiece = 256;
    hash.addText(name);
    hash.addText(dtypeName(view.dtype()));
    hash.addText(view.shape().text());
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(view.data()),
                                           static_cast<std::size_t>(view.bytes()));
    hash.add(bytes.size() <= kPiece ? bytes : bytes.subspan((bytes.size() - kPiece) / 2, kPiece));
}

}  // namespace

Result<std::string> modelHash(const std::filesystem::path& folder) {
    Sha256 hash;
    hash.addText("framewright model 1");
    for (const char* name : kConfigFiles) {
        FW_TRY(addFile(hash, folder, name));
    }
    for (const char* part : {"transformer", "vae", "text_encoder"}) {
        FW_ASSIGN(const auto path, weights::findWeightFile(folder, part));
        FW_ASSIGN(const auto file, weights::SafetensorsFile::open(path));
        hash.addText(part);
        for (const auto& [name, view] : file->tensors()) {
            addTensor(hash, name, view);
        }
    }
    return hash.finish();
}

}  // namespace fw::model
