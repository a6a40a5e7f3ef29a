#include "ui/prompt_panel.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSettings>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/library/engine_link.h"
#include "app/library/library_service.h"
#include "core/job/prompt_expansion.h"
#include "ui/batch_form.h"
#include "ui/controls.h"
#include "ui/error_presenter.h"
#include "ui/example_prompts.h"
#include "ui/formats.h"
#include "ui/icons.h"
#include "ui/key_map.h"
#include "ui/machine_form.h"
#include "ui/method_form.h"
#include "ui/model_picker.h"
#include "ui/preset_menu.h"
#include "ui/prompt_history.h"
#include "ui/seed_field.h"
#include "ui/settings_form.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kMargin = 2 * kGrid;

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

PromptPanel::PromptPanel(QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("panel"));
    setFixedWidth(kPanelWidth);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 1, 0);
    column->setSpacing(0);
    column->addWidget(buildHeader());
    column->addWidget(buildBanner());
    auto* scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("panelScroll"));
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(buildForm());
    // The fields end where Run does, with and without a scroll bar.
    connect(scroll->verticalScrollBar(), &QScrollBar::rangeChanged, this, [scroll](int, int last) {
        const int bar = last > 0 ? scroll->verticalScrollBar()->sizeHint().width() : 0;
        QMargins margins = scroll->widget()->layout()->contentsMargins();
        margins.setRight(kMargin - bar);
        scroll->widget()->layout()->setContentsMargins(margins);
    });
    column->addWidget(scroll, 1);
    column->addWidget(buildActions());

    connectForm();
    setNegativeShown(false);
    showCounter();
    showForecast();
    setModelOpening();
}

