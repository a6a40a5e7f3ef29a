#include "ui/inspector/inspector_panel.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSaveFile>
#include <QShortcut>
#include <QSpinBox>
#include <QStackedLayout>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/flow_layout.h"
#include "ui/inspector/imgui_canvas.h"
#include "ui/inspector/imgui_widget.h"
#include "ui/inspector/pair_view.h"
#include "ui/inspector/view_export.h"
#include "ui/inspector/what_if_bar.h"
#include "ui/key_map.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kMargin = 2 * kGrid;

// A label and its control as one piece of a line.
QWidget* joined(QLabel* label, QWidget* control) {
    auto* box = new QWidget;
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    row->addWidget(label);
    row->addWidget(control);
    return box;
}

}  // namespace

InspectorPanel::InspectorPanel(QWidget* parent)
    : QWidget(parent),
      m_views(makeInspectorViews()),
      m_otherViews(makeInspectorViews()),
      m_surface(new ImguiWidget([this] { drawView(); })) {
    m_readers.setMaxThreadCount(1);
    setAccessibleName(tr("Inspector"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    buildKeys();
    column->addWidget(buildHeader());
    auto* pages = new QWidget;
    m_pages = new QStackedLayout(pages);
    m_pages->addWidget(m_surface);
    m_pages->addWidget(buildMessage());
    column->addWidget(pages, 1);
    m_caption = makeLabel(QString(), TextRole::Secondary, true);
    m_caption->setContentsMargins(kMargin, kGrid, kMargin, kGrid);
    m_caption->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(m_caption);
    m_surface->setMinimumSize(200, 160);
    m_surface->installEventFilter(this);

    connect(&m_files, &app::ClipFiles::loaded, this, [this](const app::LoadedClip& clip) {
        m_clip = clip.images;
        m_surface->redraw();
    });
    auto* copy = new QShortcut(QKeySequence::Copy, this, this, &InspectorPanel::copyImage);
    copy->setContext(Qt::WidgetWithChildrenShortcut);
    copy->setWhatsThis(tr("Copy as a picture"));
    updateControls();
    updateMessage();
}

InspectorPanel::~InspectorPanel() {
    m_readers.waitForDone();
}

QWidget* InspectorPanel::buildHeader() {
    auto* header = new QWidget;
    auto* column = new QVBoxLayout(header);
    column->setContentsMargins(kMargin, kGrid, kMargin, kGrid);
    column->setSpacing(kGrid);
    m_tabs = new QTabBar;
    m_tabs->setAccessibleName(tr("Views"));
    m_tabs->setExpanding(false);
    m_tabs->setDrawBase(false);
    m_tabs->setUsesScrollButtons(true);
    m_tabs->setElideMode(Qt::ElideNone);
    for (const auto& view : m_views) {
        m_tabs->addTab(view->title());
    }
    m_export = new QToolButton;
    m_export->setText(tr("Export"));
    m_export->setPopupMode(QToolButton::InstantPopup);
    m_export->setAccessibleName(tr("Export the view"));
    m_export->setToolTip(tr("Copy or save what is shown, with its settings"));
    buildExportMenu();
    auto* top = new QHBoxLayout;
    top->addWidget(m_tabs, 1);
    top->addWidget(m_export);
    column->addLayout(top);

    auto* line = new QWidget;
    m_row = new FlowLayout(2 * kGrid);
    line->setLayout(m_row);
    m_numbers[0].first = addNumber(m_row, tr("Step"), tr("Denoising step (← →)"), &Selection::step);
    m_numbers[1].first = addNumber(m_row, tr("Layer"), tr("Layer of the model (↑ ↓)"), &Selection::layer);
    m_numbers[2].first = addNumber(m_row, tr("Head"), tr("Attention head ([ ])"), &Selection::head);
    for (auto& [box, holder] : m_numbers) {
        holder = box->parentWidget();
    }
    m_branch = new QComboBox;
    m_branch->addItems({tr("with the prompt"), tr("without the prompt")});
    m_branch->setToolTip(tr("Which of the two passes of guidance"));
    auto* label = makeFieldLabel(tr("Pass"), m_branch);
    m_branchLabel = joined(label, m_branch);
    m_row->addWidget(m_branchLabel);
    m_sideBySide = new QCheckBox(tr("Side by side"));
    m_sideBySide->setToolTip(tr("Shows the other trace beside this one, at the same step, layer and head"));
    m_sideBySide->setMinimumHeight(kControlHeight);  // in line with its neighbours
    m_sideBySide->setVisible(false);
    m_row->addWidget(m_sideBySide);
    connect(m_sideBySide, &QCheckBox::toggled, this, [this] {
        updatePair();
        updateControls();
        updateCaption();
        m_surface->redraw();
    });
    column->addWidget(line);
    buildWhatIf(column);
    connect(m_branch, &QComboBox::currentIndexChanged, this, [this](int branch) {
        Selection next = m_selection;
        next.branch = branch;
        select(next);
    });
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_current = static_cast<std::size_t>(std::max(0, index));
        updatePair();
        updateControls();
        updateMessage();
        m_surface->redraw();
    });
    return header;
}

