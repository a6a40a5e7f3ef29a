#include "bench_options.h"

#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/model/video_model.h"
#include "core/pipeline/forward_runner.h"
#include "core/pipeline/random_model.h"

namespace fw::gpu {

namespace fs = std::filesystem;

Result<BenchOptions> BenchOptions::parse(std::span<char*> arguments, std::map<std::string, std::string> defaults) {
    BenchOptions options;
    options.m_values = std::move(defaults);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string word = arguments[i];
        const auto found = word.starts_with("--") ? options.m_values.find(word.substr(2)) : options.m_values.end();
        if (found == options.m_values.end()) {
            return fail(ErrorCode::InvalidArgument, "\"{}\" is no option here", word);
        }
        if (found->second == "no") {
            found->second = "yes";
        } else if (i + 1 < arguments.size()) {
            found->second = arguments[++i];
        } else {
            return fail(ErrorCode::InvalidArgument, "{} wants a value", word);
        }
    }
    return options;
}

Result<int> BenchOptions::number(const std::string& name) const {
    const std::string& value = text(name);
    int result = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (code != std::errc{} || end != value.data() + value.size() || result < 0) {
        return fail(ErrorCode::InvalidArgument, "--{} is \"{}\", a whole number expected", name, value);
    }
    return result;
}

std::vector<std::string> BenchOptions::list(const std::string& name) const {
    std::vector<std::string> words;
    std::istringstream stream(text(name));
    for (std::string word; std::getline(stream, word, ',');) {
        words.push_back(word);
    }
    return words;
}

std::map<std::string, std::string> sharedOptions() {
    return {{"size", "832x480"}, {"frames", "81"},  {"steps", "50"},     {"config", "wan2.1-t2v-1.3b"},
            {"layers", "0"},     {"dtype", "bf16"}, {"device", "cuda:0"}};
}

RandomFolder::~RandomFolder() {
    std::error_code ignored;
    if (!m_root.empty()) {
        fs::remove_all(m_root, ignored);
    }
}

RandomFolder::RandomFolder(RandomFolder&& other) noexcept
    : m_root(std::exchange(other.m_root, {})), m_model(std::exchange(other.m_model, {})) {}

RandomFolder& RandomFolder::operator=(RandomFolder&& other) noexcept {
    std::swap(m_root, other.m_root);
    std::swap(m_model, other.m_model);
    return *this;
}

Result<RandomFolder> RandomFolder::create(const BenchOptions& options) {
    RandomFolder folder;
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "fw-bench-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
        return fail(ErrorCode::Io, "no temporary folder can be made as {}", pattern);
    }
    folder.m_root = pattern;
    const std::string& config = options.text("config");
    if (fs::exists(fs::path(config) / "model_index.json", error)) {
        folder.m_model = config;
        return folder;
    }
    folder.m_model = folder.m_root / "model";
    const char* tree = std::getenv("FW_TEST_ROOT");
    pipeline::RandomModelOptions random;
    random.name = config;
    FW_ASSIGN(random.layers, options.number("layers"));
    random.tokenizer = fs::path(tree == nullptr ? FW_SOURCE_DIR : tree) / "resources" / "models" / "mini";
    FW_TRY(pipeline::writeRandomModel(folder.m_model, random));
    return folder;
}

namespace {

// Words of as many tokens as a long prompt has, at most, and at least some.
Result<std::string> longPrompt(const fs::path& model) {
    FW_ASSIGN(const auto tokenizer, model::loadTokenizer(model));
    const auto most = std::min(pipeline::kBenchPromptTokens, tokenizer->maxTokens() - 1);
    std::string prompt = "a fox";
    for (;;) {
        const std::string longer = prompt + " walks through a forest, to a fox that";
        FW_ASSIGN(const auto ids, tokenizer->encode(longer));
        if (std::ssize(ids) > most) {
            return prompt;
        }
        prompt = longer;
    }
}

}  // namespace

Result<ClipSetup> clipSetup(const BenchOptions& options, const RandomFolder& folder) {
    ClipSetup setup;
    setup.model = folder.model();
    setup.saladAdapter = folder.saladAdapter();
    job::GenerationRequest& base = setup.base;
    FW_ASSIGN(base.prompt, longPrompt(setup.model));
    base.seed = 7;
    base.device = options.text("device");
    base.dtype = options.text("dtype");
    int width = 0, height = 0;
    char between = ' ', behind = ' ';
    std::istringstream size(options.text("size"));
    if (!(size >> width >> between >> height) || between != 'x' || size >> behind) {
        return fail(ErrorCode::InvalidArgument, "--size is \"{}\", like 832x480 expected", options.text("size"));
    }
    base.width = width;
    base.height = height;
    FW_ASSIGN(base.frames, options.number("frames"));
    FW_ASSIGN(base.steps, options.number("steps"));
    return setup;
}

Status writeReport(const BenchOptions& options, const OrderedJson& report) {
    const std::string& file = options.text("json");
    if (file.empty()) {
        return {};
    }
    std::ofstream stream(file);
    stream << report.dump(1) << '\n';
    stream.close();
    return stream.good() ? Status() : fail(ErrorCode::Io, "{} cannot be written", file);
}

}  // namespace fw::gpu
