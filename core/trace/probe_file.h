// Probe tensors of a trace file. Internal to trace_file.cpp; names and shapes: probe_data.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/trace/probe_data.h"
#include "core/weights/safetensors.h"

namespace fw::trace {

// Named views for the writer; they borrow from `columns` and from the ProbeData they were made of.
struct ProbeColumns {
    std::vector<std::vector<std::int32_t>> columns;
    std::vector<std::pair<std::string, ConstTensorView>> tensors;
};
[[nodiscard]] ProbeColumns probeColumns(const ProbeData& probes);

// `description` is what the file says under "probes". Every column's type, length and range is checked, and every
// data tensor's type and shape against the description; the data themselves are not read. BadModel.
[[nodiscard]] Result<ProbeData> readProbes(const std::shared_ptr<const weights::SafetensorsFile>& file,
                                           const Json& description);

}  // namespace fw::trace
