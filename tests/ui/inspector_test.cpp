// The inspector: traces opened and refused, views drawn, clicked, stepped through and saved. On synthetic traces.
#include <QAbstractButton>
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>
#include <algorithm>
#include <cmath>
#include <set>

#include "core/trace/trace_file.h"
#include "inspector_harness.h"
#include "synthetic_trace.h"
#include "ui/inspector/heat_colours.h"
#include "ui/inspector/imgui_widget.h"
#include "ui/inspector/inspect_window.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/inspector/scan_view.h"
#include "ui/inspector/view_export.h"
#include "ui/theme.h"

namespace fw::ui::test {
class InspectorTest : public QObject, private InspectorHarness {
    Q_OBJECT

 private slots:
    void initTestCase() {
        if (QGuiApplication::platformName() == QLatin1String("offscreen")) {
            QSKIP("this platform has no OpenGL");
        }
        QVERIFY(begin());
    }
    void cleanupTestCase() { m_theme.reset(); }

    void scanOrdersAreThePapers();
    void coloursRiseInLightness();
    void tracesAreRead();
    void damagedTracesAreRefused();
    void allViewsAreDrawnInBothThemes();
    void keysMoveTheSelection();
    void aClickOnAStepChoosesIt();
    void aClickOnAPatchShowsWhereItAttends();
    void masksOfTwoRunsAreCompared();
    void masksOfAllHeadsTogetherAreShownForEach();
    void probesAreNoPartOfThePlan();
    void headsOfAKindStandTogether();
    void theScanStandsOutFromItsGround();
    void twoRunsAreSeenSideBySide();
    void whatIsMissingIsSaid();
    void viewsAreSaved();
    void everyControlIsReachedByTheKeyboard();
    void aRunningJobIsWatched();
    void scansTellHowLongTheyRemember();
    void measuredErrorsOfTheCacheAreShown();
    void anyPatchIsAskedWhereQueriesAndKeysWereKept();
    void theClipBesideATraceIsFound();
};

// LinGen's four orders: the strides of time, height and width, and that each visits every token once.
void InspectorTest::scanOrdersAreThePapers() {
    const std::array<int, 3> grid{3, 5, 7};
    const std::array<std::array<int, 3>, 4> strides{{{35, 7, 1}, {35, 1, 5}, {1, 21, 3}, {1, 3, 15}}};
    for (std::size_t i = 0; i < strides.size(); ++i) {
        const auto order = static_cast<ScanOrder>(i);
        QCOMPARE(scanPosition(order, grid, 1, 0, 0), strides[i][0]);
        QCOMPARE(scanPosition(order, grid, 0, 1, 0), strides[i][1]);
        QCOMPARE(scanPosition(order, grid, 0, 0, 1), strides[i][2]);
        std::set<std::array<int, 3>> seen;
        for (int position = 0; position < 105; ++position) {
            const auto token = scanToken(order, grid, position);
            QCOMPARE(scanPosition(order, grid, token[0], token[1], token[2]), position);
            seen.insert(token);
        }
        QCOMPARE(seen.size(), std::size_t{105});
    }
}

void InspectorTest::coloursRiseInLightness() {
    double last = -1.0;
    for (int i = 0; i <= 100; ++i) {
        const QRgb c = heatColour(static_cast<float>(i) / 100.0F);
        const double light = 0.2126 * qRed(c) + 0.7152 * qGreen(c) + 0.0722 * qBlue(c);
        QVERIFY2(light > last - 1.0, qPrintable(QString::number(i)));
        last = light;
    }
    QCOMPARE(heatColour(0.0F), qRgb(0x44, 0x01, 0x54));
    QCOMPARE(heatColour(1.0F), qRgb(0xfd, 0xe7, 0x25));
    QCOMPARE(heatColour(std::numeric_limits<float>::quiet_NaN()), qRgb(128, 128, 128));
    const HeatRange range = rangeOf(std::vector<float>{std::numeric_limits<float>::infinity(), 2.0F, 5.0F});
    QCOMPARE(range.least, 2.0F);
    QCOMPARE(range.most, 5.0F);
    QVERIFY(rangeOf(std::vector<float>{0.0F}).most > 0.0F);
}

void InspectorTest::tracesAreRead() {
    const auto run = RunModel::open(path("run"));
    QVERIFY2(run.has_value(), run ? "" : run.error().message.c_str());
    QCOMPARE((*run)->steps(), 4);
    QCOMPARE((*run)->layers(), 3);
    QCOMPARE((*run)->heads(), 2);
    QCOMPARE((*run)->branches(), 2);
    QCOMPARE((*run)->tokens(), 48);
    // The core of self-attention is counted once: 4 steps, 2 passes, 3 layers.
    const auto self = (*run)->total(trace::Module::SelfAttention),
               core = (*run)->total(trace::Module::AttentionCore);
    QCOMPARE(self.durationUs, 24 * 300);
    QCOMPARE(core.durationUs, 24 * 700);
    QCOMPARE((*run)->total(trace::Module::CrossAttention).stoodIn, 12);
    QCOMPARE((*run)->call(trace::Module::CrossAttention, 1, 0, 2)->source, trace::Source::Reused);
    QVERIFY((*run)->find(trace::ProbeKind::AttentionMap, {.step = 3, .layer = 2, .head = 1}) >= 0);
    QCOMPARE((*run)->find(trace::ProbeKind::AttentionMap, {.step = 4}), qint64{-1});
    const auto near = (*run)->nearest(trace::ProbeKind::AttentionRow, {.step = 3, .layer = 2, .head = 1});
    QVERIFY(near.has_value());
    QCOMPARE(near->step, 0);
    QCOMPARE(near->head, 1);
}

void InspectorTest::damagedTracesAreRefused() {
    QFile whole(path("run"));
    QVERIFY(whole.open(QIODevice::ReadOnly));
    const QByteArray bytes = whole.readAll();
    for (const qsizetype length :
         {qsizetype{0}, qsizetype{7}, qsizetype{200}, bytes.size() / 2, bytes.size() - 1}) {
        QFile cut(path("cut"));
        QVERIFY(cut.open(QIODevice::WriteOnly | QIODevice::Truncate));
        cut.write(bytes.left(length));
        cut.close();
        const auto panel = open(path("cut"));
        QVERIFY(panel);
        QVERIFY(panel->run() == nullptr);
        QVERIFY2(panel->message().contains(QLatin1String("cut.trace")), qPrintable(panel->message()));
    }
    // Steps and layers no run has.
    trace::Trace hostile = syntheticTrace({.probes = false});
    hostile.add({.step = 2'000'000'000, .layer = 3});
    QVERIFY(trace::writeTrace(path("hostile").toStdString(), hostile));
    QVERIFY(!RunModel::open(path("hostile")));
    QVERIFY(!RunModel::open(path("absent")));
}

void InspectorTest::allViewsAreDrawnInBothThemes() {
    // FW_TRACE: of a real run instead, for FW_PICTURES.
    const auto panel = open(qEnvironmentVariable("FW_TRACE", path("run")));
    QVERIFY(panel);
    QVERIFY2(panel->surface()->problem().isEmpty(), qPrintable(panel->surface()->problem()));
    for (const bool dark : {true, false}) {
        m_theme->setChoice(dark ? ThemeChoice::Dark : ThemeChoice::Light);
        for (const auto& view : makeInspectorViews()) {
            panel->showView(view->id());
            if (qEnvironmentVariableIsSet("FW_TRACE") && !panel->message().isEmpty()) {
                continue;  // a real run need not have everything
            }
            QCOMPARE(panel->message(), QString());
            settle(*panel);
            const QImage picture = panel->surface()->grab().toImage();
            QSet<QRgb> colours;
            for (int y = 0; y < picture.height(); y += 3) {
                for (int x = 0; x < picture.width(); x += 3) {
                    colours.insert(picture.pixel(x, y));
                }
            }
            QVERIFY2(colours.size() > 10, qPrintable(view->id()));
            QVERIFY(!panel->surface()->accessibleDescription().isEmpty());
            keep(*panel, view->id() + (dark ? QStringLiteral("-dark") : QStringLiteral("-light")));
        }
    }
    m_theme->setChoice(ThemeChoice::Dark);
}

void InspectorTest::keysMoveTheSelection() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->surface()->setFocus();
    QTest::keyClick(panel->surface(), Qt::Key_Right);
    QTest::keyClick(panel->surface(), Qt::Key_Right);
    QTest::keyClick(panel->surface(), Qt::Key_Left);
    QTest::keyClick(panel->surface(), Qt::Key_Down);
    QTest::keyClick(panel->surface(), Qt::Key_BracketRight);
    QCOMPARE(panel->selection(), (Selection{.step = 1, .layer = 1, .head = 1}));
    for (int i = 0; i < 9; ++i) {
        QTest::keyClick(panel->surface(), Qt::Key_Right);
    }
    QCOMPARE(panel->selection().step, 3);  // and not beyond
}

void InspectorTest::aClickOnAStepChoosesIt() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("cost"));
    settle(*panel);
    QSignalSpy moved(panel.get(), &InspectorPanel::selectionChanged);
    // The last bar: near the right end of the upper half. Pressed and released before a frame could see it.
    const QSize size = panel->surface()->size();
    QTest::mouseClick(panel->surface(), Qt::LeftButton, {}, QPoint(size.width() - 90, size.height() / 4));
    QTRY_COMPARE_WITH_TIMEOUT(panel->selection().step, 3, kLongMs);
    QTRY_VERIFY_WITH_TIMEOUT(!moved.isEmpty(), kLongMs);
}

