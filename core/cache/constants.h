// What some caches must know of a model: how its outputs change from step to step. Published for Wan2.1, measured
// for any other model by `fw calibrate`, which writes them beside the model.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::cache {

// Polynomials from the relative change of a time signal to that of the blocks' result, highest power first.
using Polynomial = std::array<double, 5>;
[[nodiscard]] double evaluate(const Polynomial& polynomial, double x);
// Least squares over points (x, y); of lower degree when there are too few distinct points.
[[nodiscard]] Polynomial fitPolynomial(const std::vector<std::pair<double, double>>& points);

struct Constants {
    std::string source;  // "published for Wan2.1-T2V-1.3B", or the file they come from; empty: none are known
    // TeaCache, by the signal it watches.
    std::optional<Polynomial> embedding, modulation;
    // MagCache: of every step, the mean over tokens of ‖R_i‖ / ‖R_{i-1}‖, R what the blocks add; for each branch.
    std::vector<std::vector<double>> magnitudes;
    std::optional<Error> damage;  // why the model's own file cannot be used; then nothing else is known
};

// `values` at `steps` places, each the nearest of the given ones: index round(i · (size - 1) / (steps - 1)).
[[nodiscard]] std::vector<double> resampled(const std::vector<double>& values, int steps);

// Name of the file beside a model.
inline constexpr const char* kConstantsFile = "cache_constants.json";

[[nodiscard]] OrderedJson toJson(const Constants& constants);
// BadModel naming the key. `source` becomes the constants' source.
[[nodiscard]] Result<Constants> constantsFromJson(const Json& json, const std::string& source);

// Those of the folder's own file; otherwise the published ones when the transformer has the size of Wan2.1's 1.3B
// or 14B text-to-video model (`layers` blocks, `width` channels); otherwise none. Of a damaged file the damage:
// most runs need no constants.
[[nodiscard]] Constants findConstants(const std::filesystem::path& modelFolder, std::int64_t layers,
                                      std::int64_t width);

}  // namespace fw::cache
