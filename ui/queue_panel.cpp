#include "ui/queue_panel.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QStackedLayout>
#include <QToolButton>
#include <QUndoStack>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/controls.h"
#include "ui/formats.h"
#include "ui/icons.h"
#include "ui/notice_bar.h"
#include "ui/queue_edits.h"
#include "ui/queue_model.h"
#include "ui/queue_removal.h"
#include "ui/queue_view.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

using store::JobState;

constexpr int kReloadMs = 30;       // changes closer together than this are read once
constexpr int kRetryMs = 200;       // after a reading that failed
constexpr int kMostFollowers = 64;  // remembered behind removed jobs, to find their place again

}  // namespace

QueuePanel::QueuePanel(app::JobQueue& queue, app::LibraryService& library, QWidget* parent)
    : QWidget(parent),
      m_queue(queue),
      m_library(library),
      m_model(new QueueModel(library, this)),
      m_view(new QueueView(*m_model)),
      m_undo(new QUndoStack(this)) {
    setObjectName(QStringLiteral("queuePanel"));
    setAttribute(Qt::WA_StyledBackground);
    setMinimumSize(32 * kGrid, 24 * kGrid);
    auto* pages = new QWidget;
    m_pages = new QStackedLayout(pages);
    m_pages->addWidget(buildEmpty());
    m_pages->addWidget(m_view);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildHeader());
    column->addWidget(pages, 1);
    m_notice = new NoticeBar(pages);
    connect(m_notice, &NoticeBar::actionRequested, this, &QueuePanel::undoLast);

    buildActions();
    connectQueue();
    m_reload.setSingleShot(true);
    m_reload.setInterval(kReloadMs);
    connect(&m_reload, &QTimer::timeout, this, &QueuePanel::reload);
    m_second.setInterval(1000);
    connect(&m_second, &QTimer::timeout, this, [this] {
        m_model->countDown();
        showJobs();
    });
    showPaused();
    showJobs();
    reload();
}

QWidget* QueuePanel::buildEmpty() {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 3 * kGrid);
    column->setSpacing(kGrid);
    auto* title = makeLabel(tr("Nothing is queued"), TextRole::Heading, true);
    auto* text = makeLabel(tr("Write a prompt and press Ctrl+Enter, as often as you like: every clip you ask for "
                              "waits here until it is made."),
                           TextRole::Secondary, true);
    column->addStretch(2);
    for (auto* label : {title, text}) {
        label->setAlignment(Qt::AlignHCenter);
        column->addWidget(label);
    }
    column->addStretch(3);
    return page;
}

QWidget* QueuePanel::buildHeader() {
    auto* header = new QWidget;
    m_pause = makeButton(QString());
    m_pause->setObjectName(QStringLiteral("pauseQueue"));
    m_summary = makeLabel(QString(), TextRole::Secondary, true);
    m_summary->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_clear =
        makeIconButton(QStringLiteral("clear"), tr("Clear finished jobs"),
                       tr("Take finished and cancelled jobs off this list. Their clips stay in the library."));
    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(2 * kGrid, kGrid, kGrid, kGrid);
    row->setSpacing(kGrid + kGrid / 2);
    row->addWidget(m_pause);
    row->addWidget(m_summary, 1);
    row->addWidget(m_clear);
    connect(m_pause, &QPushButton::clicked, this, [this] { m_queue.setPaused(!m_queue.isPaused()); });
    connect(m_clear, &QToolButton::clicked, this, &QueuePanel::clearFinished);
    return header;
}

QAction* QueuePanel::addVerb(const QString& text, const QKeySequence& key, void (QueuePanel::*slot)()) {
    auto* action = new QAction(text, this);
    action->setShortcut(key);
    action->setShortcutContext(Qt::WidgetShortcut);
    connect(action, &QAction::triggered, this, slot);
    m_view->addAction(action);
    m_menu->addAction(action);
    return action;
}