void InspectorTest::aClickOnAPatchShowsWhereItAttends() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("query"));
    settle(*panel);
    // The second of three frames lies in the middle.
    const QRect surface = panel->surface()->rect();
    QTest::mouseClick(panel->surface(), Qt::LeftButton, {}, surface.center() - QPoint(0, 40));
    QTRY_VERIFY_WITH_TIMEOUT(panel->selection().token >= 16 && panel->selection().token < 32, kLongMs);
    settle(*panel);
    // Queries were kept at tokens 0 and 24: the second frame's is shown, and it looks at itself first.
    const QString said = panel->surface()->accessibleDescription();
    QVERIFY2(said.startsWith(QLatin1String("The patch at frame 2, row 3, column 1 attends most to frame 2, row 3, "
                                           "column 1")),
             qPrintable(said));
    choose(*panel, QStringLiteral("Show"), QStringLiteral("word: fox"));
    settle(*panel);
    const QString word = panel->view().caption({*panel->run(), const_cast<Selection&>(panel->selection())});
    QVERIFY2(word.contains(QLatin1String("'fox'")), qPrintable(word));
    keep(*panel, QStringLiteral("word"));
}

void InspectorTest::masksOfTwoRunsAreCompared() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("mask"));
    QSignalSpy notice(panel.get(), &InspectorPanel::notice);
    panel->setOther(path("other"));
    QVERIFY(notice.wait(kLongMs));
    choose(*panel, QStringLiteral("Compare with"), QStringLiteral("the other trace"));
    settle(*panel);
    const SyntheticRun here, there{.maskShift = 2};
    int common = 0, onlyHere = 0, onlyThere = 0;
    for (int q = 0; q < 6; ++q) {
        for (int k = 0; k < 6; ++k) {
            const bool a = syntheticMask(here, q, k), b = syntheticMask(there, q, k);
            common += a && b ? 1 : 0;
            onlyHere += a && !b ? 1 : 0;
            onlyThere += !a && b ? 1 : 0;
        }
    }
    QVERIFY(onlyHere > 0 && onlyThere > 0);
    const QString expected =
        QStringLiteral("%1 tiles in both, %2 only here, %3 only there").arg(common).arg(onlyHere).arg(onlyThere);
    QVERIFY2(panel->surface()->accessibleDescription().contains(expected),
             qPrintable(panel->surface()->accessibleDescription()));
    keep(*panel, QStringLiteral("mask-difference"));
    // Compared with a run without masks nothing is claimed.
    panel->setOther(path("plain"));
    QVERIFY(notice.wait(kLongMs));
    settle(*panel);
    QVERIFY(!panel->surface()->accessibleDescription().contains(QLatin1String("Jaccard")));
}

