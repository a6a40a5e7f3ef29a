// The inspector's dock in the window, with a scripted worker behind it: a clip is made again with probes.
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <memory>

#include "app/clips/clip_files.h"
#include "studio_harness.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/notice_bar.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"

namespace fw::ui::test {

using store::JobState;

class RerunTest : public QObject {
    Q_OBJECT

 private:
    [[nodiscard]] MainWindow& window() const { return m_studio->window(); }

    static constexpr int kPatienceMs = 20'000;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<StudioHarness> m_studio;

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
        m_studio = std::make_unique<StudioHarness>(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
        m_studio->open();
    }
    void cleanupTestCase() { m_studio.reset(); }

    // With the mouse: the dock, its button, and what is said of the clip that was made again.
    void aClipIsMadeAgainWithProbes() {
        m_studio->run(QStringLiteral("a red heart grows"));
        QTRY_COMPARE_WITH_TIMEOUT(window().stage()->state(), StageState::Finished, kPatienceMs);
        auto* inspector = window().inspector();
        QTest::keyClick(&window(), Qt::Key_4, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(inspector->isVisible(), kPatienceMs);
        QVERIFY2(inspector->message().contains(QStringLiteral("has no trace")), qPrintable(inspector->message()));
        const auto again = [&] {
            for (auto* button : inspector->findChildren<QPushButton*>()) {
                if (button->text() == QStringLiteral("Make it again with probes")) {
                    return button;
                }
            }
            return static_cast<QPushButton*>(nullptr);
        };
        const auto said = [&](const QString& part) {
            const auto bars = window().findChildren<NoticeBar*>();  // of the library and the queue as well
            return std::any_of(bars.begin(), bars.end(), [&](const NoticeBar* bar) {
                const auto labels = bar->findChildren<QLabel*>();
                return std::any_of(labels.begin(), labels.end(),
                                   [&](const QLabel* label) { return label->text().contains(part); });
            });
        };
        QVERIFY(again() != nullptr && again()->isVisible() && !again()->toolTip().isEmpty());
        QTest::mouseClick(again(), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(JobState::Done), 2, kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(said(QStringLiteral("the same in every pixel")), kPatienceMs);
        auto clips = m_studio->clips();
        QCOMPARE(clips.size(), 2U);
        Json first = Json::parse(clips[0].requestJson), second = Json::parse(clips[1].requestJson);
        QVERIFY(!first.contains("probes") && second.contains("probes"));
        second.erase("probes");
        QVERIFY2(first == second, "the seed stays, and everything else");

        // The first clip is not what these settings make any more.
        const QString file = m_studio->folder() + QLatin1Char('/') + QString::fromStdString(clips[1].file);
        const QString shorter = m_studio->path(QStringLiteral("shorter.mp4"));
        app::ClipFiles files;
        QSignalSpy exported(&files, &app::ClipFiles::exported);
        app::ExportOptions options;
        options.lastFrame = 3;
        files.startExport(file, shorter, options);
        QVERIFY(exported.wait(kPatienceMs));
        QVERIFY(QFile::remove(file) && QFile::copy(shorter, file));
        QTRY_VERIFY_WITH_TIMEOUT(again() != nullptr && again()->isVisible(), kPatienceMs);
        QTest::mouseClick(again(), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(JobState::Done), 3, kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(said(QStringLiteral("but not the same")), kPatienceMs);
        QVERIFY(said(QStringLiteral("of 9 frames differ")));
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::RerunTest)
#include "rerun_test.moc"
