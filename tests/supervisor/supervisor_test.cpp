// The supervisor against workers that hang, babble, crash, speak another version, or will not go.
#include <QSignalSpy>
#include <QTest>

#include "app/supervisor/log_book.h"
#include "app/supervisor/worker_client.h"

using fw::app::WorkerClient;
using fw::app::WorkerClientOptions;
using namespace std::chrono_literals;

class SupervisorTest : public QObject {
    Q_OBJECT

 private:
    static WorkerClientOptions optionsFor(const QString& how) {
        WorkerClientOptions options;
        options.program = QStringLiteral(FW_SCRIPTED_WORKER);
        options.arguments = {how};
        options.startLimit = 1500ms;
        options.heartbeat = 50ms;
        options.heartbeatLimit = 500ms;
        options.progressLimit = 400ms;
        options.shutdownWait = 500ms;
        options.terminateWait = 300ms;
        return options;
    }
    static fw::ipc::Generate request() {
        fw::ipc::Generate generate;
        generate.jobId = 5;
        generate.request.prompt = "a fox";
        generate.stagingFolder = "/staging";
        return generate;
    }

 private slots:
    void initTestCase() { qRegisterMetaType<fw::ipc::Message>(); }

    void goodWorkerIsReadyWorksAndStopsWhenAsked() {
        WorkerClient client(optionsFor("good"));
        QSignalSpy ready(&client, &WorkerClient::ready);
        QSignalSpy received(&client, &WorkerClient::received);
        QSignalSpy stopped(&client, &WorkerClient::stopped);
        QSignalSpy lost(&client, &WorkerClient::lost);
        client.start();
        QVERIFY(ready.wait(5000));
        client.setBusy(true);
        client.send(request());
        QTRY_COMPARE_WITH_TIMEOUT(received.count(), 2, 5000);
        client.setBusy(false);
        QTest::qWait(700);  // longer than the heartbeat limit: pongs keep it alive
        QCOMPARE(client.state(), WorkerClient::State::Ready);
        client.stop();
        QVERIFY(stopped.wait(5000));
        QCOMPARE(client.lastEnding(), WorkerClient::Ending::Asked);
        QCOMPARE(lost.count(), 0);
    }

    void canBeStartedAgainAndAgain() {
        WorkerClient client(optionsFor("good"));
        QSignalSpy ready(&client, &WorkerClient::ready);
        QSignalSpy stopped(&client, &WorkerClient::stopped);
        for (int i = 0; i < 5; ++i) {
            client.start();
            QVERIFY(ready.wait(5000));
            client.stop();
            QVERIFY(stopped.wait(5000));
        }
    }

    void everyMisbehaviourIsOneLossWithASentence_data() {
        QTest::addColumn<QString>("how");
        QTest::addColumn<QString>("sentence");
        QTest::addColumn<WorkerClient::Ending>("ending");
        QTest::newRow("never connects") << "never-connects"
                                        << "did not start" << WorkerClient::Ending::Terminated;
        QTest::newRow("exits at once") << "exits-at-once"
                                       << "cannot load libdnnl" << WorkerClient::Ending::ByItself;
        QTest::newRow("other version") << "other-version"
                                       << "another version" << WorkerClient::Ending::Terminated;
        QTest::newRow("garbage first") << "garbage-first"
                                       << "not understood" << WorkerClient::Ending::Terminated;
        QTest::newRow("silent") << "silent"
                                << "stopped answering" << WorkerClient::Ending::Terminated;
        QTest::newRow("ignores terminate") << "ignores-terminate"
                                           << "stopped answering" << WorkerClient::Ending::Killed;
        QTest::newRow("crashes") << "crashes"
                                 << "unexpectedly" << WorkerClient::Ending::ByItself;
        QTest::newRow("babbles") << "babbles"
                                 << "not understood" << WorkerClient::Ending::Terminated;
        QTest::newRow("no progress") << "no-progress"
                                     << "no progress" << WorkerClient::Ending::Terminated;
    }
    void everyMisbehaviourIsOneLossWithASentence() {
        QFETCH(QString, how);
        QFETCH(QString, sentence);
        QFETCH(WorkerClient::Ending, ending);
        WorkerClient client(optionsFor(how));
        QSignalSpy lost(&client, &WorkerClient::lost);
        connect(&client, &WorkerClient::ready, &client, [&] {
            client.setBusy(how == "no-progress");
            client.send(request());
        });
        client.start();
        QVERIFY(lost.wait(8000));
        QVERIFY2(lost.at(0).at(0).toString().contains(sentence), qPrintable(lost.at(0).at(0).toString()));
        QCOMPARE(client.lastEnding(), ending);
        QTest::qWait(300);
        QCOMPARE(lost.count(), 1);
        QCOMPARE(client.state(), WorkerClient::State::Stopped);
    }

