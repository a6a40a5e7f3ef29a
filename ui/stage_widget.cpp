#include "ui/stage_widget.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QMetaMethod>
#include <QPushButton>
#include <QStackedLayout>
#include <QStackedWidget>
#include <QStringList>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/formats.h"
#include "ui/frame_player.h"
#include "ui/frame_row.h"
#include "ui/key_map.h"
#include "ui/message_view.h"
#include "ui/notice_bar.h"
#include "ui/progress_row.h"
#include "ui/stage_canvas.h"
#include "ui/step_bar.h"
#include "ui/theme.h"
#include "ui/transport_bar.h"

namespace fw::ui {
namespace {

QString factsOf(const job::GenerationRequest& request) {
    QStringList facts;
    if (request.steps) {
        facts.append(StageWidget::tr("%1 steps").arg(*request.steps));
    }
    if (request.guidance) {
        facts.append(StageWidget::tr("guidance %1").arg(QLocale().toString(*request.guidance, 'g', 3)));
    }
    facts.append(request.sampler == job::SamplerKind::Euler ? QStringLiteral("Euler") : QStringLiteral("UniPC"));
    if (request.seed) {
        facts.append(StageWidget::tr("seed %1").arg(*request.seed));
    }
    return facts.join(QStringLiteral("  ·  "));
}

QString shapeOf(int width, int height, qint64 frames, double fps) {
    return StageWidget::tr("%1 × %2  ·  %3 frames at %4 per second")
        .arg(width)
        .arg(height)
        .arg(countText(frames), QLocale().toString(fps, 'g', 4));
}

}  // namespace

StageWidget::StageWidget(QWidget* parent)
    : QWidget(parent), m_keys(new KeyMap(this)), m_player(new FramePlayer(this)) {
    setObjectName(QStringLiteral("stage"));
    setAccessibleName(tr("Player"));
    setAttribute(Qt::WA_StyledBackground);
    m_canvas = new StageCanvas(*m_player);
    m_invitation = new InvitationView;
    m_error = new ErrorView;
    auto* views = new QWidget;
    m_views = new QStackedLayout(views);
    m_views->addWidget(m_invitation);
    m_views->addWidget(m_canvas);
    m_views->addWidget(m_error);
    m_notice = new NoticeBar(views);

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(views, 1);
    column->addWidget(buildBottom());

    connect(m_canvas, &StageCanvas::clicked, this, [this] { m_player->togglePlaying(); });
    connect(m_invitation, &InvitationView::exampleChosen, this, &StageWidget::exampleChosen);
    connect(m_error, &ErrorView::actionRequested, this, &StageWidget::errorActionRequested);
    connect(m_notice, &NoticeBar::actionRequested, this, &StageWidget::noticeActionRequested);
    connect(m_progress, &ProgressRow::cancelRequested, this, &StageWidget::cancelRequested);
    connect(m_transport, &TransportBar::saveRequested, this, &StageWidget::saveRequested);
    connect(m_progress, &ProgressRow::showNowRequested, this, &StageWidget::showNowRequested);
    connect(m_progress, &ProgressRow::stopAndKeepRequested, this, &StageWidget::stopAndKeepRequested);
    connect(m_steps, &StepBar::chosenChanged, this, &StageWidget::showChosen);
    connect(m_transport, &TransportBar::copyFrameRequested, this, &StageWidget::copyFrame);
    connect(m_transport, &TransportBar::saveFrameRequested, this, &StageWidget::askWhereToSaveFrame);
    connect(m_transport, &TransportBar::smoothChanged, this, [this](bool smooth) {
        m_canvas->setSmooth(smooth);
        emit smoothChanged(smooth);
    });
    m_saving.setMaxThreadCount(1);
    addKeys();
    showEmpty();
}

StageWidget::~StageWidget() {
    m_saving.waitForDone();
}

QWidget* StageWidget::buildBottom() {
    auto* bottom = new QWidget;
    auto* column = new QVBoxLayout(bottom);
    column->setContentsMargins(3 * kGrid, 2 * kGrid, 3 * kGrid, 2 * kGrid);
    column->setSpacing(2 * kGrid);

    m_titleLabel = makeLabel(QString(), TextRole::Heading);
    m_titleLabel->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_facts = makeLabel(QString(), TextRole::Caption, true);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    QSizePolicy facts(QSizePolicy::Ignored, QSizePolicy::Preferred);
    facts.setHeightForWidth(true);
    m_facts->setSizePolicy(facts);
    m_steps = new StepBar;
    m_frames = new FrameRow(*m_player);
    m_progress = new ProgressRow;
    m_transport = new TransportBar(*m_player, *m_canvas, m_frames->scrubBar());
    m_cancelledRow = buildCancelledRow();
    m_controls = new QStackedWidget;
    m_controls->addWidget(m_progress);
    m_controls->addWidget(m_transport);
    m_controls->addWidget(m_cancelledRow);
    m_controls->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    m_controls->setFixedHeight(kControlHeight + kGrid);

    m_controlsBox = new QWidget;
    auto* box = new QVBoxLayout(m_controlsBox);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(kGrid / 4);
    box->addWidget(m_titleLabel);
    box->addWidget(m_facts);
    box->addSpacing(kGrid);
    box->addWidget(m_steps);
    box->addWidget(m_frames);
    box->addWidget(m_controls);
    column->addWidget(m_controlsBox);
    return bottom;
}

QWidget* StageWidget::buildCancelledRow() {
    auto* cancelled = new QWidget;
    auto* row = new QHBoxLayout(cancelled);
    row->setContentsMargins(0, 0, 0, 0);
    m_cancelledText = makeLabel(QString(), TextRole::Body);
    auto* again = makeButton(tr("Run again"));
    again->setToolTip(tr("Make this clip after all (Ctrl+Enter)"));
    row->addWidget(m_cancelledText);
    row->addStretch(1);
    row->addWidget(again);
    connect(again, &QPushButton::clicked, this, &StageWidget::runAgainRequested);
    return cancelled;
}

void StageWidget::setExamples(const QStringList& prompts) {
    m_invitation->setExamples(prompts);
}

void StageWidget::setState(StageState state) {
    m_state = state;
    QWidget* view = state == StageState::Empty    ? static_cast<QWidget*>(m_invitation)
                    : state == StageState::Failed ? static_cast<QWidget*>(m_error)
                                                  : m_canvas;
    m_views->setCurrentWidget(view);
    m_controlsBox->setVisible(state != StageState::Empty && state != StageState::Failed);
    m_controls->setCurrentWidget(state == StageState::Running     ? static_cast<QWidget*>(m_progress)
                                 : state == StageState::Cancelled ? m_cancelledRow
                                                                  : m_transport);
    m_canvas->setDimmed(state == StageState::Cancelled);
    m_historyShown =
        state == StageState::Running || (state == StageState::Cancelled && !m_history.isEmpty()) ||
        (state == StageState::Finished && !m_history.isEmpty() && m_clip && m_clip->file == m_historyFile);
    updateSteps();
    m_notice->hide();
    emit stateChanged(state);
}

void StageWidget::setCaption(const QString& title, const QString& facts) {
    m_title = title;
    m_facts->setText(facts);
    m_titleLabel->setToolTip(asToolTip(title));
    elideCaption();
}

void StageWidget::elideCaption() {
    const int room = width() - 6 * kGrid;
    m_titleLabel->setText(m_titleLabel->fontMetrics().elidedText(m_title, Qt::ElideRight, room));
}

void StageWidget::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    elideCaption();
    m_notice->place();
}

