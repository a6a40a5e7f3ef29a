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

namespace {

// The specifications stand for the driver's descriptions here.
static_assert(sizeof(TensorMapSpec) <= sizeof(TensorMap::bytes) && sizeof(GridMapSpec) <= sizeof(TensorMap::bytes));

// One element of a box into swizzled shared memory; zero where the tensor has none.
void placeElement(void* shared, int row, int c, const void* data, std::int64_t offset, bool exists) {
    const std::uint16_t value = exists ? static_cast<const std::uint16_t*>(data)[offset] : std::uint16_t{0};
    std::uint32_t address = sharedAddressOf(shared) + static_cast<std::uint32_t>(row * 128 + c * 2);
    address ^= (address >> 7U & 7U) << 4U;
    std::memcpy(fw::cuda_host::dynamicShared() + address, &value, sizeof(value));
}

void settleBytes(const std::uint64_t* barrier, int rows) {
    State& state = barriers().at(barrier);
    state.bytes -= rows * 128;
    state.settle();
}

}  // namespace

bool makeTensorMap(TensorMap& map, const TensorMapSpec& spec) {
    std::memcpy(map.bytes, &spec, sizeof(spec));
    return true;
}
bool makeGridMap(TensorMap& map, const GridMapSpec& spec) {
    std::memcpy(map.bytes, &spec, sizeof(spec));
    return true;
}

void loadBox(void* shared, const TensorMap& map, std::uint64_t* barrier, int column, int token, int head,
             int batch) {
    TensorMapSpec spec;
    std::memcpy(&spec, map.bytes, sizeof(spec));
    for (int row = 0; row < spec.boxTokens; ++row) {
        for (int c = 0; c < 64; ++c) {
            const std::int64_t at =
                batch * spec.batchStride + (token + row) * spec.tokenStride + head * spec.headStride + column + c;
            placeElement(shared, row, c, spec.data, at, token + row < spec.tokens && column + c < spec.width);
        }
    }
    settleBytes(barrier, spec.boxTokens);
}

void loadBytes(void* shared, const void* global, int bytes, std::uint64_t* barrier) {
    std::memcpy(shared, global, static_cast<std::size_t>(bytes));
    State& state = barriers().at(barrier);
    state.bytes -= bytes;
    state.settle();
}

void loadGridBox(void* shared, const TensorMap& map, std::uint64_t* barrier, const int (&at)[5]) {
    GridMapSpec spec;
    std::memcpy(&spec, map.bytes, sizeof(spec));
    const int rows = spec.box[0] * spec.box[1] * spec.box[2] * spec.box[3];
    for (int row = 0; row < rows; ++row) {
        std::int64_t offset = 0;
        bool exists = true;
        for (int axis = 0, rest = row; axis < 4; rest /= spec.box[axis++]) {
            const std::int64_t index = at[axis + 1] + rest % spec.box[axis];
            offset += index * spec.strides[axis];
            exists = exists && index >= 0 && index < spec.extents[axis + 1];
        }
        for (int c = 0; c < 64; ++c) {
            placeElement(shared, row, c, spec.data, offset + at[0] + c, exists && at[0] + c < spec.extents[0]);
        }
    }
    settleBytes(barrier, rows);
}

}  // namespace fw::kernels::cuda

void fw::cuda_host::forgetTurns() {
    fw::kernels::cuda::turns().clear();
}
