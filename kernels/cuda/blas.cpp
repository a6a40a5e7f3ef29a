// Row-major y[rows, out] = x[rows, in] · weight[out, in]ᵀ is cuBLASLt's column-major D[out, rows] = op(A) B with
// A = weight as [in, out] transposed, B = x as [in, rows]: a bias of D's rows is then the layer's bias.
// https://docs.nvidia.com/cuda/cublas/#using-the-cublaslt-api
#include "kernels/cuda/blas.h"

#include <cublasLt.h>

#include <cstdio>
#include <map>
#include <tuple>
#include <type_traits>

#include "kernels/cuda/simple_product.h"

namespace fw::kernels::cuda {

namespace {

constexpr std::int64_t kWorkspaceBytes = 32 << 20;
// Shapes change with every clip size: beyond this many the plans start anew.
constexpr std::size_t kMostPlans = 512;
constexpr int kMostAlgorithms = 16;  // looked at

class MatmulDescription {
 public:
    MatmulDescription() { cublasLtMatmulDescCreate(&m_handle, CUBLAS_COMPUTE_32F, CUDA_R_32F); }
    ~MatmulDescription() { cublasLtMatmulDescDestroy(m_handle); }
    MatmulDescription(const MatmulDescription&) = delete;
    MatmulDescription& operator=(const MatmulDescription&) = delete;
    [[nodiscard]] cublasLtMatmulDesc_t get() const { return m_handle; }
    template <class T>
    [[nodiscard]] bool set(cublasLtMatmulDescAttributes_t attribute, const T& value) const {
        return cublasLtMatmulDescSetAttribute(m_handle, attribute, &value, sizeof(value)) == CUBLAS_STATUS_SUCCESS;
    }

 private:
    cublasLtMatmulDesc_t m_handle = nullptr;
};

class Layout {
 public:
    Layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
        cublasLtMatrixLayoutCreate(&m_handle, type, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), stride);
    }
    ~Layout() { cublasLtMatrixLayoutDestroy(m_handle); }
    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;
    [[nodiscard]] cublasLtMatrixLayout_t get() const { return m_handle; }

 private:
    cublasLtMatrixLayout_t m_handle = nullptr;
};

class Preference {
 public:
    Preference() { cublasLtMatmulPreferenceCreate(&m_handle); }
    ~Preference() { cublasLtMatmulPreferenceDestroy(m_handle); }
    Preference(const Preference&) = delete;
    Preference& operator=(const Preference&) = delete;
    [[nodiscard]] cublasLtMatmulPreference_t get() const { return m_handle; }
    template <class T>
    [[nodiscard]] bool set(cublasLtMatmulPreferenceAttributes_t attribute, const T& value) const {
        return cublasLtMatmulPreferenceSetAttribute(m_handle, attribute, &value, sizeof(value)) ==
               CUBLAS_STATUS_SUCCESS;
    }

 private:
    cublasLtMatmulPreference_t m_handle = nullptr;
};

