// Normalisations and element-wise operations against the reference.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "ops_harness.h"

namespace fw::backend {
namespace {

// What a row-wise operation is tried with: every width with every layout and both types on either side.
struct RowCase {
    Shape shape;  // [B, N, C]
    DType x = DType::F32, y = DType::F32;
    Layout xLayout = Layout::Contiguous, yLayout = Layout::Contiguous;

    [[nodiscard]] std::string text() const {
        return fmt::format("{} {} to {}, layouts {} {}", shape.text(), dtypeName(x), dtypeName(y),
                           static_cast<int>(xLayout), static_cast<int>(yLayout));
    }
};

class RowOpsTest : public OpsTest {
 protected:
    // `step` 2 keeps to even widths.
    [[nodiscard]] std::vector<RowCase> cases(std::int64_t step = 1) const {
        std::vector<RowCase> result;
        for (const Shape& rows : {Shape{1, 1}, Shape{1, 13}, Shape{3, 5}, Shape{2, 64}}) {
            for (const std::int64_t channels : {1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 256}) {
                Shape shape = rows;
                shape.push(channels * step);
                const std::size_t i = result.size();
                const Layout layouts[] = {Layout::Contiguous, Layout::PaddedRows, Layout::Fused};
                result.push_back({shape, dtype(), dtype(), layouts[i % 3], layouts[i / 3 % 3]});
                result.push_back({shape, DType::F32, dtype(), layouts[i / 2 % 3], layouts[i % 3]});
            }
        }
        return result;
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, RowOpsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(RowOpsTest, RmsNorm) {
    for (const RowCase& c : cases()) {
        const TestTensor x = TestTensor::input(c.x, c.shape, c.xLayout, 3.0);
        const TestTensor weight = TestTensor::input(DType::F32, {c.shape[2]});
        const TestTensor y = TestTensor::output(c.y, c.shape, c.yLayout);
        expectMatch("rmsNorm " + c.text(), {&x, &weight}, y,
                    [&](Ops& ops, const ViewOf& view) { ops.rmsNorm(view(x), view(weight), 1e-6F, view(y)); });
    }
}

TEST_P(RowOpsTest, RmsNormRopeWithTablesAndWithout) {
    for (const RowCase& c : cases(2)) {
        // Heads as wide as the row and, where it divides, as wide as an eighth.
        const std::int64_t headDim = c.shape[2] % 16 == 0 ? c.shape[2] / 8 : c.shape[2];
        const TestTensor x = TestTensor::input(c.x, c.shape, c.xLayout);
        const TestTensor weight = TestTensor::input(DType::F32, {c.shape[2]});
        const TestTensor cosine = TestTensor::input(DType::F32, {c.shape[1], headDim / 2});
        const TestTensor sine = TestTensor::input(DType::F32, {c.shape[1], headDim / 2}, Layout::PaddedRows);
        const TestTensor y = TestTensor::output(c.y, c.shape, c.yLayout);
        const std::vector<const TestTensor*> inputs{&x, &weight, &cosine, &sine};
        expectMatch("rmsNormRope " + c.text(), inputs, y, [&](Ops& ops, const ViewOf& view) {
            ops.rmsNormRope(view(x), view(weight), 1e-6F, RopeTables{view(cosine), view(sine)}, headDim, view(y));
        });
        expectMatch("rmsNormRope without tables " + c.text(), inputs, y, [&](Ops& ops, const ViewOf& view) {
            ops.rmsNormRope(view(x), view(weight), 1e-6F, std::nullopt, headDim, view(y));
        });
    }
}

TEST_P(RowOpsTest, RmsNormRopeInPlace) {
    const TestTensor cosine = TestTensor::input(DType::F32, {5, 8});
    const TestTensor sine = TestTensor::input(DType::F32, {5, 8});
    const TestTensor weight = TestTensor::input(DType::F32, {48});
    const TestTensor x = TestTensor::input(dtype(), {2, 5, 48}, Layout::Fused);
    expectMatch("rmsNormRope in place", {&weight, &cosine, &sine}, x, [&](Ops& ops, const ViewOf& view) {
        ops.rmsNormRope(view(x), view(weight), 1e-6F, RopeTables{view(cosine), view(sine)}, 16, view(x));
    });
}

TEST_P(RowOpsTest, LayerNormModulate) {
    for (const RowCase& c : cases()) {
        const Shape vectors{c.shape[0], c.shape[2]};
        const TestTensor x = TestTensor::input(c.x, c.shape, c.xLayout, 3.0);
        const TestTensor scale = TestTensor::input(DType::F32, vectors, Layout::Fused);
        const TestTensor shift = TestTensor::input(DType::F32, vectors, Layout::PaddedRows);
        const TestTensor y = TestTensor::output(c.y, c.shape, c.yLayout);
        expectMatch("layerNormModulate " + c.text(), {&x, &scale, &shift}, y, [&](Ops& ops, const ViewOf& view) {
            ops.layerNormModulate(view(x), view(scale), view(shift), 1e-6F, view(y));
        });
    }
}

TEST_P(RowOpsTest, LayerNorm) {
    for (const RowCase& c : cases()) {
        const TestTensor x = TestTensor::input(c.x, c.shape, c.xLayout);
        const TestTensor weight = TestTensor::input(DType::F32, {c.shape[2]});
        const TestTensor bias = TestTensor::input(DType::F32, {c.shape[2]}, Layout::Fused);
        const TestTensor y = TestTensor::output(c.y, c.shape, c.yLayout);
        expectMatch("layerNorm " + c.text(), {&x, &weight, &bias}, y, [&](Ops& ops, const ViewOf& view) {
            ops.layerNorm(view(x), view(weight), view(bias), 1e-5F, view(y));
        });
    }
}

// Rows wide enough that a back-end handles one with many threads: the widths of the published models.
TEST_P(RowOpsTest, NormsOfWideRows) {
    for (const std::int64_t channels : {384, 1000, 1536, 4096, 5120, 6016}) {
        for (const DType type : {DType::F32, dtype()}) {
            const TestTensor x = TestTensor::input(type, {2, 5, channels});
            const TestTensor weight = TestTensor::input(DType::F32, {channels});
            const TestTensor vectors = TestTensor::input(DType::F32, {2, channels});
            const TestTensor y = TestTensor::output(dtype(), {2, 5, channels});
            const TestTensor cosine = TestTensor::input(DType::F32, {5, 4});
            const TestTensor sine = TestTensor::input(DType::F32, {5, 4});
            const std::string text = fmt::format("{} channels of {}", channels, dtypeName(type));
            const std::vector<const TestTensor*> inputs{&x, &weight, &vectors, &cosine, &sine};
            expectMatch("rmsNormRope of " + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.rmsNormRope(view(x), view(weight), 1e-6F, RopeTables{view(cosine), view(sine)}, 8, view(y));
            });
            expectMatch("layerNormModulate of " + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.layerNormModulate(view(x), view(vectors), view(vectors), 1e-6F, view(y));
            });
            expectMatch("channelNorm of " + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.channelNorm(view(x), view(weight), true, view(y));
            });
        }
    }
}

// The variance of 100 ± 1 is lost by the difference of squares in single precision.
TEST_P(RowOpsTest, LayerNormOfALargeMean) {
    const TestTensor x = TestTensor::input(DType::F32, {1, 3, 129});
    Dims index = firstIndex({1, 3, 129});
    do {
        x.set(index, 100.0 + static_cast<double>((index[2] * 7 + index[1]) % 5 - 2) / 2.0);
    } while (advance(index, {1, 3, 129}));
    const TestTensor weight = TestTensor::input(DType::F32, {129});
    const TestTensor bias = TestTensor::input(DType::F32, {129});
    const TestTensor y = TestTensor::output(dtype(), {1, 3, 129});
    expectMatch("large mean", {&x, &weight, &bias}, y, [&](Ops& ops, const ViewOf& view) {
        ops.layerNorm(view(x), view(weight), view(bias), 1e-6F, view(y));
    });
}

TEST_P(RowOpsTest, NanStaysInItsRow) {
    const TestTensor x = TestTensor::input(dtype(), {1, 5, 70});
    x.set({0, 2, 69}, std::nan(""));
    const TestTensor weight = TestTensor::input(DType::F32, {70});
    const TestTensor scale = TestTensor::input(DType::F32, {1, 70});
    const TestTensor y = TestTensor::output(dtype(), {1, 5, 70});
    const std::vector<const TestTensor*> inputs{&x, &weight, &scale};
    expectMatch("rmsNorm of NaN", inputs, y,
                [&](Ops& ops, const ViewOf& view) { ops.rmsNorm(view(x), view(weight), 1e-6F, view(y)); });
    expectMatch("layerNorm of NaN", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.layerNorm(view(x), view(weight), view(weight), 1e-6F, view(y));
    });
    expectMatch("layerNormModulate of NaN", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.layerNormModulate(view(x), view(scale), view(scale), 1e-6F, view(y));
    });
    expectMatch("channelNorm of NaN", inputs, y,
                [&](Ops& ops, const ViewOf& view) { ops.channelNorm(view(x), view(weight), true, view(y)); });
}

