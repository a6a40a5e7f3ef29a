// The commands of `fw`. Each adds itself to the program's options and runs when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "core/base/cancel.h"

namespace fw::cli {

// What every command may need while it runs.
struct Session {
    CancelToken cancel;
};

class Command {
 public:
    virtual ~Command() = default;
    // Its entry in the command tree, made by the constructor.
    [[nodiscard]] const CLI::App& app() const { return *m_app; }
    // Runs after parsing. The exit code; errors are printed here.
    [[nodiscard]] virtual int run(const Session& session) = 0;

 protected:
    Command(CLI::App& parent, const char* name, const char* description)
        : m_app(parent.add_subcommand(name, description)) {}
    CLI::App* m_app;
};

[[nodiscard]] std::unique_ptr<Command> makeGenerateCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeBranchCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makePlanCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeShowCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeInspectCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeModelsCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeMethodsCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeCachesCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeCalibrateCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeDoctorCommand(CLI::App& program);
[[nodiscard]] std::unique_ptr<Command> makeBenchStepCommand(CLI::App& bench);
[[nodiscard]] std::unique_ptr<Command> makeBenchClipCommand(CLI::App& bench);
[[nodiscard]] std::unique_ptr<Command> makeBenchAttentionCommand(CLI::App& bench);

}  // namespace fw::cli
