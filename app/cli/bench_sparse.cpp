#include "app/cli/bench_sparse.h"

#include <array>
#include <functional>

#include "app/cli/bench_report.h"
#include "app/cli/output.h"
#include "core/backend/ops.h"
#include "core/method/sliding_window.h"
#include "core/pipeline/philox.h"

namespace fw::cli {

namespace {

constexpr std::int64_t kBlock = 64;
constexpr float kScale = 0.125F;
constexpr double kSparsity = 0.9;
// Frames, height and width of 2, 4, 8 and 16 thousand tokens.
constexpr std::array<backend::TokenGrid, 4> kGrids{backend::TokenGrid{8, 16, 16}, backend::TokenGrid{16, 16, 16},
                                                   backend::TokenGrid{16, 16, 32}, backend::TokenGrid{16, 32, 32}};
constexpr std::array<std::int64_t, 5> kKept{4, 8, 16, 32, 64};
constexpr std::size_t kKeptGrid = 2;  // where the time against kept blocks is measured

// Operands of one size on a device, and the ways to attend.
class Bench {
 public:
    static Result<Bench> create(backend::Device& device, DType dtype, int threads, const backend::TokenGrid& grid) {
        Bench bench;
        bench.m_grid = grid;
        FW_ASSIGN(bench.m_ops, device.createOps({.threads = threads}));
        const Shape shape{1, grid.tokens(), kHeads, kHeadDim};
        for (std::uint64_t i = 0; i < 4; ++i) {
            std::vector<float> values(static_cast<std::size_t>(shape.product()));
            pipeline::fillNormal(i, pipeline::NoiseStream::InitialLatents, 0, values);
            FW_ASSIGN(const auto wide, backend::createTensor(device, DType::F32, shape));
            FW_ASSIGN(auto tensor, backend::createTensor(device, dtype, shape));
            bench.m_ops->upload(ConstTensorView(values.data(), DType::F32, shape), wide.view);
            bench.m_ops->copy(wide.view, tensor.view);
            FW_TRY(bench.m_ops->synchronize());
            bench.m_tensors.push_back(std::move(tensor));
        }
        const std::int64_t blocks = bench.blocks().count();
        FW_ASSIGN(bench.m_lists, backend::createTensor(device, DType::I32, {1, kHeads, blocks, blocks}));
        FW_ASSIGN(bench.m_counts, backend::createTensor(device, DType::I32, {1, kHeads, blocks}));
        return bench;
    }

    [[nodiscard]] backend::TokenBlocks blocks() const { return {.grid = m_grid, .size = kBlock}; }

    void dense() { m_ops->attention(q(), k(), v(), out(), {.scale = kScale, .bias = {}, .keyCount = -1}); }
    void window(std::int64_t width) {
        m_ops->windowAttention(
            q(), k(), v(), out(),
            {.scale = kScale, .grid = m_grid, .window = width, .sinkFrame = false, .orders = {}});
    }
    void topK(std::int64_t kept) {
        const std::int64_t count = blocks().count();
        const backend::BlockLists lists{
            TensorView(m_lists.view.mutableData(), DType::I32, {1, kHeads, count, kept}, m_lists.view.device()),
            m_counts.view};
        m_ops->selectBlocks(q(), k(), {.blocks = blocks(), .kept = kept}, lists);
        m_ops->blockSparseAttention(q(), k(), v(), out(), lists, {.scale = kScale, .blocks = blocks(), .pairs = 0});
    }
    void linear() { m_ops->linearAttention(q(), k(), v(), out(), {}); }

    // Median seconds of three calls after one that warms up.
    Result<double> seconds(const std::function<void()>& attend) {
        const auto once = [&]() -> Status {
            attend();
            return m_ops->synchronize();
        };
        FW_TRY(once());
        Samples samples;
        for (int i = 0; i < 3; ++i) {
            FW_ASSIGN(const double value, timed(once));
            samples.seconds.push_back(value);
        }
        return samples.median();
    }

