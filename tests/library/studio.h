// A library, a worker and a queue in a folder of their own, for tests.
#pragma once

#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "app/library/job_queue.h"

namespace fw::test {

class Studio {
    // Asks the library and waits for the answer.
    template <class Work>
    auto ask(Work work) {
        using Answer = decltype(work(std::declval<store::LibraryStore&>()));
        std::optional<Answer> answer;
        QObject context;
        library->write(&context, work, [&](Answer result) { answer = std::move(result); });
        while (!answer) {
            QTest::qWait(1);
        }
        return **answer;
    }

 public:
    explicit Studio(QString program = QStringLiteral(FW_CLIP_WORKER), QStringList arguments = {})
        : m_program(std::move(program)), m_arguments(std::move(arguments)) {
        open();
    }
    ~Studio() { close(); }
    Studio(const Studio&) = delete;
    Studio& operator=(const Studio&) = delete;

    std::unique_ptr<app::LibraryService> library;
    std::unique_ptr<app::WorkerClient> worker;
    std::unique_ptr<app::JobQueue> queue;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }

    void open() {
        auto opened = app::LibraryService::open(folder());
        if (!opened) {
            qFatal("%s", opened.error().message.c_str());
        }
        library = std::move(*opened);
        app::WorkerClientOptions options;
        options.program = m_program;
        options.arguments = m_arguments;
        options.heartbeat = std::chrono::milliseconds(200);
        options.heartbeatLimit = std::chrono::milliseconds(2000);
        options.terminateWait = std::chrono::milliseconds(300);
        worker = std::make_unique<app::WorkerClient>(options);
        queue = std::make_unique<app::JobQueue>(*library, *worker);
        queue->start();
    }
    void close() {
        queue.reset();
        worker.reset();
        library.reset();
    }
    void add(const std::vector<std::string>& prompts) {
        std::vector<job::GenerationRequest> requests;
        for (const auto& prompt : prompts) {
            job::GenerationRequest request;
            request.prompt = prompt;
            requests.push_back(request);
        }
        queue->add(requests, 1);
    }
    std::vector<store::Job> jobs() {
        using store::JobState;
        return ask([](store::LibraryStore& s) {
            return s.jobs({JobState::Queued, JobState::Running, JobState::Interrupted, JobState::Done,
                           JobState::Failed, JobState::Cancelled},
                          -1);
        });
    }
    std::vector<store::Clip> clips() {
        return ask([](store::LibraryStore& s) {
            return s.clips({"", store::ClipOrder::Oldest, 0, false}, 0, 1000);
        });
    }
    int count(store::JobState state) {
        int result = 0;
        for (const auto& job : jobs()) {
            result += job.state == state ? 1 : 0;
        }
        return result;
    }
    [[nodiscard]] std::string contents(const std::string& relative) const {
        std::ifstream stream(folder() / relative);
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }
    // Every clip is whole and belongs to its prompt, every file in clips/ has its row; nothing half-made lies
    // about.
    void checkClips(std::size_t expected) {
        const auto all = clips();
        QCOMPARE(all.size(), expected);
        for (const auto& clip : all) {
            QCOMPARE(contents(clip.file), "abcdefghij " + clip.prompt);
        }
        std::size_t files = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
            files += entry.path().extension() == ".mp4" ? 1U : 0U;
            QVERIFY2(entry.path().extension() != ".part", entry.path().c_str());
        }
        QCOMPARE(files, expected);
    }
    void giveTo(uid_t user) {
        const auto give = [user](const std::filesystem::path& path) {
            QVERIFY(::lchown(path.c_str(), user, static_cast<gid_t>(-1)) == 0);
        };
        give(folder());
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
            give(entry.path());
        }
    }

 private:
    QTemporaryDir m_folder;
    QString m_program;
    QStringList m_arguments;
};

}  // namespace fw::test
