// The inspector in the whole window, with the real worker and the embedded model: a running clip is watched, one is
// made again with a mask painted by hand, and a run that failed shows what was seen until then.
#include <QAbstractButton>
#include <QApplication>
#include <QDockWidget>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLabel>
#include <QRegularExpression>
#include <QTest>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>

#include "studio_harness.h"
#include "ui/inspector/imgui_widget.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/notice_bar.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"

namespace fw::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kClipMs = 60'000;  // far more than a small clip takes on a busy machine

const fs::path kMini = fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";

}  // namespace

class InspectEngineTest : public QObject {
    Q_OBJECT

 private:
    [[nodiscard]] MainWindow& window() const { return m_studio->window(); }
    [[nodiscard]] InspectorPanel& inspector() const { return *window().inspector(); }

    // 3 x 8 x 8 tokens: three tiles of 64.
    static job::GenerationRequest request(int steps) {
        job::GenerationRequest asked;
        asked.prompt = "a fox runs through snow";
        asked.width = asked.height = 128;
        asked.frames = 9;
        asked.steps = steps;
        asked.guidance = 4.0;
        asked.seed = 7;
        return asked;
    }
    void queue(const job::GenerationRequest& asked) const { m_studio->session().queue().add({asked}, 1); }
    template <class Where>
    static QAbstractButton* button(const Where& where, const QString& text) {
        for (auto* found : where.template findChildren<QAbstractButton*>()) {
            if (found->isVisible() && found->text().startsWith(text)) {
                return found;
            }
        }
        return nullptr;
    }
    [[nodiscard]] bool isSaid(const QString& part) const {
        const auto bars = window().findChildren<NoticeBar*>();
        return std::any_of(bars.begin(), bars.end(), [&](const NoticeBar* bar) {
            const auto labels = bar->findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(),
                               [&](const QLabel* label) { return label->text().contains(part); });
        });
    }
    void openInspector() const {
        QTest::keyClick(&window(), Qt::Key_4, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(inspector().isVisible(), kClipMs);
    }
    void settle() const {
        const int before = inspector().surface()->frameCount();
        inspector().surface()->redraw();
        QTRY_VERIFY_WITH_TIMEOUT(inspector().surface()->frameCount() >= before + 2, kClipMs);
    }

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<StudioHarness> m_studio;

 private slots:
    void initTestCase() {
        if (QGuiApplication::platformName() == QLatin1String("offscreen")) {
            QSKIP("this platform has no OpenGL");
        }
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_studio = std::make_unique<StudioHarness>(*m_theme, QStringLiteral(FW_ENGINE_WORKER));
        qputenv("FRAMEWRIGHT_STEP_CACHE", QFile::encodeName(m_studio->path(QStringLiteral("steps"))));
        qputenv("FRAMEWRIGHT_PROMPT_CACHE", "off");
        m_studio->open();
    }
    void cleanup() { m_studio.reset(); }

    void aPaintedMaskGoesOnFromTheStepBefore();
    void aChangedSettingGoesOnFromTheStepBefore();
    void aRunningClipIsWatchedAndProbed();
    void aFailedRunShowsWhatWasSeen();
};