TEST_P(RowOpsTest, GatedAdd) {
    for (const RowCase& c : cases()) {
        const TestTensor delta = TestTensor::input(c.y, c.shape, c.yLayout);
        const TestTensor gate = TestTensor::input(DType::F32, {c.shape[0], c.shape[2]}, Layout::PaddedRows);
        const TestTensor residual = TestTensor::input(c.x, c.shape, c.xLayout, 2.0);
        expectMatch("gatedAdd " + c.text(), {&delta, &gate}, residual,
                    [&](Ops& ops, const ViewOf& view) { ops.gatedAdd(view(residual), view(delta), view(gate)); });
        expectMatch("gatedAdd without gate " + c.text(), {&delta}, residual, [&](Ops& ops, const ViewOf& view) {
            ops.gatedAdd(view(residual), view(delta), ConstTensorView());
        });
    }
}

// The step from one module of a transformer's block to the next, which a back-end may take in one pass over memory.
TEST_P(RowOpsTest, GatedAddThenNorm) {
    for (const std::int64_t channels : {48, 96, 250, 1000, 1536, 6016}) {
        for (const DType type : {DType::F32, dtype()}) {
            const Shape shape{2, 5, channels};
            // Padded rows lie nowhere as wide units want them.
            const Layout layout = channels == 48 ? Layout::PaddedRows : Layout::Fused;
            const TestTensor residual = TestTensor::input(DType::F32, shape, layout, 2.0);
            const TestTensor before = residual.clone();
            const TestTensor delta = TestTensor::input(type, shape);
            const TestTensor gate = TestTensor::input(DType::F32, {2, channels}, Layout::Fused);
            const TestTensor scale = TestTensor::input(DType::F32, {2, channels});
            const TestTensor weight = TestTensor::input(DType::F32, {channels});
            const TestTensor y = TestTensor::output(dtype(), shape);
            const std::vector<const TestTensor*> inputs{&residual, &before, &delta, &gate, &scale, &weight};
            const std::string text = fmt::format(" of {} channels, delta {}", channels, dtypeName(type));
            expectMatch("gatedAdd, layerNormModulate" + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.gatedAdd(view(residual), view(delta), view(gate));
                static_cast<void>(ops.mark());  // who looks at the clock is no reader
                ops.layerNormModulate(view(residual), view(scale), view(gate), 1e-6F, view(y));
                static_cast<void>(ops.markedTimes());
                ops.copy(view(before), view(residual));
            });
            expectMatch("gatedAdd, layerNorm" + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.gatedAdd(view(residual), view(delta), ConstTensorView());
                ops.layerNorm(view(residual), view(weight), view(weight), 1e-6F, view(y));
                ops.copy(view(before), view(residual));
            });
            // The norm of other rows does not take the addition with it, and a second one does not replace the
            // first.
            const std::vector<const TestTensor*> others{&before, &delta, &gate};
            expectMatch("gatedAdd twice" + text, others, residual, [&](Ops& ops, const ViewOf& view) {
                ops.gatedAdd(view(residual), view(delta), view(gate));
                ops.gatedAdd(view(residual), view(before), view(gate));
            });
        }
    }
}

