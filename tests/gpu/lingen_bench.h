// What LinGen claims, measured in one go: whole passes against dense attention, and the scan by itself.
#pragma once

#include "core/base/result.h"
#include "core/pipeline/bench_pair.h"
#include "workloads.h"

namespace fw::gpu {

// Both models of a pair, one pass each and in turns, at every size: latency, LinGen's time per token, memory. One
// JSON object a row on standard output, as soon as it is known, then a table. largePair() is LinGen-4B against
// DiT-4B and takes some 90 s on an H100.
[[nodiscard]] Status benchLinGen(Bench& bench, const pipeline::LinearPair& pair);

// The state space scan of 48 heads of 64 and a state of 128 over 32,768 to 262,144 tokens, as they lie and along
// every rotary order, in turns. Printed likewise. A few seconds.
[[nodiscard]] Status benchScans(Bench& bench);

}  // namespace fw::gpu
