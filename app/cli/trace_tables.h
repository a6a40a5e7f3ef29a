// What a trace says, as tables: printed, or written as CSV or JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/trace/npz.h"
#include "core/trace/trace.h"

namespace fw::cli {

// Cells are numbers or texts.
struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<Json>> rows;
};

// The names traceTable() knows, with what each shows.
struct TableEntry {
    std::string_view name, help;
};
[[nodiscard]] const std::vector<TableEntry>& traceTables();

// InvalidArgument when the trace does not hold what the table shows, with what would have written it.
[[nodiscard]] Result<Table> traceTable(const trace::Trace& trace, std::string_view name);

// Every record of one kind of probe: where it was taken, then its values (bits of masks as 0 and 1).
[[nodiscard]] Result<Table> probeTable(const trace::Trace& trace, std::string_view probe);

// The same as arrays, in the types of the trace and of any size: step, branch, layer, head and the kind's own
// column [n], and data [n, record…], masks as 0 and 1 [n, query tiles, key tiles].
[[nodiscard]] Result<trace::NpzArchive> probeArrays(const trace::Trace& trace, std::string_view probe);

// Columns padded to equal width, numbers to the right.
[[nodiscard]] std::string asText(const Table& table);
// RFC 4180: commas, a line of names, quotes where a cell needs them.
[[nodiscard]] std::string asCsv(const Table& table);
// A column each: numbers as f64, texts as text.
[[nodiscard]] trace::NpzArchive asArrays(const Table& table);
// A list of objects.
[[nodiscard]] OrderedJson asJson(const Table& table);

}  // namespace fw::cli
