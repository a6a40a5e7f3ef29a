// Questions to the engine process that are not jobs: what is in this folder, what will this cost, what can be run.
#pragma once

#include <QList>
#include <QObject>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/supervisor/worker_client.h"
#include "app/values/studio_values.h"
#include "core/base/result.h"
#include "core/job/parameter_schema.h"

namespace fw::app {

// Lives on the window's thread; nothing here blocks. Questions asked while no worker is ready are kept and asked as
// soon as one is, and asked again of the next one when a worker ends before it has answered.
class EngineLink : public QObject {
    Q_OBJECT

 public:
    // `worker` outlives the link.
    explicit EngineLink(WorkerClient& worker, QObject* parent = nullptr);

    // `folder` empty: the embedded model. Answers modelReady or modelFailed; only the newest call is answered.
    void openModel(const QString& folder);
    // Looks into each of `folders` and one level below for models. Answers modelsFound with everything that could
    // be one, runnable or not (ModelSummary::problems); the embedded model comes first.
    void findModels(const QStringList& folders);
    // Answers forecastReady or forecastFailed with `ticket`; a newer call swallows an older one.
    void forecast(Ticket ticket, const job::GenerationRequest& request);

    // What the worker said in its Hello; empty until there was one.
    [[nodiscard]] Json devices() const;
    [[nodiscard]] std::vector<job::MethodDescription> methods() const;
    [[nodiscard]] std::vector<job::MethodDescription> caches() const;

 signals:
    void capabilitiesChanged();  // devices(), methods() and caches()
    void modelReady(const fw::app::ModelSummary& model);
    void modelFailed(const QString& folder, const fw::Error& error);
    void modelsFound(const QList<fw::app::ModelSummary>& models);
    void forecastReady(fw::app::Ticket ticket, const fw::app::Forecast& forecast);
    void forecastFailed(fw::app::Ticket ticket, const fw::Error& error);

 private:
    // A question on its way. `number` is the ticket on the wire, new for every question.
    struct Pending {
        std::uint64_t number = 0;
        ipc::Message question;
        int losses = 0;  // workers that ended before they answered it
    };

    void ask(std::optional<Pending>& place, ipc::Message question);
    void askAgain();
    void workerLost(const QString& reason);
    void handle(const ipc::Message& message);
    void answered(const Pending& asked, const ipc::Answer& answer);
    void refused(const Pending& asked, const Error& error);

    WorkerClient& m_worker;
    ipc::Hello m_hello;  // of the last worker that was ready
    std::uint64_t m_lastNumber = 0;
    std::optional<Pending> m_inspect, m_find, m_plan;
    Ticket m_forecast = 0;  // the caller's ticket of m_plan
};

}  // namespace fw::app
