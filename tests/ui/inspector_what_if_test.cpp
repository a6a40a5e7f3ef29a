// What if: branches, masks painted by hand, other settings, steps told to be computed. On synthetic traces.
#include <QAbstractButton>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLineEdit>
#include <algorithm>

#include "core/trace/trace_file.h"
#include "inspector_harness.h"
#include "ui/inspector/view_export.h"

namespace fw::ui::test {

class InspectorWhatIfTest : public QObject, private InspectorHarness {
    Q_OBJECT

 private slots:
    void initTestCase() {
        if (QGuiApplication::platformName() == QLatin1String("offscreen")) {
            QSKIP("this platform has no OpenGL");
        }
        QVERIFY(begin());
    }
    void cleanupTestCase() { m_theme.reset(); }

    void aBranchIsMeasuredByItsOwnSteps();
    void aMaskIsPaintedAndMadeAgain();
    void aSettingIsChangedFromAStepOn();
    void aStepIsToldToBeComputed();
};

// A run that went on from the third step of another: its plan is that of the steps it took, and the panel says so.
void InspectorWhatIfTest::aBranchIsMeasuredByItsOwnSteps() {
    trace::Trace run;
    for (int step = 2; step < 4; ++step) {
        run.add(
            {.step = step, .layer = 0, .module = trace::Module::FeedForward, .durationUs = 50, .flops = 1'000'000});
    }
    run.metadata["plan"] = {
        {"total_flops", 10'500'000.0}, {"step_flops", {4e6, 5e6, 1e6, 0.5e6}}, {"text_key_flops", 0.5e6}};
    QVERIFY(trace::writeTrace(path("branch").toStdString(), run));
    const auto panel = open(path("branch"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("cost"));
    settle(*panel);
    QCOMPARE(panel->run()->firstStep(), 2);
    QCOMPARE(panel->selection().step, 2);
    QCOMPARE(panel->run()->planFlops(), 2e6);
    QVERIFY2(panel->surface()->accessibleDescription().contains(QLatin1String("went on from step 3")),
             qPrintable(panel->surface()->accessibleDescription()));
    const QString svg = m_folder.filePath(QStringLiteral("branch.svg"));
    QVERIFY(panel->exportTo(ViewFormat::Svg, svg));
    QFile file(svg);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray drawn = file.readAll();
    QVERIFY(drawn.contains("(100.0 %)") && drawn.contains("not in this trace"));
    keep(*panel, QStringLiteral("branch"));
    // Of a trace that does not say what each step was to cost nothing is claimed.
    run.metadata["plan"].erase("step_flops");
    QCOMPARE(RunModel(run, QString()).planFlops(), 0.0);
    // Nor do numbers that no run has do any harm.
    run.metadata["plan"] = {{"total_flops", 1e300}, {"step_flops", {-1e300, 1e300, "x", 1e300}}};
    const RunModel hostile(std::move(run), QString());
    QVERIFY(hostile.planFlops() >= 0.0 && hostile.planFlops() < 9.3e18);
    QCOMPARE(hostile.planFlops(0), 0.0);
    QCOMPARE(hostile.planFlops(99), 0.0);
}

// With the mouse: a stroke over the matrix sets or clears what it meets, and the clip is asked for with that mask.
void InspectorWhatIfTest::aMaskIsPaintedAndMadeAgain() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("mask"));
    panel->select({.step = 2, .layer = 1, .head = 1});
    settle(*panel);
    const auto button = [&](const QString& name) {
        for (auto* tool : panel->findChildren<QAbstractButton*>()) {
            if (tool->isVisible() && tool->text().startsWith(name)) {
                return tool;
            }
        }
        return static_cast<QAbstractButton*>(nullptr);
    };
    QVERIFY(button(QStringLiteral("Paint")) != nullptr && button(QStringLiteral("Make it again")) == nullptr);
    QTest::mouseClick(button(QStringLiteral("Paint")), Qt::LeftButton);
    settle(*panel);
    // Down the left side of the matrix, which has six tiles a side and takes most of the height.
    auto* surface = panel->surface();
    const QPoint from(30, 70);
    QTest::mousePress(surface, Qt::LeftButton, {}, from);
    settle(*panel);
    QTRY_COMPARE_WITH_TIMEOUT(panel->painter().painted(), 1, kLongMs);
    const quint64 first = panel->painter().revision();
    for (int y = from.y(); y < surface->height() - 80; y += 20) {
        QTest::mouseMove(surface, QPoint(from.x(), y));
        settle(*panel);
    }
    QTest::mouseRelease(surface, Qt::LeftButton, {}, QPoint(from.x(), surface->height() - 80));
    settle(*panel);
    QVERIFY2(panel->painter().revision() > first, "the stroke went on");
    QCOMPARE(panel->selection(), (Selection{.step = 2, .layer = 1, .head = 1}));
    QVERIFY2(surface->accessibleDescription().contains(QLatin1String("Jaccard")),
             "it is compared with what was computed");
    keep(*panel, QStringLiteral("painted"));

