// Plain values between the engine's side and the window: progress, pictures, models, forecasts. No behaviour.
#pragma once

#include <QImage>
#include <QList>
#include <QString>
#include <QStringList>
#include <optional>

#include "core/job/generation_request.h"

namespace fw::app {

using JobId = quint64;
using Ticket = quint64;

enum class JobPhase : quint8 { Load, Text, Denoise, Decode, Encode };

struct JobProgress {
    JobPhase phase = JobPhase::Load;
    int step = 0;               // done so far in this phase
    int steps = 0;              // in this phase; 0: not counted
    double fraction = 0.0;      // of the whole job
    double secondsLeft = -1.0;  // of the whole job; negative: not known yet
};

// Frames that play in a loop. The images own their pixels.
struct ClipImages {
    QList<QImage> frames;
    double framesPerSecond = 12.0;

    [[nodiscard]] double seconds() const {
        return framesPerSecond > 0.0 ? static_cast<double>(frames.size()) / framesPerSecond : 0.0;
    }
};

// The clip as it looks after `step` of `steps`; plays as long as the finished clip will.
struct JobPreview {
    int step = 0, steps = 0;
    ClipImages images;
    bool exact =
        false;  // decoded by the auto-encoder, perhaps made smaller since; else a projection of the latents
};

struct ModelSummary {
    QString folder, name;
    bool embedded = false;
    job::ModelDefaults defaults;
    qint64 parameters = 0, bytes = 0;
    QStringList problems;  // what stands in the way of running it, one sentence each; empty: runnable
};

// What a request will cost.
struct Forecast {
    qint64 tokens = 0;  // of one self-attention
    qint64 flops = 0;
    qint64 peakBytes = 0;
};

// A clip on disk, read back: what it shows and, when the file says so, what made it.
struct LoadedClip {
    QString file;
    ClipImages images;
    std::optional<job::GenerationRequest> request;
};

struct FinishedClip {
    LoadedClip clip;
    Forecast cost;
    double totalSeconds = 0.0;
    double computeSeconds = 0.0;  // without loading the model and writing the file
};

}  // namespace fw::app
