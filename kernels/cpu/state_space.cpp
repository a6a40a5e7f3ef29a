#include "kernels/cpu/state_space.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/state_space.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "kernels/cpu/simd-inl.h"

#ifndef FW_KERNELS_CPU_STATE_SPACE_TYPES_
#define FW_KERNELS_CPU_STATE_SPACE_TYPES_
namespace fw::kernels::cpu {

inline constexpr std::int64_t kScanPad = 16;  // rows of scratch matrices are multiples of the longest vector
inline constexpr std::int64_t kScanRows = 4;  // of a product computed at a time

inline std::int64_t padTo(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

// A thread's scratch memory: matrices of one chunk with padded rows, and the state. Padding is zero.
struct ScanScratch {
    ScanScratch(const StateSpaceArgs& args, std::int64_t columns)
        : chunk(padTo(std::min(args.chunk, std::max<std::int64_t>(args.rows, 1)), kScanPad)),
          state(padTo(args.stateDim, kScanPad)),
          width(padTo(columns, kScanPad)) {}
    [[nodiscard]] std::int64_t floats() const {
        return chunk * (width + 3 * state) + state * width + kScanRows * (chunk + width) + 5 * chunk;
    }
    void place(float* memory) {
        const auto take = [&](std::int64_t count) {
            float* result = memory;
            memory += count;
            return result;
        };
        x = take(chunk * width);
        b = take(chunk * state);
        bTransposed = take(chunk * state);
        c = take(chunk * state);
        s = take(state * width);
        scores = take(kScanRows * chunk);
        results = take(kScanRows * width);
        steps = take(chunk);
        decays = take(chunk);
        since = take(chunk);
        fromStart = take(chunk);
        toEnd = take(chunk);
    }

    std::int64_t chunk, state, width;  // padded extents
    float* x = nullptr;                // [chunk, width]
    float* b = nullptr;                // [chunk, state]
    float* bTransposed = nullptr;      // [state, chunk]
    float* c = nullptr;                // [chunk, state]
    float* s = nullptr;                // [state, width]
    float* scores = nullptr;           // [kScanRows, chunk]
    float* results = nullptr;          // [kScanRows, width]
    float* steps = nullptr;            // Δ
    float* decays = nullptr;           // Δ·e^decay
    float* since = nullptr;            // Σ of decays behind position j up to the current row
    float* fromStart = nullptr;        // Σ of decays up to position j
    float* toEnd = nullptr;            // Σ of decays behind position j
};

// Columns [first, first + columns) of one head.
struct ScanTask {
    const StateSpaceArgs* args = nullptr;
    std::int64_t batch = 0, head = 0, first = 0, columns = 0;
    ScanScratch* scratch = nullptr;
};

// Positions [first, first + count) of one direction.
struct ScanChunk {
    const StateSpaceDirection* direction = nullptr;
    bool adds = false;  // to what an earlier direction has written
    std::int64_t first = 0, count = 0;
};

inline std::int64_t rowAt(const StateSpaceArgs& args, bool reverse, std::int64_t position) {
    const std::int64_t place = reverse ? args.rows - 1 - position : position;
    return args.order == nullptr ? place : args.order[place];
}

}  // namespace fw::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fw::kernels::cpu::HWY_NAMESPACE {

// A matrix read by (row, step).
struct Left {
    const float* data;
    std::int64_t row, step;
};

// c [kScanRows, kVectors vectors] += a · b over `steps`.
template <std::size_t kVectors>
HWY_INLINE void multiplyTile(const Left& a, const float* b, std::int64_t bRow, std::int64_t steps, float* c,
                             std::int64_t cRow) {
    const FloatTag d;
    const std::int64_t lanes = floatLanes();
    Floats sums[kScanRows][kVectors];
    for (std::int64_t row = 0; row < kScanRows; ++row) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[row][v] = hn::LoadU(d, c + row * cRow + static_cast<std::int64_t>(v) * lanes);
        }
    }
    for (std::int64_t step = 0; step < steps; ++step) {
        Floats right[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            right[v] = hn::LoadU(d, b + step * bRow + static_cast<std::int64_t>(v) * lanes);
        }
        for (std::int64_t row = 0; row < kScanRows; ++row) {
            const Floats left = hn::Set(d, a.data[row * a.row + step * a.step]);
            for (std::size_t v = 0; v < kVectors; ++v) {
                sums[row][v] = hn::MulAdd(left, right[v], sums[row][v]);
            }
        }
    }
    for (std::int64_t row = 0; row < kScanRows; ++row) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            hn::StoreU(sums[row][v], d, c + row * cRow + static_cast<std::int64_t>(v) * lanes);
        }
    }
}