void StageWidget::showEmpty() {
    m_clip.reset();
    m_player->clear();
    setState(StageState::Empty);
}

void StageWidget::beginJob(const job::GenerationRequest& request) {
    m_clip.reset();
    m_previews = 0;
    m_player->clear();
    m_progress->reset();
    m_progress->setOffered(isSignalConnected(QMetaMethod::fromSignal(&StageWidget::showNowRequested)),
                           isSignalConnected(QMetaMethod::fromSignal(&StageWidget::stopAndKeepRequested)));
    if (!m_historyOpen || !(request == m_historyRequest)) {
        m_history.clear();
    }
    m_historyOpen = true;
    m_historyRequest = request;
    m_historyFile.clear();
    m_stepCount = request.steps.value_or(0);
    m_requestSize = {static_cast<int>(request.width.value_or(0)), static_cast<int>(request.height.value_or(0))};
    m_steps->release();
    const auto rate = request.frameRate.value_or(job::FrameRate{});
    m_canvas->setClipSize(m_requestSize);
    setCaption(QString::fromStdString(request.prompt),
               shapeOf(m_requestSize.width(), m_requestSize.height(), request.frames.value_or(0),
                       static_cast<double>(rate.numerator) / static_cast<double>(rate.denominator)) +
                   QStringLiteral("  ·  ") + factsOf(request));
    setState(StageState::Running);
    showChosen();
}

