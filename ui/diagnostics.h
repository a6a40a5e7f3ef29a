// What a report of a defect should carry, as text: English, like the log, whatever the window speaks.
#pragma once

#include <QString>

#include "app/supervisor/log_book.h"
#include "core/base/json.h"
#include "core/job/generation_request.h"

namespace fw::ui {

class Preferences;

enum class Prompts : quint8 { LeaveOut, Include };

struct DiagnosticsInput {
    const Preferences& preferences;
    const app::LogBook& log;
    QString library;
    Json devices;                    // of the engine's Hello; empty while there was none
    job::GenerationRequest request;  // of the form
};

// Program, Qt, system, devices, library folder, settings and the last 200 lines of the log. With
// Prompts::LeaveOut nothing in it tells what the user made: no prompts, and no file names of clips, which are made
// of their words.
[[nodiscard]] QString diagnosticsText(const DiagnosticsInput& input, Prompts prompts);

}  // namespace fw::ui