// Windows in one order and LinGen's have one mask for all heads.
void InspectorTest::masksOfAllHeadsTogetherAreShownForEach() {
    QVERIFY(writeSyntheticTrace({.sharedMasks = true, .maskSteps = 2}, path("shared")));
    const auto panel = open(path("shared"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("mask"));
    for (const int head : {0, 1}) {
        for (const int step : {1, 3}) {  // no mask was kept of the last: the nearest is shown
            panel->select({.step = step, .layer = 2, .head = head});
            settle(*panel);
            const QString said = panel->surface()->accessibleDescription();
            QVERIFY2(said.contains(QStringLiteral("head %1").arg(head + 1)) &&
                         said.contains(QLatin1String("66.7 % of the tiles computed")),
                     qPrintable(said));
        }
    }
}

void InspectorTest::probesAreNoPartOfThePlan() {
    trace::Trace run = syntheticTrace({.probes = false});
    std::int64_t flops = 0;
    for (const trace::Row& row : run.rows()) {
        flops += row.module == trace::Module::AttentionCore ? 0 : row.flops;
    }
    run.metadata["plan"] = {{"total_flops", static_cast<double>(flops)}};
    run.add({.step = 0, .module = trace::Module::Probe, .durationUs = 100, .flops = 1'000'000'000});
    QVERIFY(trace::writeTrace(path("probed").toStdString(), run));
    const auto panel = open(path("probed"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("cost"));
    const QString svg = m_folder.filePath(QStringLiteral("plan.svg"));
    QVERIFY(panel->exportTo(ViewFormat::Svg, svg));
    QFile file(svg);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY2(file.readAll().contains("(100.0 %)"), "what was counted is what was planned");
}

// Even heads look within their frame, odd ones at their own place in all frames; the mouse finds the head that
// moved.
void InspectorTest::headsOfAKindStandTogether() {
    QVERIFY(writeSyntheticTrace({.heads = 4}, path("heads")));
    const auto panel = open(path("heads"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("maps"));
    settle(*panel);
    const auto place = [](int column) { return QPoint(40 + 96 * column + 40, 90); };  // of the first row
    QTest::mouseClick(panel->surface(), Qt::LeftButton, {}, place(1));
    QTRY_COMPARE_WITH_TIMEOUT(panel->selection().head, 1, kLongMs);
    choose(*panel, QStringLiteral("Order"), QStringLiteral("by kind"));
    settle(*panel);
    QTest::mouseClick(panel->surface(), Qt::LeftButton, {}, place(1));
    QTRY_COMPARE_WITH_TIMEOUT(panel->selection().head, 2, kLongMs);
    settle(*panel);
    QTest::mouseClick(panel->surface(), Qt::LeftButton, {}, place(2));
    QTRY_COMPARE_WITH_TIMEOUT(panel->selection().head, 1, kLongMs);
    keep(*panel, QStringLiteral("heads-by-kind"));
    choose(*panel, QStringLiteral("Grid"), QStringLiteral("steps × layers"));
    const auto isOffered = [&] {
        const auto boxes = panel->findChildren<QComboBox*>();
        return std::any_of(boxes.begin(), boxes.end(), [](const QComboBox* box) {
            return box->isVisible() && box->accessibleName() == QStringLiteral("Order");
        });
    };
    QTRY_VERIFY_WITH_TIMEOUT(!isOffered(), kLongMs);  // there are no heads to order
}

// The whole path stands out from the ground of either theme.
void InspectorTest::theScanStandsOutFromItsGround() {
    const auto light = [](const QColor& colour) {
        const auto linear = [](double value) { return std::pow(value, 2.2); };
        return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF()) +
               0.05;
    };
    for (const bool dark : {true, false}) {
        const double ground = light(dark ? darkColours().panel : lightColours().panel);
        for (int i = 0; i <= 100; ++i) {
            const double own = light(QColor::fromRgb(scanPathColour(i / 100.0, dark)));
            const double contrast = std::max(own, ground) / std::min(own, ground);
            QVERIFY2(contrast >= 1.6, qPrintable(QStringLiteral("%1 at %2").arg(contrast).arg(i)));
        }
    }
}

void InspectorTest::twoRunsAreSeenSideBySide() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    auto* both = panel->findChild<QCheckBox*>();
    QVERIFY(both != nullptr && !both->isVisible());
    panel->setOther(path("other"));
    QTRY_VERIFY_WITH_TIMEOUT(both->isVisible(), kLongMs);
    panel->showView(QStringLiteral("query"));
    settle(*panel);
    QTest::mouseClick(both, Qt::LeftButton, {}, QPoint(8, both->height() / 2));
    QVERIFY(both->isChecked());
    settle(*panel);
    const QString said = panel->surface()->accessibleDescription();
    QVERIFY2(said.startsWith(QLatin1String("run: ")) && said.contains(QLatin1String("\nother: ")),
             qPrintable(said));
    // A patch clicked in the second run is chosen in both.
    const QRect surface = panel->surface()->rect();
    QTest::mouseClick(panel->surface(), Qt::LeftButton, {},
                      QPoint(surface.width() * 3 / 4, surface.center().y() - 20));
    QTRY_VERIFY_WITH_TIMEOUT(panel->selection().token >= 0, kLongMs);
    choose(*panel, QStringLiteral("Show"), QStringLiteral("word: fox"));
    for (const bool dark : {true, false}) {
        m_theme->setChoice(dark ? ThemeChoice::Dark : ThemeChoice::Light);
        for (const auto& view : makeInspectorViews()) {
            panel->showView(view->id());
            settle(*panel);
            keep(*panel, QStringLiteral("pair-") + view->id() +
                             (dark ? QStringLiteral("-dark") : QStringLiteral("-light")));
            const QString csv = m_folder.filePath(QStringLiteral("pair.csv"));
            QVERIFY(panel->exportTo(ViewFormat::Csv, csv));
            QFile table(csv);
            QVERIFY(table.open(QIODevice::ReadOnly));
            const QByteArray numbers = table.readAll();
            QVERIFY2(numbers.contains("\nrun,") && numbers.contains("\nother,"), qPrintable(view->id()));
        }
    }
    m_theme->setChoice(ThemeChoice::Dark);
    panel->setOther(path("plain"));  // has nothing for most views: that is said in its half
    QTRY_VERIFY_WITH_TIMEOUT(both->isVisible(), kLongMs);
    panel->showView(QStringLiteral("maps"));
    settle(*panel);
    QVERIFY(panel->surface()->accessibleDescription().contains(QLatin1String("nothing of this view")));
    panel->setOther(QString());
    QVERIFY(!both->isVisible());
}

void InspectorTest::whatIsMissingIsSaid() {
    InspectorPanel panel;
    panel.resize(800, 500);
    panel.show();
    QVERIFY(!panel.message().isEmpty());
    panel.setTarget({QString(), QStringLiteral("/nowhere/clip.mp4"), QStringLiteral("A fox"), true});
    QVERIFY2(panel.message().contains(QLatin1String("A fox")), qPrintable(panel.message()));
    QSignalSpy rerun(&panel, &InspectorPanel::rerunRequested);
    for (auto* button : panel.findChildren<QPushButton*>()) {
        if (button->isVisible()) {
            QTest::mouseClick(button, Qt::LeftButton);
        }
    }
    QCOMPARE(rerun.size(), 1);
}

void InspectorTest::viewsAreSaved() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    for (const auto& view : makeInspectorViews()) {
        panel->showView(view->id());
        const QString svg = m_folder.filePath(view->id() + QStringLiteral(".svg"));
        QVERIFY(panel->exportTo(ViewFormat::Svg, svg));
        QFile file(svg);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QXmlStreamReader xml(&file);
        int shapes = 0, texts = 0;
        QString description;
        while (!xml.atEnd()) {
            if (xml.readNext() == QXmlStreamReader::StartElement) {
                const auto name = xml.name();
                texts += name == QLatin1String("text") ? 1 : 0;
                shapes += name == QLatin1String("rect") || name == QLatin1String("path") ||
                                  name == QLatin1String("polyline") || name == QLatin1String("image")
                              ? 1
                              : 0;
                if (name == QLatin1String("desc")) {
                    description = xml.readElementText();
                }
            }
        }
        QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
        QVERIFY2(shapes > 5 && texts > 5, qPrintable(view->id()));
        QVERIFY2(description.contains(QLatin1String("seed 7")), qPrintable(description));

        const QString csv = m_folder.filePath(view->id() + QStringLiteral(".csv"));
        QVERIFY(panel->exportTo(ViewFormat::Csv, csv));
        QFile table(csv);
        QVERIFY(table.open(QIODevice::ReadOnly));
        const QList<QByteArray> lines = table.readAll().trimmed().split('\n');
        QVERIFY(lines.size() > 3 && lines[0].startsWith("# "));
        for (qsizetype i = 2; i < lines.size(); ++i) {
            QCOMPARE(lines[i].count(','), lines[2].count(','));
        }
        const QString npz = m_folder.filePath(view->id() + QStringLiteral(".npz"));
        QVERIFY(panel->exportTo(ViewFormat::Npz, npz));
        QFile arrays(npz);
        QVERIFY(arrays.open(QIODevice::ReadOnly));
        const QByteArray archive = arrays.readAll();
        QVERIFY(archive.startsWith("PK") && archive.contains("about.npy"));
        const QByteArray rows = QByteArray("'shape': (") + QByteArray::number(lines.size() - 3) + ", ), }";
        QVERIFY2(archive.contains(rows), "a column has as many entries as the table has rows");

        const QString png = m_folder.filePath(view->id() + QStringLiteral(".png"));
        QVERIFY(panel->exportTo(ViewFormat::Png, png));
        QVERIFY(QImage(png).width() >= 2 * 720);

        QApplication::clipboard()->clear();
        panel->copyImage();
        QVERIFY2(QApplication::clipboard()->image().width() >= 720, qPrintable(view->id()));
    }
    QSignalSpy notice(panel.get(), &InspectorPanel::notice);
    QVERIFY(!panel->exportTo(ViewFormat::Svg, QStringLiteral("/nowhere/at/all.svg")));
    QVERIFY(notice.last().first().toString().contains(QLatin1String("/nowhere/at/all.svg")));
    panel->copyImage();
    QVERIFY(!QApplication::clipboard()->image().isNull());
}

// Tab comes to every control that can be seen, and each says what it is.
void InspectorTest::everyControlIsReachedByTheKeyboard() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(panel.get()));
    for (const QString& view : {QStringLiteral("mask"), QStringLiteral("query"), QStringLiteral("cache")}) {
        panel->showView(view);
        settle(*panel);
        QSet<QWidget*> wanted;
        for (auto* widget : panel->findChildren<QWidget*>()) {
            const bool isControl = qobject_cast<QAbstractButton*>(widget) != nullptr ||
                                   qobject_cast<QAbstractSpinBox*>(widget) != nullptr ||
                                   qobject_cast<QComboBox*>(widget) != nullptr || widget == panel->surface();
            const bool isPart = qobject_cast<QTabBar*>(widget->parentWidget()) != nullptr;  // its arrows
            if (isControl && !isPart && widget->isVisible() && widget->isEnabled()) {
                wanted.insert(widget);
                QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
                QVERIFY2(!widget->toolTip().isEmpty() || widget == panel->surface(),
                         qPrintable(widget->accessibleName()));
            }
        }
        QVERIFY(wanted.size() >= 5);
        panel->surface()->setFocus();
        wanted.remove(panel->surface());
        for (int i = 0; i < 40 && !wanted.isEmpty(); ++i) {
            QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
            wanted.remove(QApplication::focusWidget());
        }
        QVERIFY2(wanted.isEmpty(), wanted.isEmpty() ? "" : qPrintable((*wanted.begin())->accessibleName()));
    }
}

