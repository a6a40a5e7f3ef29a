#include "app/worker/question_desk.h"

#include <algorithm>
#include <array>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "app/engine/clip_job.h"
#include "core/backend/device.h"
#include "core/ipc/answers.h"
#include "core/model/video_model.h"
#include "core/pipeline/generator.h"

namespace fw::app {

namespace {

namespace fs = std::filesystem;

bool isBackground(const ipc::Message& question) {
    const auto* plan = std::get_if<ipc::PlanRequest>(&question);
    return plan != nullptr && plan->background;
}

ipc::ModelCard cardOf(const model::ModelInfo& info, bool embedded) {
    return {info.folder.string(), info.name, embedded, info.defaults, info.parameters, info.bytes, info.problems};
}

Result<Json> answer(const ipc::InspectModel& question) {
    fs::path folder = question.folder;
    if (question.folder.empty()) {
        FW_ASSIGN(folder, embeddedModelFolder());
    }
    FW_ASSIGN(const auto info, model::inspectModel(folder));
    return ipc::toJson(cardOf(info, question.folder.empty()));
}

// The embedded model, then each folder that is a model itself, then what lies directly below it.
Result<Json> answer(const ipc::FindModels& question) {
    std::vector<ipc::ModelCard> cards;
    std::set<fs::path> seen;
    const auto add = [&](const model::ModelInfo& info, bool embedded) {
        std::error_code error;
        const fs::path canonical = fs::weakly_canonical(info.folder, error);
        if (seen.insert(error ? info.folder : canonical).second) {
            cards.push_back(cardOf(info, embedded));
        }
    };
    if (const auto embedded = embeddedModelFolder()) {
        if (const auto info = model::inspectModel(*embedded)) {
            add(*info, true);
        }
    }
    for (const std::string& text : question.folders) {
        const std::array<fs::path, 1> folder{text};
        if (const auto info = model::inspectModel(folder[0])) {
            add(*info, false);
        }
        for (const auto& info : model::listModels(folder)) {
            add(info, false);
        }
    }
    return ipc::toJson(cards);
}

Result<Json> answer(const ipc::PlanRequest& question) {
    job::GenerationRequest request = question.request;
    FW_ASSIGN(const fs::path folder, modelFolder(request));
    request.model = folder.string();
    // What a machine with such a device would need is for `fw plan`: here it is asked what this one will do.
    if (auto device = backend::createDevice(request.device); !device) {
        return tl::unexpected(std::move(device).error());
    }
    FW_ASSIGN(const job::Plan plan, pipeline::makePlan(request));
    return ipc::toJson(ipc::PlanCard{plan.tokens, plan.totalFlops(), plan.peakBytes});
}

template <class Question>
ipc::Message replyTo(const Question& question) {
    auto json = answer(question);
    if (!json) {
        return ipc::Refused{question.ticket, std::string(errorCodeName(json.error().code)), json.error().message};
    }
    return ipc::Answer{question.ticket, std::move(*json)};
}

}  // namespace

ipc::Message answerTo(const ipc::Message& question) {
    if (const auto* inspect = std::get_if<ipc::InspectModel>(&question)) {
        return replyTo(*inspect);
    }
    if (const auto* find = std::get_if<ipc::FindModels>(&question)) {
        return replyTo(*find);
    }
    return replyTo(std::get<ipc::PlanRequest>(question));
}

QuestionDesk::QuestionDesk(std::function<void(const ipc::Message&)> reply)
    : m_reply(std::move(reply)), m_thread([this] { work(); }) {}

QuestionDesk::~QuestionDesk() {
    {
        const std::scoped_lock lock(m_lock);
        m_closing = true;
        m_waiting.clear();
    }
    m_changed.notify_all();
    m_thread.join();
}

bool QuestionDesk::isQuestion(const ipc::Message& message) {
    return std::holds_alternative<ipc::InspectModel>(message) || std::holds_alternative<ipc::FindModels>(message) ||
           std::holds_alternative<ipc::PlanRequest>(message);
}

void QuestionDesk::ask(const ipc::Message& question) {
    {
        const std::scoped_lock lock(m_lock);
        const bool background = isBackground(question);
        std::erase_if(m_waiting, [&](const ipc::Message& older) {
            return older.index() == question.index() && isBackground(older) == background;
        });
        // What somebody looks at comes before what only the queue wants to know.
        m_waiting.insert(
            background ? m_waiting.end() : std::find_if(m_waiting.begin(), m_waiting.end(), isBackground),
            question);
    }
    m_changed.notify_all();
}

void QuestionDesk::work() {
    std::unique_lock lock(m_lock);
    for (;;) {
        m_changed.wait(lock, [this] { return m_closing || !m_waiting.empty(); });
        if (m_closing) {
            return;
        }
        const ipc::Message question = std::move(m_waiting.front());
        m_waiting.pop_front();
        lock.unlock();
        m_reply(answerTo(question));
        lock.lock();
    }
}

}  // namespace fw::app
