#include "app/cli/program.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string_view>

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
        return reportError({ErrorCode::InvalidArgument, fmt::format("{}; see fw --help", error.what())},
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
        return parseAndRun(argc, argv, cancel);
    } catch (const std::bad_alloc&) {
        return reportError({ErrorCode::OutOfMemory, "the system has no more memory for this program"},
                           wantsJson(argc, argv));
    } catch (const std::exception& error) {
        return reportError({ErrorCode::Internal, fmt::format("internal error: {}", error.what())},
                           wantsJson(argc, argv));
    }
}

}  // namespace fw::cli
