// fw methods, fw caches: what a request may choose, with every parameter.
#include <fmt/ranges.h>

#include <utility>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/output.h"
#include "core/cache/step_cache.h"
#include "core/method/attention_method.h"

namespace fw::cli {

namespace {

using job::ParameterType;

bool isNumber(const job::ParameterSchema& parameter) {
    return parameter.type == ParameterType::Integer || parameter.type == ParameterType::Real;
}

const char* typeName(ParameterType type) {
    switch (type) {
        case ParameterType::Integer:
            return "integer";
        case ParameterType::Real:
            return "real";
        case ParameterType::Boolean:
            return "boolean";
        case ParameterType::Choice:
            return "choice";
    }
    return "";
}

// "1 to 50 steps", "bf16, f32", "true or false"
std::string range(const job::ParameterSchema& parameter) {
    if (parameter.type == ParameterType::Choice) {
        return fmt::format("{}", fmt::join(parameter.choices, ", "));
    }
    if (parameter.type == ParameterType::Boolean) {
        return "true or false";
    }
    return fmt::format("{} to {}{}{}", parameter.minimum, parameter.maximum, parameter.unit.empty() ? "" : " ",
                       parameter.unit);
}

std::string shown(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void print(const job::MethodDescription& choice) {
    say("{:<14} {}{}{}\n", choice.id, choice.name, choice.paper.empty() ? "" : ", ", choice.paper);
    say("    {}\n", choice.summary);
    for (const job::ParameterSchema& parameter : choice.parameters) {
        say("    {:<18} {:<8} {} ({})\n", parameter.name, shown(parameter.defaultValue), parameter.help,
            range(parameter));
    }
}

OrderedJson parameterJson(const job::ParameterSchema& parameter) {
    OrderedJson json{{"name", parameter.name}, {"type", typeName(parameter.type)}};
    if (isNumber(parameter)) {
        json["minimum"] = parameter.minimum;
        json["maximum"] = parameter.maximum;
        json["unit"] = parameter.unit;
    }
    if (parameter.type == ParameterType::Choice) {
        json["choices"] = parameter.choices;
    }
    json["default"] = parameter.defaultValue;
    json["help"] = parameter.help;
    return json;
}

OrderedJson choiceJson(const job::MethodDescription& choice) {
    OrderedJson parameters = OrderedJson::array();
    for (const job::ParameterSchema& parameter : choice.parameters) {
        parameters.push_back(parameterJson(parameter));
    }
    return {{"id", choice.id},
            {"name", choice.name},
            {"summary", choice.summary},
            {"paper", choice.paper},
            {"parameters", std::move(parameters)}};
}

class ChoicesCommand final : public Command {
 public:
    ChoicesCommand(CLI::App& program, const char* name, const char* help,
                   std::vector<job::MethodDescription> choices)
        : Command(program, name, help), m_name(name), m_choices(std::move(choices)) {
        m_app->add_flag("--json", m_json, "Print one JSON object instead of text");
        m_app->footer(exitCodeHelp());
    }
    int run(const Session&) override {
        OrderedJson list = OrderedJson::array();
        for (const job::MethodDescription& choice : m_choices) {
            if (m_json) {
                list.push_back(choiceJson(choice));
            } else {
                print(choice);
            }
        }
        if (m_json) {
            say("{}\n", jsonText({{m_name, std::move(list)}}));
        }
        return kDone;
    }

 private:
    std::string m_name;
    std::vector<job::MethodDescription> m_choices;
    bool m_json = false;
};

template <class Entry>
std::vector<job::MethodDescription> descriptionsOf(const std::vector<Entry>& entries) {
    std::vector<job::MethodDescription> descriptions;
    for (const Entry& entry : entries) {
        descriptions.push_back(entry.description);
    }
    return descriptions;
}

}  // namespace

std::unique_ptr<Command> makeMethodsCommand(CLI::App& program) {
    return std::make_unique<ChoicesCommand>(program, "methods",
                                            "List attention methods and their parameters, for --method and --set",
                                            descriptionsOf(method::attentionMethods()));
}

std::unique_ptr<Command> makeCachesCommand(CLI::App& program) {
    return std::make_unique<ChoicesCommand>(program, "caches",
                                            "List step caches and their parameters, for --cache and --set-cache",
                                            descriptionsOf(cache::stepCaches()));
}

}  // namespace fw::cli
