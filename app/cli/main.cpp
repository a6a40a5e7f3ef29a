#include "app/cli/interrupt.h"
#include "app/cli/program.h"

int main(int argc, char** argv) {
    const fw::cli::Interrupt interrupt;
    return fw::cli::runProgram(argc, argv, interrupt.token());
}
