// Questions to the real engine process, and to one that dies of them.
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <filesystem>

#include "app/library/engine_link.h"

using namespace fw;
using fw::app::EngineLink;
using fw::app::Forecast;
using fw::app::ModelSummary;
using fw::app::Ticket;
using fw::app::WorkerClient;

class EngineLinkTest : public QObject {
    Q_OBJECT

 private:
    std::unique_ptr<WorkerClient> m_worker;
    std::unique_ptr<EngineLink> m_link;

    // A worker that is started again whenever it is lost, as the queue does.
    void open(const QString& program, const QStringList& arguments = {}) {
        app::WorkerClientOptions options;
        options.program = program;
        options.arguments = arguments;
        m_worker = std::make_unique<WorkerClient>(options);
        m_link = std::make_unique<EngineLink>(*m_worker);
        connect(m_worker.get(), &WorkerClient::lost, m_worker.get(), &WorkerClient::start);
    }
    static job::GenerationRequest request(std::int64_t frames) {
        job::GenerationRequest request;
        request.prompt = "a fox";
        request.width = request.height = 128;
        request.frames = frames;
        return request;
    }

 private slots:
    void cleanup() {
        m_link.reset();
        m_worker.reset();
    }

    void whatIsAskedBeforeTheEngineIsThereIsAnsweredOnceItIs() {
        open(QStringLiteral(FW_WORKER));
        QSignalSpy models(m_link.get(), &EngineLink::modelReady);
        QSignalSpy capabilities(m_link.get(), &EngineLink::capabilitiesChanged);
        QVERIFY(m_link->methods().empty());
        m_link->openModel(QStringLiteral("/no/such/folder"));
        m_link->openModel({});
        m_worker->start();
        QTRY_COMPARE_WITH_TIMEOUT(models.count(), 1, 20000);
        const auto mini = models.at(0).at(0).value<ModelSummary>();
        QVERIFY(mini.embedded);
        QCOMPARE(mini.name, QStringLiteral("mini"));
        QVERIFY(mini.problems.isEmpty());
        QVERIFY(mini.parameters > 1'000'000);
        QVERIFY(mini.bytes > 1'000'000);
        QVERIFY(mini.defaults.width % mini.defaults.sizeMultiple == 0);
        QCOMPARE(capabilities.count(), 1);
        QVERIFY(!m_link->methods().empty());
        QVERIFY(!m_link->devices().empty());
    }