void StageWidget::setProgress(const app::JobProgress& progress) {
    m_progress->setProgress(progress);
}

void StageWidget::showPreview(const app::JobPreview& preview) {
    if (preview.images.frames.isEmpty() || m_state != StageState::Running) {
        return;
    }
    ++m_previews;
    const bool exact = preview.exact || preview.images.frames.first().size() == m_requestSize;
    m_history.add(preview, exact);
    m_stepCount = preview.steps;
    updateSteps();
    if (exact) {
        m_progress->exactShown();
        m_steps->choose(preview.step);
    } else if (m_steps->chosen() < 0) {
        m_player->setClip(preview.images, true);
    }
}

void StageWidget::updateSteps() {
    m_steps->setVisible(m_historyShown);
    if (m_historyShown) {
        m_steps->setHistory(m_history, m_stepCount, m_state == StageState::Finished);
    }
    m_frames->setVisible(m_state != StageState::Cancelled);
}

// The preview that was gone back to, or what there is now.
void StageWidget::showChosen() {
    const int chosen = m_steps->chosen();
    if (chosen >= 0) {
        const auto& entry = m_history.at(chosen);
        m_player->setClip(entry.preview.images, true);
        m_canvas->setBadge((entry.exact ? tr("Step %1 of %2, decoded exactly") : tr("Preview of step %1 of %2"))
                               .arg(entry.preview.step)
                               .arg(m_stepCount));
        return;
    }
    m_canvas->setBadge(QString());
    if (m_state == StageState::Finished && m_clip) {
        m_player->setClip(m_clip->images, true);
    } else if (!m_history.isEmpty()) {
        m_player->setClip(m_history.at(m_history.count() - 1).preview.images, true);
    }
}

void StageWidget::showCancelled() {
    const QString step = m_progress->stepText();
    m_cancelledText->setText(step.isEmpty() ? tr("Cancelled. Nothing was saved.")
                                            : tr("Cancelled at %1. Nothing was saved.").arg(step));
    m_player->pause();
    m_historyOpen = false;
    setState(StageState::Cancelled);
}

// Whether a clip of these settings is what the previews became, and not one looked at meanwhile. Settings in a clip
// are complete, those asked for may leave things open.
bool StageWidget::isOfHistory(const job::GenerationRequest& request) const {
    const auto agree = [](const auto& asked, const auto& made) { return !asked || asked == made; };
    return request.prompt == m_historyRequest.prompt && request.negativePrompt == m_historyRequest.negativePrompt &&
           request.method == m_historyRequest.method && agree(m_historyRequest.seed, request.seed) &&
           agree(m_historyRequest.width, request.width) && agree(m_historyRequest.height, request.height) &&
           agree(m_historyRequest.frames, request.frames) && agree(m_historyRequest.steps, request.steps);
}

void StageWidget::showClip(const app::LoadedClip& clip, double seconds) {
    const bool forming = m_state == StageState::Running && clip.request && isOfHistory(*clip.request);
    if (forming) {
        m_historyFile = clip.file;
        m_historyOpen = false;
    }
    m_clip = clip;
    m_steps->release();
    m_canvas->setBadge(QString());
    const QImage& first = clip.images.frames.first();
    m_canvas->setClipSize(first.size());
    m_player->setClip(clip.images, forming);
    QString facts = shapeOf(first.width(), first.height(), clip.images.frames.size(), clip.images.framesPerSecond);
    QString title = clip.file.section(QLatin1Char('/'), -1);
    if (clip.request) {
        title = QString::fromStdString(clip.request->prompt);
        facts += QStringLiteral("  ·  ") + factsOf(*clip.request);
    }
    if (seconds >= 0.0) {
        facts += QStringLiteral("  ·  ") + tr("made in %1").arg(durationText(seconds));
    }
    setCaption(title, facts);
    setState(StageState::Finished);
}

void StageWidget::showError(const PresentedError& error, const QString& details) {
    m_clip.reset();
    m_historyOpen = false;
    m_player->clear();
    m_error->show(error, details);
    setState(StageState::Failed);
}

void StageWidget::showNotice(const QString& text, const QString& action) {
    m_notice->show(text, action);
}

void StageWidget::setSmooth(bool smooth) {
    m_canvas->setSmooth(smooth);
    m_transport->setSmooth(smooth);
}

bool StageWidget::isSmooth() const {
    return m_canvas->isSmooth();
}

}  // namespace fw::ui