    QSignalSpy asked(panel.get(), &InspectorPanel::branchRequested);
    auto* make = button(QStringLiteral("Make it again from step 3"));
    QVERIFY(make != nullptr && make->isEnabled() && !make->toolTip().isEmpty());
    QTest::mouseClick(make, Qt::LeftButton);
    QCOMPARE(asked.size(), 1);
    const auto whatIf = job::whatIfFromJson(asked[0][0].value<Json>());
    QVERIFY2(whatIf.has_value(), whatIf ? "" : whatIf.error().message.c_str());
    QCOMPARE(whatIf->fromStep, 2);
    QCOMPARE(whatIf->masks.size(), std::size_t{1});
    const job::PaintedMask& mask = whatIf->masks[0];
    QVERIFY(mask.layer == 1 && mask.head == 1 && mask.size == 8 && mask.rows.size() == 6);
    int changed = 0, alike = 0;
    for (int q = 0; q < 6; ++q) {
        const auto& row = mask.rows[static_cast<std::size_t>(q)];
        for (int k = 0; k < 6; ++k) {
            const bool is = std::find(row.begin(), row.end(), k) != row.end();
            (is == syntheticMask({}, q, k) ? alike : changed) += 1;
            QVERIFY2(is == syntheticMask({}, q, k) || k == 0, "only the first column was painted");
        }
    }
    QVERIFY(changed > 0 && alike > 0);

    QTest::mouseClick(button(QStringLiteral("Undo")), Qt::LeftButton);
    QVERIFY(panel->painter().isEmpty());
    settle(*panel);
    QVERIFY(!surface->accessibleDescription().contains(QLatin1String("Jaccard")));
    QVERIFY(button(QStringLiteral("Make it again")) == nullptr);
}

// Another sparsity from the chosen step on: typed, asked for, taken back.
void InspectorWhatIfTest::aSettingIsChangedFromAStepOn() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    const auto sparsity = [&] { return panel->findChild<QDoubleSpinBox*>(QStringLiteral("sparsity")); };
    QVERIFY2(sparsity() == nullptr, "nobody has said what the method can do");
    using job::ParameterType;
    panel->setMethods({{.id = "dense", .name = "Dense", .summary = {}, .paper = {}, .parameters = {}},
                       {.id = "salad",
                        .name = "SALAD",
                        .summary = {},
                        .paper = {},
                        .parameters = {{"sparsity", ParameterType::Real, "", 0.0, 0.999, {}, 0.9, "Left out."},
                                       {"window", ParameterType::Integer, "", 1, 9, {}, 3, "Whole."}}}});
    panel->showView(QStringLiteral("mask"));
    panel->select({.step = 2, .layer = 1, .head = 0});
    settle(*panel);
    QVERIFY(sparsity() != nullptr && sparsity()->isVisible() && !sparsity()->toolTip().isEmpty());
    QVERIFY(panel->findChild<QWidget*>(QStringLiteral("window")) == nullptr);
    QCOMPARE(sparsity()->value(), 0.9);
    const auto button = [&](const QString& name) {
        const auto all = panel->findChildren<QAbstractButton*>();
        const auto found = std::find_if(all.begin(), all.end(), [&](const QAbstractButton* one) {
            return one->isVisible() && one->text().startsWith(name);
        });
        return found == all.end() ? nullptr : *found;
    };
    const auto type = [&](const QString& number) {
        QTest::mouseDClick(sparsity()->findChild<QLineEdit*>(), Qt::LeftButton);
        QTest::keyClick(sparsity(), Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(sparsity(), number);
        QTest::keyClick(sparsity(), Qt::Key_Return);
    };
    type(QStringLiteral("0.5"));
    QSignalSpy asked(panel.get(), &InspectorPanel::branchRequested);
    auto* make = button(QStringLiteral("Make it again from step 3"));
    QVERIFY(make != nullptr && make->isEnabled());
    keep(*panel, QStringLiteral("setting"));
    QTest::mouseClick(make, Qt::LeftButton);
    QCOMPARE(asked.size(), 1);
    QVERIFY(asked[0][0].value<Json>() == (Json{{"from_step", 2}, {"set", {{"sparsity", 0.5}}}}));
    type(QStringLiteral("0.9"));
    QVERIFY2(button(QStringLiteral("Make it again")) == nullptr, "as it was is no change");
    QTest::mouseClick(button(QStringLiteral("Undo")), Qt::LeftButton);
    QCOMPARE(sparsity()->value(), 0.5);
    QTest::mouseClick(button(QStringLiteral("Discard")), Qt::LeftButton);
    QCOMPARE(sparsity()->value(), 0.9);
    panel->showView(QStringLiteral("maps"));
    QVERIFY(!sparsity()->isVisible());
}

void InspectorWhatIfTest::aStepIsToldToBeComputed() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("cache"));
    panel->select({.step = 1});
    settle(*panel);
    QSignalSpy asked(panel.get(), &InspectorPanel::branchRequested);
    for (const QString& name : {QStringLiteral("Compute this step"), QStringLiteral("Make it again so")}) {
        for (auto* tool : panel->findChildren<QAbstractButton*>()) {
            if (tool->isVisible() && tool->text() == name) {
                QTest::mouseClick(tool, Qt::LeftButton);
            }
        }
    }
    QCOMPARE(asked.size(), 1);
    QVERIFY(asked[0][0].value<Json>() == (Json{{"from_step", 0}, {"compute", {1}}}));
}

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::InspectorWhatIfTest)
#include "inspector_what_if_test.moc"
