// The export dialog as a person uses it, on clips on disk.
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include "core/media/clip_reader.h"
#include "core/media/clip_writer.h"
#include "pictures.h"
#include "ui/export_dialog.h"
#include "ui/export_estimate.h"

namespace fw::ui::test {

using app::ExportFormat;

class ExportDialogTest : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<app::ClipFiles> m_files;
    std::unique_ptr<ExportDialog> m_dialog;

    [[nodiscard]] QString path(const QString& name) const { return m_folder->filePath(name); }
    [[nodiscard]] QStringList names(const QString& sub = QStringLiteral("out")) const {
        return QDir(path(sub)).entryList(QDir::AllEntries | QDir::NoDotAndDotDot);
    }
    QString makeClip(const QString& name, int frames = 12, int side = 64) {
        const QString file = path(name);
        auto writer =
            media::ClipWriter::create(QFile::encodeName(file).toStdString(),
                                      {side, side, {12, 1}, R"({"request": {"schema": 1, "prompt": "fox"}})"});
        Q_ASSERT(writer);
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(side * side * 3));
        for (int frame = 0; frame < frames; ++frame) {
            for (std::size_t i = 0; i < pixels.size(); ++i) {
                pixels[i] =
                    static_cast<std::uint8_t>((i / 3 + static_cast<std::size_t>(frame) * 5) * (i % 3 + 1) % 256);
            }
            [[maybe_unused]] const Status status = (*writer)->write({pixels.data(), DType::U8, {1, side, side, 3}});
            Q_ASSERT(status);
        }
        [[maybe_unused]] const Status status = (*writer)->finish();
        Q_ASSERT(status);
        return file;
    }
    template <class T>
    T* field(const QString& name) const {
        for (auto* widget : m_dialog->findChildren<T*>()) {
            if (widget->accessibleName() == name) {
                return widget;
            }
        }
        return nullptr;
    }
    QPushButton* button(const QString& text) const {
        for (auto* one : m_dialog->findChildren<QPushButton*>()) {
            if (one->text() == text) {
                return one;
            }
        }
        return nullptr;
    }
    void open(const QStringList& files) {
        m_dialog = std::make_unique<ExportDialog>(*m_files, files);
        m_dialog->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_dialog.get()));
        m_dialog->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_dialog.get()));
    }
    void openReady(const QStringList& files) {
        open(files);
        QTRY_VERIFY(button(QStringLiteral("Export"))->isEnabled());
    }
    void choose(ExportFormat format) {
        // As with the keyboard: Home, then down to the format.
        auto* box = field<QComboBox>(QStringLiteral("Format"));
        box->setFocus();
        QTest::keyClick(box, Qt::Key_Home);
        for (int i = 0; i < static_cast<int>(format); ++i) {
            QTest::keyClick(box, Qt::Key_Down);
        }
        QCOMPARE(m_dialog->options().format, format);
    }
    QString message() const {
        QStringList texts;
        for (auto* label : m_dialog->findChildren<QLabel*>()) {
            if (label->isVisible()) {
                texts.append(label->text());
            }
        }
        return texts.join(QLatin1Char('\n'));
    }

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        QCoreApplication::setOrganizationName(QStringLiteral("FramewrightTests"));
        QCoreApplication::setApplicationName(QStringLiteral("export"));
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        QSettings::setDefaultFormat(QSettings::IniFormat);
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, path(QStringLiteral("settings")));
        QDir(m_folder->path()).mkdir(QStringLiteral("out"));
        QSettings().setValue(QStringLiteral("export/folder"), path(QStringLiteral("out")));
        m_files = std::make_unique<app::ClipFiles>();
    }
    void cleanup() {
        m_dialog.reset();
        m_files.reset();
    }

    void everyControlSaysWhatItIs() {
        openReady({makeClip(QStringLiteral("fox.mp4"))});
        for (auto* widget : m_dialog->findChildren<QWidget*>()) {
            const bool control = qobject_cast<QAbstractButton*>(widget) ||
                                 qobject_cast<QAbstractSpinBox*>(widget) || qobject_cast<QComboBox*>(widget) ||
                                 qobject_cast<QAbstractSlider*>(widget);
            if (control && widget->isVisible() && widget->focusPolicy() != Qt::NoFocus) {
                QVERIFY2(!widget->toolTip().isEmpty(), widget->metaObject()->className());
            }
        }
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-open"));
    }

    void savesAGif() {
        openReady({makeClip(QStringLiteral("fox.mp4"))});
        choose(ExportFormat::Gif);
        auto* scale = field<QSpinBox>(QStringLiteral("Size in percent"));
        scale->setFocus();
        scale->selectAll();
        QTest::keyClicks(scale, QStringLiteral("50"));
        auto* rate = field<QDoubleSpinBox>(QStringLiteral("Frames per second"));
        rate->setFocus();
        rate->selectAll();
        QTest::keyClicks(rate, QStringLiteral("6"));
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-gif"));
        QSignalSpy done(m_dialog.get(), &ExportDialog::finishedExport);
        QTest::mouseClick(button(QStringLiteral("Export")), Qt::LeftButton);
        QTRY_COMPARE(done.size(), 1);
        QCOMPARE(names(), QStringList{QStringLiteral("fox.gif")});
        const auto info = media::readClipInfo(path(QStringLiteral("out/fox.gif")).toStdString());
        QVERIFY(info);
        QCOMPARE(info->width, 32);
        QCOMPARE(info->frames, 6);
        QVERIFY(button(QStringLiteral("Show file"))->isVisible());
        QVERIFY(message().contains(QStringLiteral("Saved fox.gif")));
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-saved"));
        // Remembered for the next time.
        m_dialog.reset();
        openReady({path(QStringLiteral("fox.mp4"))});
        QCOMPARE(m_dialog->options().format, ExportFormat::Gif);
    }

    void enterExportsAndEscCloses() {
        openReady({makeClip(QStringLiteral("fox.mp4"))});
        QSignalSpy done(m_dialog.get(), &ExportDialog::finishedExport);
        QTest::keyClick(m_dialog.get(), Qt::Key_Return);
        QTRY_COMPARE(done.size(), 1);
        QCOMPARE(names(), QStringList{QStringLiteral("fox.mp4")});
        QTest::keyClick(m_dialog.get(), Qt::Key_Escape);
        QVERIFY(!m_dialog->isVisible());
    }

    void copiesWhatHasTheFormatAlready() {
        const QString file = makeClip(QStringLiteral("fox.mp4"));
        openReady({file});
        auto* copy = m_dialog->findChild<QCheckBox*>();
        QVERIFY(copy->isVisible() && copy->isChecked());
        QVERIFY(m_dialog->options().copyWhenSame);
        QVERIFY(!field<QSlider>(QStringLiteral("Quality"))->isVisible());
        QTest::mouseClick(copy, Qt::LeftButton, {}, QPoint(8, copy->height() / 2));
        QVERIFY(!m_dialog->options().copyWhenSame);
        QVERIFY(field<QSlider>(QStringLiteral("Quality"))->isVisible());
        choose(ExportFormat::Av1);
        QVERIFY(!copy->isVisible());
    }

    void asksBeforeReplacing() {
        const QString file = makeClip(QStringLiteral("fox.mp4"));
        QVERIFY(QFile::copy(file, path(QStringLiteral("out/fox.gif"))));
        const qint64 before = QFileInfo(path(QStringLiteral("out/fox.gif"))).size();
        openReady({file});
        choose(ExportFormat::Gif);
        QString question;
        const auto answer = [&](int role) {
            QTimer::singleShot(0, this, [&question, role] {
                auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
                QVERIFY(box);
                question = box->text();
                for (auto* one : box->buttons()) {
                    if (box->buttonRole(one) == role) {
                        QTest::mouseClick(one, Qt::LeftButton);
                    }
                }
            });
        };
        answer(QMessageBox::RejectRole);
        QTest::mouseClick(button(QStringLiteral("Export")), Qt::LeftButton);
        QVERIFY(question.contains(QStringLiteral("fox.gif")));
        QVERIFY(!m_dialog->running());
        QCOMPARE(QFileInfo(path(QStringLiteral("out/fox.gif"))).size(), before);
        answer(QMessageBox::AcceptRole);
        QSignalSpy done(m_dialog.get(), &ExportDialog::finishedExport);
        QTest::mouseClick(button(QStringLiteral("Export")), Qt::LeftButton);
        QTRY_COMPARE(done.size(), 1);
        QCOMPARE(media::readClipInfo(path(QStringLiteral("out/fox.gif")).toStdString())->codec, std::string("gif"));
    }

    void cancelsAndLeavesNothing() {
        openReady({makeClip(QStringLiteral("long.mp4"), 80, 256)});
        choose(ExportFormat::Av1);
        QTest::mouseClick(button(QStringLiteral("Export")), Qt::LeftButton);
        QVERIFY(m_dialog->running());
        QTRY_VERIFY(m_dialog->findChild<QProgressBar*>()->value() > 0);
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-running"));
        QTest::mouseClick(button(QStringLiteral("Cancel")), Qt::LeftButton);
        QVERIFY(!m_dialog->running());
        QVERIFY(m_dialog->isVisible());
        QVERIFY(button(QStringLiteral("Export"))->isEnabled());
        m_files.reset(new app::ClipFiles);  // waits for the encoder to let go
        QTRY_COMPARE(names(), QStringList());
    }

    void severalClipsKeepTheirNames() {
        QDir(m_folder->path()).mkdir(QStringLiteral("other"));
        const QStringList files{makeClip(QStringLiteral("a.mp4")), makeClip(QStringLiteral("b.webm")),
                                makeClip(QStringLiteral("other/a.mp4"))};
        openReady(files);
        choose(ExportFormat::WebP);
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-several"));
        QSignalSpy done(m_dialog.get(), &ExportDialog::finishedExport);
        QTest::mouseClick(button(QStringLiteral("Export")), Qt::LeftButton);
        QTRY_COMPARE(done.size(), 1);
        QCOMPARE(names(),
                 (QStringList{QStringLiteral("a (2).webp"), QStringLiteral("a.webp"), QStringLiteral("b.webp")}));
    }

    void neverOntoTheClipItself() {
        const QString file = makeClip(QStringLiteral("out/fox.mp4"));
        openReady({file});
        QCOMPARE(m_dialog->targets(), QStringList{path(QStringLiteral("out/fox (2).mp4"))});
    }

    void saysWhatIsWrong() {
        open({path(QStringLiteral("missing.mp4"))});
        QTRY_VERIFY(message().contains(QStringLiteral("missing.mp4")));
        QVERIFY(!button(QStringLiteral("Export"))->isEnabled());
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-missing"));
        m_dialog.reset();

        openReady({makeClip(QStringLiteral("fox.mp4"))});
        auto* name = field<QLineEdit>(QStringLiteral("Name"));
        for (const QString& bad :
             {QString(), QStringLiteral("a/b"), QStringLiteral(".."), QString(241, QLatin1Char('x'))}) {
            name->setFocus();
            name->selectAll();
            QTest::keyClick(name, Qt::Key_Delete);
            QTest::keyClicks(name, bad);
            QVERIFY2(!button(QStringLiteral("Export"))->isEnabled(), qPrintable(bad));
            QVERIFY(!button(QStringLiteral("Export"))->toolTip().isEmpty());
        }
        name->setText(QStringLiteral("雪狐 🦊 'q' .v2"));
        QVERIFY(button(QStringLiteral("Export"))->isEnabled());
        field<QLineEdit>(QStringLiteral("Folder"))->setText(QStringLiteral("/nowhere/at/all"));
        QVERIFY(!button(QStringLiteral("Export"))->isEnabled());
        QVERIFY(message().contains(QStringLiteral("no folder")));
    }

    void failureIsShownInTheDialog() {
        openReady({makeClip(QStringLiteral("fox.mp4"))});
        choose(ExportFormat::Gif);
        QVERIFY(QFile::remove(path(QStringLiteral("fox.mp4"))));
        QTest::mouseClick(button(QStringLiteral("Export")), Qt::LeftButton);
        QTRY_VERIFY(!m_dialog->running());
        QVERIFY(message().contains(QStringLiteral("no such file")));
        QVERIFY(!button(QStringLiteral("Show file"))->isVisible());
        savePictures(*m_dialog, *m_theme, QStringLiteral("export-failed"));
    }

    void estimatesGrowWithWhatIsAsked() {
        app::ClipFacts clip;
        clip.codec = QStringLiteral("h264");
        clip.width = clip.height = 256;
        clip.frames = 33;
        clip.framesPerSecond = 12;
        clip.bytes = 100'000;
        const auto bytes = [&](ExportFormat format, int quality, int scale) {
            app::ExportOptions options;
            options.format = format;
            options.quality = quality;
            options.scalePercent = scale;
            return estimateExportBytes(clip, options);
        };
        QCOMPARE(bytes(ExportFormat::H264, 75, 100), 100'000);
        QVERIFY(bytes(ExportFormat::H264, 90, 100) > bytes(ExportFormat::H264, 75, 100));
        QVERIFY(bytes(ExportFormat::H264, 75, 50) < bytes(ExportFormat::H264, 75, 100));
        QVERIFY(bytes(ExportFormat::Av1, 75, 100) < bytes(ExportFormat::H264, 75, 100));
        QVERIFY(bytes(ExportFormat::ProRes, 75, 100) > bytes(ExportFormat::H264, 75, 100));
        clip.frames = 0;
        QCOMPARE(bytes(ExportFormat::H264, 75, 100), 0);
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::ExportDialogTest)
#include "export_dialog_test.moc"