// A target without a trace yet; then one that grows, while what is looked at stays chosen.
void InspectorTest::aRunningJobIsWatched() {
    InspectorPanel panel;
    panel.resize(1100, 760);
    panel.show();
    QVERIFY(QTest::qWaitForWindowExposed(&panel));
    QSignalSpy looks(&panel, &InspectorPanel::lookRequested), opened(&panel, &InspectorPanel::opened);
    panel.setTarget(
        {.trace = {}, .clip = {}, .name = QStringLiteral("a fox"), .canRerun = false, .isRunning = true});
    QVERIFY2(panel.message().contains(QLatin1String("is being made")), qPrintable(panel.message()));
    QCOMPARE(looks.size(), 1);
    QVERIFY(!looks[0][0].toBool());

    QVERIFY(writeSyntheticTrace({.steps = 2, .probes = false}, path("growing")));
    panel.updateTrace(path("growing"));
    QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, kLongMs);
    QCOMPARE(panel.message(), QString());
    panel.showView(QStringLiteral("maps"));
    QVERIFY(!panel.message().isEmpty());
    for (auto* button : panel.findChildren<QPushButton*>()) {
        if (button->isVisible() && button->text().startsWith(QStringLiteral("Look inside"))) {
            QTest::mouseClick(button, Qt::LeftButton);
        }
    }
    QCOMPARE(looks.size(), 2);
    QVERIFY2(looks[1][0].toBool(), "with probes");

    QVERIFY(writeSyntheticTrace({.steps = 3}, path("growing")));
    panel.updateTrace(path("growing"));
    QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 2, kLongMs);
    QCOMPARE(panel.message(), QString());
    panel.select({.step = 1, .layer = 2, .head = 1});
    QVERIFY(writeSyntheticTrace({.steps = 4}, path("growing")));
    panel.updateTrace(path("growing"));
    QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 3, kLongMs);
    QCOMPARE(panel.run()->steps(), 4);
    QCOMPARE(panel.selection(), (Selection{.step = 1, .layer = 2, .head = 1}));
}

