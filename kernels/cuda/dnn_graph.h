// cuDNN's graph interface with owners: tensors and operations are added, the graph is finished into a plan, the
// plan is run. https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-graph-library.html
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace fw::kernels::cuda {

class Descriptor {
 public:
    explicit Descriptor(cudnnBackendDescriptorType_t type) {
        m_ok = cudnnBackendCreateDescriptor(type, &m_handle) == CUDNN_STATUS_SUCCESS;
    }
    ~Descriptor() {
        if (m_handle != nullptr) {
            cudnnBackendDestroyDescriptor(m_handle);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    template <class T>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::span<const T> values) {
        m_ok = m_ok && cudnnBackendSetAttribute(m_handle, name, type, static_cast<std::int64_t>(values.size()),
                                                values.data()) == CUDNN_STATUS_SUCCESS;
        return *this;
    }
    template <class T>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
        return set(name, type, std::span<const T>(&value, 1));
    }
    Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
        return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.m_handle);
    }
    Descriptor& finish() {
        m_ok = m_ok && cudnnBackendFinalize(m_handle) == CUDNN_STATUS_SUCCESS;
        return *this;
    }
    [[nodiscard]] bool ok() const { return m_ok; }
    [[nodiscard]] cudnnBackendDescriptor_t get() const { return m_handle; }

 private:
    cudnnBackendDescriptor_t m_handle = nullptr;
    bool m_ok = false;
};

// Which of the library's engines may be used.
struct EngineRules {
    bool fullPrecision = false;  // none that rounds f32 operands
    bool precompiled = false;    // none that compiles for each shape, at half a second each
};

// A finished graph.
class DnnPlan {
 public:
    [[nodiscard]] std::int64_t workspaceBytes() const { return m_workspaceBytes; }
    // `ids` and `data` name every tensor that is not virtual.
    [[nodiscard]] cudnnStatus_t run(cudnnHandle_t handle, std::span<const std::int64_t> ids,
                                    std::span<void* const> data, void* workspace) const;

 private:
    friend class DnnGraph;
    // The plan borrows from the graph's descriptors.
    std::vector<std::unique_ptr<Descriptor>> m_parts;
    const Descriptor* m_plan = nullptr;
    std::int64_t m_workspaceBytes = 0;
};

class DnnGraph {
 public:
    explicit DnnGraph(cudnnHandle_t handle) : m_handle(handle) {}

    struct TensorSpec {
        cudnnDataType_t type = CUDNN_DATA_BFLOAT16;
        std::vector<std::int64_t> extents, strides;
        bool isVirtual = false;  // only between operations
        bool byValue = false;    // a host value, given with the run
        std::int64_t alignment = 16;
    };
    // Ids are 1, 2, … in the order of the calls.
    [[nodiscard]] const Descriptor& tensor(const TensorSpec& spec);
    // Contiguous f32 between two operations.
    [[nodiscard]] const Descriptor& between(const std::vector<std::int64_t>& extents,
                                            cudnnDataType_t type = CUDNN_DATA_FLOAT);

    void pointwise(cudnnPointwiseMode_t mode, const Descriptor& x, const Descriptor* b, const Descriptor& y);
    void reduction(cudnnReduceTensorOp_t op, const Descriptor& x, const Descriptor& y);
    void product(const Descriptor& a, const Descriptor& b, const Descriptor& c);
    // A part of the graph, and an operation made of parts.
    Descriptor& part(cudnnBackendDescriptorType_t type);
    void operation(Descriptor& description);

    // The first engine the heuristics offer that obeys the rules and takes at most `workspaceBytes`; null: none.
    [[nodiscard]] std::unique_ptr<DnnPlan> finish(const EngineRules& rules, std::int64_t workspaceBytes);

 private:
    [[nodiscard]] std::unique_ptr<DnnPlan> tryMode(const Descriptor& graph, cudnnBackendHeurMode_t mode,
                                                   const EngineRules& rules, std::int64_t workspaceBytes);

    cudnnHandle_t m_handle;
    std::vector<std::unique_ptr<Descriptor>> m_parts;
    std::vector<cudnnBackendDescriptor_t> m_operations;
    std::int64_t m_nextId = 1;
    bool m_ok = true;
};

}  // namespace fw::kernels::cuda
