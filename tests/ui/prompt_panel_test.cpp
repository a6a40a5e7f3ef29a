// The prompt panel as a person uses it: batches, history, presets, methods, models, editing a waiting job.
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

#include "app/library/library_service.h"
#include "pictures.h"
#include "ui/machine_form.h"
#include "ui/method_form.h"
#include "ui/model_picker.h"
#include "ui/preset_menu.h"
#include "ui/prompt_history.h"
#include "ui/prompt_panel.h"
#include "ui/seed_field.h"

namespace fw::ui::test {

// Every type of parameter, and awkward ranges.
job::MethodDescription madeUpMethod() {
    using job::ParameterType;
    job::MethodDescription method{"made_up", "Made up", "Looks only at what moves.", "arXiv:0000.00000", {}};
    method.parameters = {
        {"block_size",
         ParameterType::Integer,
         "tokens",
         16,
         256,
         {},
         64,
         "How many tokens are kept or left out together."},
        {"keep_ratio", ParameterType::Real, "", 0.05, 1.0, {}, 0.25, "The part of all blocks that is looked at."},
        {"tiny", ParameterType::Real, "", 0.0, 0.001, {}, 0.0001, "A small number."},
        {"use_gate", ParameterType::Boolean, "", 0, 0, {}, true, "Weighs both branches."},
        {"order",
         ParameterType::Choice,
         "",
         0,
         0,
         {"raster", "zigzag", "hilbert"},
         "zigzag",
         "The order of tokens."},
    };
    return method;
}

class PromptPanelTest : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<app::LibraryService> m_library;
    std::unique_ptr<PromptPanel> m_panel;

