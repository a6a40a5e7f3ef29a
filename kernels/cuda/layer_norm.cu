// Layer norm with a modulation or an affine map; with the gated additions in front of it that wait, two at most, or of
// a sum that nobody keeps; and with the product of its rows with one column behind it.
#include <algorithm>

#include "kernels/cuda/norm.cuh"
#include "kernels/cuda/row_products.h"

namespace fw::kernels::cuda {

namespace {

// Bytes from a tensor's begin to its end.
struct Span {
    std::uintptr_t begin, end;

    [[nodiscard]] bool meets(const Span& other) const { return begin < other.end && other.begin < end; }
};
Span spanOf(const void* data, Element element, std::int64_t elements) {
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    return {begin, begin + static_cast<std::uintptr_t>(elements) * (element == Element::F32 ? 4U : 2U)};
}
template <class AnyRows>
Span spanOf(const AnyRows& rows, const RowExtents& extents) {
    return spanOf(rows.data, rows.element,
                  (extents.batch - 1) * rows.batchStride + (extents.rows - 1) * rows.rowStride + extents.channels);
}

// The memory of what was added may already belong to what the norm writes: its owner only knows of calls, not of
// waiting.
bool isOverwritten(const Addend& added, const LayerNormArgs& args) {
    const Span delta = spanOf(added.delta, args.extents);
    const LinearArgs& product = args.product;
    return delta.meets(spanOf(args.y, args.extents)) ||
           (product.weight != nullptr &&
            delta.meets(spanOf(product.y, product.result, (product.rows - 1) * product.yStride + product.out)));
}

// Whether `addition` went into the rows that `args` is about to read.
bool isAdditionTo(const GatedAddArgs& addition, const LayerNormArgs& args) {
    const Rows& residual = addition.residual;
    return residual.data == args.x.data && residual.element == args.x.element &&
           residual.batchStride == args.x.batchStride && residual.rowStride == args.x.rowStride &&
           addition.extents.batch == args.extents.batch && addition.extents.rows == args.extents.rows &&
           addition.extents.channels == args.extents.channels && isVectorisable(args.y) &&
           LayerPolicy::vectorsAligned(args) && !isOverwritten(addition.added, args);
}

// Whether the norm takes all additions that wait with it, in its own pass.
bool takesAdditions(const Queue& queue, const LayerNormArgs& args) {
    const auto* const begin = queue.additions;
    return queue.waitingAdditions > 0 && args.added.delta.data == nullptr &&
           std::all_of(begin, begin + queue.waitingAdditions,
                       [&](const GatedAddArgs& addition) { return isAdditionTo(addition, args); });
}

// Whether the kernel that forms the rows can form their product: the rows are in registers, in f32 before they are
// rounded to the bf16 that is multiplied.
bool isMadeOfRegisters(const LayerNormArgs& args) {
    const LinearArgs& product = args.product;
    return args.x.element == Element::F32 && args.y.element == Element::Bf16 && product.compute == Element::Bf16 &&
           product.weightScales == nullptr && product.result == Element::F32 &&
           product.activation == Activation::None && args.extents.channels <= kWidestRegisterRow &&
           isVectorisable(args.x) && isVectorisable(args.y) && LayerPolicy::vectorsAligned(args) &&
           rowProductApplies(product);
}

template <class Policy, class Ty>
Code launchRegisters(Queue& queue, const typename Policy::Args& args) {
    Code code = Code::Unsupported;
    launchNormRegisters<Policy, float, Ty>(queue, args, code);
    return code;
}

// The norm of sums in registers; in the same pass their product if `multiplies`.
template <class Td, int kCount>
Code launchSums(Queue& queue, const AddLayerArgs& args, bool multiplies) {
    using Policy = AddLayerPolicy<Td, kCount>;
    if constexpr (kCount == 1) {
        if (multiplies) {
            return launchRegisters<WithProduct<Policy>, Bf16>(queue, args);
        }
    }
    return withAct(args.y.element, [&](auto ty) { return launchRegisters<Policy, decltype(ty)>(queue, args); });
}

// The additions that wait and the norm of their sums.
Code addLayerNorm(Queue& queue, const LayerNormArgs& norm, bool multiplies) {
    AddLayerArgs args{};
    static_cast<LayerNormArgs&>(args) = norm;
    args.sums = queue.additions[0].residual;
    for (int i = 0; i < queue.waitingAdditions; ++i) {
        args.addends[i] = queue.additions[i].added;
    }
    return withAct(args.addends[0].delta.element, [&](auto td) {
        return queue.waitingAdditions == 1 ? launchSums<decltype(td), 1>(queue, args, multiplies)
                                           : launchSums<decltype(td), 2>(queue, args, false);
    });
}

// The norm of sums that nobody keeps.
Code normOfSums(Queue& queue, const LayerNormArgs& norm, bool multiplies) {
    AddLayerArgs args{};
    static_cast<LayerNormArgs&>(args) = norm;
    args.addends[0] = norm.added;
    const bool inRegisters = fitsRegisters(norm.extents) && isVectorisable(norm.x) && isVectorisable(norm.y) &&
                             isVectorisable(norm.added) && LayerPolicy::vectorsAligned(norm);
    return withAct(norm.added.delta.element, [&](auto td) {
        using Policy = AddLayerPolicy<decltype(td), 1>;
        if (inRegisters) {
            return launchSums<decltype(td), 1>(queue, args, multiplies);
        }
        return withAct(norm.y.element, [&](auto ty) {
            LaunchShape shape;
            shape.grid = dim3(static_cast<unsigned>(norm.extents.batch * norm.extents.rows));
            shape.threads = kNormThreads;
            return launch(queue, normAnyRow<Policy, float, decltype(ty), 1>, shape, args);
        });
    });
}

}  // namespace

Code layerNorm(Queue* queue, const LayerNormArgs& args) {
    const bool sums = args.added.delta.data != nullptr;
    const bool adds = takesAdditions(*queue, args);
    Code code = adds ? Code::Ok : runWaitingAdditions(*queue);
    if (code != Code::Ok) {
        return code;
    }
    const bool wanted = args.product.weight != nullptr;
    const bool multiplies = wanted && isMadeOfRegisters(args) && queue->waitingAdditions <= 1 &&
                            (!sums || isVectorisable(args.added));
    if (adds) {
        code = addLayerNorm(*queue, args, multiplies);
    } else if (sums) {
        code = normOfSums(*queue, args, multiplies);
    } else if (multiplies) {
        code = launchRegisters<WithProduct<LayerPolicy>, Bf16>(*queue, args);
    } else {
        code = launchNorm<LayerPolicy>(*queue, args, false);
    }
    queue->waitingAdditions = 0;
    return code == Code::Ok && wanted && !multiplies ? linear(queue, args.product) : code;
}

}  // namespace fw::kernels::cuda