// The norm of a sum leaves the stream as it was; that and the additions behind it, which a back-end may make in one
// pass with the next norm, have the bits of every step on its own.
TEST_P(RowOpsTest, NormOfASumAndBothAdditionsBehindIt) {
    for (const std::int64_t channels : {48, 96, 250, 1000, 1536, 5120, 6016}) {
        for (const auto& [first, second] :
             {std::pair(dtype(), dtype()), std::pair(DType::F32, DType::F32), std::pair(DType::F32, dtype())}) {
            const Shape shape{2, 5, channels};
            const Layout layout = channels == 48 ? Layout::PaddedRows : Layout::Fused;
            const TestTensor x = TestTensor::input(DType::F32, shape, layout, 2.0);
            const TestTensor before = x.clone();
            const TestTensor a = TestTensor::input(first, shape), b = TestTensor::input(second, shape);
            const TestTensor gate = TestTensor::input(DType::F32, {2, channels}, Layout::Fused);
            const TestTensor weight = TestTensor::input(DType::F32, {channels});
            const TestTensor y = TestTensor::output(dtype(), shape);
            const std::string text =
                fmt::format("{} channels, deltas {} and {}", channels, dtypeName(first), dtypeName(second));
            const std::vector<const TestTensor*> inputs{&x, &before, &a, &b, &gate, &weight};
            expectMatch("norm of a sum, " + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.layerNorm(view(x), view(weight), view(weight), 1e-6F, view(y), {view(a), view(gate)});
            });
            expectMatch("without a gate, " + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.layerNorm(view(x), view(weight), view(weight), 1e-6F, view(y), {view(b), {}});
            });
            expectMatch("both additions, " + text, inputs, y, [&](Ops& ops, const ViewOf& view) {
                ops.gatedAdd(view(x), view(a), view(gate));
                ops.gatedAdd(view(x), view(b), ConstTensorView());
                ops.layerNormModulate(view(x), view(gate), view(gate), 1e-6F, view(y));
                ops.copy(view(before), view(x));
            });

            const TestTensor from = TestTensor::input(DType::F32, shape, Layout::Contiguous, 2.0);
            const TestTensor vectors = TestTensor::input(DType::F32, {2, channels});
            const OwnedTensor stream = *createTensor(*m_device, DType::F32, shape);
            const OwnedTensor deltaA = *createTensor(*m_device, first, shape);
            const OwnedTensor deltaB = *createTensor(*m_device, second, shape);
            const OwnedTensor gates = *createTensor(*m_device, DType::F32, {2, channels});
            const OwnedTensor weights = *createTensor(*m_device, DType::F32, {channels});
            const OwnedTensor middle = *createTensor(*m_device, dtype(), shape);
            const OwnedTensor end = *createTensor(*m_device, dtype(), shape);
            m_ops->upload(a.view(), deltaA.view);
            m_ops->upload(b.view(), deltaB.view);
            m_ops->upload(vectors.view(), gates.view);
            m_ops->upload(weight.view(), weights.view);
            const auto bytesOf = [&](const TensorView& made) {
                std::vector<std::byte> bytes(static_cast<std::size_t>(made.bytes()));
                m_ops->download(made, TensorView(bytes.data(), made.dtype(), made.shape()));
                EXPECT_TRUE(m_ops->synchronize());
                return bytes;
            };
            const auto results = [&](bool alone) {
                const auto pause = [&] { EXPECT_TRUE(!alone || m_ops->synchronize()); };
                m_ops->upload(from.view(), stream.view);
                std::vector<std::vector<std::byte>> bytes;
                if (alone) {
                    m_ops->gatedAdd(stream.view, deltaA.view, gates.view);
                    pause();
                    m_ops->layerNorm(stream.view, weights.view, weights.view, 1e-6F, middle.view);
                } else {
                    m_ops->layerNorm(stream.view, weights.view, weights.view, 1e-6F, middle.view,
                                     {deltaA.view, gates.view});
                    const std::vector<std::byte> untouched = bytesOf(stream.view);
                    m_ops->upload(from.view(), stream.view);
                    EXPECT_EQ(untouched, bytesOf(stream.view)) << text;
                    m_ops->gatedAdd(stream.view, deltaA.view, gates.view);
                }
                m_ops->gatedAdd(stream.view, deltaB.view, ConstTensorView());
                pause();
                m_ops->layerNormModulate(stream.view, gates.view, gates.view, 1e-6F, end.view);
                for (const TensorView& made : {middle.view, stream.view, end.view}) {
                    bytes.push_back(bytesOf(made));
                }
                return bytes;
            };
            EXPECT_EQ(results(false), results(true)) << text;
        }
    }
}