void QueuePanel::buildActions() {
    m_menu = new QMenu(this);
    m_verbs.show = addVerb(tr("Show the clip"), {}, &QueuePanel::showClip);
    m_verbs.edit = addVerb(tr("Edit…"), Qt::Key_F2, &QueuePanel::editJob);
    m_verbs.retry = addVerb(tr("Try again"), Qt::CTRL | Qt::Key_R, &QueuePanel::retryJobs);
    m_verbs.load = addVerb(tr("Use its settings"), Qt::CTRL | Qt::Key_L, &QueuePanel::loadSettings);
    m_verbs.duplicate = addVerb(tr("Duplicate"), Qt::CTRL | Qt::Key_D, &QueuePanel::duplicateJobs);
    m_verbs.batch = addVerb(tr("Select the whole batch"), Qt::CTRL | Qt::Key_B, &QueuePanel::selectBatch);
    m_menu->addSeparator();
    m_verbs.first = addVerb(tr("Run next"), Qt::ALT | Qt::Key_Home, &QueuePanel::moveFirst);
    m_verbs.up = addVerb(tr("Move up"), Qt::ALT | Qt::Key_Up, &QueuePanel::moveUp);
    m_verbs.down = addVerb(tr("Move down"), Qt::ALT | Qt::Key_Down, &QueuePanel::moveDown);
    m_menu->addSeparator();
    m_verbs.copy = addVerb(tr("Copy the error"), QKeySequence::Copy, &QueuePanel::copyTexts);
    m_verbs.keep = addVerb(tr("Stop and keep what there is"), Qt::CTRL | Qt::Key_K, &QueuePanel::keepRunning);
    m_verbs.cancel = addVerb(tr("Cancel"), Qt::CTRL | Qt::Key_Backspace, &QueuePanel::cancelJobs);
    m_verbs.remove = addVerb(tr("Remove from the queue"), QKeySequence::Delete, &QueuePanel::removeJobs);
    m_verbs.undo = new QAction(tr("Undo"), this);
    m_verbs.undo->setShortcut(QKeySequence::Undo);
    m_verbs.undo->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(m_verbs.undo, &QAction::triggered, this, &QueuePanel::undoLast);
    addAction(m_verbs.undo);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this, &QueuePanel::updateVerbs);
    connect(m_view, &QAbstractItemView::activated, this, &QueuePanel::activate);
    connect(m_view, &QueueView::menuRequested, this, &QueuePanel::openMenu);
    connect(m_view, &QueueView::moveRequested, this, &QueuePanel::move);
    connect(m_view, &QueueView::foldRequested, this,
            [this] { m_model->setFinishedShown(!m_model->isFinishedShown()); });
    updateVerbs();
}

void QueuePanel::setUndoStack(QUndoStack* stack) {
    m_undo->disconnect(m_notice);
    m_undo = stack;
    // The remark's button means the last change only as long as it is the last.
    connect(m_undo, &QUndoStack::indexChanged, m_notice, &QWidget::hide);
    removeAction(m_verbs.undo);  // two actions with one key would silence both
}

void QueuePanel::connectQueue() {
    connect(&m_queue, &app::JobQueue::jobsChanged, &m_reload, qOverload<>(&QTimer::start));
    connect(&m_queue, &app::JobQueue::clipAdded, &m_reload, qOverload<>(&QTimer::start));
    connect(&m_queue, &app::JobQueue::pausedChanged, this, &QueuePanel::showPaused);
    connect(&m_queue, &app::JobQueue::progress, this, [this](const ipc::Progress& progress) {
        m_model->setProgress(progress);
        showJobs();
    });
    connect(&m_queue, &app::JobQueue::preview, this, [this](const app::PreviewFrames& frames) {
        if (isVisible()) {
            const auto frameBytes =
                static_cast<std::size_t>(frames.width) * static_cast<std::size_t>(frames.height) * 3;
            const QImage middle(frames.rgb.data() + frameBytes * static_cast<std::size_t>(frames.frames / 2),
                                frames.width, frames.height, 3 * frames.width, QImage::Format_RGB888);
            m_model->setPreview(frames.jobId, middle);
        }
    });
}