// c [kScanRows, columns] += a [kScanRows, steps] · b [steps, columns]; columns a multiple of a vector.
HWY_INLINE void multiply(const Left& a, const float* b, std::int64_t bRow, std::int64_t steps, std::int64_t columns,
                         float* c, std::int64_t cRow) {
    // As many sums as there are registers for, beside one row of b.
    constexpr std::size_t kVectors = HWY_MAX_BYTES >= 64 ? 4 : 2;
    const std::int64_t lanes = floatLanes();
    const std::int64_t tile = static_cast<std::int64_t>(kVectors) * lanes;
    std::int64_t column = 0;
    for (; column + tile <= columns; column += tile) {
        multiplyTile<kVectors>(a, b + column, bRow, steps, c + column, cRow);
    }
    for (; column < columns; column += lanes) {
        multiplyTile<1>(a, b + column, bRow, steps, c + column, cRow);
    }
}

HWY_INLINE Floats decayOf(Floats sum) {
    return boundedExpOfNegative(hn::Min(sum, hn::Set(FloatTag(), 87.0F)));
}

template <class T>
HWY_INLINE void widen(const T* source, std::int64_t count, float* row) {
    forVectors(count, [&](std::int64_t i, auto lanes) HWY_ATTR { store(load(source + i, lanes), row + i, lanes); });
}

// log(1 + e^x), for large x as the reference: x itself.
HWY_INLINE float softplus(float x) {
    return x > 20.0F ? x : std::log1p(std::exp(x));
}

void gatherSteps(const ScanTask& task, const ScanChunk& chunk) {
    const StateSpaceArgs& args = *task.args;
    const StateSpaceDirection& in = *chunk.direction;
    ScanScratch& scratch = *task.scratch;
    const float rate = std::exp(in.decay[task.head]);
    withElement(in.stepElement, [&](auto t) HWY_ATTR {
        const auto* steps = static_cast<const decltype(t)*>(in.step) + task.batch * in.stepBatch + task.head;
        for (std::int64_t i = 0; i < chunk.count; ++i) {
            const std::int64_t row = rowAt(args, in.reverse, chunk.first + i);
            const float raw = hn::GetLane(load(steps + row * in.stepRow, Tail{1}));
            scratch.steps[i] = softplus(raw + in.stepBias[task.head]);
            scratch.decays[i] = scratch.steps[i] * rate;
        }
    });
    std::fill(scratch.steps + chunk.count, scratch.steps + scratch.chunk, 0.0F);
    std::fill(scratch.decays + chunk.count, scratch.decays + scratch.chunk, 0.0F);
    float sum = 0.0F;
    for (std::int64_t i = 0; i < scratch.chunk; ++i) {
        sum += scratch.decays[i];
        scratch.fromStart[i] = sum;
    }
    sum = 0.0F;
    for (std::int64_t i = scratch.chunk; i-- > 0;) {
        scratch.toEnd[i] = sum;
        sum += scratch.decays[i];
    }
    std::fill(scratch.since, scratch.since + scratch.chunk, 0.0F);
}

void gatherRows(const ScanTask& task, const ScanChunk& chunk) {
    const StateSpaceArgs& args = *task.args;
    const StateSpaceDirection& in = *chunk.direction;
    ScanScratch& scratch = *task.scratch;
    const std::int64_t group = task.head * args.groups / args.heads;
    withElement(args.element, [&](auto t) HWY_ATTR {
        using T = decltype(t);
        const T* x = static_cast<const T*>(in.x) + task.batch * in.xBatch + task.head * in.xHead + task.first;
        const T* b = static_cast<const T*>(in.b) + task.batch * in.bBatch + group * in.bGroup;
        const T* c = static_cast<const T*>(in.c) + task.batch * in.cBatch + group * in.cGroup;
        for (std::int64_t i = 0; i < chunk.count; ++i) {
            const std::int64_t row = rowAt(args, in.reverse, chunk.first + i);
            widen(x + row * in.xRow, task.columns, scratch.x + i * scratch.width);
            widen(b + row * in.bRow, args.stateDim, scratch.b + i * scratch.state);
            widen(c + row * in.cRow, args.stateDim, scratch.c + i * scratch.state);
        }
    });
    // What a longer chunk has left behind.
    const std::int64_t beyond = chunk.count;
    std::fill(scratch.x + beyond * scratch.width, scratch.x + scratch.chunk * scratch.width, 0.0F);
    std::fill(scratch.b + beyond * scratch.state, scratch.b + scratch.chunk * scratch.state, 0.0F);
    std::fill(scratch.c + beyond * scratch.state, scratch.c + scratch.chunk * scratch.state, 0.0F);
}