// A third addition, one to other rows and a norm that writes where the second one reads: none gets lost.
TEST_P(RowOpsTest, AdditionsThatNoNormTakes) {
    const Shape shape{1, 700, 1536};
    const TestTensor x = TestTensor::input(DType::F32, shape, Layout::Fused, 2.0);
    const TestTensor before = x.clone();
    const TestTensor delta = TestTensor::input(dtype(), shape);
    const TestTensor scale = TestTensor::input(DType::F32, {1, 1536});
    const TestTensor both = TestTensor::input(DType::F32, {1, 701, 1536});
    const TestTensor y = TestTensor::output(dtype(), shape);
    const std::vector<const TestTensor*> inputs{&x, &before, &delta, &scale};
    expectMatch("three additions", inputs, y, [&](Ops& ops, const ViewOf& view) {
        for (int i = 0; i < 3; ++i) {
            ops.gatedAdd(view(x), view(delta), view(scale));
        }
        ops.layerNormModulate(view(x), view(scale), view(scale), 1e-6F, view(y));
        ops.copy(view(before), view(x));
    });
    expectMatch("one of two rows", {&delta, &scale}, x, [&](Ops& ops, const ViewOf& view) {
        ops.gatedAdd(view(x), view(delta), view(scale));
        ops.gatedAdd(view(x).slice(1, 0, 300), view(delta).slice(1, 0, 300), ConstTensorView());
    });
    expectMatch("two additions, then the norm over the second delta", {&before, &scale, &x}, both,
                [&](Ops& ops, const ViewOf& view) {
                    ops.copy(view(before), view(x));
                    ops.gatedAdd(view(x), view(before), ConstTensorView());
                    ops.gatedAdd(view(x), view(both).slice(1, 1, 701), ConstTensorView());
                    ops.layerNormModulate(view(x), view(scale), view(scale), 1e-6F, view(both).slice(1, 0, 700));
                    ops.copy(view(before), view(x));
                });
    expectMatch("two additions, the second of the sum itself", {&before, &scale, &x}, y,
                [&](Ops& ops, const ViewOf& view) {
                    ops.copy(view(before), view(x));
                    ops.gatedAdd(view(x), view(before), view(scale));
                    ops.gatedAdd(view(x), view(x), ConstTensorView());
                    ops.layerNormModulate(view(x), view(scale), view(scale), 1e-6F, view(y));
                    ops.copy(view(before), view(x));
                });
    expectMatch("the norm of a sum while an addition waits", {&x, &before, &delta, &scale}, y,
                [&](Ops& ops, const ViewOf& view) {
                    ops.copy(view(before), view(x));
                    ops.gatedAdd(view(x), view(delta), view(scale));
                    ops.layerNorm(view(x), view(scale).reshape({1536}), view(scale).reshape({1536}), 1e-6F, view(y),
                                  {view(delta), {}});
                    ops.copy(view(before), view(x));
                });
}