QSpinBox* InspectorPanel::addNumber(FlowLayout* row, const QString& name, const QString& tip,
                                    int Selection::*member) {
    auto* box = new QSpinBox;
    box->setToolTip(tip);
    box->setKeyboardTracking(false);
    row->addWidget(joined(makeFieldLabel(name, box), box));
    connect(box, &QSpinBox::valueChanged, this, [this, member](int value) {
        Selection next = m_selection;
        next.*member = value - 1;
        select(next);
    });
    return box;
}

QWidget* InspectorPanel::buildMessage() {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
    column->setSpacing(2 * kGrid);
    column->addStretch(1);
    m_messageText = makeLabel(QString(), TextRole::Body, true);
    m_messageText->setAlignment(Qt::AlignCenter);
    column->addWidget(m_messageText);
    m_rerun = makeButton(tr("Make it again with probes"), QStringLiteral("primary"));
    m_rerun->setToolTip(tr("Adds the clip to the queue again, with the same seed, and looks into it on the way"));
    connect(m_rerun, &QPushButton::clicked, this, &InspectorPanel::rerunRequested);
    column->addWidget(m_rerun, 0, Qt::AlignHCenter);
    m_lookInside = makeButton(tr("Look inside from the next step on"), QStringLiteral("primary"));
    m_lookInside->setToolTip(tr("Adds probes to the clip that is being made; the clip stays the same"));
    connect(m_lookInside, &QPushButton::clicked, this, [this] {
        m_lookInside->setEnabled(false);
        emit lookRequested(true);
    });
    column->addWidget(m_lookInside, 0, Qt::AlignHCenter);
    column->addStretch(1);
    return page;
}

void InspectorPanel::buildExportMenu() {
    auto* menu = new QMenu(m_export);
    auto* copy = menu->addAction(tr("Copy as a picture"), this, &InspectorPanel::copyImage);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);  // shown here; the panel's own shortcut acts
    menu->addSeparator();
    menu->addAction(tr("Save as SVG…"), this, [this] { askAndExport(ViewFormat::Svg); });
    menu->addAction(tr("Save as PNG…"), this, [this] { askAndExport(ViewFormat::Png); });
    menu->addAction(tr("Save the numbers as CSV…"), this, [this] { askAndExport(ViewFormat::Csv); });
    menu->addAction(tr("Save the numbers for NumPy…"), this, [this] { askAndExport(ViewFormat::Npz); });
    m_saveWhatIf = menu->addAction(tr("Save the changes for fw branch…"), this, &InspectorPanel::saveWhatIf);
    menu->addSeparator();
    menu->addAction(tr("Compare with another trace…"), this, &InspectorPanel::chooseOther);
    m_export->setMenu(menu);
}

void InspectorPanel::setTarget(const InspectTarget& target) {
    if (target.trace == m_target.trace && target.clip == m_target.clip && target.isRunning == m_target.isRunning &&
        m_problem.isEmpty()) {
        return;
    }
    m_target = target;
    m_run.reset();
    updatePair();
    m_painter.clear();
    m_painter.setActive(false);
    m_problem.clear();
    m_clip = target.pictures;
    m_clipFile.clear();
    ++m_newest;  // whatever is being read is no longer wanted
    m_reading = false;
    m_wanted = !target.trace.isEmpty();
    m_lookInside->setEnabled(true);
    if (isVisible()) {
        openWanted();
    }
    updateControls();
    updateMessage();
}

void InspectorPanel::updateTrace(const QString& trace) {
    m_target.trace = trace;
    m_problem.clear();
    m_wanted = true;
    if (isVisible()) {
        openWanted();
    }
}

void InspectorPanel::openWanted() {
    if (m_target.isRunning && m_target.trace.isEmpty()) {
        emit lookRequested(false);
    }
    if (std::exchange(m_wanted, false)) {
        m_reading = true;
        read(m_target.trace, &InspectorPanel::onRead, &m_newest);
    }
}