cudaDataType_t dataType(Element element) {
    return element == Element::Bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

// The largest power of two, at most 16, that divides an address and the distance between rows: heuristics may only
// offer what is allowed for both.
std::uint32_t alignmentOf(const void* data, std::int64_t strideBytes) {
    std::uint32_t alignment = 16;
    while (reinterpret_cast<std::uintptr_t>(data) % alignment != 0 || strideBytes % alignment != 0) {
        alignment /= 2;
    }
    return alignment;
}

struct Alignments {
    std::uint32_t weight, x, y;
};

Alignments alignmentsOf(const LinearArgs& args) {
    const std::int64_t elementBytes = args.compute == Element::Bf16 ? 2 : 4;
    const std::int64_t resultBytes = args.result == Element::Bf16 ? 2 : 4;
    return {alignmentOf(args.weight, args.in * elementBytes), alignmentOf(args.x, args.xStride * elementBytes),
            alignmentOf(args.y, args.yStride * resultBytes)};
}

// Tiles that a measurement found faster than those the library's heuristics put first (docs/performance.md). A
// fixed table, so that two runs give the same bits.
std::uint32_t measuredTile(const LinearArgs& args, bool gelu) {
    constexpr std::int64_t kManyRows = 8192;
    const bool isFeedForward = args.in == 1536 && args.out == 8960;  // of Wan2.1's 1.3B
    return gelu && isFeedForward && args.rows >= kManyRows ? CUBLASLT_MATMUL_TILE_128x288
                                                           : CUBLASLT_MATMUL_TILE_UNDEFINED;
}

struct Plan {
    explicit Plan(const LinearArgs& args)
        : weight(dataType(args.compute), args.in, args.out, args.in),
          x(dataType(args.compute), args.in, args.rows, args.xStride),
          y(dataType(args.result), args.out, args.rows, args.yStride) {}

    MatmulDescription description;
    Layout weight, x, y;
    cublasLtMatmulAlgo_t algorithm{};
    bool usable = false;
    bool fusedBias = false;
    bool fusedActivation = false;
};

// Both operands of e4m3, contiguous; the result as it is asked for.
struct Fp8Plan {
    explicit Fp8Plan(const Fp8LinearArgs& args)
        : weight(CUDA_R_8F_E4M3, args.in, args.out, args.in),
          x(CUDA_R_8F_E4M3, args.in, args.rows, args.in),
          y(dataType(args.result), args.out, args.rows, args.yStride) {}

    MatmulDescription description;
    Layout weight, x, y;
    cublasLtMatmulAlgo_t algorithm{};
    bool usable = false;
    bool fusedBias = false;
    bool fusedActivation = false;
    int tried = 0;  // epilogues
};
using Fp8Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, Element, Activation, bool, bool>;

// Everything a plan depends on.
using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Element, Element,
                       Activation, bool, std::uint32_t, std::uint32_t, std::uint32_t>;

class LtContext final : public BlasContext {
 public:
    LtContext(cublasLtHandle_t handle, void* workspace) : m_handle(handle), m_workspace(workspace) {}
    ~LtContext() override {
        m_plans.clear();
        m_fp8Plans.clear();
        cublasLtDestroy(m_handle);
    }

    Code linear(Queue& queue, const LinearArgs& args) override {
        const Plan& plan = planFor(args);
        if (!plan.usable) {
            return Code::Unsupported;
        }
        if (plan.fusedBias) {
            const void* bias = args.result == Element::F32 ? args.bias : args.biasCompute;
            if (!plan.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias)) {
                return queue.fail(Code::Failed, "a matrix product's bias was refused");
            }
        }
        const Code code = multiply(queue, plan, args);
        if (code != Code::Ok) {
            return code;
        }
        const bool bias = args.bias != nullptr && !plan.fusedBias;
        const bool activation = args.activation != Activation::None && !plan.fusedActivation;
        if (!bias && !activation) {
            return Code::Ok;
        }
        return biasAndActivation(queue, args, bias);
    }

    Code fp8Linear(Queue& queue, const Fp8LinearArgs& args) override {
        Fp8Plan& plan = fp8PlanFor(args);
        Code code = Code::Unsupported;
        while (plan.usable && code == Code::Unsupported) {
            const MatmulDescription& description = plan.description;
            if (!description.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, args.weightScales) ||
                !description.set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, args.xScales) ||
                (plan.fusedBias && !description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.biasCompute))) {
                return queue.fail(Code::Failed, "the scales of a matrix product in fp8 were refused");
            }
            code = multiply(queue, plan, args);
            if (code == Code::Unsupported) {
                // What the heuristics offer may still be refused: then the next epilogue's turn has come.
                static_cast<void>(nextFusion(plan, args));
            }
        }
        const bool bias = args.bias != nullptr && !plan.fusedBias;
        const bool activation = args.activation != Activation::None && !plan.fusedActivation;
        return code == Code::Ok && (bias || activation) ? biasAndActivation(queue, args, bias) : code;
    }

    bool fp8Applies(std::int64_t in, std::int64_t out) override {
        constexpr std::int64_t kTypicalRows = 4096;
        Fp8LinearArgs args{};
        args.rows = kTypicalRows, args.in = args.xStride = in, args.out = args.yStride = out;
        args.compute = args.result = Element::Bf16;
        // Any address will do; none at all says that there are no scales.
        args.weightScales = args.xScales = static_cast<const float*>(m_workspace);
        return fp8PlanFor(args).usable;
    }

 private:
    template <class AnyPlan>
    Code multiply(Queue& queue, const AnyPlan& plan, const LinearArgs& args) const {
        const float one = 1.0F;
        const float zero = 0.0F;
        const cublasStatus_t status =
            cublasLtMatmul(m_handle, plan.description.get(), &one, args.weight, plan.weight.get(), args.x,
                           plan.x.get(), &zero, args.y, plan.y.get(), args.y, plan.y.get(), &plan.algorithm,
                           m_workspace, static_cast<std::size_t>(kWorkspaceBytes), queue.stream);
        if (status == CUBLAS_STATUS_NOT_SUPPORTED ||
            (std::is_same_v<AnyPlan, Fp8Plan> && status == CUBLAS_STATUS_INVALID_VALUE)) {
            return Code::Unsupported;
        }
        if (status != CUBLAS_STATUS_SUCCESS) {
            std::snprintf(queue.message.text, sizeof(queue.message.text),
                          "cuBLASLt failed a product of %lld x %lld by %lld: %s", static_cast<long long>(args.rows),
                          static_cast<long long>(args.in), static_cast<long long>(args.out),
                          cublasLtGetStatusString(status));
            return Code::Failed;
        }
        return Code::Ok;
    }

    // With as much of the epilogue as the library has for operands of e4m3; the rest is a pass over the result,
    // whose rounding is small beside theirs.
    Fp8Plan& fp8PlanFor(const Fp8LinearArgs& args) {
        const bool aligned = alignmentOf(args.y, args.yStride * (args.result == Element::Bf16 ? 2 : 4)) == 16;
        const Fp8Key key{
            args.rows, args.in, args.out, args.yStride, args.result, args.activation, args.bias != nullptr,
            aligned};
        if (const auto found = m_fp8Plans.find(key); found != m_fp8Plans.end()) {
            return *found->second;
        }
        if (m_fp8Plans.size() >= kMostPlans) {
            m_fp8Plans.clear();
        }
        auto plan = std::make_unique<Fp8Plan>(args);
        if (aligned) {
            static_cast<void>(nextFusion(*plan, args));
        }
        return *m_fp8Plans.emplace(key, std::move(plan)).first->second;
    }

    const Plan& planFor(const LinearArgs& args) {
        const Alignments alignments = alignmentsOf(args);
        const Key key{args.rows,    args.in,     args.out,        args.xStride,         args.yStride,
                      args.compute, args.result, args.activation, args.bias != nullptr, alignments.weight,
                      alignments.x, alignments.y};
        if (const auto found = m_plans.find(key); found != m_plans.end()) {
            return *found->second;
        }
        if (m_plans.size() >= kMostPlans) {
            m_plans.clear();
        }
        auto plan = std::make_unique<Plan>(args);
        // SiLU has no epilogue; GELU's takes the hardware's tanh, which is as exact as bf16 and no more. A bias is
        // read in the result's type, which is there when products are computed in it or the result is f32.
        const bool typed = args.result == args.compute || args.result == Element::F32;
        const bool bias = args.bias != nullptr;
        const bool gelu = args.activation == Activation::GeluTanh && args.result == Element::Bf16;
        const bool fused = (typed || !bias) && complete(*plan, args, alignments, {bias, gelu});
        if (!fused && (bias || gelu)) {
            // What follows the product works on its result: not on one that is already rounded.
            plan->usable = args.result == Element::F32 && complete(*plan, args, alignments, {false, false});
        }
        return *m_plans.emplace(key, std::move(plan)).first->second;
    }

    struct Fusion {
        bool bias, gelu;
    };
    static cublasLtEpilogue_t epilogueOf(const Fusion& fusion) {
        if (fusion.gelu) {
            return fusion.bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
        }
        return fusion.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    }

    // The next epilogue the library has an algorithm for, the largest first. False when none is left.
    [[nodiscard]] bool nextFusion(Fp8Plan& plan, const Fp8LinearArgs& args) const {
        // The bias of such a product is bf16.
        const bool bias = args.bias != nullptr && args.result == Element::Bf16;
        const bool gelu = args.activation == Activation::GeluTanh && (bias || args.bias == nullptr);
        const Fusion fusions[] = {{bias, gelu}, {bias, false}, {false, false}};
        plan.usable = false;
        while (plan.tried < 3 && !plan.usable) {
            static_cast<void>(complete(plan, args, fusions[plan.tried++]));
        }
        return plan.usable;
    }

    // Sums are not promoted on the way ("fast"): the tensor cores keep some 14 bits of them, and the elements four.
    [[nodiscard]] bool complete(Fp8Plan& plan, const Fp8LinearArgs& args, const Fusion& fusion) const {
        const MatmulDescription& description = plan.description;
        const std::int32_t outer = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
        bool ok = description.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T) &&
                  description.set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N) &&
                  description.set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, std::int8_t{1}) &&
                  description.set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, outer) &&
                  description.set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, outer) &&
                  description.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, args.weightScales) &&
                  description.set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, args.xScales) &&
                  description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogueOf(fusion));
        if (fusion.bias) {
            ok = ok && description.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_16BF) &&
                 description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.biasCompute);
        }
        plan.usable = ok && choose(plan, {16, 16, 16});
        plan.fusedBias = plan.usable && fusion.bias;
        plan.fusedActivation = plan.usable && fusion.gelu;
        return plan.usable;
    }

    // The first algorithm with these tiles, or the first of all.
    static int preferred(const cublasLtMatmulHeuristicResult_t* results, int found, std::uint32_t tile) {
        for (int i = 0; i < found && tile != CUBLASLT_MATMUL_TILE_UNDEFINED; ++i) {
            std::uint32_t has = CUBLASLT_MATMUL_TILE_UNDEFINED;
            std::size_t written = 0;
            if (results[i].state == CUBLAS_STATUS_SUCCESS &&
                cublasLtMatmulAlgoConfigGetAttribute(&results[i].algo, CUBLASLT_ALGO_CONFIG_TILE_ID, &has,
                                                     sizeof(has), &written) == CUBLAS_STATUS_SUCCESS &&
                has == tile) {
                return i;
            }
        }
        return 0;
    }

    // Asks for the algorithm of a plan whose description is complete: one with these tiles where it is offered.
    // False when there is none.
    template <class AnyPlan>
    [[nodiscard]] bool choose(AnyPlan& plan, const Alignments& alignments,
                              std::uint32_t tile = CUBLASLT_MATMUL_TILE_UNDEFINED) const {
        const Preference preference;
        // Sums split over several blocks are added in place by whoever comes last: not the same bits every time.
        const std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
        cublasLtMatmulHeuristicResult_t results[kMostAlgorithms]{};
        int found = 0;
        const bool usable =
            preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(kWorkspaceBytes)) &&
            preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions) &&
            preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignments.weight) &&
            preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignments.x) &&
            preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignments.y) &&
            preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignments.y) &&
            cublasLtMatmulAlgoGetHeuristic(m_handle, plan.description.get(), plan.weight.get(), plan.x.get(),
                                           plan.y.get(), plan.y.get(), preference.get(), kMostAlgorithms, results,
                                           &found) == CUBLAS_STATUS_SUCCESS &&
            found > 0 && results[0].state == CUBLAS_STATUS_SUCCESS;
        plan.algorithm = results[usable ? preferred(results, found, tile) : 0].algo;
        return usable;
    }

    // Chooses the algorithm. False when there is none.
    [[nodiscard]] bool complete(Plan& plan, const LinearArgs& args, const Alignments& alignments,
                                const Fusion& fusion) const {
        const auto [bias, gelu] = fusion;
        const MatmulDescription& description = plan.description;
        bool ok = description.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T) &&
                  description.set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N) &&
                  description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogueOf(fusion));
        if (bias) {
            const void* pointer = args.result == Element::F32 ? args.bias : args.biasCompute;
            ok = ok && description.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, dataType(args.result)) &&
                 description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, pointer);
        }
        plan.usable = ok && choose(plan, alignments, measuredTile(args, gelu));
        plan.fusedBias = plan.usable && bias;
        plan.fusedActivation = plan.usable && gelu;
        return plan.usable;
    }

    cublasLtHandle_t m_handle;
    void* m_workspace;  // of the queue
    std::map<Key, std::unique_ptr<Plan>> m_plans;
    std::map<Fp8Key, std::unique_ptr<Fp8Plan>> m_fp8Plans;
};

}  // namespace

std::unique_ptr<BlasContext> BlasContext::create(Queue& queue) {
    void* workspace = queue.blasWorkspace.take(queue.stream, kWorkspaceBytes);
    if (workspace == nullptr) {
        queue.fail(Code::OutOfMemory, "no device memory for cuBLASLt's workspace");
        return nullptr;
    }
    cublasLtHandle_t handle = nullptr;
    const cublasStatus_t status = cublasLtCreate(&handle);
    if (status != CUBLAS_STATUS_SUCCESS) {
        std::snprintf(queue.message.text, sizeof(queue.message.text), "cuBLASLt cannot start: %s",
                      cublasLtGetStatusString(status));
        return nullptr;
    }
    return std::make_unique<LtContext>(handle, workspace);
}

std::int32_t BlasContext::libraryVersion() {
    return static_cast<std::int32_t>(cublasLtGetVersion());
}

}  // namespace fw::kernels::cuda