// Without a trace of its attention, made again with probes, painted with the mouse, and branched off.
void InspectEngineTest::aPaintedMaskGoesOnFromTheStepBefore() {
    queue(request(5));
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, kClipMs);
    openInspector();
    QTRY_VERIFY_WITH_TIMEOUT(inspector().run() != nullptr, kClipMs);
    inspector().showView(QStringLiteral("mask"));
    auto* again = button(inspector(), QStringLiteral("Make it again with probes"));
    QVERIFY(again != nullptr);
    QTest::mouseClick(again, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, kClipMs);
    QTRY_VERIFY_WITH_TIMEOUT(isSaid(QStringLiteral("the same in every pixel")), kClipMs);
    // The new clip is on the stage, no longer its preview, and the run that is open is its trace, no longer the
    // live one.
    QTRY_COMPARE_WITH_TIMEOUT(window().stage()->state(), StageState::Finished, kClipMs);
    QTRY_VERIFY_WITH_TIMEOUT(inspector().run() != nullptr && inspector().run()->hasProbes(), kClipMs);

    // A patch is clicked on the clip that plays on the stage: row 5 and column 7 of 8, in some frame.
    auto* canvas = window().stage()->canvas();
    const QRect picture = canvas->imageRect();
    QTest::mouseClick(canvas, Qt::LeftButton, {},
                      picture.topLeft() + QPoint(picture.width() * 13 / 16, picture.height() * 9 / 16));
    const int token = inspector().selection().token;
    QVERIFY(token >= 0 && token < 3 * 64);
    QCOMPARE(token % 64, 4 * 8 + 6);

    inspector().select({.step = 3, .layer = 2, .head = 1});
    QCOMPARE(inspector().message(), QString());
    settle();
    QTest::mouseClick(button(inspector(), QStringLiteral("Paint")), Qt::LeftButton);
    settle();
    auto* surface = inspector().surface();
    QTest::mouseClick(surface, Qt::LeftButton, {}, QPoint(30, 70));  // the matrix's first tile
    QTRY_COMPARE_WITH_TIMEOUT(inspector().painter().painted(), 1, kClipMs);
    settle();
    auto* make = button(inspector(), QStringLiteral("Make it again from step 4"));
    QVERIFY(make != nullptr && make->isEnabled());
    QTest::mouseClick(make, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 3, kClipMs);
    QTRY_VERIFY_WITH_TIMEOUT(isSaid(QStringLiteral("both side by side")), kClipMs);
    const auto clips = m_studio->clips();
    QCOMPARE(clips.size(), 3U);
    const Json report = Json::parse(clips.back().reportJson, nullptr, false);
    QCOMPARE(report["resumed_steps"].get<int>(), 3);

    // The mask that was computed is the one that was painted; both runs are looked at, at the same place.
    const QString said = QStringLiteral("tiles computed");
    QTRY_VERIFY_WITH_TIMEOUT(inspector().surface()->accessibleDescription().count(said) == 2 ||
                                 inspector().surface()->accessibleDescription().contains(QLatin1String("\n")),
                             kClipMs);
    settle();
    QCOMPARE(inspector().selection(), (Selection{.step = 3, .layer = 2, .head = 1}));
    const QString both = inspector().surface()->accessibleDescription();
    // The branch counts its own steps against the plan of its own steps, and says where it begins.
    const RunModel& branch = *inspector().run();
    QCOMPARE(branch.firstStep(), 3);
    double counted = 0.0, planned = 0.0;
    for (int step = 3; step < 5; ++step) {
        for (const auto& [module, cost] : branch.cost()[static_cast<std::size_t>(step) + 1]) {
            counted += module == trace::Module::Probe ? 0.0 : static_cast<double>(cost.flops);
        }
        planned += branch.planFlops(step);
    }
    QVERIFY(planned > 0.0);
    QCOMPARE(counted, planned);
    QVERIFY2(both.contains(QLatin1String("went on from step 4")), qPrintable(both));
    QVERIFY2(
        both.contains(QLatin1String("Step 4, layer 3, head 2: 88.9 %")) && both.contains(QLatin1String("100 %")),
        qPrintable(both));
    if (const QString folder = qEnvironmentVariable("FW_PICTURES"); !folder.isEmpty()) {
        window().grab().save(folder + QStringLiteral("/window-branch.png"));
    }

    // A head that nobody painted on is dense, in both.
    inspector().select({.step = 3, .layer = 2, .head = 0});
    settle();
    const QString dense = inspector().surface()->accessibleDescription();
    QVERIFY2(dense.count(QLatin1String("Step 4, layer 3, head 1: 100 %")) == 2, qPrintable(dense));
    inspector().select({.step = 3, .layer = 2, .head = 1});
    settle();

    // A window of its own, and back again: the picture goes along.
    auto* dock = qobject_cast<QDockWidget*>(inspector().parentWidget());
    QVERIFY(dock != nullptr);
    for (const bool floats : {true, false}) {
        dock->setFloating(floats);
        dock->resize(900, 640);
        QTRY_VERIFY_WITH_TIMEOUT(inspector().isVisible() && dock->isFloating() == floats, kClipMs);
        settle();
        QVERIFY(inspector().surface()->problem().isEmpty());
        QCOMPARE(inspector().selection().step, 3);
        if (const QString folder = qEnvironmentVariable("FW_PICTURES"); floats && !folder.isEmpty()) {
            dock->grab().save(folder + QStringLiteral("/window-detached.png"));
        }
    }
}

