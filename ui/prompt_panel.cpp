#include "ui/prompt_panel.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/example_prompts.h"
#include "ui/formats.h"
#include "ui/icons.h"
#include "ui/seed_field.h"
#include "ui/settings_form.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kMargin = 3 * kGrid;

QPlainTextEdit* makeTextBox(const QString& name, const QString& toolTip, int lines) {
    auto* box = new QPlainTextEdit;
    box->setTabChangesFocus(true);
    box->setAccessibleName(name);
    box->setToolTip(toolTip);
    box->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    box->setFixedHeight(box->fontMetrics().lineSpacing() * lines + 2 * kGrid + 4);
    return box;
}

QString millions(qint64 count) {
    return QLocale().toString(static_cast<double>(count) / 1e6, 'f', 1);
}

}  // namespace

PromptPanel::PromptPanel(QMenu* menu, QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("panel"));
    setFixedWidth(kPanelWidth);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 1, 0);
    column->setSpacing(0);
    column->addWidget(buildHeader(menu));
    auto* scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("panelScroll"));
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(buildForm());
    column->addWidget(scroll, 1);
    column->addWidget(buildActions());

    connect(m_prompt, &QPlainTextEdit::textChanged, this, [this] {
        showCounter();
        onFormChanged();
    });
    connect(m_negative, &QPlainTextEdit::textChanged, this, &PromptPanel::onFormChanged);
    connect(m_negativeToggle, &QPushButton::clicked, this, [this] {
        setNegativeShown(m_negative->isHidden());
        if (!m_negative->isHidden()) {
            m_negative->setFocus();
        }
    });
    connect(m_form, &SettingsForm::changed, this, &PromptPanel::onFormChanged);
    connect(m_run, &QPushButton::clicked, this, &PromptPanel::runRequested);
    setNegativeShown(false);
    showCounter();
    showForecast();
    setModelOpening();
}

QWidget* PromptPanel::buildHeader(QMenu* menu) {
    auto* header = new QWidget;
    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(kMargin, 2 * kGrid, 2 * kGrid, kGrid);
    row->setSpacing(kGrid);
    row->addWidget(new IconLabel(QStringLiteral("mark"), 20, QPalette::Link));
    row->addWidget(makeLabel(QStringLiteral("Framewright"), TextRole::Heading));
    row->addStretch(1);
    m_modelLabel = makeLabel(QString(), TextRole::Secondary);
    m_modelLabel->setAccessibleName(tr("Model"));
    row->addWidget(m_modelLabel);
    auto* choose =
        makeIconButton(QStringLiteral("folder"), tr("Choose a model"), tr("Choose another model folder (Ctrl+O)"));
    connect(choose, &QToolButton::clicked, this, &PromptPanel::chooseModelRequested);
    row->addWidget(choose);
    auto* more = makeIconButton(QStringLiteral("menu"), tr("Menu"), tr("Appearance, folders, shortcuts, about"));
    more->setMenu(menu);
    more->setPopupMode(QToolButton::InstantPopup);
    row->addWidget(more);
    return header;
}

QWidget* PromptPanel::buildForm() {
    auto* content = new QWidget;
    content->setObjectName(QStringLiteral("panelContent"));
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(kMargin, kGrid, kMargin, 2 * kGrid);
    column->setSpacing(kGrid);

    m_prompt = makeTextBox(tr("Prompt"), QString(), 5);
    m_counter = makeLabel(QString(), TextRole::Caption);
    auto* title = makeLabel(tr("Prompt"), TextRole::Heading);
    title->setBuddy(m_prompt);
    auto* row = new QHBoxLayout;
    row->addWidget(title);
    row->addStretch(1);
    row->addWidget(m_counter);
    column->addLayout(row);
    column->addWidget(m_prompt);

    m_negativeToggle = makeButton(tr("Negative prompt"), QStringLiteral("link"));
    m_negativeToggle->setToolTip(tr("Say what the clip should stay away from. Works only with guidance above 1."));
    m_negative = makeTextBox(tr("Negative prompt"), tr("What the clip should stay away from"), 2);
    m_negative->setPlaceholderText(tr("What the clip should stay away from"));
    column->addWidget(m_negativeToggle, 0, Qt::AlignLeft);
    column->addWidget(m_negative);
    column->addSpacing(kGrid);

    m_form = new SettingsForm;
    column->addWidget(m_form);
    column->addStretch(1);
    return content;
}

