// Model folders whose weight files are a header and a hole: full size by name and shape, a few hundred kB on disk.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "../weights/published_configs.h"
#include "../weights/temp_folder.h"
#include "core/weights/tensor_table.h"
#include "fixture.h"

namespace fw::test {

// A weight file that holds `table` in `typeName` (size `typeBytes` per element), all zero.
inline void writeSparse(const std::filesystem::path& path, const weights::TensorTable& table, const char* typeName,
                        std::int64_t typeBytes) {
    std::string header = "{";
    std::int64_t offset = 0;
    for (const weights::TensorSpec& spec : table) {
        const std::int64_t end = offset + spec.shape.product() * typeBytes;
        header += fmt::format(R"({}"{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})",
                              offset == 0 ? "" : ",", spec.name, typeName, spec.shape.text(), offset, end);
        offset = end;
    }
    const std::string bytes = safetensorsBytes(padded(header + "}"), 0);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream stream(path, std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    ASSERT_TRUE(stream.good());
    std::filesystem::resize_file(path, bytes.size() + static_cast<std::uintmax_t>(offset));
}

// The published Wan2.1-T2V-1.3B, or the same with fewer layers, but for its vocabulary, which is the tests' small
// one.
class SparseWan {
 public:
    enum class Size { Full, Small };

    explicit SparseWan(Size size = Size::Full) {
        folder.write("model_index.json", kModelIndex);
        folder.write("transformer/config.json", kTransformer13b);
        folder.write("vae/config.json", kVae);
        folder.write("text_encoder/config.json", kUmt5Xxl);
        if (size == Size::Small) {
            patch("transformer/config.json", {{"num_layers", 1}});
            patch("text_encoder/config.json", {{"num_layers", 1}});
        }
        folder.write("scheduler/scheduler_config.json", kScheduler);
        std::filesystem::copy(fixturePath("wordy/tokenizer"), folder / "tokenizer");
        transformer = weights::tensorTable(*weights::loadWanTransformerConfig(folder.path()));
        writeTransformer();
        writeSparse(folder / "vae/diffusion_pytorch_model.safetensors",
                    weights::tensorTable(*weights::loadWanVaeConfig(folder.path())), "F32", 4);
        writeSparse(folder / "text_encoder/model.safetensors",
                    weights::tensorTable(*weights::loadUmt5Config(folder.path())), "BF16", 2);
    }

    void writeTransformer() const {
        writeSparse(folder / "transformer/diffusion_pytorch_model.safetensors", transformer, "F32", 4);
    }

    [[nodiscard]] weights::TensorSpec& spec(const std::string& name) {
        const auto found = std::find_if(transformer.begin(), transformer.end(),
                                        [&](const weights::TensorSpec& s) { return s.name == name; });
        EXPECT_NE(found, transformer.end());
        return *found;
    }

    // Replaces keys of one configuration.
    void patch(const char* file, const Json& changes) const {
        std::ifstream stream(folder / file);
        Json json = Json::parse(stream);
        json.update(changes);
        folder.write(file, json.dump());
    }

    TempFolder folder;
    weights::TensorTable transformer;
};

}  // namespace fw::test