void PromptPanel::connectForm() {
    connect(m_prompt, &QPlainTextEdit::textChanged, this, [this] {
        if (!m_stepping) {
            m_history->restart();
        }
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
    connect(m_machine, &MachineForm::changed, this, &PromptPanel::onFormChanged);
    connect(m_method, &MethodForm::changed, this, &PromptPanel::onFormChanged);
    connect(m_cache, &MethodForm::changed, this, &PromptPanel::onFormChanged);
    connect(m_batch, &BatchForm::changed, this, &PromptPanel::onFormChanged);
    connect(m_run, &QPushButton::clicked, this, &PromptPanel::runRequested);
    connect(m_models, &ModelPicker::chosen, this, &PromptPanel::modelChosen);
    connect(m_models, &ModelPicker::foldersChanged, this, &PromptPanel::modelFoldersChanged);
    connect(m_history, &PromptHistory::draftReturned, this, &PromptPanel::useText);
    connect(m_history, &PromptHistory::chosen, this, [this](const QString& used, const QString& negative) {
        // What is in the history was expanded before it was kept.
        useText(QString::fromStdString(job::escapePrompt(used.toStdString())), negative);
    });
    connect(m_presets, &PresetMenu::notice, this, &PromptPanel::notice);
    connect(m_presets, &PresetMenu::applied, this, [this](job::GenerationRequest request) {
        // A preset says nothing about the seed: the form keeps its own.
        const bool locked = m_form->seedField()->isLocked();
        m_prompt->setPlainText(QString::fromStdString(request.prompt));
        m_negative->setPlainText(QString::fromStdString(request.negativePrompt));
        setNegativeShown(!request.negativePrompt.empty());
        showChoices(request);
        m_form->seedField()->setLocked(locked);
    });
}

void PromptPanel::showChoices(const job::GenerationRequest& request) {
    m_form->show(request);
    m_method->choose(request.method, request.methodParameters);
    m_cache->choose(request.cache, request.cacheParameters);
    setAdapters(request.adapters, request.lora);
}

void PromptPanel::setAdapters(std::vector<job::Adapter> adapters, job::LoraUse lora) {
    m_adapters = std::move(adapters);
    m_lora = lora;
    QStringList names, files;
    for (const auto& adapter : m_adapters) {
        files.append(QString::fromStdString(adapter.file));
        names.append(QFileInfo(files.last()).fileName());
    }
    if (m_lora == job::LoraUse::Apart) {
        files.append(tr("LoRA is computed beside the model instead of being merged into it"));
    }
    const QString all = names.join(QStringLiteral(", "));
    m_adapterNames->setText(
        m_adapterNames->fontMetrics().elidedText(tr("With %1").arg(all), Qt::ElideMiddle, kPanelWidth / 2));
    m_adapterNames->setToolTip(asToolTip(files.join(QLatin1Char('\n'))));
    m_adapterNames->setAccessibleName(tr("With %1").arg(all));
    m_adapterRow->setHidden(m_adapters.empty());
}

QWidget* PromptPanel::buildHeader() {
    auto* header = new QWidget;
    auto* row = new QHBoxLayout(header);
    // The name of the model stands on the edge of the fields; its button has a margin of its own.
    row->setContentsMargins(kMargin - kGrid, 2 * kGrid, 2 * kGrid, kGrid);
    row->setSpacing(kGrid);
    m_modelLabel = makeButton(QString(), QStringLiteral("link"));
    m_modelLabel->setAccessibleName(tr("Model"));
    m_modelLabel->setLayoutDirection(Qt::RightToLeft);  // the arrow stands behind the name
    m_modelLabel->setIcon(icon(QStringLiteral("chevron-down")));
    connect(m_modelLabel, &QPushButton::clicked, this, &PromptPanel::chooseModel);
    row->addWidget(m_modelLabel);
    row->addStretch(1);
    m_models = new ModelPicker(this);
    return header;
}

QWidget* PromptPanel::buildBanner() {
    m_banner = new QWidget;
    m_banner->setObjectName(QStringLiteral("banner"));
    m_banner->setAttribute(Qt::WA_StyledBackground);
    auto* row = new QHBoxLayout(m_banner);
    row->setContentsMargins(kMargin, kGrid, kMargin, kGrid);
    row->setSpacing(kGrid);
    m_bannerText = makeLabel(QString(), TextRole::Heading);
    row->addWidget(m_bannerText, 1);
    auto* discard = makeButton(tr("Discard"));
    discard->setObjectName(QStringLiteral("discardEdit"));
    discard->setToolTip(tr("Leave the waiting job as it is"));
    auto* save = makeButton(tr("Save"));
    save->setObjectName(QStringLiteral("saveEdit"));
    save->setToolTip(tr("Change the waiting job to what the form says"));
    row->addWidget(discard);
    row->addWidget(save);
    connect(discard, &QPushButton::clicked, this, [this] { emit discardEditRequested(m_editedJob); });
    connect(save, &QPushButton::clicked, this, [this] {
        if (findRequestBlock().isEmpty() && !prompt().isEmpty()) {
            emit saveEditRequested(m_editedJob, request());
        }
    });
    m_banner->hide();
    return m_banner;
}

void PromptPanel::addPromptTools(QHBoxLayout* row) {
    m_history = new PromptHistory(this);
    m_historyButton = makeIconButton(QStringLiteral("history"), tr("Prompts used before"),
                                     tr("Prompts used before (Ctrl+Up and Ctrl+Down step through them)"));
    connect(m_historyButton, &QToolButton::clicked, this, [this] { m_history->openBelow(m_historyButton); });
    row->addWidget(m_historyButton);
    m_presets = new PresetMenu([this] {
        auto request = baseRequest();
        request.prompt = m_prompt->toPlainText().toStdString();  // with its alternatives
        return request;
    });
    row->addWidget(m_presets);
}

QWidget* PromptPanel::buildForm() {
    auto* content = new QWidget;
    content->setObjectName(QStringLiteral("panelContent"));
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(kMargin, kGrid, kMargin, 2 * kGrid);
    column->setSpacing(kGrid);

    m_prompt = makeTextBox(tr("Prompt"), tr("What the clip shows: who does what, and where"), 5);
    m_counter = makeLabel(QString(), TextRole::Caption);
    auto* title = makeLabel(tr("Prompt"), TextRole::Heading);
    title->setBuddy(m_prompt);
    auto* row = new QHBoxLayout;
    row->addWidget(title);
    row->addStretch(1);
    row->addWidget(m_counter);
    addPromptTools(row);
    column->addLayout(row);
    m_prompt->installEventFilter(this);
    m_promptKeys = new KeyMap(m_prompt);
    const auto step = [this](int by) { m_history->step(by, m_prompt->toPlainText(), m_negative->toPlainText()); };
    m_promptKeys->add({Qt::CTRL | Qt::Key_Up}, tr("The prompt before"), [step] { step(1); });
    m_promptKeys->add({Qt::CTRL | Qt::Key_Down}, tr("The prompt after"), [step] { step(-1); });
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
    m_method =
        new MethodForm(tr("Attention"), tr("How the model looks at its own picture. Dense looks at everything; "
                                           "others leave out what matters little and are quicker."));
    column->addWidget(m_method);
    m_cache = new MethodForm(tr("Step cache"), tr("Whether results of one step are used again in the next ones"));
    column->addWidget(m_cache);
    column->addWidget(buildAdapterRow());
    m_machine = new MachineForm;
    column->addWidget(m_machine);
    m_batch = new BatchForm;
    column->addWidget(m_batch);
    column->addStretch(1);
    return content;
}

// Weights a clip was made with beside the model's; they come and go with the settings of clips and presets.
QWidget* PromptPanel::buildAdapterRow() {
    m_adapterRow = new QWidget;
    auto* row = new QHBoxLayout(m_adapterRow);
    row->setContentsMargins(0, 0, 0, 0);
    m_adapterNames = makeLabel(QString(), TextRole::Body);
    m_adapterNames->setTextFormat(Qt::PlainText);
    auto* leaveOut = makeButton(tr("Leave out"));
    leaveOut->setToolTip(tr("Use the model without these adapter weights"));
    connect(leaveOut, &QPushButton::clicked, this, [this] {
        setAdapters({}, job::LoraUse::Merged);
        onFormChanged();
    });
    row->addWidget(m_adapterNames, 1);
    row->addWidget(leaveOut);
    m_adapterRow->hide();
    return m_adapterRow;
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

void PromptPanel::setLibrary(app::LibraryService* library) {
    m_history->setLibrary(library);
    m_presets->setLibrary(library);
    m_historyButton->setEnabled(library != nullptr);
}

void PromptPanel::setMethods(const std::vector<job::MethodDescription>& methods,
                             const std::vector<job::MethodDescription>& caches) {
    m_method->setMethods(methods);
    m_cache->setMethods(caches);
}

void PromptPanel::setEngine(app::EngineLink* engine) {
    if (m_engine != nullptr) {
        disconnect(m_engine, nullptr, this, nullptr);
    }
    m_engine = engine;
    m_models->setEngine(engine);
    if (m_engine != nullptr) {
        const auto know = [this] {
            setMethods(m_engine->methods(), m_engine->caches());
            m_machine->setDevices(m_engine->devices());
        };
        connect(m_engine, &app::EngineLink::capabilitiesChanged, this, know);
        know();
    }
}

void PromptPanel::setModelFolders(const QStringList& folders) {
    m_models->setFolders(folders);
}

void PromptPanel::chooseModel() {
    if (m_engine == nullptr) {
        emit chooseModelRequested();
        return;
    }
    m_models->setCurrent(m_model ? m_model->folder : QString());
    m_models->openBelow(m_modelLabel);
}

void PromptPanel::useText(const QString& text, const QString& negativePrompt) {
    m_stepping = true;
    m_prompt->setPlainText(text);
    m_negative->setPlainText(negativePrompt);
    m_stepping = false;
    setNegativeShown(!negativePrompt.isEmpty());
    focusPrompt();
}

job::GenerationRequest PromptPanel::baseRequest() const {
    job::GenerationRequest request;
    request.negativePrompt = m_negative->toPlainText().simplified().toStdString();
    if (m_model && !m_model->embedded) {  // the embedded one is where the program is, wherever that will be
        request.model = m_model->folder.toStdString();
    }
    request.adapters = m_adapters;
    request.lora = m_lora;
    if (m_editedJob != 0) {
        request.model = m_edited.model;
    }
    m_form->fill(request);
    m_machine->fill(request);
    if (!m_method->id().empty()) {
        request.method = m_method->id();
        request.methodParameters = m_method->values();
    }
    if (!m_cache->id().empty()) {
        request.cache = m_cache->id();
        request.cacheParameters = m_cache->values();
    }
    return request;
}

job::GenerationRequest PromptPanel::request() const {
    auto request = baseRequest();
    const auto first = job::expandBatch(request, m_prompt->toPlainText().toStdString(), m_batch->options(), 1);
    if (first && !first->empty()) {
        return first->front();
    }
    request.prompt = prompt().toStdString();
    return request;
}

void PromptPanel::showRequest(const job::GenerationRequest& request) {
    m_prompt->setPlainText(QString::fromStdString(job::escapePrompt(request.prompt)));
    m_negative->setPlainText(QString::fromStdString(request.negativePrompt));
    setNegativeShown(!request.negativePrompt.empty());
    m_batch->setOptions({});
    m_machine->show(request);
    showChoices(request);
    m_form->seedField()->setLocked(true);
    onFormChanged();
}

job::GenerationRequest PromptPanel::takeRequest() {
    m_form->seedField()->drawUnlessLocked();
    return request();
}

std::vector<job::GenerationRequest> PromptPanel::takeRequests() {
    m_form->seedField()->drawUnlessLocked();
    auto requests = job::expandBatch(baseRequest(), m_prompt->toPlainText().toStdString(), m_batch->options());
    m_history->restart();
    return requests ? std::move(*requests) : std::vector<job::GenerationRequest>{};
}

qint64 PromptPanel::clipCount() const {
    return m_batch->count();
}

void PromptPanel::showEdit(qint64 jobId, const job::GenerationRequest& request) {
    if (!m_draft) {
        Draft draft{m_prompt->toPlainText(), baseRequest(), m_form->seedField()->isLocked(), m_batch->options()};
        m_draft = std::move(draft);
    }
    m_editedJob = jobId;
    m_edited = request;
    m_bannerText->setText(tr("Editing job %1").arg(jobId));
    m_banner->show();
    m_batch->hide();
    showRequest(request);
    focusPrompt();
}

void PromptPanel::endEdit() {
    if (m_editedJob == 0) {
        return;
    }
    m_editedJob = 0;
    m_banner->hide();
    m_batch->show();
    if (const auto draft = std::exchange(m_draft, std::nullopt)) {
        showRequest(draft->request);
        m_prompt->setPlainText(draft->prompt);
        m_form->seedField()->setLocked(draft->seedLocked);
        m_batch->setOptions(draft->batch);
        onFormChanged();
    }
    updateRun();
}

bool PromptPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_prompt && event->type() == QEvent::KeyPress) {
        if (m_promptKeys->handle(*static_cast<QKeyEvent*>(event))) {
            return true;
        }
    }
    return QFrame::eventFilter(watched, event);
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
    m_modelLabel->setText(m_modelLabel->fontMetrics().elidedText(model.name, Qt::ElideMiddle, kPanelWidth / 3));
    m_modelLabel->setToolTip(
        asToolTip(tr("%1\n%2 million parameters, %3\n%4")
                      .arg(model.name, millions(model.parameters), bytesText(model.bytes), model.folder)));
    m_prompt->setPlaceholderText(tr("For example: %1").arg(placeholderPrompt(model.name)));
    m_form->setDefaults(model.defaults);
}

void PromptPanel::setModelError(const Error& error) {
    m_model.reset();
    m_modelProblem = tr("There is no model: %1").arg(QString::fromStdString(error.message));
    m_modelLabel->setText(tr("no model"));
    m_modelLabel->setToolTip(asToolTip(asSentence(error.message)));
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
    m_batch->showExpansion(baseRequest(), m_prompt->toPlainText());
    showForecast();
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
    const qint64 clips = std::max<qint64>(1, clipCount());
    const double seconds =
        m_speed > 0.0 ? static_cast<double>(f.flops) * static_cast<double>(clips) / m_speed : 0.0;
    m_time->setText(m_speed <= 0.0 ? memory
                    : clips == 1
                        ? tr("About %1, %2").arg(durationText(seconds), memory)
                        : tr("About %1 for %2 clips, %3").arg(durationText(seconds), countText(clips), memory));
    m_cost->setText(tr("%1 tokens, %2").arg(countText(f.tokens), flopsText(f.flops)));
    m_cost->setToolTip(
        tr("Each attention looks at %1 tokens: pieces of 2 × 2 latent pixels in space and one latent "
           "frame in time. The whole clip takes %2.")
            .arg(countText(f.tokens), flopsText(f.flops)));
}

void PromptPanel::updateRun() {
    m_blocked = findBlock();
    const bool ready = m_blocked.isEmpty();
    const qint64 clips = clipCount();
    m_run->setText(clips > 1 ? tr("Run %1 clips").arg(countText(clips)) : tr("Run"));
    m_run->setEnabled(ready);
    const QString hint = tr("Ctrl+Enter");
    m_run->setToolTip(ready ? tr("Make the clip (%1)").arg(hint) : asToolTip(m_blocked));
    m_run->setAccessibleDescription(ready ? hint : m_blocked);
    m_reason->setText(ready ? tr("%1 runs, Esc cancels.").arg(hint) : m_blocked);
}

QString PromptPanel::findBlock() const {
    if (m_editedJob != 0) {
        return tr("Save or discard the job you are editing first.");
    }
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
    if (!m_batch->problem().isEmpty()) {
        return m_batch->problem();
    }
    if (!m_model) {
        return m_modelProblem;
    }
    const auto requests =
        job::expandBatch(baseRequest(), m_prompt->toPlainText().toStdString(), m_batch->options());
    for (const auto& request : requests.value_or(std::vector<job::GenerationRequest>{})) {
        if (const auto resolved = job::resolve(request, m_model->defaults); !resolved) {
            return asSentence(resolved.error().message);
        }
    }
    return m_forecastProblem;
}

void PromptPanel::save(QSettings& settings) const {
    settings.setValue(QStringLiteral("prompt/text"), m_prompt->toPlainText());
    settings.setValue(QStringLiteral("prompt/negative"), m_negative->toPlainText());
    m_form->save(settings);
    m_machine->save(settings);
    m_batch->save(settings);
    settings.setValue(QStringLiteral("prompt/method"), QString::fromStdString(m_method->id()));
    settings.setValue(QStringLiteral("prompt/methodParameters"), QString::fromStdString(m_method->values().dump()));
    settings.setValue(QStringLiteral("prompt/cache"), QString::fromStdString(m_cache->id()));
    settings.setValue(QStringLiteral("prompt/cacheParameters"), QString::fromStdString(m_cache->values().dump()));
    job::GenerationRequest adapted;  // only to write its adapters down
    adapted.adapters = m_adapters;
    adapted.lora = m_lora;
    settings.setValue(QStringLiteral("prompt/adapters"), QString::fromStdString(job::toJson(adapted).dump()));
}

void PromptPanel::restore(const QSettings& settings) {
    m_form->restore(settings);
    m_machine->restore(settings);
    m_batch->restore(settings);
    const auto read = [&settings](const char* key) {
        return settings.value(QLatin1String(key)).toString().toStdString();
    };
    if (const std::string method = read("prompt/method"); !method.empty()) {
        m_method->choose(method, Json::parse(read("prompt/methodParameters"), nullptr, false));
    }
    if (const std::string cache = read("prompt/cache"); !cache.empty()) {
        m_cache->choose(cache, Json::parse(read("prompt/cacheParameters"), nullptr, false));
    }
    if (auto adapted = job::requestFromJson(Json::parse(read("prompt/adapters"), nullptr, false))) {
        setAdapters(std::move(adapted->adapters), adapted->lora);
    }
    m_negative->setPlainText(settings.value(QStringLiteral("prompt/negative")).toString());
    setNegativeShown(!m_negative->toPlainText().isEmpty());
    m_prompt->setPlainText(settings.value(QStringLiteral("prompt/text")).toString());
}

}  // namespace fw::ui