// A sparse clip with another sparsity from its third step on: typed into the field, made by the engine, laid beside
// the first.
void InspectEngineTest::aChangedSettingGoesOnFromTheStepBefore() {
    job::GenerationRequest asked = request(4);
    asked.method = "sliding_window";
    asked.methodParameters = {{"sparsity", 0.6}};
    asked.probes = Json{{"kinds", {"mask"}}, {"steps", "all"}};
    queue(asked);
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, kClipMs);
    openInspector();
    QTRY_VERIFY_WITH_TIMEOUT(inspector().run() != nullptr, kClipMs);
    inspector().showView(QStringLiteral("mask"));
    inspector().select({.step = 2, .layer = 0, .head = 0});
    settle();
    const auto sparsity = [&] { return inspector().findChild<QDoubleSpinBox*>(QStringLiteral("sparsity")); };
    QTRY_VERIFY_WITH_TIMEOUT(sparsity() != nullptr && sparsity()->isVisible(), kClipMs);
    QCOMPARE(sparsity()->value(), 0.6);
    QTest::mouseClick(sparsity(), Qt::LeftButton, {}, QPoint(8, sparsity()->height() / 2));
    QTest::keyClick(sparsity(), Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(sparsity(), QStringLiteral("0.1"));
    QTest::keyClick(sparsity(), Qt::Key_Return);
    auto* make = button(inspector(), QStringLiteral("Make it again from step 3"));
    QVERIFY(make != nullptr && make->isEnabled());
    QTest::mouseClick(make, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, kClipMs);
    QTRY_VERIFY_WITH_TIMEOUT(isSaid(QStringLiteral("both side by side")), kClipMs);
    const Json report = Json::parse(m_studio->clips().back().reportJson, nullptr, false);
    QCOMPARE(report["resumed_steps"].get<int>(), 2);
    // More is computed from there on, and the plan knew it.
    const auto said = [&] { return inspector().surface()->accessibleDescription(); };
    QTRY_VERIFY_WITH_TIMEOUT(said().count(QLatin1String("of the tiles computed")) == 2, kClipMs);
    const RunModel& branch = *inspector().run();
    double counted = 0.0;
    for (const auto& [module, cost] : branch.cost()[4]) {
        counted += module == trace::Module::Probe ? 0.0 : static_cast<double>(cost.flops);
    }
    QCOMPARE(counted, branch.planFlops(3));
    QVERIFY(branch.planFlops(3) > branch.planFlops(1));
    if (const QString folder = qEnvironmentVariable("FW_PICTURES"); !folder.isEmpty()) {
        window().grab().save(folder + QStringLiteral("/window-setting.png"));
    }
}

void InspectEngineTest::aRunningClipIsWatchedAndProbed() {
    openInspector();
    queue(request(1000));  // cancelled below, long before its end
    QTRY_VERIFY_WITH_TIMEOUT(inspector().isWatching(), kClipMs);
    QTRY_VERIFY_WITH_TIMEOUT(inspector().run() != nullptr, kClipMs);
    const int first = inspector().run()->steps();
    QTRY_VERIFY_WITH_TIMEOUT(inspector().run()->steps() > first, kClipMs);
    QVERIFY(!inspector().run()->hasProbes());
    inspector().showView(QStringLiteral("maps"));
    auto* look = button(inspector(), QStringLiteral("Look inside"));
    QVERIFY(look != nullptr && !look->toolTip().isEmpty());
    QTest::mouseClick(look, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(inspector().run()->table(trace::ProbeKind::AttentionMap) != nullptr, kClipMs);
    QTRY_COMPARE_WITH_TIMEOUT(inspector().message(), QString(), kClipMs);
    settle();
    QVERIFY(inspector().isWatching());
    QVERIFY(!inspector().surface()->accessibleDescription().isEmpty());
    if (const QString folder = qEnvironmentVariable("FW_PICTURES"); !folder.isEmpty()) {
        window().grab().save(folder + QStringLiteral("/window-live.png"));
    }
    QTest::keyClick(&window(), Qt::Key_Escape);
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Cancelled), 1, kClipMs);
}

