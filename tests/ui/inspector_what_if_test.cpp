// What if: branches, masks painted by hand, other settings, steps told to be computed. On synthetic traces.
#include <QAbstractButton>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPointer>
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
    void aBranchShowsAndKeepsWhatItChanged();
    void aChangeThatCannotBeReadIsNotDropped();
    void aFieldStandsForAllDigits();
    void aFieldThatIsTypedIntoStays();
    void aClipThatIsBeingMadeCannotBeChanged();
    void aPaintedHeadIsShownAsItComputed();

 private:
    static std::vector<job::MethodDescription> methods() {
        using job::ParameterType;
        return {{.id = "dense", .name = "Dense", .summary = {}, .paper = {}, .parameters = {}},
                {.id = "salad",
                 .name = "SALAD",
                 .summary = {},
                 .paper = {},
                 .parameters = {{"sparsity", ParameterType::Real, "", 0.0, 0.999, {}, 0.9, "Left out."},
                                {"branch_scale", ParameterType::Real, "", 0.0, 4.0, {}, 1.0, "Weight."},
                                {"window", ParameterType::Integer, "", 1, 9, {}, 3, "Whole."}}}};
    }
    // Of the synthetic run, with this request.
    std::unique_ptr<InspectorPanel> openWith(const char* name, const Json& request) {
        trace::Trace run = syntheticTrace({});
        run.metadata["request"].update(request);
        if (!trace::writeTrace(path(name).toStdString(), run)) {
            return nullptr;
        }
        auto panel = open(path(name));
        if (panel != nullptr) {
            panel->setMethods(methods());
        }
        return panel;
    }
    static QAbstractButton* buttonOf(const InspectorPanel& panel, const QString& name) {
        const auto all = panel.findChildren<QAbstractButton*>();
        const auto found = std::find_if(all.begin(), all.end(), [&](const QAbstractButton* one) {
            return one->isVisible() && one->text().startsWith(name);
        });
        return found == all.end() ? nullptr : *found;
    }
    static QDoubleSpinBox* fieldOf(const InspectorPanel& panel, const char* name) {
        return panel.findChild<QDoubleSpinBox*>(QLatin1String(name));
    }
    static void typeInto(QDoubleSpinBox& field, const QString& number, bool enter = true) {
        QTest::mouseDClick(field.findChild<QLineEdit*>(), Qt::LeftButton);
        QTest::keyClick(&field, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(&field, number);
        if (enter) {
            QTest::keyClick(&field, Qt::Key_Return);
        }
    }
    // What the clip would be made again with.
    static Json asked(InspectorPanel& panel) {
        QSignalSpy spy(&panel, &InspectorPanel::branchRequested);
        if (auto* make = buttonOf(panel, QStringLiteral("Make it again"))) {
            QTest::mouseClick(make, Qt::LeftButton);
        }
        return spy.isEmpty() ? Json() : spy[0][0].value<Json>();
    }
    // In both themes, as the panel is now.
    void keepBoth(InspectorPanel& panel, const QString& name) {
        for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
            m_theme->setChoice(choice);
            settle(panel);
            keep(panel, name + (choice == ThemeChoice::Light ? QStringLiteral("-light") : QStringLiteral("-dark")));
        }
    }
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
    const auto button = [&](const QString& name) { return buttonOf(*panel, name); };
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
    QCOMPARE(whatIf->changes.size(), std::size_t{1});
    QCOMPARE(whatIf->changes[0].fromStep, 2);
    QCOMPARE(whatIf->changes[0].masks.size(), std::size_t{1});
    const job::PaintedMask& mask = whatIf->changes[0].masks[0];
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
    panel->setMethods(methods());
    panel->showView(QStringLiteral("mask"));
    panel->select({.step = 2, .layer = 1, .head = 0});
    settle(*panel);
    QVERIFY(sparsity() != nullptr && sparsity()->isVisible() && !sparsity()->toolTip().isEmpty());
    QVERIFY(panel->findChild<QWidget*>(QStringLiteral("window")) == nullptr);
    QCOMPARE(sparsity()->value(), 0.9);
    const auto button = [&](const QString& name) { return buttonOf(*panel, name); };
    const auto type = [&](const QString& number) { typeInto(*sparsity(), number); };
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
    QVERIFY(asked[0][0].value<Json>() == (Json{{"compute", {1}}}));
}

