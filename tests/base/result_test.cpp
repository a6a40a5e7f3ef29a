#include "core/base/result.h"

#include <gtest/gtest.h>

#include "core/base/cancel.h"

namespace fw {
namespace {

Result<int> half(int value) {
    if (value % 2 != 0) {
        return fail(ErrorCode::InvalidArgument, "{} is odd", value);
    }
    return value / 2;
}

Result<int> quarter(int value) {
    FW_ASSIGN(const int once, half(value));
    FW_ASSIGN(const int twice, half(once));
    return twice;
}

TEST(Result, PassesValuesAndFirstErrorOn) {
    EXPECT_EQ(quarter(12).value(), 3);
    const auto bad = quarter(6);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(bad.error().message, "3 is odd");
}

TEST(Result, WithinNamesThePlace) {
    EXPECT_EQ((Error{ErrorCode::Io, "disk full"}.within("clip.mp4").message), "clip.mp4: disk full");
}

TEST(CancelToken, SeesItsSourceOnly) {
    CancelSource source;
    CancelSource other;
    const CancelToken token = source.token();
    other.cancel();
    EXPECT_TRUE(token.check());
    source.cancel();
    ASSERT_FALSE(token.check());
    EXPECT_EQ(token.check().error().code, ErrorCode::Cancelled);
    EXPECT_TRUE(CancelToken{}.check());
}

}  // namespace
}  // namespace fw
