// Numbered schema versions and how an existing file gets to the newest one.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/store/library_store.h"
#include "core/store/sqlite_handles.h"

namespace fw::store {

// resources/schema/NNN.sql in order; step i leads from version i to version i + 1. Embedded at build time.
[[nodiscard]] std::span<const std::string_view> schemaSteps();

// Brings the file to the newest version: a copy of the file first ("…-before-v2.sqlite3"), then one transaction per
// step. A newer version than ours is refused and left alone.
[[nodiscard]] Status migrate(Connection& connection, const std::filesystem::path& file, OpenReport& report);

// Copies every readable row of the damaged file into `fresh`, an open database of the newest version that is closed
// afterwards: the connection's settings are not restored.
[[nodiscard]] Status salvage(const std::filesystem::path& damaged, Connection& fresh, OpenReport& report);

}  // namespace fw::store