// A back-end reads scales, gates and tables in wider units than a number where they lie well, and only there.
TEST_P(RowOpsTest, VectorsAtAnyAddress) {
    const Shape shape{2, 5, 1536};
    const TestTensor x = TestTensor::input(DType::F32, shape, Layout::Contiguous, 2.0);
    const TestTensor before = x.clone();
    const TestTensor delta = TestTensor::input(dtype(), shape);
    const TestTensor vectors = TestTensor::input(DType::F32, {2, 1537});
    const TestTensor weight = TestTensor::input(DType::F32, {1537});
    const TestTensor tables = TestTensor::input(DType::F32, {5, 65});
    const TestTensor y = TestTensor::output(dtype(), shape);
    const std::vector<const TestTensor*> inputs{&x, &before, &delta, &vectors, &weight, &tables};
    const auto shifted = [](const ConstTensorView& view) {
        const auto last = static_cast<std::int64_t>(view.rank()) - 1;
        return view.slice(last, 1, view.dim(last));
    };
    expectMatch("norms", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.rmsNormRope(view(delta), shifted(view(weight)), 1e-6F,
                        RopeTables{shifted(view(tables)), shifted(view(tables))}, 128, view(y));
    });
    expectMatch("rows of tables", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.rmsNormRope(view(delta), view(weight).slice(0, 0, 1536), 1e-6F,
                        RopeTables{view(tables).slice(1, 0, 64), view(tables).slice(1, 0, 64)}, 128, view(y));
    });
    expectMatch("channelNorm", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.channelNorm(view(delta), shifted(view(weight)), true, view(y));
    });
    expectMatch("gatedAdd, layerNormModulate", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.gatedAdd(view(x), view(delta), shifted(view(vectors)));
        ops.layerNormModulate(view(x), shifted(view(vectors)), shifted(view(vectors)), 1e-6F, view(y));
        ops.copy(view(before), view(x));
    });
    expectMatch("gatedAdd, layerNorm", inputs, y, [&](Ops& ops, const ViewOf& view) {
        ops.gatedAdd(view(x), view(delta), ConstTensorView());
        ops.layerNorm(view(x), shifted(view(weight)), shifted(view(weight)), 1e-6F, view(y));
        ops.copy(view(before), view(x));
    });
}

// Arenas hand memory out again as soon as its last call is made: the norm may write where the addition reads.
TEST_P(RowOpsTest, GatedAddThenNormIntoTheAddedRows) {
    const Shape shape{1, 700, 1536};
    const TestTensor residual = TestTensor::input(DType::F32, shape, Layout::Fused, 2.0);
    const TestTensor before = residual.clone();
    const TestTensor scale = TestTensor::input(DType::F32, {1, 1536});
    const TestTensor both = TestTensor::input(DType::F32, {1, 701, 1536});
    expectMatch("gatedAdd, then the norm over its delta", {&residual, &before, &scale}, both,
                [&](Ops& ops, const ViewOf& view) {
                    // A row of the result lies where another one is still to be added.
                    ops.gatedAdd(view(residual), view(both).slice(1, 1, 701), ConstTensorView());
                    ops.layerNormModulate(view(residual), view(scale), view(scale), 1e-6F,
                                          view(both).slice(1, 0, 700));
                    ops.copy(view(before), view(residual));
                });
}

