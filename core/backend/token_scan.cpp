#include "core/backend/token_scan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"

namespace fw::backend {

namespace {

struct NamedOrder {
    ScanOrder order;
    std::string_view name;
};
constexpr NamedOrder kOrders[] = {
    {ScanOrder::SRow, "s_row"},
    {ScanOrder::SCol, "s_col"},
    {ScanOrder::TRow, "t_row"},
    {ScanOrder::TCol, "t_col"},
    {ScanOrder::ZigzagSRow, "zigzag_s_row"},
    {ScanOrder::ZigzagSCol, "zigzag_s_col"},
    {ScanOrder::ZigzagTRow, "zigzag_t_row"},
    {ScanOrder::ZigzagTCol, "zigzag_t_col"},
    {ScanOrder::Hilbert, "hilbert"},
};

// One axis of a grid: how many places it has, and how far apart they lie in memory.
struct Axis {
    std::int64_t extent = 0, step = 0;
};

std::vector<std::int32_t> rasterScan(const std::array<Axis, 3>& slowToFast, bool zigzag) {
    const auto& [slow, middle, fast] = slowToFast;
    std::vector<std::int32_t> tokens;
    tokens.reserve(static_cast<std::size_t>(slow.extent * middle.extent * fast.extent));
    const auto along = [&](std::int64_t position, const Axis& axis, std::int64_t turn) {
        return (zigzag && turn % 2 == 1 ? axis.extent - 1 - position : position) * axis.step;
    };
    for (std::int64_t a = 0; a < slow.extent; ++a) {
        for (std::int64_t b = 0; b < middle.extent; ++b) {
            const std::int64_t line = a * middle.extent + b;
            for (std::int64_t c = 0; c < fast.extent; ++c) {
                tokens.push_back(
                    static_cast<std::int32_t>(a * slow.step + along(b, middle, a) + along(c, fast, line)));
            }
        }
    }
    return tokens;
}

// A Hilbert curve through a box of any size, by the recursion of https://github.com/jakubcerveny/gilbert. A box is
// given by the corner the curve begins in and three edges with signs; the curve runs along the first edge. Long
// boxes are cut across it, others into five boxes that the curve visits one after the other, each turned so that it
// begins beside the end of the one before.
class HilbertCurve {
 public:
    using Vector = std::array<std::int64_t, 3>;

    HilbertCurve(const Vector& steps, std::size_t tokens) : m_steps(steps) { m_tokens.reserve(tokens); }

    void visit(const Vector& corner, const Vector& a, const Vector& b, const Vector& c) {
        const std::int64_t width = length(a), height = length(b), depth = length(c);
        if (height == 1 && depth == 1) {
            return line(corner, a, width);
        }
        if (width == 1 && depth == 1) {
            return line(corner, b, height);
        }
        if (width == 1 && height == 1) {
            return line(corner, c, depth);
        }
        if (2 * width > 3 * height && 2 * width > 3 * depth) {
            return halves(corner, a, b, c);
        }
        if (3 * height > 4 * depth) {
            return flat(corner, a, b, c);
        }
        if (3 * depth > 4 * height) {
            return flat(corner, a, c, b);
        }
        cube(corner, a, b, c);
    }
    [[nodiscard]] std::vector<std::int32_t> take() { return std::move(m_tokens); }

 private:
    [[nodiscard]] static std::int64_t length(const Vector& edge) { return std::abs(edge[0] + edge[1] + edge[2]); }
    [[nodiscard]] static Vector times(const Vector& edge, std::int64_t factor) {
        return {edge[0] * factor, edge[1] * factor, edge[2] * factor};
    }
    [[nodiscard]] static Vector sum(const Vector& a, const Vector& b) {
        return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
    }
    [[nodiscard]] static Vector difference(const Vector& a, const Vector& b) { return sum(a, times(b, -1)); }
    [[nodiscard]] static Vector unit(const Vector& edge) {
        const auto sign = [](std::int64_t v) {
            return static_cast<std::int64_t>(v > 0) - static_cast<std::int64_t>(v < 0);
        };
        return {sign(edge[0]), sign(edge[1]), sign(edge[2])};
    }
    // About half of an edge: even where there are more than two places, so that the parts join without diagonal
    // steps.
    [[nodiscard]] static Vector half(const Vector& edge) {
        const std::int64_t whole = length(edge);
        std::int64_t part = whole / 2;
        if (part % 2 == 1 && whole > 2) {
            ++part;
        }
        return times(unit(edge), part);
    }

