#include "program_run.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

namespace fw::test {

namespace {

std::string read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void redirect(const std::filesystem::path& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, descriptor);
    ::close(file);
}

}  // namespace

ProgramRun::ProgramRun(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                       const std::function<bool()>& prepare)
    : m_out(folder.string() + ".out"), m_err(folder.string() + ".err") {
    const std::string program = FW_BINARY_DIR "/bin/fw";
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    std::ofstream(m_err).close();  // so that waitForError() never reads an older run's
    m_process = ::fork();
    if (m_process == 0) {
        redirect(m_out, STDOUT_FILENO);
        redirect(m_err, STDERR_FILENO);
        if (::chdir(folder.c_str()) != 0 || (prepare && !prepare())) {
            ::_exit(125);
        }
        ::execv(program.c_str(), pointers.data());
        ::_exit(127);
    }
}

bool ProgramRun::waitForError(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (std::chrono::steady_clock::now() < end) {
        if (read(m_err).find(text) != std::string::npos) {
            return true;
        }
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(m_process), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid != 0) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

void ProgramRun::sendSignal(int signal) const {
    ::kill(m_process, signal);
}

Outcome ProgramRun::wait() {
    int status = 0;
    ::waitpid(m_process, &status, 0);
    Outcome outcome;
    if (WIFEXITED(status)) {
        outcome.exit = WEXITSTATUS(status);
    } else if (WIFSIGNALED(status)) {
        outcome.signal = WTERMSIG(status);
    }
    outcome.out = read(m_out);
    outcome.err = read(m_err);
    std::filesystem::remove(m_out);
    std::filesystem::remove(m_err);
    return outcome;
}

}  // namespace fw::test