InspectorView& InspectorPanel::view() const {
    return m_pair != nullptr ? static_cast<InspectorView&>(*m_pair) : *m_views[m_current];
}

void InspectorPanel::updatePair() {
    m_sideBySide->setVisible(m_run != nullptr && m_other != nullptr);
    m_pair.reset();
    if (m_run != nullptr && m_other != nullptr && m_sideBySide->isChecked()) {
        m_pair = std::make_unique<PairView>(*m_views[m_current], *m_otherViews[m_current], *m_run);
    }
}

void InspectorPanel::setOther(const QString& trace, bool sideBySide) {
    m_other.reset();
    m_wantsPair = sideBySide;
    ++m_newestOther;
    updatePair();
    if (!trace.isEmpty()) {
        read(trace, &InspectorPanel::onOtherRead, &m_newestOther);
    }
    updateCaption();
    m_surface->redraw();
}

void InspectorPanel::read(const QString& file, void (InspectorPanel::*answer)(const Result<Run>&),
                          quint64* newest) {
    const quint64 ticket = ++*newest;
    m_readers.start([this, file, answer, newest, ticket] {
        auto run = RunModel::open(file);
        QMetaObject::invokeMethod(
            this,
            [this, run = std::move(run), answer, newest, ticket] {
                if (ticket == *newest) {
                    (this->*answer)(run);
                }
            },
            Qt::QueuedConnection);
    });
}

void InspectorPanel::onRead(const Result<Run>& run) {
    m_reading = false;
    if (run) {
        m_run = *run;
        m_selection.step = std::max(m_selection.step, m_run->firstStep());  // where there is something to see
        updateParameters();
        updatePair();
        clampSelection();
    } else {
        m_problem = asSentence(run.error().message);
    }
    updateControls();
    updateMessage();
    m_surface->redraw();
    emit opened();
}

void InspectorPanel::onOtherRead(const Result<Run>& run) {
    m_other = run ? *run : nullptr;
    const bool isPair = std::exchange(m_wantsPair, false) && m_other != nullptr;
    if (isPair) {
        m_sideBySide->setChecked(true);
    }
    updatePair();
    updateControls();
    updateCaption();
    m_surface->redraw();
    if (!isPair) {  // who asked for a pair has said so
        emit notice(run ? tr("Compared with %1").arg(QFileInfo(m_other->file()).fileName())
                        : asSentence(run.error().message));
    }
}

Scene InspectorPanel::scene() {
    return {*m_run, m_selection, m_clip.frames.isEmpty() ? nullptr : &m_clip, m_other.get(),
            m_pair == nullptr ? &m_painter : nullptr};
}

void InspectorPanel::buildWhatIf(QVBoxLayout* column) {
    m_whatIf = new WhatIfBar;
    column->addWidget(m_whatIf);
    const auto change = [this](auto&& how) {
        how();
        updateWhatIf();
        updateCaption();
        m_surface->redraw();
    };
    connect(m_whatIf, &WhatIfBar::paintToggled, this,
            [this, change](bool on) { change([&] { m_painter.setActive(on); }); });
    connect(m_whatIf, &WhatIfBar::computeToggled, this,
            [this, change] { change([this] { m_painter.toggleCompute(m_selection.step); }); });
    connect(m_whatIf, &WhatIfBar::parameterChanged, this,
            [this, change](const std::string& name, double value, double base) {
                change([&] { m_painter.setParameter(name, value, base); });
            });
    connect(m_whatIf, &WhatIfBar::undoAsked, this, [this, change] { change([this] { m_painter.undo(); }); });
    connect(m_whatIf, &WhatIfBar::clearAsked, this, [this, change] { change([this] { m_painter.clear(); }); });
    connect(m_whatIf, &WhatIfBar::runAsked, this, [this] {
        if (const auto changes = whatIf()) {
            emit branchRequested(*changes);
        }
    });
}

// What the run had and what was changed since; nothing, said in notice(), where the two do not go together.
std::optional<Json> InspectorPanel::whatIf() {
    if (!m_run->whatIf()) {
        emit notice(
            tr("The changes this clip was made with cannot be read: make them anew on the clip it came from."));
        return std::nullopt;
    }
    const job::WhatIf asked = m_painter.whatIf(m_run->probes().mask, m_selection.step);
    Json changes = job::toJson(job::combined(*m_run->whatIf(), asked));
    if (const auto all = job::whatIfFromJson(changes); !all) {
        emit notice(tr("Too much has changed since the first clip: %1").arg(asSentence(all.error().message)));
        return std::nullopt;
    }
    return changes;
}