// scores[r, j] · exp(-Σ decays behind j up to row) · Δ_j for j <= row, 0 behind.
HWY_INLINE void weighScores(ScanScratch& scratch, std::int64_t firstRow, std::int64_t columns) {
    for (std::int64_t r = 0; r < kScanRows; ++r) {
        const std::int64_t row = firstRow + r;
        float* scores = scratch.scores + r * scratch.chunk;
        const Floats decay = hn::Set(FloatTag(), scratch.decays[row]);
        forVectors(row, [&](std::int64_t j, auto lanes) HWY_ATTR {
            const Floats sum = hn::Add(load(static_cast<const float*>(scratch.since) + j, lanes), decay);
            const Floats step = load(static_cast<const float*>(scratch.steps) + j, lanes);
            const Floats score = load(static_cast<const float*>(scores) + j, lanes);
            store(sum, scratch.since + j, lanes);
            store(hn::Mul(score, hn::Mul(decayOf(sum), step)), scores + j, lanes);
        });
        scores[row] *= scratch.steps[row];
        std::fill(scores + row + 1, scores + columns, 0.0F);
    }
}

void writeRows(const ScanTask& task, const ScanChunk& chunk, std::int64_t firstRow) {
    const StateSpaceArgs& args = *task.args;
    const ScanScratch& scratch = *task.scratch;
    const Floats skip = hn::Set(FloatTag(), chunk.direction->skip[task.head]);
    const std::int64_t count = std::min(kScanRows, chunk.count - firstRow);
    withElement(args.element, [&](auto t) HWY_ATTR {
        using T = decltype(t);
        for (std::int64_t r = 0; r < count; ++r) {
            const std::int64_t row = rowAt(args, chunk.direction->reverse, chunk.first + firstRow + r);
            T* y = static_cast<T*>(args.y) + task.batch * args.yBatch + row * args.yRow + task.head * args.yHead +
                   task.first;
            const float* x = scratch.x + (firstRow + r) * scratch.width;
            const float* result = scratch.results + r * scratch.width;
            forVectors(task.columns, [&](std::int64_t i, auto lanes) HWY_ATTR {
                Floats value = hn::MulAdd(skip, load(x + i, lanes), load(result + i, lanes));
                if (chunk.adds) {
                    value = hn::Add(value, load(static_cast<const T*>(y) + i, lanes));
                }
                store(value, y + i, lanes);
            });
        }
    });
}

void readOutChunk(const ScanTask& task, const ScanChunk& chunk) {
    const StateSpaceArgs& args = *task.args;
    ScanScratch& scratch = *task.scratch;
    for (std::int64_t i = 0; i < scratch.chunk; ++i) {
        for (std::int64_t n = 0; n < args.stateDim; ++n) {
            scratch.bTransposed[n * scratch.chunk + i] = scratch.b[i * scratch.state + n];
        }
    }
    for (std::int64_t row = 0; row < chunk.count; row += kScanRows) {
        const std::int64_t columns = padTo(row + kScanRows, kScanPad);
        const Left c{scratch.c + row * scratch.state, scratch.state, 1};
        for (std::int64_t r = 0; r < kScanRows; ++r) {
            std::fill(scratch.scores + r * scratch.chunk, scratch.scores + r * scratch.chunk + columns, 0.0F);
        }
        multiply(c, scratch.bTransposed, scratch.chunk, args.stateDim, columns, scratch.scores, scratch.chunk);
        weighScores(scratch, row, columns);
        std::fill(scratch.results, scratch.results + kScanRows * scratch.width, 0.0F);
        multiply(c, scratch.s, scratch.width, args.stateDim, scratch.width, scratch.results, scratch.width);
        for (std::int64_t r = 0; r < kScanRows; ++r) {
            const Floats factor = decayOf(hn::Set(FloatTag(), scratch.fromStart[row + r]));
            forVectors(scratch.width, [&](std::int64_t i, auto lanes) HWY_ATTR {
                float* result = scratch.results + r * scratch.width + i;
                store(hn::Mul(factor, load(static_cast<const float*>(result), lanes)), result, lanes);
            });
        }
        multiply({scratch.scores, scratch.chunk, 1}, scratch.x, scratch.width, row + kScanRows, scratch.width,
                 scratch.results, scratch.width);
        writeRows(task, chunk, row);
    }
}

