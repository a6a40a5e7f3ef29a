#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/job/parameter_schema.h"

namespace fw::job {
namespace {

using testing::HasSubstr;

const std::vector<ParameterSchema>& schema() {
    static const std::vector<ParameterSchema> kSchema = {
        {"window", ParameterType::Integer, "tokens", 1, 4096, {}, 128, "Width of the window."},
        {"sparsity", ParameterType::Real, "", 0.0, 1.0, {}, 0.9, "Share of blocks left out."},
        {"sink", ParameterType::Boolean, "", 0, 0, {}, false, "Always keep the first frame."},
        {"order", ParameterType::Choice, "", 0, 0, {"time", "space"}, "space", "Token order."},
    };
    return kSchema;
}

TEST(ResolveParameters, FillsDefaultsAndKeepsValues) {
    EXPECT_EQ(resolveParameters(schema(), Json::object()).value(),
              Json({{"window", 128}, {"sparsity", 0.9}, {"sink", false}, {"order", "space"}}));
    const Json given = {{"window", 4096}, {"sparsity", 0}, {"sink", true}, {"order", "time"}};
    EXPECT_EQ(resolveParameters(schema(), given).value(), given);
}

TEST(ResolveParameters, NamesTheParameterAtFault) {
    const auto message = [](const Json& values) {
        const auto result = resolveParameters(schema(), values);
        return result ? std::string("accepted") : result.error().message;
    };
    EXPECT_THAT(message({{"window", 0}}),
                HasSubstr("parameter window is 0, but must be a whole number from 1 to 4096 tokens"));
    EXPECT_THAT(message({{"window", 1.5}}), HasSubstr("whole number"));
    EXPECT_THAT(message({{"sparsity", 1.01}}), HasSubstr("from 0 to 1"));
    EXPECT_THAT(message({{"sparsity", "much"}}), HasSubstr("\"much\""));
    EXPECT_THAT(message({{"sink", 1}}), HasSubstr("true or false"));
    EXPECT_THAT(message({{"order", "diagonal"}}), HasSubstr("one of time, space"));
    EXPECT_THAT(message({{"widow", 3}}), HasSubstr("'widow' is not known"));
    EXPECT_THAT(message(Json::array()), HasSubstr("JSON object"));
}

}  // namespace
}  // namespace fw::job