    void aClipFinishedBeforeTheCrashIsNotLost() {
        WorkerClient client(optionsFor("dies-after-clip"));
        bool clip = false;
        connect(&client, &WorkerClient::received, &client, [&](const fw::ipc::Message& message) {
            clip = clip || std::holds_alternative<fw::ipc::ClipReady>(message);
        });
        connect(&client, &WorkerClient::ready, &client, [&] { client.send(request()); });
        QSignalSpy lost(&client, &WorkerClient::lost);
        client.start();
        QVERIFY(lost.wait(8000));
        QVERIFY(clip);
    }

    void aLongStepThatComputesIsNotAHang() {
        WorkerClient client(optionsFor("long-step"));
        QSignalSpy lost(&client, &WorkerClient::lost);
        QSignalSpy ready(&client, &WorkerClient::ready);
        connect(&client, &WorkerClient::ready, &client, [&] {
            client.setBusy(true);
            client.send(request());
        });
        client.start();
        QVERIFY(ready.wait(8000));
        QTest::qWait(1000);  // more than twice the limit without Progress
        QCOMPARE(lost.count(), 0);
        QVERIFY(WorkerClientOptions().progressLimit.count() > 0);
    }

    // Twenty times the slowest step, within bounds, and only while steps are made.
    void patienceFollowsTheSlowestStep() {
        fw::app::ProgressPatience patience(20min, 60s);
        const auto step = [&](int number, std::chrono::milliseconds at) {
            fw::ipc::Progress progress;
            progress.phase = "denoise";
            progress.step = number;
            patience.progressed(progress, at);
        };
        QVERIFY(patience.limit() == 20min);
        step(1, 1000ms);
        QVERIFY2(patience.limit() == 20min, "one end of a step tells no time");
        step(1, 90s);  // the same step told again
        QVERIFY(patience.limit() == 20min);
        step(2, 2000ms);
        QVERIFY2(patience.limit() == 60s, "never less");
        step(3, 12'000ms);
        QVERIFY(patience.limit() == 200s);
        step(4, 13'000ms);
        QVERIFY2(patience.limit() == 200s, "the slowest counts");
        step(5, 213'000ms);
        QVERIFY2(patience.limit() == 20min, "never more");
        fw::ipc::Progress decode;
        decode.phase = "decode";
        patience.progressed(decode, 214'000ms);
        QVERIFY2(patience.limit() == 20min, "decoding is no step");
        step(1, 300s);
        step(2, 301s);
        QVERIFY(patience.limit() == 60s);
        patience.jobBegins();
        QVERIFY(patience.limit() == 20min);
        fw::app::ProgressPatience endless(0ms, 60s);
        fw::ipc::Progress progress;
        progress.phase = "denoise";
        for (progress.step = 1; progress.step < 4; ++progress.step) {
            endless.progressed(progress, std::chrono::seconds(progress.step));
        }
        QVERIFY(endless.limit() == 0ms);
    }

    void whatTheEnginePrintsIsLoggedLineByLine() {
        WorkerClient client(optionsFor("talks"));
        QStringList lines;
        connect(&client, &WorkerClient::logged, &client, [&](const QString& line) { lines.append(line); });
        QSignalSpy ready(&client, &WorkerClient::ready);
        QSignalSpy stopped(&client, &WorkerClient::stopped);
        client.start();
        QVERIFY(ready.wait(8000));
        client.stop();
        QVERIFY(stopped.wait(8000));
        lines.sort();
        QCOMPARE(lines, (QStringList{"loading weights", "one", "two lines, the second unfinished"}));
    }

    void theLogKeepsTheNewestLines() {
        fw::app::LogBook book;
        int added = 0;
        connect(&book, &fw::app::LogBook::lineAdded, &book, [&](const auto& line) {
            ++added;
            QVERIFY(!line.text.contains(QLatin1Char('\n')));
        });
        using Level = fw::app::LogBook::Level;
        book.add(Level::Info, "engine", "first\n\n  second  \n");
        QCOMPARE(added, 2);
        QCOMPARE(book.lines().at(1).text, QStringLiteral("second"));
        book.add(Level::Warning, "library", "third");
        QVERIFY(book.toText(3).contains(QStringLiteral(" engine: first\n")));
        QVERIFY2(book.toText(1).endsWith(QStringLiteral(" library: warning: third\n")), qPrintable(book.toText(1)));
        QVERIFY(!book.toText(1).contains(QStringLiteral("second")));
        QCOMPARE(book.toText(0), QString());
        for (int i = 0; i < fw::app::LogBook::kLines; ++i) {
            book.add(Level::Error, "queue", QString::number(i));
        }
        QCOMPARE(book.lines().size(), fw::app::LogBook::kLines);
        QCOMPARE(book.lines().first().text, QStringLiteral("0"));
    }

    void aMissingProgramIsALoss() {
        WorkerClientOptions options = optionsFor("good");
        options.program = QStringLiteral("/no/such/program");
        WorkerClient client(options);
        QSignalSpy lost(&client, &WorkerClient::lost);
        client.start();
        QTRY_COMPARE_WITH_TIMEOUT(lost.count(), 1, 5000);
        QVERIFY(lost.at(0).at(0).toString().contains("/no/such/program"));
    }
};

QTEST_GUILESS_MAIN(SupervisorTest)
#include "supervisor_test.moc"