    void line(Vector at, const Vector& edge, std::int64_t count) {
        const Vector step = unit(edge);
        for (std::int64_t i = 0; i < count; ++i) {
            m_tokens.push_back(
                static_cast<std::int32_t>(at[0] * m_steps[0] + at[1] * m_steps[1] + at[2] * m_steps[2]));
            at = sum(at, step);
        }
    }

    void halves(const Vector& corner, const Vector& a, const Vector& b, const Vector& c) {
        const Vector first = half(a);
        visit(corner, first, b, c);
        visit(sum(corner, first), difference(a, first), b, c);
    }

    // The third edge is not cut.
    void flat(const Vector& corner, const Vector& a, const Vector& b, const Vector& c) {
        const Vector a2 = half(a), b2 = half(b);
        visit(corner, b2, c, a2);
        visit(sum(corner, b2), a, difference(b, b2), c);
        const Vector far = sum(difference(a, unit(a)), difference(b2, unit(b)));
        visit(sum(corner, far), times(b2, -1), c, times(difference(a, a2), -1));
    }

    void cube(const Vector& corner, const Vector& a, const Vector& b, const Vector& c) {
        const Vector a2 = half(a), b2 = half(b), c2 = half(c);
        const Vector lastA = difference(a, unit(a)), lastB2 = difference(b2, unit(b));
        const Vector lastC = difference(c, unit(c));
        visit(corner, b2, c2, a2);
        visit(sum(corner, b2), c, a2, difference(b, b2));
        visit(sum(corner, sum(lastB2, lastC)), a, times(b2, -1), times(difference(c, c2), -1));
        visit(sum(corner, sum(lastA, sum(b2, lastC))), times(c, -1), times(difference(a, a2), -1),
              difference(b, b2));
        visit(sum(corner, sum(lastA, lastB2)), times(b2, -1), c2, times(difference(a, a2), -1));
    }

    Vector m_steps;
    std::vector<std::int32_t> m_tokens;
};

std::vector<std::int32_t> hilbertScan(const TokenGrid& grid) {
    HilbertCurve curve({grid.plane(), grid.width, 1}, static_cast<std::size_t>(grid.tokens()));
    const HilbertCurve::Vector t{grid.frames, 0, 0}, h{0, grid.height, 0}, w{0, 0, grid.width};
    if (grid.width >= grid.height && grid.width >= grid.frames) {
        curve.visit({}, w, h, t);
    } else if (grid.height >= grid.frames) {
        curve.visit({}, h, w, t);
    } else {
        curve.visit({}, t, w, h);
    }
    return curve.take();
}

}  // namespace

std::string_view scanOrderName(ScanOrder order) {
    const auto* found = std::find_if(std::begin(kOrders), std::end(kOrders),
                                     [&](const NamedOrder& known) { return known.order == order; });
    FW_CHECK(found != std::end(kOrders), "scan order {}", static_cast<int>(order));
    return found->name;
}

Result<ScanOrder> scanOrderFromName(std::string_view name) {
    std::vector<std::string_view> names;
    for (const NamedOrder& known : kOrders) {
        if (known.name == name) {
            return known.order;
        }
        names.push_back(known.name);
    }
    return fail(ErrorCode::InvalidArgument, "the scan order '{}' is not known; there are {}", name,
                fmt::join(names, ", "));
}

std::vector<std::int32_t> makeScan(const TokenGrid& grid, ScanOrder order) {
    if (order == ScanOrder::Hilbert) {
        return hilbertScan(grid);
    }
    const Axis t{grid.frames, grid.plane()}, h{grid.height, grid.width}, w{grid.width, 1};
    const bool zigzag = order >= ScanOrder::ZigzagSRow;
    switch (order) {
        case ScanOrder::SRow:
        case ScanOrder::ZigzagSRow:
            return rasterScan({t, h, w}, zigzag);
        case ScanOrder::SCol:
        case ScanOrder::ZigzagSCol:
            return rasterScan({t, w, h}, zigzag);
        case ScanOrder::TRow:
        case ScanOrder::ZigzagTRow:
            return rasterScan({h, w, t}, zigzag);
        default:
            return rasterScan({w, h, t}, zigzag);
    }
}

TokenGrid pooledGrid(const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling) {
    const auto divideUp = [](std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit; };
    return {divideUp(grid.frames, pooling[0]), divideUp(grid.height, pooling[1]), divideUp(grid.width, pooling[2])};
}

}  // namespace fw::backend
