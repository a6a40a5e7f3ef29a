// Questions to the engine process that are not jobs: what is in this folder, what will this cost, what can be run.
#pragma once

#include <QList>
#include <QObject>
#include <QString>
#include <QStringList>
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

 signals:
    void capabilitiesChanged();  // devices() and methods()
    void modelReady(const fw::app::ModelSummary& model);
    void modelFailed(const QString& folder, const fw::Error& error);
    void modelsFound(const QList<fw::app::ModelSummary>& models);
    void forecastReady(fw::app::Ticket ticket, const fw::app::Forecast& forecast);
    void forecastFailed(fw::app::Ticket ticket, const fw::Error& error);
};

}  // namespace fw::app
