// Sparse and linear attention in double precision: dense scores with the rest masked, O(N²) kernels written out.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "reference_ops.h"

namespace fw::backend {

namespace {

using Visible = std::function<bool(std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t key)>;

double dot(const ConstTensorView& a, const ConstTensorView& b, const Dims& i, const Dims& j) {
    double sum = 0.0;
    for (std::int64_t d = 0; d < a.dim(3); ++d) {
        sum += readElement(a, {i[0], i[1], i[2], d}) * readElement(b, {j[0], j[1], j[2], d});
    }
    return sum;
}

// One row of masked attention: [D]; zeros when nothing is visible.
std::vector<double> maskedRow(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                              float scale, const Dims& at, const Visible& visible) {
    const std::int64_t b = at[0], n = at[1], h = at[2];
    std::vector<double> scores(static_cast<std::size_t>(k.dim(1)), -std::numeric_limits<double>::infinity());
    for (std::int64_t key = 0; key < k.dim(1); ++key) {
        if (visible(b, h, n, key)) {
            scores[static_cast<std::size_t>(key)] = static_cast<double>(scale) * dot(q, k, at, {b, key, h});
        }
    }
    const double top = *std::max_element(scores.begin(), scores.end());
    std::vector<double> row(static_cast<std::size_t>(q.dim(3)), 0.0);
    double sum = 0.0;
    for (std::int64_t key = 0; key < k.dim(1); ++key) {
        const double score = scores[static_cast<std::size_t>(key)];
        if (std::isinf(score)) {
            continue;
        }
        const double weight = std::exp(score - top);
        sum += weight;
        for (std::int64_t d = 0; d < q.dim(3); ++d) {
            row[static_cast<std::size_t>(d)] += weight * readElement(v, {b, key, h, d});
        }
    }
    for (double& value : row) {
        value = sum > 0.0 ? value / sum : 0.0;
    }
    return row;
}

void maskedAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                     const TensorView& out, float scale, const Visible& visible) {
    Dims at = firstIndex({q.dim(0), q.dim(1), q.dim(2)});
    do {
        const std::vector<double> row = maskedRow(q, k, v, scale, at, visible);
        for (std::int64_t d = 0; d < q.dim(3); ++d) {
            writeElement(out, {at[0], at[1], at[2], d}, row[static_cast<std::size_t>(d)]);
        }
    } while (advance(at, {q.dim(0), q.dim(1), q.dim(2)}));
}

// Where a token stands: written from the definition, not from the tables of the code under test.
std::int64_t positionOf(const TokenGrid& grid, std::int64_t token, bool tokenMajor) {
    return tokenMajor ? token % grid.plane() * grid.frames + token / grid.plane() : token;
}

std::int64_t blockOf(const TokenBlocks& blocks, std::int64_t token) {
    if (!blocks.isTiled()) {
        return token / blocks.size;
    }
    const TokenGrid& grid = blocks.grid;
    const auto along = [](std::int64_t extent, std::int64_t tile) { return (extent + tile - 1) / tile; };
    const std::int64_t t = token / grid.plane() / blocks.tile[0];
    const std::int64_t y = token % grid.plane() / grid.width / blocks.tile[1];
    const std::int64_t x = token % grid.width / blocks.tile[2];
    return (t * along(grid.height, blocks.tile[1]) + y) * along(grid.width, blocks.tile[2]) + x;
}

Visible windowOf(const WindowOptions& options, const std::function<bool(std::int64_t, std::int64_t)>& tokenMajor) {
    return [=](std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t key) {
        const bool second = tokenMajor(b, h);
        return (options.sinkFrame && key < options.grid.plane()) ||
               std::abs(positionOf(options.grid, query, second) - positionOf(options.grid, key, second)) <=
                   options.window;
    };
}

double rectified(double x) {
    return std::isnan(x) ? x : std::max(x, 0.0);
}

// ρ and φ of one row.
struct Features {
    std::vector<double> plain, turned;
};
Features featuresOf(const ConstTensorView& x, const Dims& at, const std::optional<RopeTables>& rope) {
    Features result;
    for (std::int64_t d = 0; d < x.dim(3); ++d) {
        result.plain.push_back(readElement(x, {at[0], at[1], at[2], d}));
    }
    for (std::size_t d = 0; d < result.plain.size(); d += 2) {
        double a = result.plain[d], b = result.plain[d + 1], cosine = 1.0, sine = 0.0;
        if (rope) {
            cosine = readElement(rope->cosine, {at[1], static_cast<std::int64_t>(d / 2)});
            sine = readElement(rope->sine, {at[1], static_cast<std::int64_t>(d / 2)});
        }
        const double even = rectified(a * cosine + b * sine);
        const double odd = rectified(b * cosine - a * sine);
        result.plain[d] = even, result.plain[d + 1] = odd;
        result.turned.push_back(even * cosine - odd * sine);
        result.turned.push_back(even * sine + odd * cosine);
    }
    return result;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

void ReferenceOps::doWindowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                     const TensorView& out, const WindowOptions& options) {
    const auto tokenMajor = [&](std::int64_t b, std::int64_t h) {
        return !options.orders.isNone() && readElement(options.orders, {b, h}) == 1.0;
    };
    maskedAttention(q, k, v, out, options.scale, windowOf(options, tokenMajor));
}

void ReferenceOps::doBlockSparseAttention(const ConstTensorView& q, const ConstTensorView& k,
                                          const ConstTensorView& v, const TensorView& out, const BlockLists& lists,
                                          const BlockSparseOptions& options) {
    maskedAttention(q, k, v, out, options.scale,
                    [&](std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t key) {
                        const std::int64_t row = blockOf(options.blocks, query);
                        const auto count = static_cast<std::int64_t>(readElement(lists.counts, {b, h, row}));
                        for (std::int64_t i = 0; i < count; ++i) {
                            const double kept = readElement(lists.blocks, {b, h, row, i});
                            if (kept == static_cast<double>(blockOf(options.blocks, key))) {
                                return true;
                            }
                        }
                        return false;
                    });
}

void ReferenceOps::doSelectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                                  const BlockLists& lists) {
    const auto blocks = static_cast<std::size_t>(options.blocks.count());
    Dims at = firstIndex({q.dim(0), q.dim(2)});
    do {
        // Means of all blocks of one head, q and k side by side: [2][blocks][D].
        std::vector<std::vector<double>> means(2 * blocks, std::vector<double>(static_cast<std::size_t>(q.dim(3))));
        for (std::int64_t token = 0; token < q.dim(1); ++token) {
            const std::int64_t block = blockOf(options.blocks, token);
            const auto size = static_cast<double>(options.blocks.tokensOf(block));
            for (std::int64_t d = 0; d < q.dim(3); ++d) {
                const auto index = static_cast<std::size_t>(block);
                const auto channel = static_cast<std::size_t>(d);
                means[index][channel] += readElement(q, {at[0], token, at[1], d}) / size;
                means[blocks + index][channel] += readElement(k, {at[0], token, at[1], d}) / size;
            }
        }
        for (std::size_t row = 0; row < blocks; ++row) {
            std::vector<std::pair<double, std::int64_t>> ranked;
            for (std::size_t key = 0; key < blocks; ++key) {
                const bool forced =
                    options.sinkFrame && static_cast<std::int64_t>(key) <
                                             static_cast<std::int64_t>(options.blocks.firstFrameBlocks().size());
                const double score =
                    forced ? std::numeric_limits<double>::infinity() : product(means[row], means[blocks + key]);
                ranked.emplace_back(-score, static_cast<std::int64_t>(key));
            }
            std::sort(ranked.begin(), ranked.end());
            ranked.resize(static_cast<std::size_t>(options.kept));
            std::sort(ranked.begin(), ranked.end(),
                      [](const auto& a, const auto& b) { return a.second < b.second; });
            for (std::size_t i = 0; i < ranked.size(); ++i) {
                writeElement(lists.blocks,
                             {at[0], at[1], static_cast<std::int64_t>(row), static_cast<std::int64_t>(i)},
                             static_cast<double>(ranked[i].second));
            }
            writeElement(lists.counts, {at[0], at[1], static_cast<std::int64_t>(row)},
                         static_cast<double>(options.kept));
        }
    } while (advance(at, {q.dim(0), q.dim(2)}));
}