void updateState(const ScanTask& task, const ScanChunk& chunk) {
    ScanScratch& scratch = *task.scratch;
    const FloatTag d;
    const Floats kept = decayOf(hn::Set(d, scratch.fromStart[scratch.chunk - 1]));
    forVectors(scratch.state * scratch.width, [&](std::int64_t i, auto lanes) HWY_ATTR {
        store(hn::Mul(kept, load(static_cast<const float*>(scratch.s) + i, lanes)), scratch.s + i, lanes);
    });
    for (std::int64_t j = 0; j < chunk.count; ++j) {
        const Floats factor = hn::Mul(decayOf(hn::Set(d, scratch.toEnd[j])), hn::Set(d, scratch.steps[j]));
        float* b = scratch.b + j * scratch.state;
        forVectors(scratch.state, [&](std::int64_t i, auto lanes) HWY_ATTR {
            store(hn::Mul(factor, load(static_cast<const float*>(b) + i, lanes)), b + i, lanes);
        });
    }
    for (std::int64_t n = 0; n < scratch.state; n += kScanRows) {
        multiply({scratch.b + n, 1, scratch.state}, scratch.x, scratch.width, chunk.count, scratch.width,
                 scratch.s + n * scratch.width, scratch.width);
    }
}

// The state as others know it, [headDim, stateDim], and back.
void loadState(const ScanTask& task, const float* from) {
    ScanScratch& scratch = *task.scratch;
    std::fill(scratch.s, scratch.s + scratch.state * scratch.width, 0.0F);
    const std::int64_t states = task.args->stateDim;
    for (std::int64_t p = 0; from != nullptr && p < task.columns; ++p) {
        for (std::int64_t n = 0; n < states; ++n) {
            scratch.s[n * scratch.width + p] = from[(task.first + p) * states + n];
        }
    }
}

void saveState(const ScanTask& task, float* to) {
    const ScanScratch& scratch = *task.scratch;
    const std::int64_t states = task.args->stateDim;
    for (std::int64_t p = 0; to != nullptr && p < task.columns; ++p) {
        for (std::int64_t n = 0; n < states; ++n) {
            to[(task.first + p) * states + n] = scratch.s[n * scratch.width + p];
        }
    }
}

void scanHead(const ScanTask& task) {
    const StateSpaceArgs& args = *task.args;
    std::fill(task.scratch->x, task.scratch->x + task.scratch->floats(), 0.0F);
    const std::int64_t stateOffset = (task.batch * args.heads + task.head) * args.headDim * args.stateDim;
    for (int i = 0; i < args.directionCount; ++i) {
        const StateSpaceDirection& in = args.directions[i];
        loadState(task, in.initialState == nullptr ? nullptr : in.initialState + stateOffset);
        for (std::int64_t first = 0; first < args.rows; first += args.chunk) {
            const ScanChunk chunk{&in, i > 0, first, std::min(args.chunk, args.rows - first)};
            gatherSteps(task, chunk);
            gatherRows(task, chunk);
            if (args.y != nullptr) {
                readOutChunk(task, chunk);
            }
            updateState(task, chunk);
        }
        saveState(task, in.finalState == nullptr ? nullptr : in.finalState + stateOffset);
    }
}

}  // namespace fw::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fw::kernels::cpu {

HWY_EXPORT(scanHead);

namespace {

// Columns of a head computed in one task: fewer where there are more threads than heads.
std::int64_t columnsPerTask(const StateSpaceArgs& args) {
    std::int64_t columns = args.headDim;
    const auto tasks = [&] { return args.batch * args.heads * ((args.headDim + columns - 1) / columns); };
    while (columns >= 2 * kScanPad && columns % (2 * kScanPad) == 0 && tasks() < args.threads) {
        columns /= 2;
    }
    return columns;
}

}  // namespace

std::int64_t stateSpaceWorkspaceBytes(const StateSpaceArgs& args) {
    const ScanScratch scratch(args, columnsPerTask(args));
    return std::max(args.threads, 1) * padTo(scratch.floats(), kScanPad) * static_cast<std::int64_t>(sizeof(float));
}

void stateSpaceScan(const StateSpaceArgs& args) {
    const std::int64_t columns = columnsPerTask(args);
    const std::int64_t slices = (args.headDim + columns - 1) / columns;
    parallelFor(args.batch * args.heads * slices, args.threads, [&](std::int64_t index, int worker) {
        ScanScratch scratch(args, columns);
        scratch.place(static_cast<float*>(args.workspace) + worker * padTo(scratch.floats(), kScanPad));
        const std::int64_t head = index / slices;
        ScanTask task{&args, head / args.heads, head % args.heads, index % slices * columns, 0, &scratch};
        task.columns = std::min(columns, args.headDim - task.first);
        HWY_DYNAMIC_DISPATCH(scanHead)(task);
    });
}

}  // namespace fw::kernels::cpu
#endif