// A copy of the model whose numbers end in one of its layers.
void InspectEngineTest::aFailedRunShowsWhatWasSeen() {
    const fs::path model = m_studio->path(QStringLiteral("poisoned")).toStdString();
    fs::create_directories(model / "transformer");
    for (const auto& entry : fs::directory_iterator(kMini)) {
        if (entry.path().filename() != "transformer") {
            fs::create_symlink(entry.path(), model / entry.path().filename());
        }
    }
    fs::copy(kMini / "transformer" / "config.json", model / "transformer" / "config.json");
    const char* const kWeights = "diffusion_pytorch_model.safetensors";
    QFile weights(QString::fromStdString((kMini / "transformer" / kWeights).string()));
    QVERIFY(weights.open(QIODevice::ReadOnly));
    QByteArray bytes = weights.readAll();
    quint64 header = 0;
    std::memcpy(&header, bytes.constData(), sizeof header);
    const Json tensors = Json::parse(bytes.constData() + 8, bytes.constData() + 8 + header);
    const Json& bias = tensors.at("blocks.3.ffn.net.2.bias");
    const auto begin = static_cast<qsizetype>(8 + header + bias.at("data_offsets")[0].get<quint64>());
    const auto end = static_cast<qsizetype>(8 + header + bias.at("data_offsets")[1].get<quint64>());
    for (qsizetype at = begin; at + 1 < end; at += 2) {  // 1.7e38 in bf16
        bytes[at] = 0x00;
        bytes[at + 1] = 0x7f;
    }
    QFile poisoned(QString::fromStdString((model / "transformer" / kWeights).string()));
    QVERIFY(poisoned.open(QIODevice::WriteOnly) && poisoned.write(bytes) == bytes.size());
    poisoned.close();

    job::GenerationRequest asked = request(4);
    asked.model = model.string();
    asked.probes = Json{{"kinds", "default"}, {"steps", "all"}};
    queue(asked);
    QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Failed), 1, kClipMs);
    const QString why = QString::fromStdString(m_studio->jobs().front().errorMessage);
    QVERIFY2(why.contains(QLatin1String("not finite at step 1 of 4")), qPrintable(why));
    QTRY_VERIFY_WITH_TIMEOUT(isSaid(QStringLiteral("What was seen inside until then is kept")), kClipMs);
    auto* look = button(window(), QStringLiteral("Look inside"));
    QVERIFY(look != nullptr);
    QTest::mouseClick(look, Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(inspector().isVisible() && inspector().run() != nullptr, kClipMs);
    inspector().showView(QStringLiteral("maps"));
    QCOMPARE(inspector().message(), QString());
    QVERIFY(inspector().run()->table(trace::ProbeKind::AttentionMap) != nullptr);
    const QString said = inspector().surface()->accessibleDescription();
    // The numbers ended behind the attention of the fourth layer: its heads and those before are of a kind, later
    // ones of none.
    const QRegularExpressionMatch kinds =
        QRegularExpression(QStringLiteral("(\\d+) spatial, (\\d+) temporal, (\\d+) global and (\\d+) sink"))
            .match(said);
    QVERIFY2(kinds.hasMatch(), qPrintable(said));
    int heads = 0;
    for (int kind = 1; kind <= 4; ++kind) {
        heads += kinds.captured(kind).toInt();
    }
    QVERIFY(inspector().run()->layers() > 4);
    QCOMPARE(heads, 4 * inspector().run()->heads());
    // Maps without numbers are grey.
    settle();
    const QImage picture = inspector().surface()->grab().toImage();
    int grey = 0;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width() / 2; ++x) {
            grey += picture.pixel(x, y) == qRgb(128, 128, 128) ? 1 : 0;
        }
    }
    QVERIFY2(grey > 500, qPrintable(QString::number(grey)));
    QVERIFY2(said.contains(QLatin1String("The run failed here")) &&
                 said.contains(QLatin1String("not finite at step 1 of 4")),
             qPrintable(said));
    if (const QString folder = qEnvironmentVariable("FW_PICTURES"); !folder.isEmpty()) {
        window().grab().save(folder + QStringLiteral("/window-failed.png"));
    }
}

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::InspectEngineTest)
#include "inspect_engine_test.moc"
