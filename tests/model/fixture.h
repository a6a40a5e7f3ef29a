// Fixtures made by make_fixtures.py.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/json.h"

namespace fw::test {

inline std::filesystem::path fixturePath(const char* name) {
    return std::filesystem::path(FW_SOURCE_DIR) / "tests/model/fixtures" / name;
}

inline Json readFixture(const char* name) {
    std::ifstream stream(fixturePath(name));
    EXPECT_TRUE(stream.good()) << name;
    return Json::parse(stream);
}

}  // namespace fw::test
