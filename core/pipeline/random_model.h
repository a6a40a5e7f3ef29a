// Models of a published size with random weights: speed and memory can be measured without a download.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace fw::pipeline {

// "wan2.1-t2v-1.3b", "wan2.1-t2v-14b".
[[nodiscard]] std::vector<std::string> randomModelNames();

struct RandomModelOptions {
    std::string name = "wan2.1-t2v-1.3b";
    int layers = 0;                   // of the transformer; 0: all of the published model
    std::filesystem::path tokenizer;  // a model folder whose tokenizer and vocabulary are taken over
};

// Writes a folder in the diffusers layout: transformer and auto-encoder of the published size in bf16, with values
// that keep activations of about unit size. The text encoder has the published width, for the transformer's sake,
// but one small layer and the vocabulary of `tokenizer`: what it takes says nothing about the published one.
// InvalidArgument naming the known names; Io when there is no room (2.9 GB for the 1.3B model).
[[nodiscard]] Status writeRandomModel(const std::filesystem::path& folder, const RandomModelOptions& options);

// An adapter of the method salad with random weights for every layer of the model in `folder`.
[[nodiscard]] Status writeRandomSalad(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace fw::pipeline
