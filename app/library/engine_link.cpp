#include "app/library/engine_link.h"

#include <utility>

#include "core/ipc/answers.h"

namespace fw::app {

namespace {

constexpr int kMaxLosses = 2;  // of workers on one question, then it is given up

ModelSummary summaryOf(const ipc::ModelCard& card) {
    ModelSummary summary{QString::fromStdString(card.folder),
                         QString::fromStdString(card.name),
                         card.embedded,
                         card.defaults,
                         card.parameters,
                         card.bytes,
                         {}};
    for (const std::string& problem : card.problems) {
        summary.problems.append(QString::fromStdString(problem));
    }
    return summary;
}

}  // namespace

EngineLink::EngineLink(WorkerClient& worker, QObject* parent) : QObject(parent), m_worker(worker) {
    const auto greet = [this] {
        m_hello = *m_worker.hello();
        emit capabilitiesChanged();
        askAgain();
    };
    connect(&worker, &WorkerClient::ready, this, greet);
    connect(&worker, &WorkerClient::received, this, &EngineLink::handle);
    connect(&worker, &WorkerClient::lost, this, &EngineLink::workerLost);
    if (worker.state() == WorkerClient::State::Ready) {
        m_hello = *worker.hello();
    }
}

void EngineLink::openModel(const QString& folder) {
    ask(m_inspect, ipc::InspectModel{++m_lastNumber, folder.toStdString()});
}

void EngineLink::findModels(const QStringList& folders) {
    ipc::FindModels question{++m_lastNumber, {}};
    for (const QString& folder : folders) {
        question.folders.push_back(folder.toStdString());
    }
    ask(m_find, std::move(question));
}

void EngineLink::forecast(Ticket ticket, const job::GenerationRequest& request) {
    m_forecast = ticket;
    ask(m_plan, ipc::PlanRequest{++m_lastNumber, request, false});
}

Json EngineLink::devices() const {
    return m_hello.devices;
}

std::vector<job::MethodDescription> EngineLink::methods() const {
    return m_hello.methods;
}

std::vector<job::MethodDescription> EngineLink::caches() const {
    return m_hello.caches;
}

void EngineLink::ask(std::optional<Pending>& place, ipc::Message question) {
    place = Pending{m_lastNumber, std::move(question), 0};
    m_worker.send(place->question);  // dropped when none is ready: askAgain() repeats it
}

void EngineLink::askAgain() {
    for (const auto* place : {&m_inspect, &m_find, &m_plan}) {
        if (*place) {
            m_worker.send((*place)->question);
        }
    }
}

void EngineLink::workerLost(const QString& reason) {
    for (auto* place : {&m_inspect, &m_find, &m_plan}) {
        if (*place && ++(*place)->losses >= kMaxLosses) {
            // It may be the question that ends them: one more worker would not help.
            const Pending asked = *std::exchange(*place, std::nullopt);
            refused(asked, Error{ErrorCode::DeviceLost, reason.toStdString()});
        }
    }
}

void EngineLink::handle(const ipc::Message& message) {
    const auto* answer = std::get_if<ipc::Answer>(&message);
    const auto* refusal = std::get_if<ipc::Refused>(&message);
    if (answer == nullptr && refusal == nullptr) {
        return;
    }
    const std::uint64_t ticket = answer != nullptr ? answer->ticket : refusal->ticket;
    for (auto* place : {&m_inspect, &m_find, &m_plan}) {
        if (*place && (*place)->number == ticket) {
            const Pending asked = *std::exchange(*place, std::nullopt);
            if (answer != nullptr) {
                answered(asked, *answer);
            } else {
                refused(asked, Error{errorCodeFromName(refusal->code), refusal->message});
            }
            return;
        }
    }
}

void EngineLink::answered(const Pending& asked, const ipc::Answer& answer) {
    if (std::holds_alternative<ipc::InspectModel>(asked.question)) {
        if (const auto card = ipc::modelCardFromJson(answer.json)) {
            emit modelReady(summaryOf(*card));
        } else {
            refused(asked, card.error());
        }
    } else if (std::holds_alternative<ipc::FindModels>(asked.question)) {
        const auto cards = ipc::modelCardsFromJson(answer.json);
        if (!cards) {
            refused(asked, cards.error());
            return;
        }
        QList<ModelSummary> models;
        for (const auto& card : *cards) {
            models.append(summaryOf(card));
        }
        emit modelsFound(models);
    } else if (const auto plan = ipc::planCardFromJson(answer.json)) {
        emit forecastReady(m_forecast, {plan->tokens, plan->flops, plan->peakBytes});
    } else {
        refused(asked, plan.error());
    }
}

void EngineLink::refused(const Pending& asked, const Error& error) {
    if (const auto* inspect = std::get_if<ipc::InspectModel>(&asked.question)) {
        emit modelFailed(QString::fromStdString(inspect->folder), error);
    } else if (std::holds_alternative<ipc::FindModels>(asked.question)) {
        qWarning("Models cannot be listed: %s", error.message.c_str());
        emit modelsFound({});
    } else {
        emit forecastFailed(m_forecast, error);
    }
}

}  // namespace fw::app
