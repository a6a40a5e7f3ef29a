#include "core/method/method_weights.h"

namespace fw::method {

const backend::PackedLinear* MethodWeights::linear(int layer, const std::string& name) const {
    const auto& linears = layers.at(static_cast<std::size_t>(layer)).linears;
    const auto found = linears.find(name);
    return found == linears.end() ? nullptr : found->second.get();
}

const std::vector<std::uint8_t>* MethodWeights::table(int layer, const std::string& name) const {
    const auto& tables = layers.at(static_cast<std::size_t>(layer)).tables;
    const auto found = tables.find(name);
    return found == tables.end() ? nullptr : &found->second;
}

}  // namespace fw::method