void ReferenceOps::doChooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                       const WindowOptions& options, std::int64_t samples,
                                       const TensorView& orders) {
    const std::int64_t rows = std::min(samples, q.dim(1));
    Dims at = firstIndex({q.dim(0), q.dim(2)});
    do {
        double errors[2] = {0.0, 0.0};
        for (std::int64_t i = 0; i < rows; ++i) {
            const Dims query{at[0], (2 * i + 1) * q.dim(1) / (2 * rows), at[1]};
            const auto all = maskedRow(q, k, v, options.scale, query, [](auto, auto, auto, auto) { return true; });
            for (int second = 0; second < 2; ++second) {
                const auto some = maskedRow(q, k, v, options.scale, query,
                                            windowOf(options, [&](auto, auto) { return second == 1; }));
                for (std::size_t d = 0; d < all.size(); ++d) {
                    errors[second] += (some[d] - all[d]) * (some[d] - all[d]);
                }
            }
        }
        writeElement(orders, {at[0], at[1]}, errors[1] < errors[0] ? 1.0 : 0.0);
    } while (advance(at, {q.dim(0), q.dim(2)}));
}

// In its O(N²) form: every query with every key.
void ReferenceOps::doLinearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                     const TensorView& out, const LinearAttentionOptions& options) {
    Dims at = firstIndex({q.dim(0), q.dim(1), q.dim(2)});
    do {
        const Features query = featuresOf(q, at, options.rope);
        std::vector<double> row(static_cast<std::size_t>(q.dim(3)), 0.0);
        double divisor = static_cast<double>(options.eps);
        for (std::int64_t key = 0; key < k.dim(1); ++key) {
            const Features other = featuresOf(k, {at[0], key, at[2]}, options.rope);
            divisor += product(query.plain, other.plain);
            const double weight = product(query.turned, other.turned);
            for (std::int64_t d = 0; d < q.dim(3); ++d) {
                row[static_cast<std::size_t>(d)] += weight * readElement(v, {at[0], key, at[2], d});
            }
        }
        for (std::int64_t d = 0; d < q.dim(3); ++d) {
            writeElement(out, {at[0], at[1], at[2], d}, row[static_cast<std::size_t>(d)] / divisor);
        }
    } while (advance(at, {q.dim(0), q.dim(1), q.dim(2)}));
}

void ReferenceOps::doAddBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options) {
    const auto sigmoid = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
    Dims at = firstIndex(out.shape());
    do {
        double gate = 1.0;
        if (options.gate == GateMode::Token) {
            gate = sigmoid(readElement(options.logits, {at[0], at[1], 0}));
        } else if (options.gate == GateMode::Sample) {
            double sum = 0.0;
            for (std::int64_t n = 0; n < out.dim(1); ++n) {
                sum += readElement(options.logits, {at[0], n, 0});
            }
            gate = sigmoid(sum / static_cast<double>(out.dim(1)));
        }
        const double added = static_cast<double>(options.scale) * gate * readElement(branch, at);
        writeElement(out, at, readElement(out, at) + added);
    } while (advance(at, out.shape()));
}

}  // namespace fw::backend
