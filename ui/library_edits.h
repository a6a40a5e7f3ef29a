// Changes to clips that can be taken back.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <QStringList>
#include <QUndoStack>
#include <cstdint>
#include <functional>
#include <vector>

#include "app/library/library_service.h"
#include "core/base/result.h"

namespace fw::ui {

// Every change is written beside the window, in the order it was asked for, and answered by changed().
class LibraryEdits : public QObject {
    Q_OBJECT

 public:
    using Ids = std::vector<std::int64_t>;
    using Work = std::function<Status(store::LibraryStore&)>;

    explicit LibraryEdits(app::LibraryService& library, QObject* parent = nullptr);

    // Nullptr: a stack of its own.
    void setUndoStack(QUndoStack* stack) { m_given = stack; }
    [[nodiscard]] QUndoStack* undoStack() { return m_given != nullptr ? m_given.data() : &m_own; }

    void setStars(const Ids& ids, int stars);
    void addTag(const Ids& ids, const QString& tag);
    void removeTag(const Ids& ids, const QString& tag);
    void setNotes(std::int64_t id, const QString& before, const QString& after);
    void setTrashed(const Ids& ids, bool trashed);
    void moveToProject(const Ids& ids, std::int64_t project, const QString& name);
    // Not to be taken back: the rows of trashed clips, then their files.
    void purge(const Ids& ids);

    // Runs `work` on the writer thread, then signals changed() or failed().
    void apply(const Ids& ids, const Work& work);

 signals:
    void changed(const std::vector<std::int64_t>& ids);
    void failed(const fw::Error& error);
    void purged(int clips, const QStringList& filesLeft);  // files that could not be deleted

 private:
    void push(const QString& text, const Ids& ids, const Work& redo, const Work& undo);

    app::LibraryService& m_library;
    QUndoStack m_own;
    QPointer<QUndoStack> m_given;
};

}  // namespace fw::ui
