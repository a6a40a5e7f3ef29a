// fw caches: the step caches of this build and their parameters.
#include <fmt/ranges.h>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "core/cache/step_cache.h"

namespace fw::cli {

namespace {

// "1 to 50 steps", "bf16, f32", "true or false"
std::string range(const job::ParameterSchema& parameter) {
    switch (parameter.type) {
        case job::ParameterType::Choice:
            return fmt::format("{}", fmt::join(parameter.choices, ", "));
        case job::ParameterType::Boolean:
            return "true or false";
        default:
            return fmt::format("{} to {}{}{}", parameter.minimum, parameter.maximum,
                               parameter.unit.empty() ? "" : " ", parameter.unit);
    }
}

std::string shown(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void print(const job::MethodDescription& cache) {
    say("{:<12} {}{}{}\n", cache.id, cache.name, cache.paper.empty() ? "" : ", ", cache.paper);
    say("    {}\n", cache.summary);
    for (const job::ParameterSchema& parameter : cache.parameters) {
        say("    {:<18} {:<8} {} ({})\n", parameter.name, shown(parameter.defaultValue), parameter.help,
            range(parameter));
    }
}

class CachesCommand final : public Command {
 public:
    explicit CachesCommand(CLI::App& program)
        : Command(program, "caches", "List step caches and their parameters, for --cache and --set-cache") {
        m_app->footer(exitCodeHelp());
    }
    int run(const Session&) override {
        for (const cache::CacheEntry& entry : cache::stepCaches()) {
            print(entry.description);
        }
        return kDone;
    }
};

}  // namespace

std::unique_ptr<Command> makeCachesCommand(CLI::App& program) {
    return std::make_unique<CachesCommand>(program);
}

}  // namespace fw::cli
