#include "core/cache/constants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

namespace fw::cache {
namespace {

using testing::HasSubstr;

TEST(Polynomial, FitsWhatItWasMadeFrom) {
    const Polynomial made{-3.0, 2.0, 0.5, -1.0, 0.25};
    std::vector<std::pair<double, double>> points;
    for (int i = 0; i < 20; ++i) {
        const double x = 0.01 + 0.03 * i;
        points.emplace_back(x, evaluate(made, x));
    }
    const Polynomial fitted = fitPolynomial(points);
    for (const auto& [x, y] : points) {
        EXPECT_NEAR(evaluate(fitted, x), y, 1e-6);
    }
}

TEST(Polynomial, FitsFewPointsByALowerDegree) {
    EXPECT_NEAR(evaluate(fitPolynomial({{0.5, 3.0}}), 0.5), 3.0, 1e-9);
    const Polynomial line = fitPolynomial({{1.0, 2.0}, {2.0, 4.0}, {1.0, 2.0}});
    EXPECT_NEAR(evaluate(line, 1.5), 3.0, 1e-6);
    EXPECT_EQ(evaluate(fitPolynomial({}), 1.0), 0.0);
}

TEST(Constants, AreFoundBySizeOrBesideTheModel) {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("fw_constants_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    EXPECT_EQ(findConstants(folder, 8, 256).source, "");
    const Constants small = findConstants(folder, 30, 1536);
    EXPECT_THAT(small.source, HasSubstr("1.3B"));
    ASSERT_EQ(small.magnitudes.size(), 2U);
    EXPECT_EQ(small.magnitudes[0].size(), 50U);
    EXPECT_EQ(small.magnitudes[1].size(), 50U);
    EXPECT_EQ(small.magnitudes[0][49], 0.81838);
    EXPECT_TRUE(findConstants(folder, 40, 5120).magnitudes.empty());
    std::ofstream(folder / kConstantsFile) << toJson(small).dump();
    const Constants read = findConstants(folder, 8, 256);
    EXPECT_EQ(read.magnitudes, small.magnitudes);
    EXPECT_EQ(read.embedding, small.embedding);
    EXPECT_EQ(read.modulation, small.modulation);
    EXPECT_THAT(read.source, HasSubstr(kConstantsFile));
    std::ofstream(folder / kConstantsFile) << "{";
    // Not the published ones in its place: somebody measured this model.
    const Constants damaged = findConstants(folder, 30, 1536);
    ASSERT_TRUE(damaged.damage);
    EXPECT_EQ(damaged.damage->code, ErrorCode::BadModel);
    EXPECT_FALSE(damaged.embedding || damaged.modulation || !damaged.magnitudes.empty());
    // Copying such a value once parsed would need a stack as deep as it is.
    std::ofstream(folder / kConstantsFile)
        << R"({"schema": )" << std::string(1'000'000, '[') << std::string(1'000'000, ']') << '}';
    const Constants deep = findConstants(folder, 30, 1536);
    ASSERT_TRUE(deep.damage);
    EXPECT_EQ(deep.damage->code, ErrorCode::BadModel);
    EXPECT_THAT(deep.damage->message, testing::AllOf(HasSubstr(kConstantsFile), HasSubstr("nested")));
    std::filesystem::remove_all(folder);
}

TEST(Constants, RefuseDamage) {
    const auto message = [](const char* text) {
        const auto read = constantsFromJson(Json::parse(text), "file.json");
        return read ? std::string("accepted") : read.error().message;
    };
    EXPECT_THAT(message("[]"), HasSubstr("'schema'"));
    EXPECT_THAT(message(R"({"schema": 2})"), HasSubstr("'schema'"));
    EXPECT_THAT(message(R"({"schema": 1, "teacache_embedding": [1, 2]})"), HasSubstr("five numbers"));
    EXPECT_THAT(message(R"({"schema": 1, "magcache_magnitudes": [[1, 0]]})"), HasSubstr("positive"));
    EXPECT_THAT(message(R"({"schema": 1, "magcache_magnitudes": [[1], [1], [1]]})"), HasSubstr("two lists"));
    EXPECT_EQ(message(R"({"schema": 1})"), "accepted");
}

TEST(Resampled, TakesTheNearest) {
    EXPECT_EQ(resampled({1, 2, 3, 4, 5}, 5), (std::vector<double>{1, 2, 3, 4, 5}));
    EXPECT_EQ(resampled({1, 2, 3, 4, 5}, 3), (std::vector<double>{1, 3, 5}));
    EXPECT_EQ(resampled({1, 2}, 4), (std::vector<double>{1, 1, 2, 2}));
    EXPECT_EQ(resampled({7}, 3), (std::vector<double>{7, 7, 7}));
    EXPECT_EQ(resampled({1, 2, 3}, 1), (std::vector<double>{1}));
}

}  // namespace
}  // namespace fw::cache
