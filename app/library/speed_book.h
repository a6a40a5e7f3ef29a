// How fast clips were made, to say how long the next one takes.
#pragma once

#include <array>
#include <map>
#include <string>

#include "core/job/generation_request.h"

namespace fw::app {

// Learns from the reports of clips, the oldest first: the newest of a kind counts. What decides how fast a FLOP is
// done is the model, the device, the precision and the threads, and the method and the cache with their parameters;
// adapters do not, the model's own among them: they are merged, or belong to the method; how LoRA is used does.
// Where no clip was made with the same parameters, one of the same method and cache tells, then any of the same
// model; but never one of another device or precision, whose speed says nothing. "auto" is what it came to last.
class SpeedBook {
 public:
    // A clip's report, JSON. One of a clip that was resumed, ended early or is no report teaches nothing.
    void learn(const std::string& reportJson);
    // FLOP per second; 0: no clip like that was made yet.
    [[nodiscard]] double flopsPerSecond(const job::GenerationRequest& request) const;

 private:
    [[nodiscard]] static std::array<std::string, 3> keys(const job::GenerationRequest& request);

    std::map<std::string, double> m_speeds;
};

}  // namespace fw::app