QWidget* PromptPanel::buildActions() {
    auto* actions = new QWidget;
    actions->setObjectName(QStringLiteral("actions"));
    actions->setAttribute(Qt::WA_StyledBackground);
    auto* column = new QVBoxLayout(actions);
    column->setContentsMargins(kMargin, 2 * kGrid, kMargin, 2 * kGrid);
    column->setSpacing(kGrid);
    m_time = makeLabel(QString(), TextRole::Body);
    m_time->setAccessibleName(tr("Forecast"));
    m_cost = makeLabel(QString(), TextRole::Caption);
    auto* forecast = new QVBoxLayout;
    forecast->setSpacing(kGrid / 4);
    forecast->addWidget(m_time);
    forecast->addWidget(m_cost);
    column->addLayout(forecast);
    m_run = makeButton(tr("Run"), QStringLiteral("primary"));
    m_run->setObjectName(QStringLiteral("run"));
    column->addWidget(m_run);
    m_reason = makeLabel(QString(), TextRole::Caption, true);
    m_reason->setObjectName(QStringLiteral("reason"));
    // Room for two lines, so that the panel does not move while one types.
    m_reason->setMinimumHeight(2 * m_reason->fontMetrics().lineSpacing());
    m_reason->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    column->addWidget(m_reason);
    return actions;
}

QString PromptPanel::prompt() const {
    return m_prompt->toPlainText().simplified();
}

void PromptPanel::setPrompt(const QString& prompt) {
    m_prompt->setPlainText(prompt);
}

void PromptPanel::focusPrompt() {
    m_prompt->setFocus();
    m_prompt->moveCursor(QTextCursor::End);
}

job::GenerationRequest PromptPanel::request() const {
    job::GenerationRequest request;
    request.prompt = prompt().toStdString();
    request.negativePrompt = m_negative->toPlainText().simplified().toStdString();
    if (m_model) {
        request.model = m_model->folder.toStdString();
    }
    m_form->fill(request);
    return request;
}

void PromptPanel::showRequest(const job::GenerationRequest& request) {
    m_prompt->setPlainText(QString::fromStdString(request.prompt));
    m_negative->setPlainText(QString::fromStdString(request.negativePrompt));
    setNegativeShown(!request.negativePrompt.empty());
    m_form->show(request);
    m_form->seedField()->setLocked(true);
}

job::GenerationRequest PromptPanel::takeRequest() {
    m_form->seedField()->drawUnlessLocked();
    return request();
}

void PromptPanel::setModelOpening() {
    m_model.reset();
    m_modelProblem = tr("The model is being opened.");
    m_modelLabel->setText(tr("opening…"));
    onFormChanged();
}

void PromptPanel::setModel(const app::ModelSummary& model) {
    m_model = model;
    m_modelProblem = model.problems.isEmpty() ? QString() : asSentence(model.problems.first().toStdString());
    m_modelLabel->setText(
        tr("Model: %1").arg(m_modelLabel->fontMetrics().elidedText(model.name, Qt::ElideMiddle, kPanelWidth / 4)));
    m_modelLabel->setToolTip(
        tr("%1\n%2 million parameters, %3\n%4")
            .arg(model.name, millions(model.parameters), bytesText(model.bytes), model.folder));
    m_prompt->setPlaceholderText(tr("For example: %1").arg(placeholderPrompt(model.name)));
    m_form->setDefaults(model.defaults);
}

void PromptPanel::setModelError(const Error& error) {
    m_model.reset();
    m_modelProblem = tr("There is no model: %1").arg(QString::fromStdString(error.message));
    m_modelLabel->setText(tr("no model"));
    m_modelLabel->setToolTip(asSentence(error.message));
    onFormChanged();
}

