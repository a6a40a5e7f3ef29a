// What a method reads besides the base model: trained tensors of its own, one set per layer, from an adapter file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/json.h"

namespace fw::method {

// A tensor an adapter must (or may) hold in every layer, named blocks.<layer>.attn1.<name>.
struct WeightNeed {
    enum class Kind : std::uint8_t {
        Projection,  // <name>.weight [width, width], <name>.bias [width]
        Gate,        // <name>.weight [1, width], <name>.bias [1]
        HeadTable,   // <name> u8 [heads], values 0 and 1
    };
    std::string name;
    Kind kind = Kind::Projection;
    std::string with;  // another need: present in exactly the layers that have that one; empty: in any
};

// The tensors of one adapter on a device, checked against the base model. Loaded by core/model/adapter.h.
class MethodWeights {
 public:
    struct Layer {
        std::map<std::string, std::unique_ptr<backend::PackedLinear>> linears;
        std::map<std::string, std::vector<std::uint8_t>> tables;
    };
    std::vector<Layer> layers;
    std::map<std::string, std::string> metadata;  // of the file
    std::int64_t bytes = 0;                       // on the device
    std::int64_t parameters = 0;

    // Null where the layer has none.
    [[nodiscard]] const backend::PackedLinear* linear(int layer, const std::string& name) const;
    [[nodiscard]] const std::vector<std::uint8_t>* table(int layer, const std::string& name) const;
};

}  // namespace fw::method