 private:
    [[nodiscard]] const TensorView& q() const { return m_tensors[0].view; }
    [[nodiscard]] const TensorView& k() const { return m_tensors[1].view; }
    [[nodiscard]] const TensorView& v() const { return m_tensors[2].view; }
    [[nodiscard]] const TensorView& out() const { return m_tensors[3].view; }

    backend::TokenGrid m_grid;
    std::unique_ptr<backend::Ops> m_ops;
    std::vector<backend::OwnedTensor> m_tensors;
    backend::OwnedTensor m_lists, m_counts;
};

Result<OrderedJson> measureSize(backend::Device& device, DType dtype, int threads, const backend::TokenGrid& grid) {
    FW_ASSIGN(auto bench, Bench::create(device, dtype, threads, grid));
    FW_ASSIGN(const std::int64_t width, method::windowFor(grid, kSparsity));
    const auto kept =
        static_cast<std::int64_t>((1.0 - kSparsity) * static_cast<double>(bench.blocks().count()) + 0.5);
    FW_ASSIGN(const double dense, bench.seconds([&] { bench.dense(); }));
    FW_ASSIGN(const double window, bench.seconds([&] { bench.window(width); }));
    FW_ASSIGN(const double topK, bench.seconds([&] { bench.topK(kept); }));
    FW_ASSIGN(const double linear, bench.seconds([&] { bench.linear(); }));
    return OrderedJson{{"tokens", grid.tokens()},
                       {"dense_seconds", dense},
                       {"window_seconds", window},
                       {"top_k_seconds", topK},
                       {"linear_seconds", linear}};
}

}  // namespace

Result<OrderedJson> measureSparseAttention(backend::Device& device, DType dtype, int threads,
                                           const CancelToken& cancel) {
    OrderedJson sizes = OrderedJson::array();
    for (const backend::TokenGrid& grid : kGrids) {
        FW_TRY(cancel.check());
        FW_ASSIGN(auto row, measureSize(device, dtype, threads, grid));
        sizes.push_back(std::move(row));
    }
    FW_ASSIGN(auto bench, Bench::create(device, dtype, threads, kGrids[kKeptGrid]));
    OrderedJson kept = OrderedJson::array();
    for (const std::int64_t blocks : kKept) {
        FW_TRY(cancel.check());
        FW_ASSIGN(const double seconds, bench.seconds([&] { bench.topK(blocks); }));
        kept.push_back({{"kept", blocks}, {"blocks", bench.blocks().count()}, {"seconds", seconds}});
    }
    return OrderedJson{{"sparsity", kSparsity}, {"sizes", std::move(sizes)}, {"kept", std::move(kept)}};
}

void printSparseAttention(const OrderedJson& report) {
    const auto milliseconds = [](const OrderedJson& row, const char* key) { return 1e3 * row[key].get<double>(); };
    say("\n{:.0f} % of the pairs left out, ms (times as fast as dense)\n",
        100.0 * report["sparsity"].get<double>());
    say("{:>7} {:>9} {:>17} {:>17} {:>17}\n", "tokens", "dense", "window", "top-k", "linear");
    for (const OrderedJson& row : report["sizes"]) {
        const double dense = milliseconds(row, "dense_seconds");
        say("{:>7} {:>9.1f}", row["tokens"].get<int>(), dense);
        for (const char* key : {"window_seconds", "top_k_seconds", "linear_seconds"}) {
            const double value = milliseconds(row, key);
            say(" {:>9.1f} ({:>4.1f}x)", value, dense / value);
        }
        say("\n");
    }
    say("\ntop-k at {} tokens: ms by kept blocks\n", kGrids[kKeptGrid].tokens());
    for (const OrderedJson& row : report["kept"]) {
        say("{:>7} of {} {:>9.2f}\n", row["kept"].get<int>(), row["blocks"].get<int>(),
            milliseconds(row, "seconds"));
    }
}

}  // namespace fw::cli