void QueuePanel::reload() {
    if (m_reading) {
        m_stale = true;
        return;
    }
    m_reading = true;
    m_stale = false;
    m_library.read(
        this, [](store::LibraryStore& store) { return QueueModel::readJobs(store); },
        [this, generation = m_generation](Result<QueueJobs> jobs) {
            m_reading = false;
            if (!jobs) {
                QTimer::singleShot(kRetryMs, &m_reload, qOverload<>(&QTimer::start));
                return;
            }
            if (generation == m_generation) {
                m_model->setJobs(std::move(*jobs));
                showJobs();
                updateVerbs();
            } else {
                m_stale = true;
            }
            if (m_stale) {
                m_reload.start();
            }
        });
}

QString QueuePanel::summary() const {
    const auto waiting = static_cast<qint64>(m_model->jobs().waiting.size());
    const bool running = !m_model->jobs().running.empty();
    QStringList parts;
    if (m_queue.isPaused()) {
        parts.append(running ? tr("Paused after this one") : tr("Paused"));
    }
    if (waiting > 0) {
        parts.append(tr("%1 waiting").arg(countText(waiting)));
    } else if (!running && !m_queue.isPaused()) {
        parts.append(tr("Nothing waiting"));
    } else if (running && !m_queue.isPaused()) {
        parts.append(tr("The last one is running"));
    }
    if (m_secondsLeft >= 1.0 && (running || waiting > 0)) {
        parts.append(tr("about %1").arg(wholeDurationText(m_secondsLeft)));
    }
    return parts.join(QStringLiteral("  ·  "));
}

void QueuePanel::setSecondsLeft(double seconds) {
    m_secondsLeft = seconds;
    showJobs();
}

void QueuePanel::showJobs() {
    m_pages->setCurrentIndex(m_model->isEmpty() ? 0 : 1);
    const QString words = summary();
    m_summary->setText(words);
    m_summary->setToolTip(words);
    m_clear->setEnabled(!m_model->jobs().finished.empty());
    const bool runs = !m_model->jobs().running.empty() && isVisible();
    if (runs != m_second.isActive()) {
        runs ? m_second.start() : m_second.stop();
    }
}

void QueuePanel::showPaused() {
    const bool paused = m_queue.isPaused();
    m_pause->setText(paused ? tr("Resume") : tr("Pause"));
    m_pause->setIcon(icon(paused ? QStringLiteral("play") : QStringLiteral("pause")));
    m_pause->setAccessibleName(paused ? tr("Resume the queue") : tr("Pause the queue"));
    m_pause->setToolTip(paused ? tr("Go on with the jobs that wait")
                               : tr("Start no further job. The one that is running is finished."));
    setStyleProperty(m_summary, "tone", paused ? QStringLiteral("strong") : QStringLiteral("secondary"));
    showJobs();
}

void QueuePanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    showJobs();
}

void QueuePanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    m_notice->place();
}

std::vector<const QueueRow*> QueuePanel::selection() const {
    std::vector<const QueueRow*> rows;
    for (const std::int64_t id : m_view->selectedIds()) {
        rows.push_back(&m_model->row(m_model->rowOf(id)));
    }
    return rows;
}

std::vector<std::int64_t> QueuePanel::selectedIn(const std::vector<JobState>& states) const {
    std::vector<std::int64_t> ids;
    for (const auto* row : selection()) {
        if (std::find(states.begin(), states.end(), row->job.state) != states.end()) {
            ids.push_back(row->id);
        }
    }
    return ids;
}

std::vector<std::int64_t> QueuePanel::waitingIds() const {
    std::vector<std::int64_t> ids;
    for (const auto& job : m_model->jobs().waiting) {
        ids.push_back(job.id);
    }
    return ids;
}