void InspectorPanel::setMethods(std::vector<job::MethodDescription> methods) {
    m_methods = std::move(methods);
    m_parametersOf.reset();
    updateParameters();
    updateWhatIf();
}

// Fields for the method of the run that is shown; those that are there stay, and with them what is being typed.
void InspectorPanel::updateParameters() {
    const std::string id = m_run != nullptr ? m_run->method().toStdString() : std::string();
    if (m_parametersOf == id) {
        return;
    }
    m_parametersOf = id;
    const auto method =
        std::find_if(m_methods.begin(), m_methods.end(), [&id](const auto& m) { return m.id == id; });
    m_whatIf->setParameters(method == m_methods.end() ? std::vector<job::ParameterSchema>() : method->parameters);
}

void InspectorPanel::updateWhatIf() {
    const QString id = view().id();
    const bool single = m_run != nullptr && m_pair == nullptr && m_pages->currentIndex() == 0;
    // LinGen's windows and linear attention are no masks of a head that could be others.
    const bool hasScans =
        m_run != nullptr && m_run->probes().scan.heads > 0 && m_run->method() == QLatin1String("dense");
    const bool canPaint = m_run != nullptr && !hasScans && m_run->method() != QLatin1String("linear");
    m_whatIf->show(m_painter,
                   {.masks = single && canPaint && id == QLatin1String("mask"),
                    .cache = single && id == QLatin1String("cache") && m_run->hasStandIns(),
                    .settings = single && (id == QLatin1String("mask") || id == QLatin1String("gate")),
                    .step = m_selection.step,
                    .canChange = !m_target.isRunning,
                    .canRun = m_target.canRerun,
                    .parameters = m_run != nullptr ? m_run->methodParameters(m_selection.step) : Json()});
    m_saveWhatIf->setEnabled(m_run != nullptr && !m_painter.isEmpty());
}

void InspectorPanel::saveWhatIf() {
    const QString file = QFileDialog::getSaveFileName(
        this, tr("Save the changes"), QFileInfo(m_target.trace).baseName() + QStringLiteral("-what-if.json"),
        QStringLiteral("*.json"));
    const auto changes = file.isEmpty() || m_run == nullptr ? std::nullopt : whatIf();
    if (!changes) {
        return;
    }
    QSaveFile out(file);
    const std::string text = changes->dump(2) + '\n';
    const bool saved =
        out.open(QIODevice::WriteOnly) &&
        out.write(text.data(), static_cast<qint64>(text.size())) == static_cast<qint64>(text.size()) &&
        out.commit();
    emit notice(saved ? tr("Saved: %1").arg(QFileInfo(file).fileName())
                      : tr("%1 cannot be written: %2.").arg(QFileInfo(file).fileName(), out.errorString()));
}

void InspectorPanel::drawView() {
    if (m_run == nullptr || m_pages->currentIndex() != 0) {
        return;
    }
    const Selection before = m_selection;
    const quint64 painted = m_painter.revision();
    Scene here = scene();
    ImguiCanvas canvas(*m_surface);
    const QRectF area = QRectF(m_surface->rect()).adjusted(kMargin, kMargin, -kMargin, -kMargin);
    if (area.width() < 80 || area.height() < 80) {
        return;
    }
    view().draw(canvas, area, here);
    clampSelection();
    canvas.showTip();
    if (m_selection != before || m_painter.revision() != painted) {
        // The controls are Qt's: they change after this paint.
        QMetaObject::invokeMethod(
            this,
            [this] {
                updateControls();
                updateCaption();
                m_surface->redraw();
                emit selectionChanged();
            },
            Qt::QueuedConnection);
    }
}

void InspectorPanel::select(const Selection& selection) {
    if (m_updating || m_run == nullptr || selection == m_selection) {
        return;
    }
    m_selection = selection;
    clampSelection();
    updateControls();
    updateCaption();
    m_surface->redraw();
    emit selectionChanged();
}

void InspectorPanel::clampSelection() {
    Selection& at = m_selection;
    at.step = std::clamp(at.step, 0, m_run->steps() - 1);
    at.layer = std::clamp(at.layer, 0, m_run->layers() - 1);
    at.head = std::clamp(at.head, 0, m_run->heads() - 1);
    at.branch = std::clamp(at.branch, 0, m_run->branches() - 1);
    at.token = at.token < m_run->tokens() ? at.token : -1;
}

