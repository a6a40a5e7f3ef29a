// Answers the studio's questions about models and costs while jobs run.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/ipc/messages.h"

namespace fw::app {

// What an InspectModel, FindModels or PlanRequest is answered with: Answer (answers.h) or Refused. Needs neither
// weights nor a GPU: configurations, tensor tables and dry runs on the Meta device.
[[nodiscard]] ipc::Message answerTo(const ipc::Message& question);

// One thread of its own. Of several waiting questions of one kind only the newest is answered.
class QuestionDesk {
 public:
    // `reply` is called on the desk's thread.
    explicit QuestionDesk(std::function<void(const ipc::Message&)> reply);
    // Drops what waits and finishes the question at hand.
    ~QuestionDesk();
    QuestionDesk(const QuestionDesk&) = delete;
    QuestionDesk& operator=(const QuestionDesk&) = delete;

    [[nodiscard]] static bool isQuestion(const ipc::Message& message);
    void ask(const ipc::Message& question);

 private:
    void work();

    std::function<void(const ipc::Message&)> m_reply;
    std::mutex m_lock;
    std::condition_variable m_changed;
    std::deque<ipc::Message> m_waiting;
    bool m_closing = false;
    std::thread m_thread;  // last: it uses everything above
};

}  // namespace fw::app