void QueuePanel::updateVerbs() {
    const auto rows = selection();
    const bool one = rows.size() == 1;
    const JobState state = one ? rows.front()->job.state : JobState::Queued;
    const bool waits = !selectedIn({JobState::Queued, JobState::Interrupted}).empty();
    const bool failed = !selectedIn({JobState::Failed}).empty();
    const auto offer = [](QAction* action, bool offered) {
        action->setVisible(offered);
        action->setEnabled(offered);
    };
    offer(m_verbs.edit, one && state == JobState::Queued);
    offer(m_verbs.show, one && rows.front()->job.clipId != 0);
    offer(m_verbs.retry, !selectedIn({JobState::Failed, JobState::Cancelled}).empty());
    offer(m_verbs.load, one);
    offer(m_verbs.duplicate, !rows.empty());
    offer(m_verbs.batch, one && rows.front()->batchCount > 1);
    offer(m_verbs.first, waits);
    offer(m_verbs.up, waits);
    offer(m_verbs.down, waits);
    offer(m_verbs.copy, failed);
    offer(m_verbs.keep, !selectedIn({JobState::Running}).empty());
    offer(m_verbs.cancel, waits || !selectedIn({JobState::Running}).empty());
    offer(m_verbs.remove, rows.size() > selectedIn({JobState::Running}).size());
}

void QueuePanel::openMenu(const QPoint& position) {
    updateVerbs();
    if (!selection().empty()) {
        m_menu->popup(position);
    }
}

void QueuePanel::activate(const QModelIndex& index) {
    const QueueRow& row = m_model->row(index.row());
    if (row.isHeading()) {
        return;
    }
    m_view->selectIds({row.id});
    if (row.job.clipId != 0) {
        showClip();
    } else if (row.job.state == JobState::Queued) {
        editJob();
    } else {
        loadSettings();
    }
}

void QueuePanel::editJob() {
    const auto rows = selection();
    if (rows.size() == 1) {
        if (const auto request = QueueModel::requestOf(rows.front()->job)) {
            emit editRequested(rows.front()->id, *request);
        } else {
            emit notice(tr("The settings of this job cannot be read."));
        }
    }
}

void QueuePanel::showClip() {
    const auto rows = selection();
    if (rows.size() == 1 && rows.front()->job.clipId != 0) {
        emit clipRequested(rows.front()->job.clipId);
    }
}

void QueuePanel::loadSettings() {
    const auto rows = selection();
    if (rows.size() == 1) {
        if (const auto request = QueueModel::requestOf(rows.front()->job)) {
            emit loadSettingsRequested(*request);
        } else {
            emit notice(tr("The settings of this job cannot be read."));
        }
    }
}

void QueuePanel::retryJobs() {
    m_queue.retry(selectedIn({JobState::Failed, JobState::Cancelled}));
}

void QueuePanel::duplicateJobs() {
    m_queue.duplicate(m_view->selectedIds());
}

void QueuePanel::move(const std::vector<std::int64_t>& ids, std::int64_t beforeId) {
    std::vector<std::int64_t> order = waitingIds();
    ++m_generation;
    m_model->moveWaiting(ids, beforeId);
    if (!ids.empty()) {
        m_view->scrollTo(m_model->index(m_model->rowOf(ids.front())));
    }
    if (waitingIds() != order) {  // else they lie where they lay
        m_undo->push(new QueueMove(m_queue, std::move(order), ids, beforeId));
    }
}

void QueuePanel::moveFirst() {
    const auto ids = selectedIn({JobState::Queued, JobState::Interrupted});
    for (const auto& job : m_model->jobs().waiting) {
        if (std::find(ids.begin(), ids.end(), job.id) == ids.end()) {
            move(ids, job.id);
            return;
        }
    }
}

void QueuePanel::moveUp() {
    const auto ids = selectedIn({JobState::Queued, JobState::Interrupted});
    const int first = ids.empty() ? -1 : m_model->rowOf(ids.front());
    if (first > 0) {
        // In front of the neighbour above; at the top already, the others gather below the first.
        move(ids, m_model->row(first - 1).isWaiting() ? m_model->row(first - 1).id : ids.front());
    }
}

