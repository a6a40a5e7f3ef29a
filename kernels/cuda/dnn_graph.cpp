#include "kernels/cuda/dnn_graph.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fw::kernels::cuda {

namespace {

constexpr std::int64_t kMostEngines = 16;

// Whether the engine of a configuration obeys the rules.
bool isAllowed(const Descriptor& configuration, const EngineRules& rules) {
    Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t handle = engine.get();
    std::int64_t found = 0;
    if (!engine.ok() ||
        cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                 &found, static_cast<void*>(&handle)) != CUDNN_STATUS_SUCCESS) {
        return false;
    }
    if (rules.precompiled) {
        std::array<cudnnBackendBehaviorNote_t, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT> behaviours{};
        if (cudnnBackendGetAttribute(handle, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                                     static_cast<std::int64_t>(behaviours.size()), &found,
                                     behaviours.data()) != CUDNN_STATUS_SUCCESS ||
            std::find(behaviours.begin(), behaviours.begin() + found, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) !=
                behaviours.begin() + found) {
            return false;
        }
    }
    std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
    if (cudnnBackendGetAttribute(handle, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 static_cast<std::int64_t>(notes.size()), &found,
                                 notes.data()) != CUDNN_STATUS_SUCCESS) {
        return false;
    }
    for (std::int64_t i = 0; i < found && i < static_cast<std::int64_t>(notes.size()); ++i) {
        const cudnnBackendNumericalNote_t note = notes[static_cast<std::size_t>(i)];
        const bool rounds = note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
                            note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
                            note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
                            note == CUDNN_NUMERICAL_NOTE_WINOGRAD || note == CUDNN_NUMERICAL_NOTE_FFT;
        if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC || (rules.fullPrecision && rounds)) {
            return false;
        }
    }
    return true;
}

}  // namespace

cudnnStatus_t DnnPlan::run(cudnnHandle_t handle, std::span<const std::int64_t> ids, std::span<void* const> data,
                           void* workspace) const {
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data)
        .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
        .finish();
    return pack.ok() ? cudnnBackendExecute(handle, m_plan->get(), pack.get()) : CUDNN_STATUS_BAD_PARAM;
}

Descriptor& DnnGraph::part(cudnnBackendDescriptorType_t type) {
    m_parts.push_back(std::make_unique<Descriptor>(type));
    return *m_parts.back();
}

void DnnGraph::operation(Descriptor& description) {
    m_ok = m_ok && description.finish().ok();
    m_operations.push_back(description.get());
}

const Descriptor& DnnGraph::tensor(const TensorSpec& spec) {
    Descriptor& tensor = part(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, m_nextId++)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, spec.type)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, spec.alignment)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, std::span<const std::int64_t>(spec.extents))
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, std::span<const std::int64_t>(spec.strides));
    if (spec.isVirtual) {
        tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, true);
    }
    if (spec.byValue) {
        tensor.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, true);
    }
    m_ok = m_ok && tensor.finish().ok();
    return tensor;
}

const Descriptor& DnnGraph::between(const std::vector<std::int64_t>& extents, cudnnDataType_t type) {
    TensorSpec spec;
    spec.type = type;
    spec.extents = extents;
    spec.strides.resize(extents.size());
    std::int64_t step = 1;
    for (std::size_t i = extents.size(); i-- > 0;) {
        spec.strides[i] = step;
        step *= extents[i];
    }
    spec.isVirtual = true;
    return tensor(spec);
}

void DnnGraph::pointwise(cudnnPointwiseMode_t mode, const Descriptor& x, const Descriptor* b, const Descriptor& y) {
    Descriptor& description = part(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    description.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    m_ok = m_ok && description.finish().ok();
    Descriptor& node = part(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    node.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, description)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    if (b != nullptr) {
        node.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
    }
    operation(node);
}

void DnnGraph::reduction(cudnnReduceTensorOp_t op, const Descriptor& x, const Descriptor& y) {
    Descriptor& description = part(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    description.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, op)
        .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    m_ok = m_ok && description.finish().ok();
    Descriptor& node = part(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    node.set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, description)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    operation(node);
}

void DnnGraph::product(const Descriptor& a, const Descriptor& b, const Descriptor& c) {
    Descriptor& description = part(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    description.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    m_ok = m_ok && description.finish().ok();
    Descriptor& node = part(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    node.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, description)
        .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a)
        .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b)
        .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
    operation(node);
}

std::unique_ptr<DnnPlan> DnnGraph::finish(const EngineRules& rules, std::int64_t workspaceBytes) {
    Descriptor& graph = part(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, m_handle)
        .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
             std::span<const cudnnBackendDescriptor_t>(m_operations));
    if (!m_ok || !graph.finish().ok()) {
        return nullptr;
    }
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
        if (auto plan = tryMode(graph, mode, rules, workspaceBytes)) {
            return plan;
        }
    }
    return nullptr;
}

std::unique_ptr<DnnPlan> DnnGraph::tryMode(const Descriptor& graph, cudnnBackendHeurMode_t mode,
                                           const EngineRules& rules, std::int64_t workspaceBytes) {
    Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
    if (!heuristics.finish().ok()) {
        return nullptr;
    }
    std::vector<std::unique_ptr<Descriptor>> configurations;
    std::vector<cudnnBackendDescriptor_t> handles;
    for (std::int64_t i = 0; i < kMostEngines; ++i) {
        configurations.push_back(std::make_unique<Descriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
        handles.push_back(configurations.back()->get());
    }
    std::int64_t found = 0;
    if (cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 kMostEngines, &found,
                                 static_cast<void*>(handles.data())) != CUDNN_STATUS_SUCCESS) {
        return nullptr;
    }
    for (std::int64_t i = 0; i < found && i < kMostEngines; ++i) {
        std::unique_ptr<Descriptor>& configuration = configurations[static_cast<std::size_t>(i)];
        if (!isAllowed(*configuration, rules)) {
            continue;
        }
        auto candidate = std::make_unique<Descriptor>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        candidate->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, m_handle)
            .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, *configuration);
        std::int64_t bytes = 0;
        std::int64_t count = 0;
        if (!candidate->finish().ok() ||
            cudnnBackendGetAttribute(candidate->get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                     1, &count, &bytes) != CUDNN_STATUS_SUCCESS ||
            bytes > workspaceBytes) {
            continue;
        }
        auto plan = std::make_unique<DnnPlan>();
        plan->m_plan = candidate.get();
        plan->m_workspaceBytes = bytes;
        plan->m_parts = std::move(m_parts);
        plan->m_parts.push_back(std::move(configuration));
        plan->m_parts.push_back(std::move(candidate));
        return plan;
    }
    return nullptr;
}

}  // namespace fw::kernels::cuda
