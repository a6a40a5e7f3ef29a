#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/method/attention_method.h"

namespace fw::method {
namespace {

using testing::HasSubstr;

TEST(MethodRegistry, StartsWithDenseAndDescribesEveryMethod) {
    ASSERT_FALSE(attentionMethods().empty());
    EXPECT_EQ(attentionMethods().front().description.id, "dense");
    std::set<std::string> ids;
    for (const MethodEntry& entry : attentionMethods()) {
        EXPECT_TRUE(ids.insert(entry.description.id).second) << entry.description.id;
        EXPECT_FALSE(entry.description.name.empty());
        EXPECT_FALSE(entry.description.summary.empty());
        // Only SALAD cannot do without trained weights.
        const auto created = createAttentionMethod(entry.description.id, Json::object());
        EXPECT_EQ(created.has_value(), entry.description.id != "salad") << entry.description.id;
    }
}

TEST(MethodRegistry, RefusesUnknownMethodsAndParameters) {
    const auto unknown = createAttentionMethod("denser", Json::object());
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(unknown.error().message, HasSubstr("'denser'"));
    EXPECT_THAT(unknown.error().message, HasSubstr("dense"));
    const auto parameter = createAttentionMethod("dense", {{"window", 3}});
    ASSERT_FALSE(parameter);
    EXPECT_THAT(parameter.error().message, HasSubstr("'window'"));
}

}  // namespace
}  // namespace fw::method
