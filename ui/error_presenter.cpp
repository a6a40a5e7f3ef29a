#include "ui/error_presenter.h"

#include <QCoreApplication>

namespace fw::ui {
namespace {

struct Errors {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Errors)
};

// Paths and option names keep their spelling: only a plain word gets a capital letter.
bool beginsWithPlainWord(const QString& sentence) {
    for (const QChar c : sentence) {
        if (c == QLatin1Char(' ') || c == QLatin1Char(',')) {
            return true;
        }
        if (!c.isLetter()) {
            return false;
        }
    }
    return false;
}

}  // namespace

QString asSentence(const std::string& message) {
    QString sentence = QString::fromStdString(message).trimmed();
    if (sentence.isEmpty()) {
        return sentence;
    }
    if (beginsWithPlainWord(sentence)) {
        sentence[0] = sentence[0].toUpper();
    }
    if (!sentence.back().isPunct()) {
        sentence += QLatin1Char('.');
    }
    return sentence;
}

PresentedError presentError(const Error& error) {
    PresentedError shown;
    shown.sentence = asSentence(error.message);
    const auto say = [&](const QString& title, const QString& advice, SuggestedAction action,
                         const QString& button) {
        shown.title = title;
        shown.advice = advice;
        shown.action = action;
        shown.actionText = button;
    };
    switch (error.code) {
        case ErrorCode::InvalidArgument:
            say(Errors::tr("These settings do not work together"), Errors::tr("Change the setting and run again."),
                SuggestedAction::ChangeSettings, Errors::tr("Back to the settings"));
            break;
        case ErrorCode::BadModel:
            say(Errors::tr("This model cannot be used"),
                Errors::tr(
                    "Choose a model folder in the diffusers layout, or put the missing file back and try again."),
                SuggestedAction::ChooseModel, Errors::tr("Choose a model folder…"));
            break;
        case ErrorCode::OutOfMemory:
            say(Errors::tr("There is not enough memory for this clip"),
                Errors::tr("Choose a smaller size or fewer frames and run again."), SuggestedAction::ChangeSettings,
                Errors::tr("Back to the settings"));
            break;
        case ErrorCode::Io:
            say(Errors::tr("A file could not be read or written"),
                Errors::tr("Check the disk and the folder's permissions, then try again."),
                SuggestedAction::OpenFolder, Errors::tr("Open the clips folder"));
            break;
        case ErrorCode::Unsupported:
            say(Errors::tr("This machine cannot do that"), Errors::tr("Choose other settings or another model."),
                SuggestedAction::ChangeSettings, Errors::tr("Back to the settings"));
            break;
        case ErrorCode::InUse:
            say(Errors::tr("This library is open in another window"),
                Errors::tr("Use the window that is already open, or close it first."), SuggestedAction::None,
                QString());
            break;
        case ErrorCode::DeviceLost:
            say(Errors::tr("The engine stopped while it made this clip"),
                Errors::tr("It starts again by itself. Run the clip once more; if that does not help, choose a "
                           "smaller size or fewer frames."),
                SuggestedAction::TryAgain, Errors::tr("Run again"));
            break;
        case ErrorCode::Cancelled:
            say(Errors::tr("The clip was cancelled"), Errors::tr("Nothing was saved. Run it again when you like."),
                SuggestedAction::TryAgain, Errors::tr("Run again"));
            break;
        case ErrorCode::Internal:
            say(Errors::tr("Framewright made a mistake"),
                Errors::tr("This is a defect of the program, not of your settings. Copy the details into a report; "
                           "running "
                           "again may still work."),
                SuggestedAction::TryAgain, Errors::tr("Try again"));
            break;
    }
    return shown;
}

}  // namespace fw::ui
