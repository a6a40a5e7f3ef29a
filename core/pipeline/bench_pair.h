// The pairs of transformers that `fw bench linear` and the GPU's benchmarks compare: equal but for what mixes the
// tokens.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tensor/shape.h"

namespace fw::pipeline {

// A clip of a pair, by its latents [C, T, h, w], and what the LinGen paper's Figure 6 says of it (0: nothing). Its
// latencies are seconds of 50 steps on one H100, its work is of one step.
struct LinearSize {
    std::string name;
    Shape latents;
    double publishedDense = 0.0, publishedLinear = 0.0;            // seconds
    double publishedDenseTflop = 0.0, publishedLinearTflop = 0.0;  // per step
};

struct LinearPair {
    std::string name;
    Json dense, linear;  // transformer/config.json of either
    std::int64_t textRows = 0;
    std::vector<LinearSize> sizes;
};

// A pair of the published size (width 3072, 28 layers; the paper does not tell its own), with the token counts of
// an auto-encoder of 8 x 8 x 8 and patches of 1 x 2 x 2.
[[nodiscard]] LinearPair largePair();
// mini and mini-lingen at 256 x 256, from 33 frames to `frames` = 4k + 1.
[[nodiscard]] LinearPair smallPair(std::int64_t frames);

enum class PairWeights { Hollow, Random, Repeated };

// The transformers of a pair as two model folders, removed with the object.
class PairFolders {
 public:
    // Hollow: weight files of the right shapes that take no room on the disk, for dry runs. Random: small normal
    // values, repeatable. Repeated: four million such values over and over, in bf16: billions are written in
    // seconds.
    [[nodiscard]] static Result<PairFolders> write(const LinearPair& pair, PairWeights weights);
    // Only one of the two: the other folder is not there.
    [[nodiscard]] static Result<PairFolders> writeOne(const Json& config, PairWeights weights);
    PairFolders(PairFolders&& other) noexcept : m_root(std::exchange(other.m_root, {})) {}
    PairFolders& operator=(PairFolders&&) = delete;
    ~PairFolders();
    [[nodiscard]] std::filesystem::path dense() const { return m_root / "dense"; }
    [[nodiscard]] std::filesystem::path linear() const { return m_root / "linear"; }
    [[nodiscard]] std::filesystem::path one() const { return m_root / "one"; }

 private:
    [[nodiscard]] static Result<PairFolders> create();
    explicit PairFolders(std::filesystem::path root) : m_root(std::move(root)) {}
    std::filesystem::path m_root;
};

}  // namespace fw::pipeline
