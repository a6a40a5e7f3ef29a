// Runs the real `fw` in a process of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace fw::test {

struct Outcome {
    int exit = -1;    // exit code, or -1
    int signal = 0;   // the signal that ended it, or 0
    std::string out;  // stdout
    std::string err;  // stderr
};

// A started program; wait() must be called once.
class ProgramRun {
 public:
    // `prepare` runs in the child before the program; false ends the child with exit code 125.
    ProgramRun(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
               const std::function<bool()>& prepare = {});
    // True once stderr holds `text`; false when the program ended or 120 seconds passed before.
    [[nodiscard]] bool waitForError(const std::string& text);
    void sendSignal(int signal) const;
    [[nodiscard]] Outcome wait();

 private:
    std::filesystem::path m_out, m_err;
    pid_t m_process = -1;
};

}  // namespace fw::test
