// Clips on disk as the window asks for them: answers come later, on its thread, and only when they are still
// wanted.
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/clips/clip_files.h"
#include "core/media/clip_writer.h"

using namespace fw;
using app::ClipFiles;
using app::ExportFormat;
using app::ExportOptions;

class ClipFilesTest : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;

    [[nodiscard]] QString path(const QString& name) const { return m_folder->filePath(name); }
    [[nodiscard]] QStringList names() const {
        return QDir(m_folder->path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot);
    }

    // A moving clip of `frames` frames.
    QString makeClip(const QString& name, int frames, const std::string& metadata, int side = 32) {
        const QString file = path(name);
        auto writer =
            media::ClipWriter::create(QFile::encodeName(file).toStdString(), {side, side, {12, 1}, metadata});
        Q_ASSERT(writer);
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(side * side * 3));
        for (int frame = 0; frame < frames; ++frame) {
            for (std::size_t i = 0; i < pixels.size(); ++i) {
                pixels[i] = static_cast<std::uint8_t>((i * 7 + static_cast<std::size_t>(frame) * 31) % 256);
            }
            [[maybe_unused]] const Status status = (*writer)->write({pixels.data(), DType::U8, {1, side, side, 3}});
            Q_ASSERT(status);
        }
        [[maybe_unused]] const Status status = (*writer)->finish();
        Q_ASSERT(status);
        return file;
    }
    QString makeFile(const QString& name, const QByteArray& bytes) {
        QFile file(path(name));
        [[maybe_unused]] const bool good = file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
        Q_ASSERT(good);
        return path(name);
    }
    static std::string settings(const std::string& prompt) {
        job::GenerationRequest request;
        request.prompt = prompt;
        OrderedJson json;
        json["request"] = job::toJson(request);
        return json.dump();
    }

 private slots:
    void clipsAreComparedPixelByPixel() {
        const QString one = makeClip(QStringLiteral("one.mp4"), 5, settings("a"));
        const QString same = makeClip(QStringLiteral("same.mp4"), 5, settings("another text"));
        const QString longer = makeClip(QStringLiteral("longer.mp4"), 7, settings("a"));
        const QString large = makeClip(QStringLiteral("large.mp4"), 5, settings("a"), 64);
        const QString broken = makeFile(QStringLiteral("broken.mp4"), "no clip");
        ClipFiles files;
        const auto compare = [&](const QString& a, const QString& b) {
            QSignalSpy done(&files, &ClipFiles::compared);
            files.compare(a, b);
            return done.wait(20'000) ? done.first().at(2).value<app::ClipComparison>()
                                     : app::ClipComparison{-1, 0, 0};
        };
        auto result = compare(one, same);
        QCOMPARE(result.frames, 5);
        QCOMPARE(result.differing, 0);
        QCOMPARE(result.mostLevels, 0);
        result = compare(one, longer);
        QCOMPARE(result.frames, 7);
        QVERIFY2(result.differing >= 2, "two frames only one of them has");
        QCOMPARE(compare(one, large).differing, 5);
        result = compare(one, QStringLiteral(FW_SOURCE_DIR "/tests/ui/data/heart.mp4"));
        QVERIFY(result.frames > 0 && result.differing == result.frames);
        QSignalSpy failed(&files, &ClipFiles::compareFailed);
        files.compare(one, broken);
        QVERIFY(failed.wait(20'000));
        QCOMPARE(failed.first().at(1).toString(), broken);
    }

    void init() { m_folder = std::make_unique<QTemporaryDir>(); }

    void loadsPicturesAndSettings() {
        ClipFiles files;
        QSignalSpy loaded(&files, &ClipFiles::loaded);
        const QString file = makeClip(QStringLiteral("a \"b\"\n雪狐 🦊.mp4"), 5, settings("a red fox"));
        files.load(file);
        QCOMPARE(loaded.size(), 0);  // never before the call returns
        QTRY_COMPARE(loaded.size(), 1);
        const auto clip = loaded.first().first().value<app::LoadedClip>();
        QCOMPARE(clip.file, file);
        QCOMPARE(clip.images.frames.size(), 5);
        QCOMPARE(clip.images.frames.first().size(), QSize(32, 32));
        QCOMPARE(clip.images.framesPerSecond, 12.0);
        QVERIFY(clip.request);
        QCOMPARE(clip.request->prompt, std::string("a red fox"));
    }

    void onlyTheNewestLoadAnswers() {
        ClipFiles files;
        QSignalSpy loaded(&files, &ClipFiles::loaded), failed(&files, &ClipFiles::loadFailed);
        const QString first = makeClip(QStringLiteral("first.mp4"), 3, "");
        const QString second = makeClip(QStringLiteral("second.mp4"), 3, "");
        files.load(first);
        files.load(path(QStringLiteral("missing.mp4")));
        files.load(second);
        QTRY_COMPARE(loaded.size(), 1);
        QCOMPARE(loaded.first().first().value<app::LoadedClip>().file, second);
        QTest::qWait(20);
        QCOMPARE(loaded.size() + failed.size(), 1);
    }

    void refusesAnythingThatIsNoClip() {
        const QByteArray noise = QByteArray::fromHex("00ff10a5").repeated(4000);
        const QStringList hostile{
            makeFile(QStringLiteral("empty.mp4"), {}),
            makeFile(QStringLiteral("noise.mp4"), noise),
            makeFile(QStringLiteral("noise.gif"), "GIF89a" + noise),
            makeFile(QStringLiteral("noise.webp"), QByteArray("RIFF\xff\xff\xff\xffWEBPVP8X") + noise),
            makeFile(QStringLiteral("text.txt"), "hello"),
            makeFile(QStringLiteral("list.m3u8"), "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
            makeFile(QStringLiteral("list.txt"), "ffconcat version 1.0\nfile /etc/passwd\n"),
            path(QStringLiteral("nowhere.mp4")),
            m_folder->path(),
            QStringLiteral("/dev/zero"),
            QString(),
            QString(300, QLatin1Char('x')),
        };
        ClipFiles files;
        for (const QString& file : hostile) {
            QSignalSpy load(&files, &ClipFiles::loadFailed), read(&files, &ClipFiles::settingsFailed),
                inspect(&files, &ClipFiles::inspectFailed);
            files.load(file);
            files.readSettings(file);
            files.inspect(file);
            QTRY_COMPARE(load.size() + read.size() + inspect.size(), 3);
            QCOMPARE(load.first().at(0).toString(), file);
            QVERIFY(!load.first().at(1).value<fw::Error>().message.empty());
        }
    }

    void malformedSettingsAreRefusedPolitely_data() {
        QTest::addColumn<QByteArray>("metadata");
        QTest::newRow("none") << QByteArray();
        QTest::newRow("other program") << QByteArray(R"({"workflow": []})");
        QTest::newRow("array") << QByteArray(R"([1, 2])");
        QTest::newRow("wrong type") << QByteArray(R"({"request": "fox"})");
        QTest::newRow("unknown field") << QByteArray(R"({"request": {"schema": 1, "evil": 1}})");
        QTest::newRow("later schema") << QByteArray(R"({"request": {"schema": 2}})");
        QTest::newRow("huge number") << QByteArray(R"({"request": {"steps": 1e300}})");
        QTest::newRow("negative seed") << QByteArray(R"({"request": {"seed": -1}})");
        QTest::newRow("deep") << "{\"request\": {\"prompt\": " + QByteArray("[").repeated(3000) +
                                     QByteArray("]").repeated(3000) + "}}";
        QTest::newRow("long") << "{\"request\": {\"steps\": \"" + QByteArray("🦊").repeated(5000) + "\"}}";
    }
    void malformedSettingsAreRefusedPolitely() {
        QFETCH(QByteArray, metadata);
        ClipFiles files;
        QSignalSpy failed(&files, &ClipFiles::settingsFailed), loaded(&files, &ClipFiles::loaded);
        const QString file = makeClip(QStringLiteral("a.mp4"), 2, metadata.toStdString());
        files.readSettings(file);
        files.load(file);  // the pictures are good all the same
        QTRY_COMPARE(failed.size(), 1);
        QTRY_COMPARE(loaded.size(), 1);
        const auto error = failed.first().at(1).value<fw::Error>();
        QCOMPARE(error.code, ErrorCode::InvalidArgument);
        QVERIFY2(error.message.size() < 300, error.message.c_str());
        QVERIFY(!loaded.first().first().value<app::LoadedClip>().request);
    }

    void exportsWithProgress() {
        ClipFiles files;
        QSignalSpy progress(&files, &ClipFiles::exportProgress), done(&files, &ClipFiles::exported);
        const QString from = makeClip(QStringLiteral("a.mp4"), 12, settings("fox"));
        ExportOptions options;
        options.format = ExportFormat::Gif;
        options.scalePercent = 50;
        options.framesPerSecond = 6;
        const quint64 id = files.startExport(from, path(QStringLiteral("b.gif")), options);
        QVERIFY(files.exporting());
        QTRY_COMPARE(done.size(), 1);
        QVERIFY(!files.exporting());
        QCOMPARE(done.first().at(0).toULongLong(), id);
        QVERIFY(progress.size() >= 2);
        QCOMPARE(progress.last().at(1).toDouble(), 1.0);
        QSignalSpy facts(&files, &ClipFiles::inspected);
        files.inspect(path(QStringLiteral("b.gif")));
        QTRY_COMPARE(facts.size(), 1);
        const auto gif = facts.first().first().value<app::ClipFacts>();
        QCOMPARE(gif.frames, 6);
        QCOMPARE(gif.width, 16);
        QCOMPARE(gif.codec, QStringLiteral("gif"));
        QVERIFY(gif.hasSettings);
        QVERIFY(gif.bytes > 0);
        QCOMPARE(names(), (QStringList{QStringLiteral("a.mp4"), QStringLiteral("b.gif")}));
    }

    void cancelledExportLeavesNothing() {
        ClipFiles files;
        QSignalSpy progress(&files, &ClipFiles::exportProgress), done(&files, &ClipFiles::exported),
            failed(&files, &ClipFiles::exportFailed);
        const QString from = makeClip(QStringLiteral("a.mp4"), 60, "", 256);
        ExportOptions options;
        options.format = ExportFormat::Av1;
        const quint64 running = files.startExport(from, path(QStringLiteral("b.webm")), options);
        const quint64 waiting = files.startExport(from, path(QStringLiteral("c.webm")), options);
        QTRY_VERIFY(!progress.isEmpty());
        files.cancelExport(waiting);
        files.cancelExport(running);
        files.cancelExport(running);
        files.cancelExport(12345);
        options.format = ExportFormat::Gif;
        options.lastFrame = 0;
        files.startExport(from, path(QStringLiteral("d.gif")), options);
        QTRY_COMPARE_WITH_TIMEOUT(done.size(), 1, 20000);
        QCOMPARE(failed.size(), 0);
        QCOMPARE(names(), (QStringList{QStringLiteral("a.mp4"), QStringLiteral("d.gif")}));
    }

    void endingCancels() {
        const QString from = makeClip(QStringLiteral("a.mp4"), 60, "", 256);
        QElapsedTimer timer;
        {
            ClipFiles files;
            QSignalSpy progress(&files, &ClipFiles::exportProgress);
            ExportOptions options;
            options.format = ExportFormat::Av1;
            for (int i = 0; i < 10; ++i) {
                files.startExport(from, path(QStringLiteral("%1.webm").arg(i)), options);
                files.load(from);
            }
            QTRY_VERIFY(!progress.isEmpty());
        }
        QCOMPARE(names(), QStringList{QStringLiteral("a.mp4")});
    }

    void exportsThatCannotBeSayWhy() {
        ClipFiles files;
        QSignalSpy failed(&files, &ClipFiles::exportFailed);
        const QString from = makeClip(QStringLiteral("a.mp4"), 3, "");
        files.startExport(path(QStringLiteral("gone.mp4")), path(QStringLiteral("b.mp4")), {});
        files.startExport(from, QStringLiteral("/proc/none/b.mp4"), {});
        ExportOptions range;
        range.firstFrame = 7;
        files.startExport(from, path(QStringLiteral("b.mp4")), range);
        QTRY_COMPARE(failed.size(), 3);
        for (const auto& call : failed) {
            QVERIFY(!call.at(2).value<fw::Error>().message.empty());
        }
        QCOMPARE(names(), QStringList{QStringLiteral("a.mp4")});
    }

    void knowsItsFormats() {
        const auto formats = app::exportFormats();
        QCOMPARE(formats.size(), 9);
        for (const auto& format : formats) {
            QVERIFY2(format.unavailable.isEmpty(), qPrintable(format.unavailable));
        }
    }
};

QTEST_MAIN(ClipFilesTest)
#include "clip_files_test.moc"