    static app::ModelSummary mini() {
        app::ModelSummary model;
        model.folder = QStringLiteral("/models/mini");
        model.name = QStringLiteral("mini");
        model.embedded = true;
        model.parameters = 27'900'000;
        model.bytes = qint64{58} << 20;
        model.defaults = {256, 256, 33, {12, 1}, 20, 4.0, 3.0, 16, 4};
        return model;
    }
    void openLibrary() {
        auto library = app::LibraryService::open(m_folder->path().toStdString());
        QVERIFY(library.has_value());
        m_library = std::move(*library);
        m_panel->setLibrary(m_library.get());
    }
    template <class Work>
    void write(Work work) {
        bool done = false;
        m_library->write(this, work, [&](const Status& status) {
            QVERIFY(status);
            done = true;
        });
        QTRY_VERIFY(done);
    }
    template <class T>
    T* named(const QString& name) const {
        for (auto* widget : m_panel->findChildren<T*>()) {
            if (widget->accessibleName() == name || widget->objectName() == name) {
                return widget;
            }
        }
        return nullptr;
    }
    [[nodiscard]] QPlainTextEdit* promptBox() const { return named<QPlainTextEdit>(QStringLiteral("Prompt")); }
    [[nodiscard]] QPushButton* runButton() const { return m_panel->findChild<QPushButton*>(QStringLiteral("run")); }
    void type(const QString& text) const {
        promptBox()->setFocus();
        promptBox()->selectAll();
        QTest::keyClick(promptBox(), Qt::Key_Delete);
        for (const QString& line : text.split(QLatin1Char('\n'))) {
            QTest::keyClicks(promptBox(), line);
            if (!text.endsWith(line)) {
                QTest::keyClick(promptBox(), Qt::Key_Return);
            }
        }
    }
    void scrollTo(QWidget* widget) const {
        m_panel->findChild<QScrollArea*>()->ensureWidgetVisible(widget, 0, 400);
        QCoreApplication::processEvents();
    }
    void toggle(const QString& name) const {
        for (auto* box : m_panel->findChildren<QCheckBox*>()) {
            if (box->text() == name) {
                scrollTo(box);
                QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
                return;
            }
        }
        QFAIL(qPrintable(name));
    }
    void openBatch() const {
        auto* several = named<QPushButton>(QStringLiteral("Several clips"));
        scrollTo(several);
        QTest::mouseClick(several, Qt::LeftButton);
    }
    void save(const QString& name) const { savePictures(*m_panel, *m_theme, QStringLiteral("prompt-") + name); }

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        m_panel = std::make_unique<PromptPanel>();
        m_panel->resize(kPanelWidth, 900);
        m_panel->setModel(mini());
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
        m_panel->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_panel.get()));
    }
    void cleanup() {
        m_panel.reset();
        m_library.reset();
    }

    void onePromptIsOneClip() {
        type(QStringLiteral("a red fox"));
        QCOMPARE(m_panel->clipCount(), 1);
        QCOMPARE(m_panel->blockedReason(), QString());
        const auto requests = m_panel->takeRequests();
        QCOMPARE(requests.size(), 1U);
        QCOMPARE(requests.front().prompt, std::string("a red fox"));
        QCOMPARE(requests.front().shift, 3.0);
        QVERIFY((requests.front().frameRate == job::FrameRate{12, 1}));
        QCOMPARE(runButton()->text(), QStringLiteral("Run"));
        save(QStringLiteral("one"));
    }

    void linesAlternativesAndSeedsMakeABatch() {
        type(QStringLiteral("a {red|blue} fox\na cat"));
        openBatch();
        toggle(QStringLiteral("Each line is a prompt of its own"));
        toggle(QStringLiteral("All alternatives in {a|b}"));
        auto* seeds = named<QSpinBox>(QStringLiteral("Seeds"));
        seeds->setFocus();
        seeds->selectAll();
        QTest::keyClicks(seeds, QStringLiteral("2"));
        QCOMPARE(m_panel->clipCount(), 6);
        QCOMPARE(runButton()->text(), QStringLiteral("Run 6 clips"));
        const auto requests = m_panel->takeRequests();
        QCOMPARE(requests.size(), 6U);
        QCOMPARE(requests[0].prompt, std::string("a red fox"));
        QCOMPARE(requests[2].prompt, std::string("a blue fox"));
        QCOMPARE(requests[5].prompt, std::string("a cat"));
        QCOMPARE(*requests[1].seed, *requests[0].seed + 1);
        QVERIFY(m_panel->request() == requests.front());
        scrollTo(seeds);
        save(QStringLiteral("batch"));
    }

    void mistakesInABatchBlockRun() {
        type(QStringLiteral("a {red|blue fox"));
        QVERIFY(!runButton()->isEnabled());
        QVERIFY(m_panel->blockedReason().contains(QStringLiteral("character 3")));
        QVERIFY(m_panel->takeRequests().empty());
        save(QStringLiteral("unbalanced"));
        type(QStringLiteral("{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}"));
        QVERIFY(runButton()->isEnabled());
        openBatch();
        toggle(QStringLiteral("All alternatives in {a|b}"));
        QVERIFY(!runButton()->isEnabled());
        QVERIFY(m_panel->blockedReason().contains(QStringLiteral("1024")));
        QVERIFY(m_panel->blockedReason().contains(QStringLiteral("1000")));
    }

    void aShownRequestComesBackUnchanged() {
        job::GenerationRequest request;
        request.prompt = R"({a|b} \{ c} | 雪狐)";
        request.width = request.height = 128;
        request.frames = 17;
        request.frameRate = job::FrameRate{24000, 1001};
        request.steps = 7;
        request.guidance = 2.5;
        request.shift = 1.25;
        request.seed = ~std::uint64_t{0};
        request.method = "from_elsewhere";
        request.methodParameters = {{"x", 1}};
        request.cache = "cache_from_elsewhere";
        request.cacheParameters = {{"y", 2}};
        request.adapters = {{"/adapters/salad.safetensors", 1.0}, {"/adapters/style.safetensors", 0.5}};
        request.lora = job::LoraUse::Apart;
        m_panel->showRequest(request);
        QVERIFY(m_panel->request() == request);
        QVERIFY(m_panel->takeRequests() == std::vector<job::GenerationRequest>{request});
    }

    void adaptersOfAClipAreShownAndCanBeLeftOut() {
        auto request = m_panel->request();
        request.prompt = "a fox";
        request.adapters = {{"/adapters/<b>salad.safetensors", 1.0}, {"/adapters/style.safetensors", 0.5}};
        request.lora = job::LoraUse::Apart;
        m_panel->showRequest(request);
        auto* names = named<QLabel>(QStringLiteral("With <b>salad.safetensors, style.safetensors"));
        QVERIFY(names != nullptr && names->isVisible());
        QVERIFY(names->toolTip().contains(QStringLiteral("beside the model")));
        save(QStringLiteral("adapters"));
        for (auto* button : m_panel->findChildren<QPushButton*>()) {
            if (button->text() == QStringLiteral("Leave out")) {
                scrollTo(button);
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        QVERIFY(m_panel->request().adapters.empty());
        QVERIFY(m_panel->request().lora == job::LoraUse::Merged);
        QVERIFY(!names->isVisible());
    }

    void methodsBringTheirForm() {
        m_panel->setMethods({{"dense", "Dense", "Looks at everything.", "", {}}, madeUpMethod()}, {});
        type(QStringLiteral("a fox"));
        QCOMPARE(m_panel->request().method, std::string("dense"));
        QVERIFY(m_panel->request().methodParameters == Json::object());
        auto* choice = named<QComboBox>(QStringLiteral("Attention"));
        QVERIFY(choice->isVisible());
        QVERIFY(!named<QComboBox>(QStringLiteral("Step cache"))->isVisible());
        scrollTo(choice);
        choice->setFocus();
        QTest::keyClick(choice, Qt::Key_Down);
        auto request = m_panel->request();
        QCOMPARE(request.method, std::string("made_up"));
        QVERIFY(request.methodParameters == (Json{{"block_size", 64},
                                                  {"keep_ratio", 0.25},
                                                  {"tiny", 0.0001},
                                                  {"use_gate", true},
                                                  {"order", "zigzag"}}));
        QVERIFY(job::resolveParameters(madeUpMethod().parameters, request.methodParameters));
        auto* block = named<QSpinBox>(QStringLiteral("block_size"));
        QCOMPARE(block->minimum(), 16);
        QCOMPARE(block->maximum(), 256);
        QVERIFY(block->toolTip().contains(QStringLiteral("kept or left out")));
        QVERIFY(block->toolTip().contains(QStringLiteral("64")));
        QSignalSpy changed(m_panel.get(), &PromptPanel::requestChanged);
        scrollTo(block);
        block->setFocus();
        block->selectAll();
        QTest::keyClicks(block, QStringLiteral("128"));
        QVERIFY(!changed.isEmpty());
        auto* gate = named<QCheckBox>(QStringLiteral("use_gate"));
        QTest::mouseClick(gate, Qt::LeftButton, {}, QPoint(8, gate->height() / 2));
        QTest::keyClick(named<QComboBox>(QStringLiteral("order")), Qt::Key_End);
        request = m_panel->request();
        QVERIFY(request.methodParameters["block_size"] == 128);
        QVERIFY(request.methodParameters["use_gate"] == false);
        QVERIFY(request.methodParameters["order"] == "hilbert");
        scrollTo(named<QComboBox>(QStringLiteral("order")));
        save(QStringLiteral("method"));
        // Kept when the engine comes back and says the same again.
        m_panel->setMethods({{"dense", "Dense", "", "", {}}, madeUpMethod()}, {madeUpMethod()});
        QVERIFY(m_panel->request().methodParameters["block_size"] == 128);
        QVERIFY(named<QComboBox>(QStringLiteral("Step cache"))->isVisible());
    }

    void historyIsSearchedAndUsed() {
        openLibrary();
        write([](store::LibraryStore& s) { return s.rememberPrompts({{"a red fox in snow", ""}}); });
        write([](store::LibraryStore& s) { return s.rememberPrompts({{"a blue car", "blurry"}}); });
        write([](store::LibraryStore& s) { return s.rememberPrompts({{"a {curly} cat", ""}}); });
        auto* history = m_panel->findChild<PromptHistory*>();
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Prompts used before")), Qt::LeftButton);
        QTRY_COMPARE(history->list()->count(), 3);
        savePictures(*history, *m_theme, QStringLiteral("prompt-history"));
        QTest::keyClicks(history->search(), QStringLiteral("BLUE"));
        QTRY_COMPARE(history->list()->count(), 1);
        QTest::keyClick(history->search(), Qt::Key_Return);
        QVERIFY(!history->isVisible());
        QCOMPARE(m_panel->prompt(), QStringLiteral("a blue car"));
        QCOMPARE(m_panel->request().negativePrompt, std::string("blurry"));
        // A prompt with braces means itself again.
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Prompts used before")), Qt::LeftButton);
        QTRY_COMPARE(history->list()->count(), 3);
        QTest::mouseClick(history->list()->viewport(), Qt::LeftButton, {},
                          history->list()->visualItemRect(history->list()->item(0)).center());
        QTRY_COMPARE(m_panel->request().prompt, std::string("a {curly} cat"));
        QTest::mouseClick(named<QToolButton>(QStringLiteral("Prompts used before")), Qt::LeftButton);
        QTest::keyClicks(history->search(), QStringLiteral("zebra"));
        QTRY_COMPARE(history->list()->count(), 0);
        savePictures(*history, *m_theme, QStringLiteral("prompt-history-empty"));
        QTest::keyClick(history->search(), Qt::Key_Escape);
        QVERIFY(!history->isVisible());
    }

    void ctrlUpWalksBackAndDownReturnsTheDraft() {
        openLibrary();
        write([](store::LibraryStore& s) { return s.rememberPrompts({{"first", ""}}); });
        write([](store::LibraryStore& s) { return s.rememberPrompts({{"second", ""}}); });
        type(QStringLiteral("my {draft|idea}"));
        QTest::keyClick(promptBox(), Qt::Key_Up, Qt::ControlModifier);
        QTRY_COMPARE(m_panel->prompt(), QStringLiteral("second"));
        QTest::keyClick(promptBox(), Qt::Key_Up, Qt::ControlModifier);
        QTRY_COMPARE(m_panel->prompt(), QStringLiteral("first"));
        QTest::keyClick(promptBox(), Qt::Key_Up, Qt::ControlModifier);
        QCOMPARE(m_panel->prompt(), QStringLiteral("first"));
        QTest::keyClick(promptBox(), Qt::Key_Down, Qt::ControlModifier);
        QTest::keyClick(promptBox(), Qt::Key_Down, Qt::ControlModifier);
        QTRY_COMPARE(m_panel->prompt(), QStringLiteral("my {draft|idea}"));
    }

    void presetsAreKeptRenamedSharedAndDeleted() {
        openLibrary();
        auto* presets = m_panel->findChild<PresetMenu*>();
        QSignalSpy notices(m_panel.get(), &PromptPanel::notice);
        type(QStringLiteral("a {red|blue} fox"));
        presets->save(QStringLiteral(" night & day "));
        QTRY_COMPARE(presets->names(), QStringList{QStringLiteral("night & day")});
        type(QStringLiteral("something else"));
        presets->apply(QStringLiteral("night & day"));
        QCOMPARE(m_panel->prompt(), QStringLiteral("a {red|blue} fox"));
        presets->rename(QStringLiteral("night & day"), QStringLiteral("夜"));
        QTRY_COMPARE(presets->names(), QStringList{QStringLiteral("夜")});
        const QByteArray shared = presets->exportText(QStringLiteral("夜"));
        QVERIFY(shared.contains("framewright_preset"));
        QVERIFY(!shared.contains("seed"));
        presets->importText(shared);
        QTRY_COMPARE(presets->names().size(), 2);  // the first one stays as it was
        QVERIFY(presets->names().contains(QStringLiteral("夜 (2)")));
        presets->remove(QStringLiteral("夜"));
        QTRY_COMPARE(presets->names(), QStringList{QStringLiteral("夜 (2)")});
        presets->restoreRemoved();
        QTRY_COMPARE(presets->names().size(), 2);
        notices.clear();
        presets->importText(R"({"framewright_preset": 1, "name": "x", "request": {}, "hook": 1})");
        QCOMPARE(notices.size(), 1);
        QVERIFY(notices.first().first().toString().contains(QStringLiteral("hook")));
        presets->save(QString());
        QCOMPARE(notices.size(), 2);
        QCOMPARE(presets->names().size(), 2);
        auto* menu = presets->menu();
        menu->popup(m_panel->mapToGlobal(QPoint(20, 120)));
        QTRY_VERIFY(menu->isVisible());
        savePictures(*menu, *m_theme, QStringLiteral("prompt-presets"));
        menu->hide();
    }

    void settingsTravelByClipboard() {
        auto* presets = m_panel->findChild<PresetMenu*>();
        type(QStringLiteral("a fox"));
        const auto before = m_panel->request();
        QMenu* menu = presets->menu();
        const auto trigger = [&](const QString& text) {
            emit menu->aboutToShow();
            for (auto* action : menu->actions()) {
                if (action->text() == text) {
                    action->trigger();
                    return;
                }
            }
            QFAIL(qPrintable(text));
        };
        trigger(QStringLiteral("Copy these settings"));
        type(QStringLiteral("a dog"));
        trigger(QStringLiteral("Paste"));
        QVERIFY(m_panel->request() == before);
    }

    void modelsAreListedWithTheirReasons() {
        auto* picker = m_panel->findChild<ModelPicker*>();
        QSignalSpy chosen(m_panel.get(), &PromptPanel::modelChosen);
        app::ModelSummary wan;
        wan.folder = QStringLiteral("/models/Wan2.1-T2V-1.3B");
        wan.name = QStringLiteral("Wan2.1-T2V-1.3B");
        wan.parameters = 7'300'000'000;
        wan.bytes = qint64{28} << 30;
        wan.defaults = {};
        app::ModelSummary broken = wan;
        broken.name = QStringLiteral("half-downloaded");
        broken.folder = QStringLiteral("/models/half");
        broken.problems = {QStringLiteral("transformer/diffusion_pytorch_model-00002.safetensors is missing")};
        picker->openBelow(named<QPushButton>(QStringLiteral("Model")));
        picker->showModels({mini(), wan, broken});
        QTRY_COMPARE(picker->list()->count(), 3);
        picker->list()->setFocus();
        QTest::keyClick(picker->list(), Qt::Key_End);
        savePictures(*picker, *m_theme, QStringLiteral("prompt-models-broken"));
        QTest::keyClick(picker->list(), Qt::Key_Return);
        QVERIFY(picker->isVisible());  // it cannot be used
        QCOMPARE(chosen.size(), 0);
        QTest::keyClick(picker->list(), Qt::Key_Up);
        savePictures(*picker, *m_theme, QStringLiteral("prompt-models"));
        QTest::keyClick(picker->list(), Qt::Key_Return);
        QVERIFY(!picker->isVisible());
        QCOMPARE(chosen.first().first().toString(), wan.folder);
    }

    // What a clip was computed with comes back with its settings, and nothing of it is changed on the way.
    void machineSettingsComeAndGo() {
        auto* machine = m_panel->findChild<MachineForm*>();
        auto* device = named<QComboBox>(MachineForm::tr("Device"));
        auto* memory = named<QDoubleSpinBox>(MachineForm::tr("Memory"));
        QVERIFY(!memory->isVisible());
        QVERIFY(m_panel->request().device == "auto" && !m_panel->request().memoryBudget);
        machine->setDevices(
            {{{"id", "cuda:0"}, {"name", "Some GPU"}}, {{"id", "cpu"}, {"name", "Some processor"}}});
        QCOMPARE(device->count(), 3);
        auto* toggle = named<QPushButton>(MachineForm::tr("Machine"));
        scrollTo(toggle);
        QTest::mouseClick(toggle, Qt::LeftButton);
        QVERIFY(memory->isVisible());
        scrollTo(memory);
        QSignalSpy changed(m_panel.get(), &PromptPanel::requestChanged);
        memory->setValue(6.0);
        device->setCurrentIndex(1);
        QVERIFY(changed.size() >= 2);
        QCOMPARE(m_panel->request().device, std::string("cuda:0"));
        QCOMPARE(m_panel->request().memoryBudget, std::int64_t{6} << 30);
        save(QStringLiteral("machine"));

        auto made = m_panel->request();
        made.device = "cuda:3";  // of another machine
        made.dtype = "f32";
        made.threads = 3;
        made.memoryBudget = 7'123'456'789;
        m_panel->showRequest(made);
        const auto again = m_panel->request();
        QCOMPARE(again.device, made.device);
        QVERIFY(device->currentText().contains(QStringLiteral("cuda:3")));
        QCOMPARE(again.dtype, made.dtype);
        QCOMPARE(again.threads, made.threads);
        QCOMPARE(again.memoryBudget, made.memoryBudget);
        machine->setDevices(Json::array());
        QCOMPARE(m_panel->request().device, made.device);

        QSettings settings(m_folder->filePath(QStringLiteral("machine.ini")), QSettings::IniFormat);
        m_panel->save(settings);
        made.device = made.dtype = "auto";
        made.threads = 0;
        made.memoryBudget.reset();
        m_panel->showRequest(made);
        QCOMPARE(m_panel->request().memoryBudget, made.memoryBudget);
        m_panel->restore(settings);
        QCOMPARE(m_panel->request().memoryBudget, again.memoryBudget);
        QCOMPARE(m_panel->request().device, again.device);
    }

    void editingAJobKeepsTheDraft() {
        type(QStringLiteral("my {draft|idea}"));
        openBatch();
        toggle(QStringLiteral("All alternatives in {a|b}"));
        QCOMPARE(m_panel->clipCount(), 2);
        QSignalSpy saved(m_panel.get(), &PromptPanel::saveEditRequested),
            discarded(m_panel.get(), &PromptPanel::discardEditRequested);
        auto job = m_panel->request();
        job.prompt = "waiting {job}";
        job.steps = 9;
        job.model = "/models/other";
        job.device = "cuda:1";
        m_panel->showEdit(12, job);
        QCOMPARE(m_panel->editedJob(), 12);
        QVERIFY(!runButton()->isEnabled());
        QVERIFY(m_panel->blockedReason().contains(QStringLiteral("editing")));
        save(QStringLiteral("editing"));
        auto* saveButton = m_panel->findChild<QPushButton*>(QStringLiteral("saveEdit"));
        QVERIFY(saveButton->isVisible());
        type(QStringLiteral("changed"));
        QTest::mouseClick(saveButton, Qt::LeftButton);
        QCOMPARE(saved.size(), 1);
        QCOMPARE(saved.first().first().toLongLong(), 12);
        const auto sent = saved.first().at(1).value<job::GenerationRequest>();
        QCOMPARE(sent.prompt, std::string("changed"));
        QCOMPARE(sent.steps, 9);
        QCOMPARE(sent.seed, job.seed);
        QCOMPARE(sent.model, job.model);
        QCOMPARE(sent.device, job.device);
        m_panel->endEdit();
        QCOMPARE(m_panel->editedJob(), 0);
        QCOMPARE(m_panel->prompt(), QStringLiteral("my {draft|idea}"));
        QCOMPARE(m_panel->clipCount(), 2);
        QVERIFY(runButton()->isEnabled());
        m_panel->showEdit(13, job);
        QTest::mouseClick(m_panel->findChild<QPushButton*>(QStringLiteral("discardEdit")), Qt::LeftButton);
        QCOMPARE(discarded.first().first().toLongLong(), 13);
    }

    void everyControlHasAToolTipAndAName() {
        m_panel->setMethods({madeUpMethod()}, {madeUpMethod()});
        openBatch();
        for (auto* widget : m_panel->findChildren<QWidget*>()) {
            const bool control = qobject_cast<QAbstractButton*>(widget) ||
                                 qobject_cast<QAbstractSpinBox*>(widget) || qobject_cast<QComboBox*>(widget);
            if (control && widget->isVisible() && widget->focusPolicy() != Qt::NoFocus) {
                const QByteArray what = widget->metaObject()->className() + QByteArray(" ") +
                                        widget->accessibleName().toUtf8() + widget->objectName().toUtf8();
                QVERIFY2(!widget->toolTip().isEmpty(), what.constData());
                const auto* button = qobject_cast<QAbstractButton*>(widget);
                QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()),
                         what.constData());
            }
        }
    }

    void theFormIsRestored() {
        QSettings settings(m_folder->filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_panel->setMethods({{"dense", "Dense", "", "", {}}, madeUpMethod()}, {});
        auto request = m_panel->request();
        request.prompt = "x";
        request.frameRate = job::FrameRate{24000, 1001};
        request.shift = 2.0;
        request.method = "made_up";
        request.methodParameters = {
            {"block_size", 32}, {"keep_ratio", 0.5}, {"tiny", 0.0}, {"use_gate", false}, {"order", "raster"}};
        request.cache = "some_cache";
        request.cacheParameters = {{"range", 3}};
        request.adapters = {{"/adapters/style.safetensors", 0.5}};
        m_panel->showRequest(request);
        m_panel->save(settings);
        PromptPanel other;
        other.setModel(mini());
        other.restore(settings);
        // The engine says later what it can do.
        QCOMPARE(other.request().method, std::string("made_up"));
        other.setMethods({{"dense", "Dense", "", "", {}}, madeUpMethod()}, {});
        QVERIFY(other.request() == request);
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::PromptPanelTest)
#include "prompt_panel_test.moc"