// A gate's logits: the norm's result times a column or more, as the separate product has it. A back-end may form
// them where the rows are, with the addition in front or without.
TEST_P(RowOpsTest, NormWithAProduct) {
    for (const std::int64_t channels : {48, 136, 250, 520, 1000, 1536, 5120, 6016}) {
        for (const std::int64_t columns : {1, 3}) {
            const Shape shape = channels == 48 ? Shape{3, 1, channels} : Shape{1, 5, channels};
            const bool biased = channels != 136;
            const TestTensor weight = TestTensor::input(DType::F32, {columns, channels}, Layout::Contiguous,
                                                        1.0 / std::sqrt(static_cast<double>(channels)));
            const TestTensor bias = TestTensor::input(DType::F32, {columns});
            const ConstTensorView weightView = weight.view();
            const ConstTensorView biasView = bias.view();
            const LinearSource source{{&weightView, 1}, {&biasView, biased ? std::size_t{1} : std::size_t{0}}};
            const TestTensor x = TestTensor::input(DType::F32, shape, Layout::Fused, 2.0);
            const TestTensor before = x.clone();
            const TestTensor delta = TestTensor::input(channels == 520 ? DType::F32 : dtype(), shape);
            const TestTensor vectors = TestTensor::input(DType::F32, {shape[0], channels});
            const TestTensor y = TestTensor::input(dtype(), shape);
            const TestTensor blank = y.clone();
            const std::vector<const TestTensor*> inputs{&x, &before, &delta, &vectors, &y, &blank};
            const TestTensor logits = TestTensor::output(DType::F32, {shape[0], shape[1], columns});
            // What bf16 rounds to the other side where the reference is exact: a step of one of the products.
            m_slack = dtype() == DType::BF16 ? 200.0 : 1.0;
            for (const bool adds : {false, true}) {
                const std::string text =
                    fmt::format("{} columns of {} channels, added to {}", columns, channels, adds);
                expectMatch(text, inputs, logits, [&](Ops& ops, const ViewOf& view) {
                    auto packed = ops.packLinear(source, dtype());
                    ASSERT_TRUE(packed) << packed.error().message;
                    if (adds) {
                        ops.gatedAdd(view(x), view(delta), view(vectors));
                    }
                    ops.layerNormModulate(view(x), view(vectors), view(vectors), 1e-6F, view(y),
                                          {packed->get(), view(logits)});
                    ops.copy(view(before), view(x));
                    ops.copy(view(blank), view(y));
                });
            }
        }
    }
}

// The same bits as the product on its own where a row is summed by a warp either way.
TEST_P(RowOpsTest, NormWithAProductIsTheNormAndTheProduct) {
    for (const std::int64_t channels : {48, 136, 520, 768, 1536}) {
        const Shape shape{3, 2, channels};
        const Shape column{3, 2, 1};
        const TestTensor weight = TestTensor::input(DType::F32, {1, channels});
        const TestTensor bias = TestTensor::input(DType::F32, {1});
        const ConstTensorView weightView = weight.view();
        const ConstTensorView biasView = bias.view();
        auto packed = m_ops->packLinear({{&weightView, 1}, {&biasView, 1}}, dtype());
        ASSERT_TRUE(packed) << packed.error().message;
        const TestTensor from = TestTensor::input(DType::F32, shape, Layout::Contiguous, 2.0);
        const TestTensor added = TestTensor::input(dtype(), shape);
        const TestTensor modulation = TestTensor::input(DType::F32, {3, channels});
        const OwnedTensor x = *createTensor(*m_device, DType::F32, shape);
        const OwnedTensor delta = *createTensor(*m_device, dtype(), shape);
        const OwnedTensor vectors = *createTensor(*m_device, DType::F32, {3, channels});
        const OwnedTensor y = *createTensor(*m_device, dtype(), shape);
        const OwnedTensor logits = *createTensor(*m_device, DType::F32, column);
        m_ops->upload(added.view(), delta.view);
        m_ops->upload(modulation.view(), vectors.view);
        // x, y and logits after the addition, the norm and the product.
        const auto results = [&](bool adds, bool together) {
            m_ops->upload(from.view(), x.view);
            if (adds) {
                m_ops->gatedAdd(x.view, delta.view, vectors.view);
            }
            if (together) {
                m_ops->layerNormModulate(x.view, vectors.view, vectors.view, 1e-6F, y.view,
                                         {packed->get(), logits.view});
            } else {
                m_ops->layerNormModulate(x.view, vectors.view, vectors.view, 1e-6F, y.view);
                m_ops->linear(y.view, **packed, logits.view);
            }
            std::vector<std::vector<std::byte>> bytes;
            for (const TensorView& made : {x.view, y.view, logits.view}) {
                std::vector<std::byte>& here = bytes.emplace_back(static_cast<std::size_t>(made.bytes()));
                m_ops->download(made, TensorView(here.data(), made.dtype(), made.shape()));
            }
            EXPECT_TRUE(m_ops->synchronize());
            return bytes;
        };
        for (const bool adds : {false, true}) {
            EXPECT_EQ(results(adds, true), results(adds, false)) << channels << " channels, addition " << adds;
        }
    }
}

