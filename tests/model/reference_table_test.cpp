// Tensor tables against the state dictionaries of the reference's own modules.
#include <gtest/gtest.h>

#include <map>

#include "core/weights/tensor_table.h"
#include "fixture.h"

namespace fw::weights {
namespace {

template <class Config>
void expectSameTables(const Json& cases, Result<Config> (*parse)(const Json&)) {
    for (const Json& entry : cases) {
        const auto config = parse(entry[0]);
        ASSERT_TRUE(config) << config.error().message;
        std::map<std::string, std::vector<std::int64_t>> ours;
        for (const TensorSpec& spec : tensorTable(*config)) {
            const bool added = ours.emplace(spec.name, std::vector(spec.shape.begin(), spec.shape.end())).second;
            EXPECT_TRUE(added) << spec.name;
        }
        EXPECT_EQ(ours, (entry[1].get<std::map<std::string, std::vector<std::int64_t>>>()));
    }
}

TEST(ReferenceTable, TransformerAutoencoderAndTextEncoder) {
    const Json tables = test::readFixture("tables.json");
    expectSameTables(tables["transformer"], parseWanTransformerConfig);
    expectSameTables(tables["vae"], parseWanVaeConfig);
    expectSameTables(tables["text_encoder"], parseUmt5Config);
}

}  // namespace
}  // namespace fw::weights
