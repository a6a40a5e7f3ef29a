#include "ui/library_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDesktopServices>
#include <QFileInfo>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QResizeEvent>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QUndoStack>
#include <QUrl>
#include <algorithm>

#include "app/library/clip_paths.h"
#include "ui/clip_details.h"
#include "ui/clip_settings.h"
#include "ui/difference_dialog.h"
#include "ui/error_presenter.h"
#include "ui/formats.h"
#include "ui/library_edits.h"
#include "ui/library_grid.h"
#include "ui/library_model.h"
#include "ui/library_search.h"
#include "ui/notice_bar.h"
#include "ui/saved_search_menu.h"
#include "ui/thumbnail_cache.h"

namespace fw::ui {
namespace {

constexpr std::size_t kMostUsed = 1000;  // selected clips whose whole records are read
constexpr qint64 kMostDetailed = 24;     // selected clips whose shared tags and differences are shown

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

}  // namespace

LibraryPanel::LibraryPanel(app::LibraryService& library, app::ClipFiles& files, QWidget* parent)
    : QWidget(parent),
      m_library(library),
      m_files(files),
      m_model(new LibraryModel(library, this)),
      m_thumbnails(new ThumbnailCache(library.folder(), this)),
      m_edits(new LibraryEdits(library, this)) {
    setObjectName(QStringLiteral("library"));
    setAttribute(Qt::WA_StyledBackground);
    m_detailsTimer.setSingleShot(true);
    m_detailsTimer.setInterval(0);
    build();
    connectParts();
    connectEdits();
    restore();
    startSearch();
    updateChoices();
}

LibraryPanel::~LibraryPanel() {
    m_details->flushNotes();
}

void LibraryPanel::setUndoStack(QUndoStack* stack) {
    m_edits->setUndoStack(stack);
}

QUndoStack* LibraryPanel::undoStack() const {
    return m_edits->undoStack();
}

void LibraryPanel::connectParts() {
    connect(m_saved, &SavedSearchMenu::applied, this, &LibraryPanel::showSearch);
    connect(m_saved, &SavedSearchMenu::notice, this, [this](const QString& sentence) { tell(sentence); });
    connect(m_search, &LibrarySearch::searched, this, &LibraryPanel::startSearch);
    // Queued: behind the search that the same letter begins.
    connect(m_search, &LibrarySearch::valuesWanted, this, &LibraryPanel::readValues, Qt::QueuedConnection);
    connect(m_search, &LibrarySearch::leftDown, this, [this] {
        m_grid->setFocus();
        if (!m_grid->currentIndex().isValid() && m_model->rowCount() > 0) {
            m_grid->setCurrentIndex(m_model->index(0));
        }
    });
    connect(m_order, &QComboBox::activated, this, [this] {
        remember();
        startSearch();
    });
    connect(m_projects, &QComboBox::activated, this, &LibraryPanel::startSearch);
    connect(m_trash, &QToolButton::toggled, this, &LibraryPanel::showTrash);
    connect(m_rows, &QToolButton::toggled, this, [this](bool rows) {
        m_grid->setLayoutKind(rows ? LibraryGrid::Layout::Rows : LibraryGrid::Layout::Tiles);
        remember();
    });
    connect(m_model, &LibraryModel::begun, this, [this] {
        m_pages->setCurrentIndex(0);
        m_detailsTimer.start();
    });
    connect(m_model, &LibraryModel::searched, this, &LibraryPanel::showFound);
    connect(m_model, &LibraryModel::searchFailed, this, [this](const Error& error) {
        if (error.code != ErrorCode::Cancelled) {
            const PresentedError shown = presentError(error);
            showMessage(shown.title, shown.sentence, tr("Try again"));
        }
    });
    connect(m_model, &QAbstractItemModel::dataChanged, &m_detailsTimer, qOverload<>(&QTimer::start));
    connect(m_model, &QAbstractItemModel::modelReset, &m_detailsTimer, qOverload<>(&QTimer::start));
    connect(m_grid, &LibraryGrid::selectionEdited, &m_detailsTimer, qOverload<>(&QTimer::start));
    connect(&m_detailsTimer, &QTimer::timeout, this, &LibraryPanel::updateDetails);
    connect(m_grid, &LibraryGrid::clipActivated, this, &LibraryPanel::activate);
    connect(m_grid, &LibraryGrid::menuRequested, this, &LibraryPanel::showMenu);
    connect(m_grid, &LibraryGrid::collectRequested, this, &LibraryPanel::collect);
    connect(m_grid, &LibraryGrid::undoRequested, this, [this] { undoStack()->undo(); });
    connect(m_grid, &LibraryGrid::redoRequested, this, [this] { undoStack()->redo(); });
    connect(m_grid, &LibraryGrid::trashRequested, this, [this] {
        if (m_grid->isTrash()) {
            purgeClips(m_grid->selectedIds());
        } else {
            trashSelected();
        }
    });
    connect(&m_files, &app::ClipFiles::settingsRead, this,
            [this](const QString& file, const job::GenerationRequest& request) {
                if (m_asked.contains(file)) {
                    emitUse(m_asked.take(file), request);
                }
            });
    connect(&m_files, &app::ClipFiles::settingsFailed, this, [this](const QString& file, const Error& error) {
        if (m_asked.remove(file) > 0) {
            tell(asSentence(error.message));
        }
    });
}

void LibraryPanel::connectEdits() {
    const auto stars = [this](int count) { m_edits->setStars(m_grid->selectedIds(), count); };
    connect(m_grid, &LibraryGrid::starsRequested, this, stars);
    connect(m_details, &ClipDetails::starsChosen, this, stars);
    connect(m_details, &ClipDetails::tagAdded, this,
            [this](const QString& tag) { m_edits->addTag(m_grid->selectedIds(), tag); });
    connect(m_details, &ClipDetails::tagRemoved, this,
            [this](const QString& tag) { m_edits->removeTag(m_grid->selectedIds(), tag); });
    connect(m_details, &ClipDetails::notesEdited, m_edits, &LibraryEdits::setNotes);
    connect(m_details, &ClipDetails::loadRequested, this, [this] { useSettings(Use::Load); });
    connect(m_details, &ClipDetails::varyRequested, this, [this] { useSettings(Use::Vary); });
    connect(m_details, &ClipDetails::copyRequested, this, &LibraryPanel::copySettings);
    connect(m_details, &ClipDetails::revealRequested, this, &LibraryPanel::reveal);
    connect(m_details, &ClipDetails::exportRequested, this, [this] {
        withSelected([this](const Clips& clips) { emit exportRequested({clips.begin(), clips.end()}); });
    });
    connect(m_edits, &LibraryEdits::changed, this, [this](const std::vector<std::int64_t>& ids) {
        m_model->refresh(ids);
        updateChoices();
    });
    connect(m_edits, &LibraryEdits::failed, this, [this](const Error& error) { tell(asSentence(error.message)); });
    connect(m_edits, &LibraryEdits::purged, this, [this](int clips, const QStringList& filesLeft) {
        tell(filesLeft.isEmpty()
                 ? clips == 1 ? tr("One clip deleted.") : tr("%n clips deleted.", nullptr, clips)
                 : tr("The clips are gone from the library, but %1 could not be deleted.").arg(filesLeft.first()));
    });
    connect(m_notice, &NoticeBar::actionRequested, this, [this] {
        if (undoStack()->index() == m_noticeIndex) {
            undoStack()->undo();
        } else {
            tell(tr("Other changes came after it: Ctrl+Z takes them back one by one."));
        }
    });
}

void LibraryPanel::focusSearch() {
    m_search->line()->setFocus();
    m_search->line()->selectAll();
}

void LibraryPanel::showTrash(bool trash) {
    const QSignalBlocker blocker(m_trash);
    m_trash->setChecked(trash);
    m_grid->setTrash(trash);
    m_trashBar->setVisible(trash);
    startSearch();
}

void LibraryPanel::clipAdded(qint64 clipId) {
    m_model->refresh({clipId});
    forgetValues();
}

void LibraryPanel::refresh() {
    m_model->refresh({});
    forgetValues();
    updateChoices();
}

qint64 LibraryPanel::openProject() const {
    constexpr qint64 kFirst = 1;
    const qint64 shown = m_projects->currentData().toLongLong();
    return shown > 0 ? shown : kFirst;
}

void LibraryPanel::startSearch() {
    store::ClipQuery query;
    query.text = m_search->understood().toStdString();
    query.order = static_cast<store::ClipOrder>(m_order->currentData().toInt());
    query.projectId = m_projects->currentData().toLongLong();
    query.trashed = m_grid->isTrash();
    m_thumbnails->forgetFailures();
    m_details->flushNotes();
    m_model->setQuery(query);
}

void LibraryPanel::showFound(qint64 count) {
    m_count->setText(count == 1 ? tr("1 clip") : tr("%1 clips").arg(countText(count)));
    m_details->setVisible(count > 0);
    const QString searchedFor = m_search->understood().simplified();
    if (count > 0) {
        m_pages->setCurrentIndex(0);
    } else if (!searchedFor.isEmpty()) {
        showMessage(tr("Nothing found"), tr("No clip matches “%1”.").arg(searchedFor), tr("Clear the search"));
    } else if (m_grid->isTrash()) {
        showMessage(tr("The trash is empty"), tr("Clips you move to the trash wait here."), QString());
    } else if (m_projects->currentData().toLongLong() != 0) {
        showMessage(tr("No clips in this project"), tr("Select clips and move them here from their menu."),
                    tr("Show all projects"));
    } else {
        showMessage(tr("No clips yet"), tr("Every clip you make is kept here, with everything that made it."),
                    QString());
    }
    m_detailsTimer.start();
}

void LibraryPanel::updateDetails() {
    const auto ids = m_grid->selectedIds();
    const auto count = static_cast<qint64>(ids.size());
    m_restore->setEnabled(count > 0);
    m_purge->setEnabled(count > 0);
    Clips clips;
    for (qint64 i = 0; i < std::min(count, kMostDetailed); ++i) {
        if (const store::Clip* clip = m_model->clip(m_model->rowOf(ids[static_cast<std::size_t>(i)]))) {
            clips.push_back(*clip);
        }
    }
    if (count == 0) {
        m_details->showNothing();
    } else if (count > 1) {
        m_details->showSeveral(clips, count);
    } else if (!clips.empty()) {  // else it comes with dataChanged
        m_details->showClip(clips.front(), m_projectNames.value(clips.front().projectId));
        emit clipSelected(clips.front());
    }
}

void LibraryPanel::withSelected(const std::function<void(const Clips&)>& use) {
    m_details->flushNotes();
    auto ids = m_grid->selectedIds();
    if (ids.size() > kMostUsed) {
        ids.resize(kMostUsed);
        tell(tr("Only the first %1 of the selected clips are used.").arg(countText(kMostUsed)));
    }
    m_library.read(
        this, [ids](store::LibraryStore& store) { return store.clipsById(ids); },
        [this, use](const Result<Clips>& clips) {
            if (!clips) {
                tell(asSentence(clips.error().message));
            } else if (!clips->empty()) {
                use(*clips);
            }
        });
}

void LibraryPanel::activate(int row) {
    const store::Clip* clip = m_model->clip(row);
    if (clip == nullptr) {
        return;
    }
    if (clip->missing) {
        tell(tr("The file of this clip is missing: %1").arg(text(clip->file)));
    } else {
        emit clipActivated(store::Clip(*clip));
    }
}

void LibraryPanel::useSettings(Use use) {
    withSelected([this, use](const Clips& clips) {
        const store::Clip& clip = clips.front();
        if (const auto request = requestOf(clip)) {
            emitUse(use, *request);
            return;
        }
        // A row of another version; the file carries its settings as well.
        if (const QString file = app::fileInLibrary(m_library.folder(), clip.file); !file.isEmpty()) {
            m_asked.insert(file, use);
            m_files.readSettings(file);
        }
    });
}

void LibraryPanel::emitUse(Use use, const job::GenerationRequest& request) {
    if (use == Use::Load) {
        emit loadSettingsRequested(request);
        return;
    }
    job::GenerationRequest varied = request;
    varied.seed.reset();
    emit varySeedRequested(varied);
}

void LibraryPanel::reveal() {
    withSelected([this](const Clips& clips) {
        const QString file = app::fileInLibrary(m_library.folder(), clips.front().file);
        const QString folder = QFileInfo(file).absolutePath();
        if (file.isEmpty() || !QFileInfo::exists(folder) ||
            !QDesktopServices::openUrl(QUrl::fromLocalFile(folder))) {
            tell(tr("The file is %1").arg(file.isEmpty() ? text(clips.front().file) : file));
        }
    });
}

void LibraryPanel::copySettings() {
    withSelected([this](const Clips& clips) {
        QStringList parts;
        for (const store::Clip& clip : clips) {
            parts.append(settingsText(clip));
        }
        QApplication::clipboard()->setText(parts.join(QLatin1Char('\n')));
        tell(tr("The settings are on the clipboard."));
    });
}

void LibraryPanel::trashSelected() {
    const auto ids = m_grid->selectedIds();
    if (!ids.empty()) {
        m_edits->setTrashed(ids, true);
        tell(ids.size() == 1 ? tr("One clip moved to the trash.")
                             : tr("%n clips moved to the trash.", nullptr, static_cast<int>(ids.size())),
             tr("Undo"));
    }
}

void LibraryPanel::restoreSelected() {
    const auto ids = m_grid->selectedIds();
    if (!ids.empty()) {
        m_edits->setTrashed(ids, false);
        tell(ids.size() == 1 ? tr("One clip restored.")
                             : tr("%n clips restored.", nullptr, static_cast<int>(ids.size())),
             tr("Undo"));
    }
}

void LibraryPanel::purgeClips(const std::vector<std::int64_t>& ids) {
    if (ids.empty()) {
        return;
    }
    QMessageBox box(QMessageBox::NoIcon, QStringLiteral("Framewright"),
                    ids.size() == 1 ? tr("Delete this clip for good?")
                                    : tr("Delete %n clips for good?", nullptr, static_cast<int>(ids.size())),
                    QMessageBox::NoButton, this);
    box.setInformativeText(tr("What is deleted is gone from the disk too. This cannot be taken back."));
    auto* yes = box.addButton(tr("Delete"), QMessageBox::AcceptRole);
    box.setDefaultButton(box.addButton(tr("Keep"), QMessageBox::RejectRole));
    box.exec();
    if (box.clickedButton() == yes) {
        m_edits->purge(ids);
    }
}

void LibraryPanel::emptyTrash() {
    m_library.read(
        this,
        [](store::LibraryStore& store) {
            return store.clipIds({"", store::ClipOrder::Newest, 0, true});
        },
        [this](const Result<std::vector<std::int64_t>>& ids) {
            if (ids) {
                purgeClips(*ids);
            } else {
                tell(asSentence(ids.error().message));
            }
        });
}

void LibraryPanel::showMenu(const QPoint& position) {
    const auto ids = m_grid->selectedIds();
    if (ids.empty()) {
        return;
    }
    QMenu menu(this);
    if (m_grid->isTrash()) {
        menu.addAction(tr("Restore"), this, &LibraryPanel::restoreSelected);
        menu.addAction(tr("Delete for good…"), this, [this, ids] { purgeClips(ids); });
        menu.exec(position);
        return;
    }
    if (ids.size() == 1) {
        menu.addAction(tr("Play"), this, [this] { activate(m_grid->currentIndex().row()); });
        menu.addAction(tr("Load settings"), this, [this] { useSettings(Use::Load); });
        menu.addAction(tr("Vary seed"), this, [this] { useSettings(Use::Vary); });
        menu.addAction(tr("Show in folder"), this, &LibraryPanel::reveal);
        menu.addSeparator();
    } else {
        menu.addAction(tr("What differs…"), this,
                       [this] { withSelected([this](const Clips& clips) { compare(clips); }); });
        menu.addSeparator();
    }
    menu.addAction(tr("Add to the comparison"), Qt::Key_C, this, &LibraryPanel::collect);
    menu.addAction(tr("Export…"), this, [this] { emit m_details->exportRequested(); });
    menu.addAction(tr("Copy settings"), this, &LibraryPanel::copySettings);
    auto* stars = menu.addMenu(tr("Stars"));
    for (int i = 0; i <= 5; ++i) {
        stars->addAction(i == 0 ? tr("None") : QString(i, QChar(0x2605)), this,
                         [this, ids, i] { m_edits->setStars(ids, i); });
    }
    auto* projects = menu.addMenu(tr("Move to project"));
    for (int i = 1; i < m_projects->count(); ++i) {
        const QString name = m_projects->itemText(i);
        const qint64 project = m_projects->itemData(i).toLongLong();
        projects->addAction(QString(name).replace(QLatin1Char('&'), QLatin1String("&&")), this,
                            [this, ids, project, name] { m_edits->moveToProject(ids, project, name); });
    }
    projects->addSeparator();
    projects->addAction(tr("New project…"), this, [this] { newProject(true); });
    menu.addSeparator();
    menu.addAction(tr("Move to the trash"), this, &LibraryPanel::trashSelected);
    menu.exec(position);
}

void LibraryPanel::newProject(bool moveSelected) {
    const QString name = QInputDialog::getText(this, tr("New project"), tr("Name")).simplified().left(100);
    if (name.isEmpty()) {
        return;
    }
    m_library.write(
        this, [name = name.toStdString()](store::LibraryStore& store) { return store.addProject(name); },
        [this, moveSelected, ids = m_grid->selectedIds()](const Result<store::Project>& project) {
            if (!project) {
                tell(asSentence(project.error().message));
            } else if (moveSelected) {
                m_edits->moveToProject(ids, project->id, text(project->name));
            }
            updateChoices();
        });
}

void LibraryPanel::renameProject() {
    const qint64 project = m_projects->currentData().toLongLong();
    const QString name =
        QInputDialog::getText(this, tr("Rename project"), tr("Name"), QLineEdit::Normal, m_projects->currentText())
            .simplified()
            .left(100);
    if (project == 0 || name.isEmpty()) {
        return;
    }
    m_library.write(
        this,
        [project, name = name.toStdString()](store::LibraryStore& store) {
            return store.renameProject(project, name);
        },
        [this](const Status& status) {
            if (!status) {
                tell(asSentence(status.error().message));
            }
            updateChoices();
        });
}

void LibraryPanel::collect() {
    withSelected([this](const Clips& clips) {
        for (const store::Clip& clip : clips) {
            const bool known = std::any_of(m_basket.begin(), m_basket.end(),
                                           [&](const store::Clip& c) { return c.id == clip.id; });
            if (!known && std::cmp_less(m_basket.size(), DifferenceDialog::kMostClips)) {
                m_basket.push_back(clip);
            }
        }
        showBasket();
    });
}

void LibraryPanel::showBasket() {
    const auto count = static_cast<int>(m_basket.size());
    m_basketText->setText(count == 1 ? tr("One clip to compare: add another one.")
                                     : tr("%n clips to compare", nullptr, count));
    m_compare->setEnabled(count > 1);
    m_basketBar->setVisible(count > 0);
}

void LibraryPanel::compare(const Clips& clips) {
    DifferenceDialog dialog(clips, *m_thumbnails, this);
    dialog.exec();
}

void LibraryPanel::tell(const QString& sentence, const QString& action) {
    m_noticeIndex = undoStack()->index();
    m_notice->show(sentence, action);
    emit notice(sentence);
}

void LibraryPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    // Details beside the grid where there is room, else under it.
    m_splitter->setOrientation(width() > height() * 11 / 10 && width() > 620 ? Qt::Horizontal : Qt::Vertical);
    if (m_notice->isVisible()) {
        m_notice->place();
    }
}

}  // namespace fw::ui