// The product may lie where the addition reads, as the norm's result may.
TEST_P(RowOpsTest, NormWithAProductIntoTheAddedRows) {
    const Shape shape{1, 700, 1536};
    const TestTensor weight = TestTensor::input(DType::F32, {1, 1536}, Layout::Contiguous, 0.025);
    const ConstTensorView weightView = weight.view();
    const TestTensor x = TestTensor::input(DType::F32, shape, Layout::Fused, 2.0);
    const TestTensor before = x.clone();
    const TestTensor scale = TestTensor::input(DType::F32, {1, 1536});
    const TestTensor y = TestTensor::input(dtype(), shape);
    const TestTensor blank = y.clone();
    const TestTensor delta = TestTensor::input(DType::F32, shape);
    m_slack = dtype() == DType::BF16 ? 200.0 : 1.0;
    expectMatch(
        "gatedAdd, then a product over its delta", {&x, &before, &scale, &y, &blank}, delta,
        [&](Ops& ops, const ViewOf& view) {
            auto packed = ops.packLinear({{&weightView, 1}, {}}, dtype());
            ASSERT_TRUE(packed) << packed.error().message;
            const TensorView logits(view(delta).mutableData(), DType::F32, {1, 700, 1}, ops.deviceKind());
            ops.gatedAdd(view(x), view(delta), ConstTensorView());
            ops.layerNormModulate(view(x), view(scale), view(scale), 1e-6F, view(y), {packed->get(), logits});
            ops.copy(view(before), view(x));
            ops.copy(view(blank), view(y));
        });
}

// What a download that was begun brings is what the tensor held then, whatever came later and in whatever order it
// is taken; one that nobody takes is no harm.
TEST_P(RowOpsTest, DownloadsTakenLater) {
    const TestTensor first = TestTensor::input(DType::F32, {3, 40, 700});
    const TestTensor second = TestTensor::input(DType::F32, {3, 40, 700});
    const TestTensor small = TestTensor::input(dtype(), {7});
    const OwnedTensor tensor = *createTensor(*m_device, DType::F32, {3, 40, 700});
    const OwnedTensor other = *createTensor(*m_device, dtype(), {7});
    m_ops->upload(small.view(), other.view);
    for (int round = 0; round < 3; ++round) {
        m_ops->upload(first.view(), tensor.view);
        const auto before = m_ops->beginDownload(tensor.view);
        const auto unwanted = m_ops->beginDownload(tensor.view);
        m_ops->upload(second.view(), tensor.view);
        // It sees additions that wait for their norm.
        m_ops->gatedAdd(tensor.view, tensor.view, ConstTensorView());
        const auto after = m_ops->beginDownload(tensor.view);
        const auto seven = m_ops->beginDownload(other.view);
        m_ops->upload(first.view(), tensor.view);
        std::vector<float> twice(3 * 40 * 700), once(twice.size());
        std::vector<std::byte> bytes(static_cast<std::size_t>(small.view().bytes()));
        after->take(twice.data());
        seven->take(bytes.data());
        before->take(once.data());
        ASSERT_TRUE(m_ops->synchronize());
        EXPECT_EQ(std::memcmp(once.data(), first.view().data(), once.size() * 4), 0);
        EXPECT_EQ(std::memcmp(bytes.data(), small.view().data(), bytes.size()), 0);
        for (std::size_t i = 0; i < twice.size(); ++i) {
            ASSERT_EQ(twice[i], 2.0F * second.view().as<float>()[i]) << i;
        }
    }
}

TEST_P(RowOpsTest, GatedGelu) {
    for (const RowCase& c : cases()) {
        Shape twice = c.shape;
        twice[2] *= 2;
        const TestTensor x = TestTensor::input(c.x, twice, c.xLayout, 3.0);
        const TestTensor y = TestTensor::output(c.y, c.shape, c.yLayout);
        expectMatch("gatedGelu " + c.text(), {&x}, y,
                    [&](Ops& ops, const ViewOf& view) { ops.gatedGelu(view(x), view(y)); });
    }
}

TEST_P(RowOpsTest, SiluOfSmallAndHugeValues) {
    for (const std::int64_t count : {1, 13, 15, 16, 17, 40000}) {
        const TestTensor x = TestTensor::input(DType::F32, {count}, Layout::Contiguous, 30.0);
        x.set({0}, -200.0);
        x.set({count - 1}, count > 13 ? 1e30 : -88.5);
        const TestTensor y = TestTensor::output(DType::F32, {count});
        expectMatch("silu", {&x}, y, [&](Ops& ops, const ViewOf& view) { ops.silu(view(x), view(y)); });
        expectMatch("silu in place", {}, x, [&](Ops& ops, const ViewOf& view) { ops.silu(view(x), view(x)); });
    }
}