void InspectorPanel::move(int Selection::*member, int by) {
    Selection next = m_selection;
    next.*member += by;
    select(next);
}

void InspectorPanel::showView(const QString& id) {
    for (std::size_t i = 0; i < m_views.size(); ++i) {
        if (m_views[i]->id() == id) {
            m_tabs->setCurrentIndex(static_cast<int>(i));
        }
    }
}

QString InspectorPanel::emptyText() const {
    if (!m_problem.isEmpty()) {
        return m_problem;
    }
    if (m_run == nullptr && (m_reading || m_wanted)) {
        return tr("Reading the trace…");
    }
    if (m_run == nullptr && m_target.isRunning) {
        return tr("%1 is being made: what happens inside appears here after its next step.").arg(m_target.name);
    }
    if (m_run == nullptr) {
        return m_target.clip.isEmpty()
                   ? tr("Choose a clip in the library to look into how it was made.")
                   : tr("%1 has no trace: nothing was kept of how it was made.").arg(m_target.name);
    }
    const QString missing = m_views[m_current]->missing(*m_run);
    const Json& about = m_run->trace().metadata;
    if (const auto refused = about.find("probes_refused");
        !missing.isEmpty() && refused != about.end() && refused->is_string()) {
        return asSentence(refused->get<std::string>());  // they were asked for, and that is why there are none
    }
    return missing;
}

QString InspectorPanel::message() const {
    return m_pages->currentIndex() == 1 ? m_messageText->text() : QString();
}

void InspectorPanel::updateMessage() {
    const QString text = emptyText();
    m_messageText->setText(text);
    m_lookInside->setVisible(m_target.isRunning && m_run != nullptr && !m_run->hasProbes());
    const bool lacksProbes = m_run != nullptr ? !m_run->hasProbes() : !m_target.clip.isEmpty() && !m_reading;
    m_rerun->setVisible(m_target.canRerun && lacksProbes && m_problem.isEmpty());
    m_pages->setCurrentIndex(text.isEmpty() ? 0 : 1);
    m_export->setEnabled(text.isEmpty());
    // The pictures of the clip are read once a view can lay its numbers over them.
    if (m_run != nullptr && m_clipFile.isEmpty() && m_run->hasProbes() && QFileInfo::exists(m_target.clip)) {
        m_clipFile = m_target.clip;
        m_files.load(m_clipFile);
    }
    updateWhatIf();
    updateCaption();
}

void InspectorPanel::updateCaption() {
    const bool shown = m_run != nullptr && m_pages->currentIndex() == 0;
    QString text = shown ? view().caption(scene()) : QString();
    if (shown) {
        if (m_pair == nullptr && !m_run->beginning().isEmpty()) {  // a pair says it of each
            text += QLatin1Char('\n') + m_run->beginning();
        }
        const Json& about = m_run->trace().metadata;
        if (const auto failure = about.find("failure"); failure != about.end() && failure->is_string()) {
            const QString why = asSentence(failure->get<std::string>()).simplified().left(400);
            text += QLatin1Char('\n') + tr("The run failed here: %1").arg(why);
        }
    }
    m_caption->setText(text);
    m_caption->setVisible(shown);
    m_surface->setAccessibleName(view().title());
    m_surface->setAccessibleDescription(text);
}

void InspectorPanel::updateControls() {
    m_updating = true;
    const bool any = m_run != nullptr;
    const std::array<int, 3> counts =
        any ? std::array{m_run->steps(), m_run->layers(), m_run->heads()} : std::array{1, 1, 1};
    const std::array<int, 3> values{m_selection.step, m_selection.layer, m_selection.head};
    const std::array<bool, 3> used{view().usesStep(), view().usesLayer(), view().usesHead()};
    for (std::size_t i = 0; i < m_numbers.size(); ++i) {
        QSpinBox* box = m_numbers[i].first;
        box->setRange(1, counts[i]);
        box->setSuffix(tr(" of %1").arg(counts[i]));
        box->setValue(values[i] + 1);
        m_numbers[i].second->setVisible(any && used[i]);
    }
    m_branch->setCurrentIndex(m_selection.branch);
    m_branchLabel->setVisible(any && used[0] && m_run->branches() > 1);
    m_updating = false;
    updateOptions();
    updateWhatIf();
}

