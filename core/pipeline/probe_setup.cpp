// A request's probes against a model and a clip.
#include <algorithm>
#include <string_view>

#include "core/pipeline/probe_recorder.h"
#include "core/pipeline/run_stages.h"

namespace fw::pipeline {

namespace {

// A map has at most so many rows: 36 kB of it, 500 MB of maps of every head, layer and step of a full-size run.
constexpr std::int64_t kMostBlocks = 128;

// The finest pooling with at most kMostBlocks blocks: the axis with most blocks gives first.
std::array<std::int64_t, 3> choosePool(trace::ProbeInfo info) {
    info.pool = {1, 1, 1};
    while (info.blockCount() > kMostBlocks) {
        const auto blocks = info.blocks();
        const auto axis = static_cast<std::size_t>(std::max_element(blocks.begin(), blocks.end()) - blocks.begin());
        // The next pool that makes fewer blocks.
        info.pool[axis] = (info.grid[axis] + blocks[axis] - 2) / (blocks[axis] - 1);
    }
    return info.pool;
}

bool isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

Result<std::vector<trace::PromptWord>> promptWords(const model::Tokenizer& tokenizer, const std::string& prompt) {
    std::vector<trace::PromptWord> words;
    std::int32_t done = 0;
    for (std::size_t begin = 0; begin < prompt.size() && done < tokenizer.maxTokens() - 1;) {
        if (isSpace(prompt[begin])) {
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < prompt.size() && !isSpace(prompt[end])) {
            ++end;
        }
        // Words are split apart before anything else is, so the tokens of the text so far are the first of the
        // whole.
        FW_ASSIGN(const auto ids, tokenizer.encode(std::string_view(prompt).substr(0, end)));
        const auto tokens = static_cast<std::int32_t>(ids.size()) - 1;  // without the end of the sequence
        if (tokens > done) {
            words.push_back({prompt.substr(begin, end - begin), done, tokens - done});
            done = tokens;
        }
        begin = end;
    }
    return words;
}

Result<ProbeSetup> fitProbes(const ModelParts& parts, const job::GenerationRequest& request) {
    ProbeSetup setup;
    FW_ASSIGN(setup.selection, job::probeSelectionFromJson(*request.probes));
    const model::VideoTransformer::Geometry& geometry = parts.shapes.transformer;
    const Shape latents = latentShape(parts, request);
    trace::ProbeInfo& info = setup.info;
    info.grid = {latents[1] / geometry.patchT, latents[2] / geometry.patchH, latents[3] / geometry.patchW};
    info.heads = geometry.heads;
    info.headDim = geometry.headDim;
    info.layers = geometry.layers;
    info.pool = choosePool(info);
    info.samples = setup.selection.samples;
    info.queries = setup.selection.queries;
    setup.steps = *request.steps;
    setup.dtype = parts.dtype;
    FW_ASSIGN(info.steps, job::selectedSteps(setup.selection, setup.steps));
    FW_ASSIGN(info.probedLayers, job::selectedLayers(setup.selection, static_cast<int>(geometry.layers)));
    for (const std::int32_t query : info.queries) {
        if (query >= info.tokens()) {
            return fail(ErrorCode::InvalidArgument,
                        "probes look from token {}, but this clip has {} of them ({} x {} x {}): 0 to {}", query,
                        info.tokens(), info.grid[0], info.grid[1], info.grid[2], info.tokens() - 1);
        }
    }
    const auto has = [&](job::Probe probe) { return setup.selection.has(probe); };
    if (has(job::Probe::Words)) {
        FW_ASSIGN(info.words, promptWords(*parts.tokenizer, request.prompt));
    }
    setup.readsRows = has(job::Probe::Map) || has(job::Probe::Row) || has(job::Probe::Stats) ||
                      has(job::Probe::Kept) || has(job::Probe::Words);
    return setup;
}

}  // namespace fw::pipeline
