#include "app/cli/program.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/cli/bench_linear_command.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/engine/clip_job.h"

namespace fw::cli {

namespace {

// Asked before parsing, so that errors of the parsing itself come in the form that was asked for.
bool wantsJson(int argc, const char* const* argv) {
    return std::any_of(argv, argv + argc,
                       [](const char* argument) { return std::string_view(argument) == "--json"; });
}

// Letters to change, add or leave out to come from one word to the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row[b.size()];
}

// "; did you mean --steps?" when one of `known` is within two letters of `word`, otherwise nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return distance(word, a) < distance(word, b);
    });
    const bool isNear =
        nearest != known.end() && distance(word, *nearest) <= std::min<std::size_t>(2, word.size() / 2);
    return isNear ? fmt::format("; did you mean {}?", *nearest) : std::string();
}

// What was wrong with the words of the command line, of the command that they were meant for.
std::string usageError(const CLI::App& program, const CLI::ParseError& error, int argc, const char* const* argv) {
    const CLI::App* at = &program;
    std::string path = "fw";
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto subcommands = at->get_subcommands([](const CLI::App*) { return true; });
        const auto found = std::find_if(subcommands.begin(), subcommands.end(),
                                        [&](const CLI::App* app) { return app->get_name() == word; });
        if (found == subcommands.end()) {
            if (!subcommands.empty() && !word.starts_with('-')) {
                std::vector<std::string> names;
                for (const CLI::App* app : subcommands) {
                    names.push_back(app->get_name());
                }
                return fmt::format("{} has no command '{}'{}; see {} --help", path, word, suggestion(word, names),
                                   path);
            }
            break;
        }
        at = *found;
        path += " " + word;
    }
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
        std::vector<std::string> names;
        for (const CLI::Option* option : at->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                names.push_back("--" + name);
            }
        }
        for (int i = 1; i < argc; ++i) {
            const std::string word = std::string(argv[i]).substr(0, std::string_view(argv[i]).find('='));
            if (word.starts_with("--") && std::find(names.begin(), names.end(), word) == names.end()) {
                return fmt::format("{} has no option {}{}; see {} --help", path, word, suggestion(word, names),
                                   path);
            }
        }
    }
    return fmt::format("{}; see {} --help", error.what(), path);
}

int parseAndRun(int argc, const char* const* argv, const CancelToken& cancel) {
    CLI::App program("Framewright: video from text with diffusion transformers", "fw");
    program.set_version_flag("--version", app::programVersion());
    program.require_subcommand(1);
    program.footer(exitCodeHelp());
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(makeGenerateCommand(program));
    commands.push_back(makeBranchCommand(program));
    commands.push_back(makePlanCommand(program));
    commands.push_back(makeShowCommand(program));
    commands.push_back(makeInspectCommand(program));
    commands.push_back(makeModelsCommand(program));
    commands.push_back(makeMethodsCommand(program));
    commands.push_back(makeCachesCommand(program));
    commands.push_back(makeCalibrateCommand(program));
    commands.push_back(makeDoctorCommand(program));
    CLI::App* bench = program.add_subcommand("bench", "Measure this machine");
    bench->require_subcommand(1);
    commands.push_back(makeBenchStepCommand(*bench));
    commands.push_back(makeBenchClipCommand(*bench));
    commands.push_back(makeBenchAttentionCommand(*bench));
    commands.push_back(makeBenchLinearCommand(*bench));
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {  // --help, --version
            return program.exit(error);
        }
        return reportError({ErrorCode::InvalidArgument, usageError(program, error, argc, argv)},
                           wantsJson(argc, argv));
    }
    for (const auto& command : commands) {
        if (command->app().parsed()) {
            return command->run({cancel});
        }
    }
    return kInternal;
}

}  // namespace

int runProgram(int argc, const char* const* argv, const CancelToken& cancel) {
    try {
        const int code = parseAndRun(argc, argv, cancel);
        errno = 0;
        const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
        // A reader that went away has what it wanted; a script whose file is incomplete must hear of it.
        if (code == kDone && !written && errno != EPIPE) {
            return reportError({ErrorCode::Io, fmt::format("what was to be printed could not be written whole: {}",
                                                           errno != 0 ? std::strerror(errno) : "write error")},
                               false);
        }
        return code;
    } catch (const std::bad_alloc&) {
        return reportError({ErrorCode::OutOfMemory, "the system has no more memory for this program"},
                           wantsJson(argc, argv));
    } catch (const std::exception& error) {
        return reportError({ErrorCode::Internal, fmt::format("internal error: {}", error.what())},
                           wantsJson(argc, argv));
    }
}

}  // namespace fw::cli
