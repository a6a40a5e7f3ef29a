#include "app/library/speed_book.h"

namespace fw::app {

namespace {

double numberOf(const Json& json, const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_number() ? it->get<double>() : 0.0;
}

}  // namespace

// From all that counts to what has to be equal.
std::array<std::string, 3> SpeedBook::keys(const job::GenerationRequest& request) {
    const auto text = [](const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); };
    const Json machine{request.model, request.device, request.dtype, request.threads};
    const Json kind{machine, request.method, request.cache};
    const Json all{kind,
                   request.methodParameters,
                   request.cacheParameters,
                   request.probes.value_or(Json()),
                   request.whatIf.value_or(Json()),
                   request.memoryBudget.value_or(0),
                   job::loraUseName(request.lora)};
    return {text(all), text(kind), text(machine)};
}

void SpeedBook::learn(const std::string& reportJson) {
    const Json report = Json::parse(reportJson, nullptr, false);
    if (!report.is_object() || !report.contains("plan") || !report["plan"].is_object() ||
        numberOf(report, "resumed_steps") > 0 || report.value("finished_early", Json()) == true) {
        return;  // not the whole of what the plan says was done in this time
    }
    auto request = job::requestFromJson(report.value("request", Json()));
    const double flops = numberOf(report["plan"], "total_flops");
    const double seconds = numberOf(report, "total_seconds") - numberOf(report, "load_seconds");
    if (!request || flops <= 0.0 || seconds <= 0.0) {
        return;
    }
    const auto note = [&] {
        for (const std::string& key : keys(*request)) {
            m_speeds[key] = flops / seconds;
        }
    };
    note();
    const Json computed = report.value("dtype", Json());
    if (request->dtype == "auto" && computed.is_string()) {
        request->dtype = computed.get<std::string>();
        note();
    }
}

double SpeedBook::flopsPerSecond(const job::GenerationRequest& request) const {
    for (const std::string& key : keys(request)) {
        if (const auto found = m_speeds.find(key); found != m_speeds.end()) {
            return found->second;
        }
    }
    return 0.0;
}

}  // namespace fw::app
