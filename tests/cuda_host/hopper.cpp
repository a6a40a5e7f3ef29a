// Barriers that count bytes, tensor copies and turns, on the host.
#include <algorithm>
#include <cstring>
#include <map>

#include "cuda_host_instructions.h"
#include "kernels/cuda/tensor_map.h"

namespace fw::kernels::cuda {

namespace {

struct State {
    int members = 0, missing = 0, bytes = 0, phase = 0;

    void settle() {
        if (missing == 0 && bytes == 0) {
            missing = members;
            phase ^= 1;
        }
    }
};
// Launches run one at a time, and every block begins with initialisations.
std::map<const void*, State>& barriers() {
    static std::map<const void*, State> all;
    return all;
}

struct Turn {
    int arrived = 0;
    unsigned round = 0;
};
std::map<int, Turn>& turns() {
    static std::map<int, Turn> all;
    return all;
}

void announce(Turn& turn, int threads) {
    if (++turn.arrived == threads) {
        turn.arrived = 0;
        ++turn.round;
    }
}

}  // namespace

void initBarrier(std::uint64_t* barrier, int arrivals) {
    barriers()[barrier] = {arrivals, arrivals, 0, 0};
    turns().clear();
}

void arriveExpecting(std::uint64_t* barrier, int bytes) {
    State& state = barriers().at(barrier);
    state.bytes += bytes;
    --state.missing;
    state.settle();
}

void arrive(std::uint64_t* barrier) {
    State& state = barriers().at(barrier);
    --state.missing;
    state.settle();
}

void waitFor(std::uint64_t* barrier, int parity) {
    while (barriers().at(barrier).phase == parity) {
        fw::cuda_host::yieldThread();
    }
}

void waitForTurn(int id, int threads) {
    Turn& turn = turns()[id];
    const unsigned round = turn.round;
    announce(turn, threads);
    while (turn.round == round) {
        fw::cuda_host::yieldThread();
    }
}

void giveTurn(int id, int threads) {
    announce(turns()[id], threads);
}

bool makeTensorMap(TensorMap& map, const TensorMapSpec& spec) {
    static_assert(sizeof(spec) <= sizeof(map.bytes));
    std::memcpy(map.bytes, &spec, sizeof(spec));
    return true;
}

void loadBox(void* shared, const TensorMap& map, std::uint64_t* barrier, int column, int token, int head,
             int batch) {
    TensorMapSpec spec;
    std::memcpy(&spec, map.bytes, sizeof(spec));
    for (int row = 0; row < spec.boxTokens; ++row) {
        for (int c = 0; c < 64; ++c) {
            std::uint16_t value = 0;
            if (token + row < spec.tokens && column + c < spec.width) {
                value = static_cast<const std::uint16_t*>(
                    spec.data)[batch * spec.batchStride + (token + row) * spec.tokenStride +
                               head * spec.headStride + column + c];
            }
            std::uint32_t address = sharedAddressOf(shared) + static_cast<std::uint32_t>(row * 128 + c * 2);
            address ^= (address >> 7U & 7U) << 4U;
            std::memcpy(fw::cuda_host::dynamicShared() + address, &value, sizeof(value));
        }
    }
    State& state = barriers().at(barrier);
    state.bytes -= spec.boxTokens * 128;
    state.settle();
}

}  // namespace fw::kernels::cuda