void InspectorTest::scansTellHowLongTheyRemember() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("memory"));
    settle(*panel);
    const auto said = [&] { return panel->surface()->accessibleDescription(); };
    QVERIFY2(said().startsWith(QLatin1String("Half is forgotten after 1.00 tokens along the scan")),
             qPrintable(said()));
    choose(*panel, QStringLiteral("Direction"), QStringLiteral("backwards"));
    settle(*panel);
    QVERIFY2(said().startsWith(QLatin1String("Half is forgotten after 2.00 tokens")), qPrintable(said()));
    choose(*panel, QStringLiteral("Direction"), QStringLiteral("forwards"));
    choose(*panel, QStringLiteral("Show"), QStringLiteral("what it takes from the review tokens"));
    settle(*panel);
    // 1 / (0.1² + 0.2² + 0.3² + 0.4²)
    QVERIFY2(said().contains(QLatin1String("4 review tokens, as if it took 3.33 of them")), qPrintable(said()));
    keep(*panel, QStringLiteral("review"));
}

void InspectorTest::measuredErrorsOfTheCacheAreShown() {
    const auto panel = open(path("run"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("cache"));
    settle(*panel);
    QVERIFY2(panel->surface()->accessibleDescription().contains(QLatin1String("measured error is 0.125")),
             qPrintable(panel->surface()->accessibleDescription()));
    const QString csv = m_folder.filePath(QStringLiteral("errors.csv"));
    QVERIFY(panel->exportTo(ViewFormat::Csv, csv));
    QFile table(csv);
    QVERIFY(table.open(QIODevice::ReadOnly));
    const QByteArray numbers = table.readAll();
    QVERIFY(numbers.contains("measured_error") && numbers.contains(",reused,0.01,0.125"));
    choose(*panel, QStringLiteral("Below"), QStringLiteral("change"));
    settle(*panel);
}

// No row was kept of this patch; it follows from what was.
void InspectorTest::anyPatchIsAskedWhereQueriesAndKeysWereKept() {
    const SyntheticRun with{.operands = true};
    QVERIFY(writeSyntheticTrace(with, path("operands")));
    const auto panel = open(path("operands"));
    QVERIFY(panel);
    panel->showView(QStringLiteral("query"));
    panel->select({.head = 1, .token = 17});
    settle(*panel);
    const QString said = panel->surface()->accessibleDescription();
    QVERIFY2(!said.contains(QLatin1String("pooled")), qPrintable(said));
    // Exact: the same sum in double precision, of the numbers as they were kept.
    const trace::ProbeTable& keys = *panel->run()->table(trace::ProbeKind::AttentionKey);
    const auto values = keys.values(keys.find({0, 0, 0, 1}));
    double own = 0.0, all = 0.0;
    for (std::size_t token = 0; token < 48; ++token) {
        double dot = 0.0;
        for (std::size_t i = 0; i < 8; ++i) {
            dot += static_cast<double>(values[17 * 8 + i]) * static_cast<double>(values[token * 8 + i]);
        }
        const double weight = std::exp(dot / std::sqrt(8.0));
        all += weight;
        own = token == 17 ? weight : own;
    }
    const QString csv = m_folder.filePath(QStringLiteral("row.csv"));
    QVERIFY(panel->exportTo(ViewFormat::Csv, csv));
    QFile table(csv);
    QVERIFY(table.open(QIODevice::ReadOnly));
    const QList<QByteArray> cells = table.readAll().trimmed().split('\n').at(3 + 17).split(',');
    QVERIFY2(std::abs(cells.at(3).toDouble() - own / all) < 1e-4, cells.at(3).constData());
}

void InspectorTest::theClipBesideATraceIsFound() {
    QFile clip(m_folder.filePath(QStringLiteral("run.mp4")));
    QVERIFY(clip.open(QIODevice::WriteOnly));
    QCOMPARE(inspectTarget(path("run")).clip, m_folder.filePath(QStringLiteral("run.mp4")));
    QCOMPARE(inspectTarget(clip.fileName()).trace, path("run"));
    QCOMPARE(inspectTarget(path("plain")).clip, QString());
}

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::InspectorTest)
#include "inspector_test.moc"
