#include "core/cache/constants.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <system_error>

#include "core/weights/model_config.h"

namespace fw::cache {

namespace {

constexpr int kSchema = 1;
constexpr std::size_t kMaxSteps = 1000;

// TeaCache: https://github.com/ali-vilab/TeaCache, TeaCache4Wan2.1. MagCache:
// https://github.com/Zehong-Ma/MagCache, MagCache4Wan2.1; 50 steps, shift 5, guidance 5.
Constants publishedSmall() {
    Constants constants;
    constants.source = "published for Wan2.1-T2V-1.3B";
    constants.embedding = {2.39676752e3, -1.31110545e3, 2.01331979e2, -8.29855975, 0.137887774};
    constants.modulation = {-5.21862437e4, 9.23041404e3, -5.28275948e2, 13.6987616, -4.99875664e-2};
    constants.magnitudes = {
        {1.0,    1.0124, 1.00166, .99791, .99682, .99634, .99567, .99416, .99578, .9957,  .99511, .99535, .99552,
         .99541, .9954,  .99489,  .99518, .99484, .99481, .99415, .99419, .99396, .99388, .99349, .99309, .9927,
         .99228, .99171, .99137,  .99068, .99005, .98944, .98849, .98758, .98644, .98504, .9836,  .98202, .97977,
         .97717, .9741,  .97003,  .96538, .9593,  .95086, .94013, .92402, .90241, .86821, .81838},
        {1.0,    1.02213, 1.0041, 1.00061, .99762, .99685, .99586, .99422, .99575, .99563, .99506, .99531, .99549,
         .99539, .99536,  .99485, .99514,  .99478, .99479, .99413, .99416, .99393, .99386, .99349, .99304, .9927,
         .99226, .9917,   .99135, .99063,  .99003, .98942, .98849, .98757, .98643, .98503, .98359, .98201, .97978,
         .97718, .97411,  .97002, .96541,  .95933, .95089, .94019, .92414, .9026,  .86868, .81939}};
    return constants;
}

Constants publishedLarge() {
    Constants constants;
    constants.source = "published for Wan2.1-T2V-14B";
    constants.embedding = {-5784.54975374, 5449.50911966, -1811.16591783, 256.27178429, -13.02252404};
    constants.modulation = {-3.03318725e5, 4.90537029e4, -2.65530556e3, 58.7365115, -0.315583525};
    return constants;
}

tl::unexpected<Error> damaged(const std::string& source, const char* key, const char* expected) {
    return fail(ErrorCode::BadModel, "{}: '{}' must be {}; measure it anew with fw calibrate", source, key,
                expected);
}

bool isFinite(const Json& value) {
    return value.is_number() && std::isfinite(value.get<double>());
}

Result<std::optional<Polynomial>> readPolynomial(const Json& json, const char* key, const std::string& source) {
    const auto found = json.find(key);
    if (found == json.end()) {
        return std::optional<Polynomial>();
    }
    Polynomial polynomial{};
    if (!found->is_array() || found->size() != polynomial.size() ||
        !std::all_of(found->begin(), found->end(), isFinite)) {
        return damaged(source, key, "five numbers");
    }
    std::transform(found->begin(), found->end(), polynomial.begin(), [](const Json& v) { return v.get<double>(); });
    return std::optional(polynomial);
}

Result<std::vector<std::vector<double>>> readMagnitudes(const Json& json, const std::string& source) {
    constexpr const char* kKey = "magcache_magnitudes";
    constexpr const char* kExpected = "one or two lists of up to 1000 positive numbers";
    std::vector<std::vector<double>> branches;
    const auto found = json.find(kKey);
    if (found == json.end()) {
        return branches;
    }
    if (!found->is_array() || found->empty() || found->size() > 2) {
        return damaged(source, kKey, kExpected);
    }
    for (const Json& branch : *found) {
        const auto positive = [](const Json& value) { return isFinite(value) && value.get<double>() > 0.0; };
        if (!branch.is_array() || branch.empty() || branch.size() > kMaxSteps ||
            !std::all_of(branch.begin(), branch.end(), positive)) {
            return damaged(source, kKey, kExpected);
        }
        branches.push_back(branch.get<std::vector<double>>());
    }
    return branches;
}

}  // namespace

double evaluate(const Polynomial& polynomial, double x) {
    double value = 0.0;
    for (const double coefficient : polynomial) {
        value = value * x + coefficient;
    }
    return value;
}

Polynomial fitPolynomial(const std::vector<std::pair<double, double>>& points) {
    std::set<double> distinct;
    double scale = 0.0;
    for (const auto& [x, y] : points) {
        distinct.insert(x);
        scale = std::max(scale, std::fabs(x));
    }
    scale = scale > 0.0 ? scale : 1.0;
    const std::size_t terms = std::min<std::size_t>(5, std::max<std::size_t>(distinct.size(), 1));
    // Normal equations of x / scale with a little ridge; long double, because its powers are nearly parallel.
    std::array<std::array<long double, 6>, 5> rows{};
    for (const auto& [x, y] : points) {
        std::array<long double, 5> powers{};
        long double power = 1.0L;
        for (std::size_t i = 0; i < terms; ++i, power *= static_cast<long double>(x / scale)) {
            powers[i] = power;
        }
        for (std::size_t i = 0; i < terms; ++i) {
            for (std::size_t j = 0; j < terms; ++j) {
                rows[i][j] += powers[i] * powers[j];
            }
            rows[i][5] += powers[i] * static_cast<long double>(y);
        }
    }
    for (std::size_t i = 0; i < terms; ++i) {
        rows[i][i] += 1e-12L * static_cast<long double>(points.size() + 1);
    }
    for (std::size_t i = 0; i < terms; ++i) {  // Gauss and Jordan; positive definite, no pivoting needed
        for (std::size_t k = 0; k < terms; ++k) {
            if (k == i) {
                continue;
            }
            const long double factor = rows[k][i] / rows[i][i];
            for (std::size_t j = 0; j < 6; ++j) {
                rows[k][j] -= factor * rows[i][j];
            }
        }
    }
    Polynomial polynomial{};
    double power = 1.0;
    for (std::size_t i = 0; i < terms; ++i, power *= scale) {
        polynomial[4 - i] = static_cast<double>(rows[i][5] / rows[i][i]) / power;
    }
    return polynomial;
}

std::vector<double> resampled(const std::vector<double>& values, int steps) {
    std::vector<double> result(static_cast<std::size_t>(steps));
    const auto last = static_cast<double>(values.size()) - 1.0;
    for (int i = 0; i < steps; ++i) {
        const double place = steps > 1 ? static_cast<double>(i) * last / static_cast<double>(steps - 1) : 0.0;
        result[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(std::lround(place))];
    }
    return result;
}

OrderedJson toJson(const Constants& constants) {
    OrderedJson json;
    json["schema"] = kSchema;
    if (constants.embedding) {
        json["teacache_embedding"] = *constants.embedding;
    }
    if (constants.modulation) {
        json["teacache_modulation"] = *constants.modulation;
    }
    if (!constants.magnitudes.empty()) {
        json["magcache_magnitudes"] = constants.magnitudes;
    }
    return json;
}

Result<Constants> constantsFromJson(const Json& json, const std::string& source) {
    if (!json.is_object() || json.value("schema", Json()) != Json(kSchema)) {
        return damaged(source, "schema", "1, in a JSON object");
    }
    Constants constants;
    constants.source = source;
    FW_ASSIGN(constants.embedding, readPolynomial(json, "teacache_embedding", source));
    FW_ASSIGN(constants.modulation, readPolynomial(json, "teacache_modulation", source));
    FW_ASSIGN(constants.magnitudes, readMagnitudes(json, source));
    return constants;
}

Constants findConstants(const std::filesystem::path& modelFolder, std::int64_t layers, std::int64_t width) {
    const std::filesystem::path path = modelFolder / kConstantsFile;
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
        const auto read = [&]() -> Result<Constants> {
            FW_ASSIGN(const Json json, weights::readJsonFile(path));
            return constantsFromJson(json, path.string());
        };
        auto own = read();
        if (own) {
            return *std::move(own);
        }
        Constants none;
        none.source = path.string();
        none.damage = std::move(own).error();
        return none;
    }
    if (layers == 30 && width == 1536) {
        return publishedSmall();
    }
    if (layers == 40 && width == 5120) {
        return publishedLarge();
    }
    return {};
}

}  // namespace fw::cache
