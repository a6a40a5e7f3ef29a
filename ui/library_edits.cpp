#include "ui/library_edits.h"

#include <QUndoCommand>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "app/library/clip_paths.h"

namespace fw::ui {
namespace {

// The stack may outlive the panel: then its commands do nothing.
class Edit final : public QUndoCommand {
 public:
    Edit(const QString& text, LibraryEdits* edits, LibraryEdits::Ids ids, LibraryEdits::Work redo,
         LibraryEdits::Work undo)
        : QUndoCommand(text),
          m_edits(edits),
          m_ids(std::move(ids)),
          m_redo(std::move(redo)),
          m_undo(std::move(undo)) {}

    void redo() override { run(m_redo); }
    void undo() override { run(m_undo); }

 private:
    void run(const LibraryEdits::Work& work) {
        if (m_edits != nullptr) {
            m_edits->apply(m_ids, work);
        }
    }

    QPointer<LibraryEdits> m_edits;
    LibraryEdits::Ids m_ids;
    LibraryEdits::Work m_redo, m_undo;
};

// Values behind shared pointers below are what a redo finds and its undo puts back; only the writer thread touches
// them.

struct Purged {
    int clips = 0;
    QStringList filesLeft;
};

// Rows first: a file without a row is only unused space, a row without its file is a loss.
Result<Purged> purgeFiles(store::LibraryStore& store, const std::filesystem::path& folder,
                          const LibraryEdits::Ids& ids) {
    FW_ASSIGN(const auto files, store.purge(ids));
    Purged purged;
    purged.clips = static_cast<int>(ids.size());
    for (const std::string& file : files) {
        std::error_code error;
        const auto path = app::pathInLibrary(folder, file);
        if (!path) {
            continue;  // not one of the library's files: never deleted
        }
        std::filesystem::remove(*path, error);
        if (error) {
            purged.filesLeft.append(QString::fromStdString(file));
        }
    }
    return purged;
}

}  // namespace

LibraryEdits::LibraryEdits(app::LibraryService& library, QObject* parent) : QObject(parent), m_library(library) {}

void LibraryEdits::apply(const Ids& ids, const Work& work) {
    m_library.write(this, work, [this, ids](const Status& status) {
        if (!status) {
            emit failed(status.error());
        }
        emit changed(ids);
    });
}

void LibraryEdits::push(const QString& text, const Ids& ids, const Work& redo, const Work& undo) {
    if (!ids.empty()) {
        undoStack()->push(new Edit(text, this, ids, redo, undo));
    }
}

void LibraryEdits::setStars(const Ids& ids, int stars) {
    auto former = std::make_shared<std::vector<int>>();
    push(
        tr("stars"), ids,
        [ids, stars, former](store::LibraryStore& store) -> Status {
            FW_ASSIGN(*former, store.setStars(ids, stars));
            return {};
        },
        [ids, former](store::LibraryStore& store) -> Status {
            std::map<int, Ids> groups;
            for (std::size_t i = 0; i < former->size(); ++i) {
                groups[(*former)[i]].push_back(ids[i]);
            }
            for (const auto& [before, group] : groups) {
                FW_TRY(store.setStars(group, before));
            }
            return {};
        });
}

void LibraryEdits::addTag(const Ids& ids, const QString& tag) {
    auto changedIds = std::make_shared<Ids>();
    push(
        tr("add a tag"), ids,
        [ids, changedIds, name = tag.toStdString()](store::LibraryStore& store) -> Status {
            FW_ASSIGN(*changedIds, store.addTag(ids, name));
            return {};
        },
        [changedIds, name = tag.toStdString()](store::LibraryStore& store) -> Status {
            FW_TRY(store.removeTag(*changedIds, name));
            return {};
        });
}

void LibraryEdits::removeTag(const Ids& ids, const QString& tag) {
    auto changedIds = std::make_shared<Ids>();
    push(
        tr("remove a tag"), ids,
        [ids, changedIds, name = tag.toStdString()](store::LibraryStore& store) -> Status {
            FW_ASSIGN(*changedIds, store.removeTag(ids, name));
            return {};
        },
        [changedIds, name = tag.toStdString()](store::LibraryStore& store) -> Status {
            FW_TRY(store.addTag(*changedIds, name));
            return {};
        });
}

void LibraryEdits::setNotes(std::int64_t id, const QString& before, const QString& after) {
    push(
        tr("notes"), {id},
        [id, text = after.toStdString()](store::LibraryStore& store) { return store.setNotes(id, text); },
        [id, text = before.toStdString()](store::LibraryStore& store) { return store.setNotes(id, text); });
}

void LibraryEdits::setTrashed(const Ids& ids, bool trashed) {
    push(
        trashed ? tr("move to the trash") : tr("restore"), ids,
        [ids, trashed](store::LibraryStore& store) { return store.setTrashed(ids, trashed); },
        [ids, trashed](store::LibraryStore& store) { return store.setTrashed(ids, !trashed); });
}

void LibraryEdits::moveToProject(const Ids& ids, std::int64_t project, const QString& name) {
    auto former = std::make_shared<Ids>();
    push(
        tr("move to %1").arg(name), ids,
        [ids, project, former](store::LibraryStore& store) -> Status {
            FW_ASSIGN(*former, store.moveToProject(ids, project));
            return {};
        },
        [ids, former](store::LibraryStore& store) -> Status {
            std::map<std::int64_t, Ids> groups;
            for (std::size_t i = 0; i < former->size(); ++i) {
                groups[(*former)[i]].push_back(ids[i]);
            }
            for (const auto& [before, group] : groups) {
                if (before != 0) {  // 0: the clip was gone already
                    FW_TRY(store.moveToProject(group, before));
                }
            }
            return {};
        });
}

void LibraryEdits::purge(const Ids& ids) {
    m_library.write(
        this,
        [ids, folder = m_library.folder()](store::LibraryStore& store) { return purgeFiles(store, folder, ids); },
        [this, ids](const Result<Purged>& purged) {
            if (purged) {
                emit this->purged(purged->clips, purged->filesLeft);
            } else {
                emit failed(purged.error());
            }
            emit changed(ids);
        });
}

}  // namespace fw::ui
