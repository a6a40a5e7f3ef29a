#include "app/cli/bench_model.h"

#include <fmt/ranges.h>
#include <stdlib.h>  // mkdtemp

#include <system_error>

#include "app/engine/clip_job.h"
#include "core/pipeline/random_model.h"

namespace fw::cli {

BenchModel::~BenchModel() {
    std::error_code ignored;
    if (!m_folder.empty()) {
        std::filesystem::remove_all(m_folder, ignored);
    }
}

void BenchModel::addTo(CLI::App& command) {
    command.add_option("--config", m_config,
                       fmt::format("A published model's size with random weights instead of a model: {} (3 GB of "
                                   "temporary files and more)",
                                   fmt::join(pipeline::randomModelNames(), " or ")));
}

Status BenchModel::apply(job::GenerationRequest& request) {
    if (m_config.empty()) {
        return {};
    }
    if (!request.model.empty()) {
        return fail(ErrorCode::InvalidArgument, "--config and --model both name a model; leave one out");
    }
    pipeline::RandomModelOptions options;
    options.name = m_config;
    FW_ASSIGN(options.tokenizer, app::embeddedModelFolder());
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "fw-bench-model-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
        return fail(ErrorCode::Io, "cannot make a temporary folder like {}", pattern);
    }
    m_folder = pattern;
    request.model = pattern;
    return pipeline::writeRandomModel(m_folder, options);
}

}  // namespace fw::cli
