#include "core/ipc/method_json.h"

#include <array>
#include <string>

namespace fw::ipc {

namespace {

constexpr std::array<const char*, 4> kParameterTypes{"integer", "real", "boolean", "choice"};

Json toJson(const job::MethodDescription& method) {
    Json parameters = Json::array();
    for (const job::ParameterSchema& p : method.parameters) {
        parameters.push_back({{"name", p.name},
                              {"type", kParameterTypes[static_cast<std::size_t>(p.type)]},
                              {"unit", p.unit},
                              {"minimum", p.minimum},
                              {"maximum", p.maximum},
                              {"choices", p.choices},
                              {"default", p.defaultValue},
                              {"help", p.help}});
    }
    return {{"id", method.id},
            {"name", method.name},
            {"summary", method.summary},
            {"paper", method.paper},
            {"parameters", std::move(parameters)}};
}

job::ParameterSchema parameterFromJson(const Json& json, Fields& outer) {
    Fields fields(json);
    job::ParameterSchema p;
    p.name = fields.text("name");
    const std::string type = fields.text("type");
    bool known = false;
    for (std::size_t i = 0; i < kParameterTypes.size(); ++i) {
        if (type == kParameterTypes[i]) {
            p.type = static_cast<job::ParameterType>(i);
            known = true;
        }
    }
    p.unit = fields.text("unit");
    p.minimum = fields.real("minimum");
    p.maximum = fields.real("maximum");
    for (const Json& choice : fields.array("choices")) {
        if (choice.is_string()) {
            p.choices.push_back(choice.get<std::string>());
        } else {
            known = false;
        }
    }
    p.defaultValue = fields.any("default");
    p.help = fields.text("help");
    if (!known || !fields.mistake().empty()) {
        outer.wrong("parameters", "a list of parameter descriptions");
    }
    return p;
}

job::MethodDescription methodFromJson(const Json& json, const char* name, Fields& outer) {
    job::MethodDescription method;
    if (!json.is_object()) {
        outer.wrong(name, "a list of descriptions");
        return method;
    }
    Fields fields(json);
    method.id = fields.text("id");
    method.name = fields.text("name");
    method.summary = fields.text("summary");
    method.paper = fields.text("paper");
    for (const Json& parameter : fields.array("parameters")) {
        if (!parameter.is_object()) {
            fields.wrong("parameters", "a list of objects");
            break;
        }
        method.parameters.push_back(parameterFromJson(parameter, fields));
    }
    if (!fields.mistake().empty()) {
        outer.wrong(name, "a list of descriptions");
    }
    return method;
}

}  // namespace

Json toJson(const std::vector<job::MethodDescription>& methods) {
    Json list = Json::array();
    for (const auto& method : methods) {
        list.push_back(toJson(method));
    }
    return list;
}

std::vector<job::MethodDescription> methodsFromJson(const Json& list, const char* name, Fields& outer) {
    std::vector<job::MethodDescription> methods;
    if (!list.is_array()) {
        outer.wrong(name, "a list of descriptions");
        return methods;
    }
    for (const Json& one : list) {
        methods.push_back(methodFromJson(one, name, outer));
    }
    return methods;
}

}  // namespace fw::ipc
