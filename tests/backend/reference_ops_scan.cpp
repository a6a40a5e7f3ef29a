// State space models in double precision: the plain recurrence, one row after the other.
#include <cmath>
#include <vector>

#include "core/backend/token_scan.h"
#include "reference_ops.h"

namespace fw::backend {

namespace {

// The row at position p of `rows`.
std::int64_t rowAt(const ConstTensorView& order, bool reverse, std::int64_t rows, std::int64_t position) {
    const std::int64_t place = reverse ? rows - 1 - position : position;
    return order.isNone() ? place : static_cast<std::int64_t>(readElement(order, {place}));
}

double activated(double x) {
    return x / (1.0 + std::exp(-x));
}

struct HeadScan {
    const StateSpaceInput& in;
    const ConstTensorView& order;
    std::int64_t batch, head;
    std::vector<double> state;  // [P, S]

    [[nodiscard]] std::size_t at(std::int64_t p, std::int64_t n) const {
        return static_cast<std::size_t>(p * in.b.dim(3) + n);
    }

    void start() {
        state.assign(static_cast<std::size_t>(in.x.dim(3) * in.b.dim(3)), 0.0);
        for (std::int64_t p = 0; !in.initialState.isNone() && p < in.x.dim(3); ++p) {
            for (std::int64_t n = 0; n < in.b.dim(3); ++n) {
                state[at(p, n)] = readElement(in.initialState, {batch, head, p, n});
            }
        }
    }

    void finish() const {
        for (std::int64_t p = 0; !in.finalState.isNone() && p < in.x.dim(3); ++p) {
            for (std::int64_t n = 0; n < in.b.dim(3); ++n) {
                writeElement(in.finalState, {batch, head, p, n}, state[at(p, n)]);
            }
        }
    }

    void step(std::int64_t position, const TensorView& y, bool adds) {
        const std::int64_t row = rowAt(order, in.reverse, in.x.dim(1), position);
        const std::int64_t group = head * in.b.dim(2) / in.x.dim(2);
        const double raw = readElement(in.step, {batch, row, head}) + readElement(in.stepBias, {head});
        const double delta = raw > 20.0 ? raw : std::log1p(std::exp(raw));
        const double kept = std::exp(-delta * std::exp(readElement(in.decay, {head})));
        for (std::int64_t p = 0; p < in.x.dim(3); ++p) {
            const double x = readElement(in.x, {batch, row, head, p});
            double sum = readElement(in.skip, {head}) * x;
            for (std::int64_t n = 0; n < in.b.dim(3); ++n) {
                double& s = state[at(p, n)];
                s = kept * s + delta * x * readElement(in.b, {batch, row, group, n});
                sum += s * readElement(in.c, {batch, row, group, n});
            }
            if (!y.isNone()) {
                const Dims index{batch, row, head, p};
                writeElement(y, index, adds ? sum + readElement(y, index) : sum);
            }
        }
    }
};

}  // namespace

void ReferenceOps::doScanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                              const ScanConvOptions& options, const TensorView& y) {
    const std::int64_t taps = weight.dim(0), before = options.prefix.isNone() ? 0 : options.prefix.dim(1);
    Dims index = firstIndex(x.shape());
    do {
        const std::int64_t position = index[1];
        double sum = readElement(bias, {index[2]});
        for (std::int64_t tap = 0; tap < taps; ++tap) {
            const std::int64_t from = position - (taps - 1) + tap;
            double value = 0.0;
            if (from >= 0) {
                value = readElement(
                    x, {index[0], rowAt(options.path.order, options.path.reverse, x.dim(1), from), index[2]});
            } else if (before + from >= 0) {
                const std::int64_t row = rowAt(options.prefixOrder, options.path.reverse, before, before + from);
                value = readElement(options.prefix, {index[0], row, index[2]});
            }
            sum += readElement(weight, {tap, index[2]}) * value;
        }
        const std::int64_t row = rowAt(options.path.order, options.path.reverse, x.dim(1), position);
        writeElement(y, {index[0], row, index[2]}, activated(sum));
    } while (advance(index, x.shape()));
}

void ReferenceOps::doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                                    const TensorView& y) {
    const Shape& shape = directions.front().x.shape();
    for (std::size_t i = 0; i < directions.size(); ++i) {
        for (std::int64_t head = 0; head < shape[0] * shape[2]; ++head) {
            HeadScan scan{directions[i], options.order, head / shape[2], head % shape[2], {}};
            scan.start();
            for (std::int64_t position = 0; position < shape[1]; ++position) {
                scan.step(position, y, i > 0);
            }
            scan.finish();
        }
    }
}

void ReferenceOps::doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate,
                                  const ConstTensorView& weight, std::int64_t groups, float eps,
                                  const TensorView& y) {
    const std::int64_t width = x.dim(2) / groups;
    Dims index = firstIndex({x.dim(0), x.dim(1), groups});
    do {
        std::vector<double> values;
        double squares = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            const Dims at{index[0], index[1], index[2] * width + i};
            values.push_back(readElement(x, at) * activated(readElement(gate, at)));
            squares += values.back() * values.back();
        }
        const double factor = 1.0 / std::sqrt(squares / static_cast<double>(width) + static_cast<double>(eps));
        for (std::int64_t i = 0; i < width; ++i) {
            const std::int64_t channel = index[2] * width + i;
            writeElement(y, {index[0], index[1], channel},
                         values[static_cast<std::size_t>(i)] * factor * readElement(weight, {channel}));
        }
    } while (advance(index, {x.dim(0), x.dim(1), groups}));
}

void ReferenceOps::doPoolTokens(const ConstTensorView& x, const TokenGrid& grid,
                                const std::array<std::int64_t, 3>& pooling, const TensorView& y) {
    const TokenGrid boxes = pooledGrid(grid, pooling);
    Dims index = firstIndex(y.shape());
    do {
        const std::int64_t box[] = {index[1] / boxes.plane(), index[1] / boxes.width % boxes.height,
                                    index[1] % boxes.width};
        double sum = 0.0, count = 0.0;
        for (std::int64_t token = 0; token < grid.tokens(); ++token) {
            const std::int64_t place[] = {token / grid.plane(), token / grid.width % grid.height,
                                          token % grid.width};
            if (place[0] / pooling[0] == box[0] && place[1] / pooling[1] == box[1] &&
                place[2] / pooling[2] == box[2]) {
                sum += readElement(x, {index[0], token, index[2]});
                count += 1.0;
            }
        }
        writeElement(y, index, sum / count);
    } while (advance(index, y.shape()));
}

}  // namespace fw::backend
