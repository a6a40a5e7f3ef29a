// Block lists that the host makes, for methods whose pattern depends on the clip's size alone.
#pragma once

#include <cstdint>
#include <vector>

#include "core/method/attention_method.h"

namespace fw::method {

// One list per block of queries, shared by batch and heads; every row has `longest` places.
struct HostLists {
    std::vector<std::int32_t> blocks, counts;
    std::int64_t longest = 1;
    backend::KeptWork work;  // of one head
};

// `kept` holds the key blocks of each query block.
[[nodiscard]] HostLists makeHostLists(const backend::TokenBlocks& cut,
                                      const std::vector<std::vector<std::int32_t>>& kept);
// Lists on the device (blocks i32 [rows · longest], counts i32 [rows]), shaped for q's batch and heads.
[[nodiscard]] backend::BlockLists sharedLists(const TensorView& blocks, const TensorView& counts,
                                              const ConstTensorView& q);
// Device copies in the arena, shaped likewise. `lists` must stay where it is until the device has
// read it.
[[nodiscard]] backend::BlockLists uploadLists(RunContext& context, const HostLists& lists,
                                              const ConstTensorView& q);

// Key tiles of 64 × 64 that a pair of blocks with this many tokens touches.
[[nodiscard]] std::int64_t tilesOf(std::int64_t queries, std::int64_t keys);

}  // namespace fw::method
