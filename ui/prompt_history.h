// Prompts used before: a list to search, and steps back and forth from the keyboard.
#pragma once

#include <QFrame>
#include <QPointer>
#include <QString>
#include <vector>

#include "app/library/library_service.h"

class QLabel;
class QLineEdit;
class QListWidget;

namespace fw::ui {

// A popover. Closes with Esc or a click beside it.
class PromptHistory : public QFrame {
    Q_OBJECT

 public:
    explicit PromptHistory(QWidget* parent = nullptr);

    // `library` outlives the list; null: there is no history.
    void setLibrary(app::LibraryService* library);
    // Opens below `anchor`, with the newest prompts and an empty search.
    void openBelow(QWidget* anchor);
    // The next older (+1) or newer (-1) prompt. Beyond the newest, `draft` comes back: what stood in the box when
    // the walk began. Stepping starts anew after restart().
    void step(int direction, const QString& draft, const QString& negativeDraft);
    void restart() { m_position = -1; }

    [[nodiscard]] QLineEdit* search() const { return m_search; }
    [[nodiscard]] QListWidget* list() const { return m_list; }

 signals:
    // What the walk began with, as it was.
    void draftReturned(const QString& prompt, const QString& negativePrompt);
    void chosen(const QString& prompt, const QString& negativePrompt);

 protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

 private:
    void find();
    void showEntries(const std::vector<store::PromptEntry>& entries);
    void chooseCurrent();

    app::LibraryService* m_library = nullptr;
    quint64 m_newestSearch = 0;
    std::vector<store::PromptEntry> m_shown;  // of the list
    std::vector<store::PromptEntry> m_walk;   // of the steps, newest first
    int m_position = -1;                      // in m_walk; -1: the draft
    QString m_draft, m_negativeDraft;

    QLineEdit* m_search;
    QListWidget* m_list;
    QLabel* m_empty;
};

}  // namespace fw::ui
