// framewright-worker: the engine in a process of its own. Started by the studio, not by people.
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "app/worker/worker.h"

int main(int argc, char** argv) {
    if (argc != 3 || std::string_view(argv[1]) != "--socket") {
        std::fprintf(stderr,
                     "usage: framewright-worker --socket PATH\n"
                     "The engine process of Framewright; the studio starts it. For the command line use fw.\n");
        return 2;
    }
    // Without the studio there is nobody to work for: end with it, however it ends.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Ctrl-C in the terminal goes to the whole group; the studio decides what happens to us.
    std::signal(SIGINT, SIG_IGN);
    auto connection = fw::app::StudioConnection::open(argv[2]);
    if (!connection) {
        std::fprintf(stderr, "framewright-worker: %s\n", connection.error().message.c_str());
        return 6;
    }
    return fw::app::Worker(std::move(*connection)).run();
}