// The settings it had at each step, the linear branch's weight among them; another change goes on top of the first.
void InspectorWhatIfTest::aBranchShowsAndKeepsWhatItChanged() {
    const Json first{{"from_step", 1}, {"set", {{"sparsity", 0.5}, {"branch_scale", 2.0}}}};
    const auto panel = openWith(
        "changed", {{"method_parameters", {{"sparsity", 0.8}, {"branch_scale", 1.0}}}, {"what_if", first}});
    QVERIFY(panel);
    panel->showView(QStringLiteral("gate"));
    const auto caption = [&] { return panel->surface()->accessibleDescription(); };
    panel->select({.step = 0});
    QCOMPARE(fieldOf(*panel, "sparsity")->value(), 0.8);
    QCOMPARE(fieldOf(*panel, "branch_scale")->value(), 1.0);
    QVERIFY2(caption().contains(QLatin1String("(branch_scale) is 1.")), qPrintable(caption()));
    panel->select({.step = 2});
    QCOMPARE(fieldOf(*panel, "sparsity")->value(), 0.5);
    QCOMPARE(fieldOf(*panel, "branch_scale")->value(), 2.0);
    QVERIFY2(caption().contains(QLatin1String("(branch_scale) is 2.")), qPrintable(caption()));
    QVERIFY(buttonOf(*panel, QStringLiteral("Make it again")) == nullptr);

    typeInto(*fieldOf(*panel, "sparsity"), QStringLiteral("0.7"));
    keepBoth(*panel, QStringLiteral("branch-setting"));
    QVERIFY(asked(*panel) == (Json{{"changes", {first, Json{{"from_step", 2}, {"set", {{"sparsity", 0.7}}}}}}}));
    panel->select({.step = 0});
    QVERIFY2(asked(*panel) == (Json{{"changes",
                                     {Json{{"from_step", 0}, {"set", {{"sparsity", 0.7}}}},
                                      Json{{"from_step", 1}, {"set", {{"branch_scale", 2.0}}}}}}}),
             "to the end of the clip, and nothing else is lost");
    typeInto(*fieldOf(*panel, "sparsity"), QStringLiteral("0.8"));
    QVERIFY2(asked(*panel).is_null(), "as this step had it");
}

void InspectorWhatIfTest::aChangeThatCannotBeReadIsNotDropped() {
    const auto panel = openWith("unreadable", {{"what_if", {{"from_a_later_version", true}}}});
    QVERIFY(panel);
    panel->showView(QStringLiteral("gate"));
    typeInto(*fieldOf(*panel, "sparsity"), QStringLiteral("0.7"));
    QSignalSpy said(panel.get(), &InspectorPanel::notice);
    QVERIFY(asked(*panel).is_null());
    QCOMPARE(said.size(), 1);
    QVERIFY(said[0][0].toString().contains(QLatin1String("cannot be read")));
}

void InspectorWhatIfTest::aFieldStandsForAllDigits() {
    const auto panel =
        openWith("digits", {{"method_parameters", {{"sparsity", 0.12345}, {"branch_scale", 1.0 / 3.0}}}});
    QVERIFY(panel);
    panel->showView(QStringLiteral("gate"));
    auto* sparsity = fieldOf(*panel, "sparsity");
    auto* scale = fieldOf(*panel, "branch_scale");
    QCOMPARE(sparsity->value(), 0.12345);
    QVERIFY2(sparsity->width() >= sparsity->sizeHint().width(), "all of them can be read");
    keepBoth(*panel, QStringLiteral("digits"));
    typeInto(*sparsity, QStringLiteral("0.12"));
    QVERIFY2(asked(*panel) == (Json{{"from_step", 0}, {"set", {{"sparsity", 0.12}}}}), "0.12 is not 0.12345");
    typeInto(*scale, QStringLiteral("0.5"));
    typeInto(*scale, scale->textFromValue(1.0 / 3.0));
    QVERIFY2(asked(*panel) == (Json{{"from_step", 0}, {"set", {{"sparsity", 0.12}}}}), "as it was is no change");
    typeInto(*sparsity, QStringLiteral("0.12345"));
    QVERIFY(asked(*panel).is_null() && panel->painter().isEmpty());
}

// A newer trace of the same run, a state of the window: nobody loses what they are typing.
void InspectorWhatIfTest::aFieldThatIsTypedIntoStays() {
    const auto panel = openWith("typed", {{"method_parameters", {{"sparsity", 0.8}}}});
    QVERIFY(panel);
    panel->showView(QStringLiteral("gate"));
    settle(*panel);
    const QPointer<QDoubleSpinBox> field = fieldOf(*panel, "sparsity");
    panel->activateWindow();
    QTRY_VERIFY_WITH_TIMEOUT(panel->isActiveWindow(), kLongMs);
    typeInto(*field, QStringLiteral("0.6"), false);
    QTRY_VERIFY_WITH_TIMEOUT(field->hasFocus(), kLongMs);
    QSignalSpy opened(panel.get(), &InspectorPanel::opened);
    panel->updateTrace(path("typed"));
    QVERIFY(opened.wait(kLongMs));
    settle(*panel);
    QVERIFY2(!field.isNull() && field->hasFocus(), "the field is the same");
    QCOMPARE(field->findChild<QLineEdit*>()->text(), QStringLiteral("0.6"));
    QTest::keyClick(field, Qt::Key_Return);
    QVERIFY(asked(*panel) == (Json{{"from_step", 0}, {"set", {{"sparsity", 0.6}}}}));
}

