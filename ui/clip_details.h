// What is known of the selected clip, and what of it can be changed; for several clips, what they share and where
// their settings differ.
#pragma once

#include <QScrollArea>
#include <QStringList>
#include <QTimer>
#include <vector>

#include "core/store/records.h"

class QFormLayout;
class QGridLayout;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QStringListModel;
class QVBoxLayout;

namespace fw::ui {

class FlowLayout;
class StarField;

class ClipDetails : public QScrollArea {
    Q_OBJECT

 public:
    explicit ClipDetails(QWidget* parent = nullptr);

    void showNothing();
    void showClip(const store::Clip& clip, const QString& project);
    // `clips`: those whose records are at hand, of `count` selected.
    void showSeveral(const std::vector<store::Clip>& clips, qint64 count);
    void setKnownTags(const QStringList& tags);
    // Gives out notes that wait for a pause in typing.
    void flushNotes();

 signals:
    void starsChosen(int stars);
    void tagAdded(const QString& tag);
    void tagRemoved(const QString& tag);
    void notesEdited(qint64 clipId, const QString& before, const QString& after);
    void loadRequested();
    void varyRequested();
    void exportRequested();
    void revealRequested();
    void copyRequested();

 private:
    void build();
    QWidget* buildActions();
    void showTags(const std::vector<store::Clip>& clips);
    void showRows(const std::vector<store::Clip>& clips, const QString& project);

    QWidget* m_empty = nullptr;
    QWidget* m_content = nullptr;
    QLabel *m_title = nullptr, *m_prompt = nullptr, *m_missing = nullptr;
    StarField* m_stars = nullptr;
    FlowLayout* m_tags = nullptr;
    QLineEdit* m_newTag = nullptr;
    QStringListModel* m_knownTags = nullptr;
    QPlainTextEdit* m_notes = nullptr;
    QPushButton *m_load = nullptr, *m_vary = nullptr, *m_reveal = nullptr;
    QWidget* m_rows = nullptr;
    QVBoxLayout* m_rowsPlace = nullptr;
    std::int64_t m_clipId = 0;
    QString m_savedNotes;  // of that clip, as it was read or last given out
    QTimer m_notesTimer;
};

}  // namespace fw::ui