void InspectorPanel::updateOptions() {
    const auto options = m_run != nullptr ? view().options(*m_run) : std::vector<ViewOption>();
    bool same = options.size() == m_options.size();
    for (std::size_t i = 0; same && i < options.size(); ++i) {
        const QComboBox* box = m_options[i].second;
        same = box->accessibleName() == options[i].name && box->count() == options[i].values.size();
        for (int k = 0; same && k < box->count(); ++k) {
            same = box->itemText(k) == options[i].values[k];
        }
    }
    if (!same) {
        for (auto& [holder, box] : m_options) {
            holder->hide();
            holder->deleteLater();
        }
        m_options.clear();
        for (std::size_t i = 0; i < options.size(); ++i) {
            auto* box = new QComboBox;
            box->addItems(options[i].values);
            box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
            box->setToolTip(options[i].help);
            auto* holder = joined(makeFieldLabel(options[i].name, box), box);
            box->setAccessibleName(options[i].name);
            m_row->addWidget(holder);
            holder->show();
            m_options.emplace_back(holder, box);
            connect(box, &QComboBox::currentIndexChanged, this, [this, i](int value) {
                if (!m_updating) {
                    view().setOption(i, value);
                    updateMessage();
                    m_surface->redraw();
                    // One choice may take away another; not while this one still speaks.
                    QMetaObject::invokeMethod(this, &InspectorPanel::updateControls, Qt::QueuedConnection);
                }
            });
        }
    }
    m_updating = true;
    for (std::size_t i = 0; i < options.size(); ++i) {
        m_options[i].second->setCurrentIndex(options[i].current);
    }
    m_updating = false;
}

void InspectorPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    openWanted();
    updateMessage();
}

bool InspectorPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_surface && event->type() == QEvent::ToolTip) {
        return true;  // the views have tips of their own
    }
    return QWidget::eventFilter(watched, event);
}

void InspectorPanel::keyPressEvent(QKeyEvent* event) {
    if (!m_keys->handle(*event)) {
        QWidget::keyPressEvent(event);
    }
}

void InspectorPanel::buildKeys() {
    m_keys = new KeyMap(this);
    const auto add = [this](Qt::Key back, Qt::Key on, const QString& meaning, int Selection::*member) {
        m_keys->add({{QKeySequence(back), QKeySequence(on)},
                     meaning,
                     [this, member](int key) {
                         move(member, key == 0 ? -1 : 1);
                         return true;
                     },
                     true});
    };
    add(Qt::Key_Left, Qt::Key_Right, tr("Step"), &Selection::step);
    add(Qt::Key_Up, Qt::Key_Down, tr("Layer"), &Selection::layer);
    add(Qt::Key_BracketLeft, Qt::Key_BracketRight, tr("Head"), &Selection::head);
}

void InspectorPanel::copyImage() {
    if (m_run == nullptr || m_pages->currentIndex() != 0) {
        return;
    }
    const bool dark = coloursOf(*this).text.lightness() > 128;
    QApplication::clipboard()->setImage(viewImage(view(), scene(), m_surface->size(), dark, devicePixelRatioF()));
    emit notice(tr("The view is in the clipboard."));
}

bool InspectorPanel::exportTo(ViewFormat format, const QString& file) {
    if (m_run == nullptr) {
        return false;
    }
    const Status status = exportView(view(), scene(), m_surface->size(), format, file);
    emit notice(status ? tr("Saved: %1").arg(QFileInfo(file).fileName()) : asSentence(status.error().message));
    return status.has_value();
}

void InspectorPanel::askAndExport(ViewFormat format) {
    static constexpr const char* kSuffixes[] = {"svg", "png", "csv", "npz"};
    const QString suffix = QLatin1String(kSuffixes[static_cast<std::size_t>(format)]);
    const QString first = QStringLiteral("%1-%2.%3").arg(QFileInfo(m_target.trace).baseName(), view().id(), suffix);
    const QString file =
        QFileDialog::getSaveFileName(this, tr("Save the view"), first, QStringLiteral("*.") + suffix);
    if (!file.isEmpty()) {
        exportTo(format, QFileInfo(file).suffix().isEmpty() ? file + QLatin1Char('.') + suffix : file);
    }
}

void InspectorPanel::chooseOther() {
    const QString file = QFileDialog::getOpenFileName(
        this, tr("Compare with another trace"), QFileInfo(m_target.trace).path(), tr("Traces (*.safetensors)"));
    if (!file.isEmpty()) {
        setOther(file);
    }
}

}  // namespace fw::ui