void InspectorWhatIfTest::aClipThatIsBeingMadeCannotBeChanged() {
    const auto panel = openWith("making", {{"method_parameters", {{"sparsity", 0.8}}}});
    QVERIFY(panel);
    panel->showView(QStringLiteral("mask"));
    QVERIFY(fieldOf(*panel, "sparsity")->isEnabled() && buttonOf(*panel, QStringLiteral("Paint"))->isEnabled());
    QSignalSpy opened(panel.get(), &InspectorPanel::opened);
    panel->setTarget(
        {.trace = {}, .clip = {}, .name = QStringLiteral("a clip"), .canRerun = false, .isRunning = true});
    panel->updateTrace(path("making"));
    QVERIFY(opened.wait(kLongMs));
    settle(*panel);
    QVERIFY(fieldOf(*panel, "sparsity")->isVisible() && !fieldOf(*panel, "sparsity")->isEnabled());
    QVERIFY(!buttonOf(*panel, QStringLiteral("Paint"))->isEnabled());
    const auto labels = panel->findChildren<QLabel*>();
    QVERIFY2(std::any_of(labels.begin(), labels.end(),
                         [](const QLabel* label) {
                             return label->isVisible() &&
                                    label->text().contains(QLatin1String("once the clip is made"));
                         }),
             "it says when");
    keepBoth(*panel, QStringLiteral("making"));
}

// Of a dense run that kept no masks: the head that was painted over computed its painted tiles.
void InspectorWhatIfTest::aPaintedHeadIsShownAsItComputed() {
    const auto openPainted = [&](const char* name, const Json& tiles,
                                 const trace::MaskTiles& kept = {8, {0, 0, 0}}) {
        trace::Trace run = syntheticTrace({});
        run.probes.info.scan = {};
        run.probes.info.mask = kept;
        for (const auto kind : {trace::ProbeKind::Mask, trace::ProbeKind::KeptMass, trace::ProbeKind::ScanMemory,
                                trace::ProbeKind::ReviewWeight}) {
            run.probes.tables.erase(kind);
        }
        Json mask{{"layer", 1}, {"head", 1}, {"rows", {"0", "1", "2", "3", "4", "5"}}};
        mask.update(tiles);
        run.metadata["request"].update(
            {{"method", "dense"}, {"what_if", {{"from_step", 1}, {"masks", Json::array({mask})}}}});
        return trace::writeTrace(path(name).toStdString(), run) ? open(path(name)) : nullptr;
    };
    const auto caption = [](const InspectorPanel& panel) { return panel.surface()->accessibleDescription(); };
    const auto panel = openPainted("dense", {{"size", 8}});
    QVERIFY(panel);
    panel->showView(QStringLiteral("mask"));
    panel->select({.step = 0, .layer = 1, .head = 1});
    QVERIFY2(caption(*panel).contains(QLatin1String("head 2: 100 %")), qPrintable(caption(*panel)));
    panel->select({.step = 2, .layer = 1, .head = 1});
    QVERIFY2(caption(*panel).contains(QLatin1String("Step 3, layer 2, head 2: 16.7 %")),
             qPrintable(caption(*panel)));
    settle(*panel);
    keepBoth(*panel, QStringLiteral("painted-dense"));
    panel->select({.step = 2, .layer = 1, .head = 0});
    QVERIFY2(caption(*panel).contains(QLatin1String("head 1: 100 %")), qPrintable(caption(*panel)));

    // Boxes of half a frame, six of them as well; a head that nobody painted on is drawn in them, too.
    const auto boxes = openPainted("dense-boxes", {{"box", {1, 2, 4}}}, {0, {1, 2, 4}});
    QVERIFY(boxes);
    boxes->showView(QStringLiteral("mask"));
    boxes->select({.step = 2, .layer = 1, .head = 1});
    QVERIFY2(caption(*boxes).contains(QLatin1String("head 2: 16.7 %")), qPrintable(caption(*boxes)));
    boxes->select({.step = 2, .layer = 1, .head = 0});
    settle(*boxes);
    QVERIFY2(caption(*boxes).contains(QLatin1String("head 1: 100 %")), qPrintable(caption(*boxes)));
    keepBoth(*boxes, QStringLiteral("boxes"));

    // Tiles of another size cannot be shown in this trace's.
    const auto other = openPainted("dense-other", {{"box", {3, 2, 1}}});
    QVERIFY(other);
    other->showView(QStringLiteral("mask"));
    other->select({.step = 2, .layer = 1, .head = 1});
    QVERIFY2(caption(*other).contains(QLatin1String("no mask was kept")), qPrintable(caption(*other)));
    settle(*other);
    keepBoth(*other, QStringLiteral("not-kept"));
}

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::InspectorWhatIfTest)
#include "inspector_what_if_test.moc"