TEST_P(RowOpsTest, AddBroadcasts) {
    struct Case {
        Shape a, b, y;
    };
    const Case list[] = {
        {{1}, {1}, {1}},
        {{17}, {17}, {17}},
        {{3, 17}, {17}, {3, 17}},
        {{3, 1}, {1, 17}, {3, 17}},
        {{2, 6, 16}, {6, 16}, {2, 6, 16}},
        {{1, 6, 65}, {2, 1, 65}, {2, 6, 65}},
        {{1}, {300, 70}, {300, 70}},
    };
    for (const Case& c : list) {
        for (const Layout layout : {Layout::Contiguous, Layout::PaddedRows, Layout::Fused}) {
            const TestTensor a = TestTensor::input(DType::F32, c.a, layout);
            const TestTensor b = TestTensor::input(DType::F32, c.b, Layout::Fused, 2.0);
            const TestTensor y = TestTensor::output(DType::F32, c.y, layout);
            expectMatch("add " + c.a.text() + c.b.text(), {&a, &b}, y,
                        [&](Ops& ops, const ViewOf& view) { ops.add(view(a), view(b), view(y)); });
        }
    }
}

TEST_P(RowOpsTest, AddOfATransposedOperand) {
    const TestTensor a = TestTensor::input(DType::F32, {5, 19});
    const TestTensor transposed = a.viewedAs(a.view().permute({1, 0}));
    const TestTensor b = TestTensor::input(DType::F32, {19, 5});
    const TestTensor y = TestTensor::output(DType::F32, {19, 5});
    expectMatch("add transposed", {&transposed, &b}, y,
                [&](Ops& ops, const ViewOf& view) { ops.add(view(transposed), view(b), view(y)); });
}

TEST_P(RowOpsTest, LinearCombination) {
    for (const std::int64_t count : {1, 13, 16, 17, 33000}) {
        const TestTensor a = TestTensor::input(DType::F32, {count});
        const TestTensor b = TestTensor::input(DType::F32, {count}, Layout::Contiguous, 2.0);
        const TestTensor c = TestTensor::input(DType::F32, {count}, Layout::Contiguous, 3.0);
        const TestTensor y = TestTensor::output(DType::F32, {count});
        expectMatch("one term", {&a}, y, [&](Ops& ops, const ViewOf& view) {
            const Ops::Term terms[] = {{-0.5, view(a)}};
            ops.linearCombination(terms, view(y));
        });
        expectMatch("three terms", {&a, &b, &c}, y, [&](Ops& ops, const ViewOf& view) {
            const Ops::Term terms[] = {{5.0, view(a)}, {-4.0, view(b)}, {0.25, view(c)}};
            ops.linearCombination(terms, view(y));
        });
        expectMatch("in place", {&b}, a, [&](Ops& ops, const ViewOf& view) {
            const Ops::Term terms[] = {{0.75, view(b)}, {1.5, view(a)}};
            ops.linearCombination(terms, view(a));
        });
    }
}

TEST_P(RowOpsTest, Difference) {
    for (const RowCase& c : cases()) {
        const TestTensor a = TestTensor::input(c.x, c.shape, c.xLayout, 3.0);
        const TestTensor b = TestTensor::input(c.y, c.shape, c.yLayout);
        const TestTensor means = TestTensor::output(DType::F32, {4});
        expectMatch("difference " + c.text(), {&a, &b}, means,
                    [&](Ops& ops, const ViewOf& view) { ops.difference(view(a), view(b), view(means)); });
    }
}

// The large one is more than a back-end's threads take at a time.
TEST_P(RowOpsTest, DifferenceOfNanIsNan) {
    for (const Shape& shape : {Shape{1, 3, 70}, Shape{1, 1100, 1024}}) {
        const TestTensor a = TestTensor::input(dtype(), shape);
        const TestTensor b = TestTensor::input(dtype(), shape);
        const TestTensor means = TestTensor::output(DType::F32, {4});
        const auto compare = [&](Ops& ops, const ViewOf& view) { ops.difference(view(a), view(b), view(means)); };
        expectMatch("difference", {&a, &b}, means, compare);
        b.set({0, shape[1] - 1, shape[2] - 1}, std::nan(""));
        expectMatch("difference of NaN", {&a, &b}, means, compare);
    }
}

}  // namespace
}  // namespace fw::backend
