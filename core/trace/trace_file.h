// The trace of a run as a file.
//
// One safetensors file. Each column of the table is a tensor of one dimension and equal length:
//   step, branch, layer, module  i32    (module indexes the list "modules" of the description)
//   source  i32    0 computed, 1 reused, 2 predicted by a step cache; absent in older files
//   start_us, duration_us, flops, bytes  i64
//   pairs, dense_pairs, tiles, dense_tiles  i64: what self-attention computed and what dense attention would have
//          (tiles of 64 x 64); absent in older files
// Times of a row include those of the rows inside it (self_attention holds attention_core). The file's metadata has
// one key, "trace": a JSON object with the run's description (request, plan, versions, device), "modules", and
// "format": 1, which grows when a reader of before would misread the file. A run that failed says why in "failure".
// Rows of probes are no part of the rows around them. What the probes saw lies in further tensors, "probe.…", which
// probe_data.h describes; pandas wants the columns of the table alone then.
//
// In Python, the whole table:
//   tensors = safetensors.numpy.load_file("clip.trace.safetensors")
//   table = pandas.DataFrame({name: values for name, values in tensors.items() if not name.startswith("probe.")})
// and its description in another:
//   about = json.loads(safetensors.safe_open("clip.trace.safetensors", "np").metadata()["trace"])
#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/result.h"
#include "core/trace/trace.h"

namespace fw::trace {

// "self_attention": the enumerator in snake_case.
[[nodiscard]] std::string_view moduleName(Module module);

// Io when the file cannot be written; nothing is left behind then.
[[nodiscard]] Status writeTrace(const std::filesystem::path& path, const Trace& trace);

// Rows, description and probes of a file made by writeTrace; originUs is 0. The probes' data stay in the file,
// which is mapped while the trace or a copy of one of its tables lives: weights/safetensors.h says what that means
// for files others may shorten. BadModel when the file is no trace or damaged; probe tensors of kinds this program
// does not know are passed over.
[[nodiscard]] Result<Trace> readTrace(const std::filesystem::path& path);

}  // namespace fw::trace