void PromptPanel::setBusy(const QString& reason) {
    m_busy = reason;
    updateRun();
}

void PromptPanel::setForecast(const app::Forecast& forecast) {
    m_forecast = forecast;
    m_forecastProblem.clear();
    showForecast();
    updateRun();
}

void PromptPanel::setForecastError(const Error& error) {
    m_forecast.reset();
    m_forecastProblem = asSentence(error.message);
    showForecast();
    updateRun();
}

void PromptPanel::setSpeed(double flopsPerSecond) {
    m_speed = flopsPerSecond;
    showForecast();
}

void PromptPanel::onFormChanged() {
    m_forecastProblem.clear();
    updateRun();
    emit requestChanged();
}

void PromptPanel::setNegativeShown(bool shown) {
    m_negative->setVisible(shown);
    m_negativeToggle->setIcon(icon(shown ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right")));
    m_negativeToggle->setAccessibleDescription(shown ? tr("shown") : tr("hidden"));
}

void PromptPanel::showCounter() {
    const auto characters = prompt().size();
    m_counter->setText(characters == 0   ? QString()
                       : characters == 1 ? tr("1 character")
                                         : tr("%1 characters").arg(countText(characters)));
}

void PromptPanel::showForecast() {
    if (!m_forecast) {
        m_time->setText(tr("No forecast"));
        m_cost->setText(tr("Time, memory and tokens appear here."));
        return;
    }
    const auto& f = *m_forecast;
    const QString memory = tr("%1 of memory").arg(bytesText(f.peakBytes));
    m_time->setText(m_speed > 0.0
                        ? tr("About %1, %2").arg(durationText(static_cast<double>(f.flops) / m_speed), memory)
                        : memory);
    m_cost->setText(tr("%1 tokens, %2").arg(countText(f.tokens), flopsText(f.flops)));
    m_cost->setToolTip(
        tr("Each attention looks at %1 tokens: pieces of 2 × 2 latent pixels in space and one latent "
           "frame in time. The whole clip takes %2.")
            .arg(countText(f.tokens), flopsText(f.flops)));
}

void PromptPanel::updateRun() {
    m_blocked = findBlock();
    const bool ready = m_blocked.isEmpty();
    m_run->setEnabled(ready);
    const QString hint = tr("Ctrl+Enter");
    m_run->setToolTip(ready ? tr("Make the clip (%1)").arg(hint) : m_blocked);
    m_run->setAccessibleDescription(ready ? hint : m_blocked);
    m_reason->setText(ready ? tr("%1 runs, Esc cancels.").arg(hint) : m_blocked);
}

QString PromptPanel::findBlock() const {
    if (!m_busy.isEmpty()) {
        return m_busy;
    }
    if (!m_modelProblem.isEmpty()) {
        return m_modelProblem;
    }
    if (prompt().isEmpty()) {
        return tr("Write a prompt first.");
    }
    return findRequestBlock();
}

QString PromptPanel::findRequestBlock() const {
    if (!m_form->seedField()->seed()) {
        return tr("The seed must be a whole number from 0 to 18446744073709551615.");
    }
    const auto resolved = job::resolve(request(), m_model->defaults);
    return resolved ? m_forecastProblem : asSentence(resolved.error().message);
}

void PromptPanel::save(QSettings& settings) const {
    settings.setValue(QStringLiteral("prompt/text"), m_prompt->toPlainText());
    settings.setValue(QStringLiteral("prompt/negative"), m_negative->toPlainText());
    m_form->save(settings);
}

void PromptPanel::restore(const QSettings& settings) {
    m_form->restore(settings);
    m_negative->setPlainText(settings.value(QStringLiteral("prompt/negative")).toString());
    setNegativeShown(!m_negative->toPlainText().isEmpty());
    m_prompt->setPlainText(settings.value(QStringLiteral("prompt/text")).toString());
}

}  // namespace fw::ui