void QueuePanel::moveDown() {
    const auto ids = selectedIn({JobState::Queued, JobState::Interrupted});
    if (ids.empty()) {
        return;
    }
    const int after = m_model->rowOf(ids.back()) + 2;
    const bool last = after >= m_model->rowCount() || !m_model->row(after).isWaiting();
    move(ids, last ? 0 : m_model->row(after).id);
}

void QueuePanel::selectBatch() {
    const auto rows = selection();
    if (rows.size() != 1 || rows.front()->job.batch.empty()) {
        return;
    }
    const std::string batch = rows.front()->job.batch;
    std::vector<std::int64_t> ids;
    for (int i = 0; i < m_model->rowCount(); ++i) {
        if (!m_model->row(i).isHeading() && m_model->row(i).job.batch == batch) {
            ids.push_back(m_model->row(i).id);
        }
    }
    m_view->selectIds(ids);
}

void QueuePanel::keepRunning() {
    for (const std::int64_t id : selectedIn({JobState::Running})) {
        m_queue.cancel(id, true);
    }
}

void QueuePanel::cancelJobs() {
    for (const std::int64_t id : selectedIn({JobState::Running})) {
        m_queue.cancel(id, false);
    }
    auto waiting = selectedIn({JobState::Queued, JobState::Interrupted});
    if (waiting.empty()) {
        return;
    }
    const auto count = static_cast<qint64>(waiting.size());
    m_undo->push(new QueueCancel(m_queue, waitingIds(), std::move(waiting)));
    m_notice->show(count == 1 ? tr("One job cancelled.") : tr("%1 jobs cancelled.").arg(countText(count)),
                   tr("Undo"));
}

void QueuePanel::copyTexts() {
    QStringList texts;
    for (const auto* row : selection()) {
        if (row->job.state == JobState::Failed) {
            texts.append(m_model->title(m_model->rowOf(row->id)) + QLatin1Char('\n') +
                         QString::fromStdString(row->job.errorCode) + QStringLiteral(": ") +
                         QString::fromStdString(row->job.errorMessage));
        }
    }
    if (!texts.isEmpty()) {
        QGuiApplication::clipboard()->setText(texts.join(QStringLiteral("\n\n")));
    }
}

void QueuePanel::removeJobs() {
    std::vector<store::Job> waiting;
    std::vector<std::int64_t> others, followers;
    int last = -1;
    for (const auto* row : selection()) {
        if (row->isWaiting()) {
            waiting.push_back(row->job);
            last = m_model->rowOf(row->id);
        } else if (!row->isRunning()) {
            others.push_back(row->id);
        }
    }
    if (!others.empty()) {
        m_queue.remove(others);
    }
    if (waiting.empty()) {
        return;
    }
    for (int row = last + 1; row < m_model->rowCount() && m_model->row(row).isWaiting(); ++row) {
        followers.push_back(m_model->row(row).id);
        if (followers.size() == kMostFollowers) {
            break;
        }
    }
    const auto count = static_cast<int>(waiting.size());
    m_undo->push(new QueueRemoval(m_queue, m_library, std::move(waiting), std::move(followers)));
    m_notice->show(count == 1 ? tr("One job removed.") : tr("%1 jobs removed.").arg(countText(count)), tr("Undo"));
}

void QueuePanel::undoLast() {
    m_notice->hide();
    m_undo->undo();
}

void QueuePanel::clearFinished() {
    m_library.read(
        this,
        [](store::LibraryStore& store) {
            return store.jobs({JobState::Done, JobState::Cancelled}, -1);
        },
        [this](const Result<std::vector<store::Job>>& jobs) {
            std::vector<std::int64_t> ids;
            if (jobs) {
                for (const auto& job : *jobs) {
                    ids.push_back(job.id);
                }
            }
            m_queue.remove(ids);
        });
}

}  // namespace fw::ui
