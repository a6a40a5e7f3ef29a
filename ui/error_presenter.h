// The one place where an error becomes words and a suggestion.
#pragma once

#include <QString>

#include "core/base/result.h"

namespace fw::ui {

enum class SuggestedAction : quint8 { None, ChangeSettings, ChooseModel, OpenFolder, TryAgain };

struct PresentedError {
    QString title;     // what failed, in a few words
    QString sentence;  // what the engine says, naming the thing at fault
    QString advice;    // what to do about it
    SuggestedAction action = SuggestedAction::None;
    QString actionText;  // for the button; empty with None
};

[[nodiscard]] PresentedError presentError(const Error& error);

// "Size 250 × 256 …": the message as a sentence of its own, with a capital letter and a full stop.
[[nodiscard]] QString asSentence(const std::string& message);

}  // namespace fw::ui
