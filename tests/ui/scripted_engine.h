// An engine whose answers a test writes: every call is recorded, every signal is sent by hand.
#pragma once

#include <QList>
#include <QPair>

#include "app/studio/clip_engine.h"

namespace fw::ui::test {

// `count` frames of w × h pixels, each of another grey.
app::ClipImages makeImages(int count, int width = 32, int height = 32, double fps = 12.0);

// Wan-like defaults of the embedded model: 256 × 256, 33 frames at 12 per second, 20 steps.
app::ModelSummary makeModel();

class ScriptedEngine final : public app::ClipEngine {
    Q_OBJECT

 public:
    using ClipEngine::ClipEngine;

    void openModel(const QString& folder) override { opened.append(folder); }
    void forecast(app::Ticket ticket, const job::GenerationRequest& request) override {
        forecasts.append({ticket, request});
    }
    app::JobId start(const job::GenerationRequest& request, const QString&) override {
        started.append(request);
        running = static_cast<app::JobId>(started.size());
        return running;
    }
    void cancel(app::JobId job) override { cancels.append(job); }
    [[nodiscard]] bool busy() const override { return running != 0; }
    void loadClip(const QString& file) override { loads.append(file); }
    void findRecentClips(const QString&, int) override { ++searches; }
    void exportClip(const QString& from, const QString& to) override { exports.append({from, to}); }

    // The job that runs comes to this end.
    void finish(const QString& file);
    void fail(const Error& error);
    void confirmCancel();

    QStringList opened, loads;
    QList<QPair<app::Ticket, job::GenerationRequest>> forecasts;
    QList<job::GenerationRequest> started;
    QList<app::JobId> cancels;
    QList<QPair<QString, QString>> exports;
    int searches = 0;
    app::JobId running = 0;
};

}  // namespace fw::ui::test