    void aFolderThatIsNoModelIsRefusedWithTheEnginesSentence() {
        open(QStringLiteral(FW_WORKER));
        QSignalSpy failed(m_link.get(), &EngineLink::modelFailed);
        m_worker->start();
        const QString hostile = QStringLiteral("/no/such/\"folder\"\n狐狸");
        m_link->openModel(hostile);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 20000);
        QCOMPARE(failed.at(0).at(0).toString(), hostile);
        const auto error = failed.at(0).at(1).value<Error>();
        QCOMPARE(error.code, ErrorCode::BadModel);
        QVERIFY2(error.message.find("does not exist") != std::string::npos, error.message.c_str());
    }

    void findsTheEmbeddedModelFirstAndWhatLooksLikeOne() {
        QTemporaryDir folder;
        const std::filesystem::path root = folder.path().toStdString();
        std::filesystem::create_directories(root / "broken");
        std::filesystem::create_directories(root / "holiday pictures");
        QFile index(folder.filePath(QStringLiteral("broken/model_index.json")));
        QVERIFY(index.open(QIODevice::WriteOnly) && index.write("{\"_class_name\": \"OtherPipeline\"}") > 0);
        index.close();
        open(QStringLiteral(FW_WORKER));
        QSignalSpy found(m_link.get(), &EngineLink::modelsFound);
        m_worker->start();
        m_link->findModels(
            {folder.path(), QStringLiteral("/no/such/root"), folder.filePath(QStringLiteral("broken"))});
        QTRY_COMPARE_WITH_TIMEOUT(found.count(), 1, 20000);
        const auto models = found.at(0).at(0).value<QList<ModelSummary>>();
        QCOMPARE(models.size(), 2);
        QVERIFY(models[0].embedded);
        QCOMPARE(models[1].name, QStringLiteral("broken"));
        QVERIFY2(models[1].problems.value(0).contains(QStringLiteral("OtherPipeline")),
                 qPrintable(models[1].problems.value(0)));
    }

    void ofManyForecastsTheNewestIsAnswered() {
        open(QStringLiteral(FW_WORKER));
        QSignalSpy ready(m_link.get(), &EngineLink::forecastReady);
        QSignalSpy failed(m_link.get(), &EngineLink::forecastFailed);
        QSignalSpy working(m_worker.get(), &WorkerClient::ready);
        m_worker->start();
        QVERIFY(working.wait(20000));
        for (Ticket ticket = 1; ticket <= 20; ++ticket) {
            m_link->forecast(ticket, request(static_cast<std::int64_t>(4 * ticket + 1)));
        }
        QTRY_COMPARE_WITH_TIMEOUT(ready.count(), 1, 30000);
        QCOMPARE(ready.at(0).at(0).value<Ticket>(), Ticket{20});
        const auto large = ready.at(0).at(1).value<Forecast>();
        m_link->forecast(21, request(5));
        QTRY_COMPARE_WITH_TIMEOUT(ready.count(), 2, 30000);
        const auto small = ready.at(1).at(1).value<Forecast>();
        QVERIFY(small.tokens > 0 && small.tokens < large.tokens);
        QVERIFY(small.flops > 0 && small.flops < large.flops);
        QVERIFY(small.peakBytes > 0 && small.peakBytes < large.peakBytes);
        m_link->forecast(22, request(6));
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 30000);
        QCOMPARE(failed.at(0).at(0).value<Ticket>(), Ticket{22});
        QVERIFY(failed.at(0).at(1).value<Error>().message.find('6') != std::string::npos);
        auto absent = request(5);
        absent.device = "cuda:77";
        absent.dtype = "bf16";  // what another machine would need could be said, but this one is to do it
        m_link->forecast(23, absent);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 2, 30000);
        const std::string refused = failed.at(1).at(1).value<Error>().message;
        QVERIFY2(refused.find("there is no device \"cuda:77\" here") != std::string::npos, refused.c_str());
    }

    void aQuestionOutlivesItsEngine() {
        open(QStringLiteral(FW_WORKER));
        QSignalSpy ready(m_link.get(), &EngineLink::forecastReady);
        QSignalSpy lost(m_worker.get(), &WorkerClient::lost);
        bool killed = false;
        connect(m_worker.get(), &WorkerClient::ready, m_worker.get(), [&] {
            if (!std::exchange(killed, true)) {
                m_link->forecast(7, request(9));
                ::kill(static_cast<pid_t>(m_worker->hello()->processId), SIGKILL);
            }
        });
        m_worker->start();
        QTRY_COMPARE_WITH_TIMEOUT(lost.count(), 1, 20000);
        QTRY_COMPARE_WITH_TIMEOUT(ready.count(), 1, 20000);
        QCOMPARE(ready.at(0).at(0).value<Ticket>(), Ticket{7});
    }

    void aQuestionThatEndsTwoEnginesIsGivenUp() {
        open(QStringLiteral(FW_SCRIPTED_WORKER), {QStringLiteral("dies-when-asked")});
        QSignalSpy failed(m_link.get(), &EngineLink::modelFailed);
        QSignalSpy found(m_link.get(), &EngineLink::modelsFound);
        m_worker->start();
        m_link->openModel(QStringLiteral("/models/x"));
        m_link->findModels({QStringLiteral("/models")});
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 20000);
        QCOMPARE(failed.at(0).at(1).value<Error>().code, ErrorCode::DeviceLost);
        QTRY_COMPARE_WITH_TIMEOUT(found.count(), 1, 20000);
        QTRY_COMPARE_WITH_TIMEOUT(m_worker->state(), WorkerClient::State::Ready, 20000);
    }
};

QTEST_GUILESS_MAIN(EngineLinkTest)
#include "engine_link_test.moc"
