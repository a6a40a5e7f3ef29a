// Where the time of a step and of decoding goes, module by module.
#pragma once

#include "core/base/json.h"
#include "core/trace/trace.h"

namespace fw::cli {

// One row for each kind of module in the traces, in the order of the run: calls, seconds and TFLOP/s after a rest
// and under load, and the share of a plain product's FLOP/s in the same state. The attention inside self-attention
// is a row of its own and left out of the row around it. Rates are FLOP/s of the product.
[[nodiscard]] OrderedJson moduleTable(const trace::Trace& rested, const trace::Trace& sustained, double restedRate,
                                      double sustainedRate);
void printModuleTable(const OrderedJson& table);

}  // namespace fw::cli
