// What the engine, the queue and the library said since the start, and the text for a report of a defect.
#pragma once

#include <QDialog>
#include <functional>

#include "app/supervisor/log_book.h"
#include "ui/diagnostics.h"

class QCheckBox;
class QComboBox;
class QLineEdit;
class QPlainTextEdit;

namespace fw::ui {

// Not modal: it can stay open beside the work.
class LogView : public QDialog {
    Q_OBJECT

 public:
    // `log` outlives the view; `diagnostics` makes the text that is copied.
    LogView(const app::LogBook& log, std::function<QString(Prompts)> diagnostics, QWidget* parent = nullptr);

    [[nodiscard]] QPlainTextEdit* text() const { return m_text; }

 private:
    QWidget* buildFilters();
    void fill();
    void add(const app::LogBook::Line& line);
    [[nodiscard]] bool isWanted(const app::LogBook::Line& line) const;

    const app::LogBook& m_log;
    std::function<QString(Prompts)> m_diagnostics;
    QComboBox* m_level;
    QLineEdit* m_search;
    QCheckBox* m_follow;
    QPlainTextEdit* m_text;
};

}  // namespace fw::ui
