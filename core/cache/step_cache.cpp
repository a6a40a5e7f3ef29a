#include "core/cache/step_cache.h"

namespace fw::cache {

Result<bool> StepCache::replacePass(method::RunContext&, const ConstTensorView&, const TensorView&) {
    return false;
}
Status StepCache::passDone(method::RunContext&, const ConstTensorView&, const TensorView&) {
    return {};
}
Result<bool> StepCache::replaceBlocks(method::RunContext&, const BlockInput&) {
    return false;
}
Result<bool> StepCache::replaceRest(method::RunContext&, int, const TensorView&) {
    return false;
}
Status StepCache::blocksDone(method::RunContext&, const TensorView&) {
    return {};
}
Replacement StepCache::replaceSite(method::RunContext&, const Site&) {
    return {};
}
Status StepCache::siteDone(method::RunContext&, const Site&, const ConstTensorView&) {
    return {};
}

tl::unexpected<Error> missingConstants(std::string_view cacheName, const Constants& constants) {
    if (constants.damage) {
        return fail(constants.damage->code,
                    "{}; {} needs it: measure it again with fw calibrate --model DIR, or remove it",
                    constants.damage->message, cacheName);
    }
    return fail(
        ErrorCode::BadModel,
        "{} needs constants that this model does not bring; measure them once with: fw calibrate --model DIR",
        cacheName);
}

Status StepCache::restore(const Json& numbers) {
    if (!numbers.is_object() || !numbers.empty()) {
        return fail(ErrorCode::InvalidArgument, "the checkpoint holds the state of another step cache");
    }
    return {};
}

Result<TensorView> StepCache::keep(backend::Device& device, DType dtype, const Shape& shape) {
    FW_ASSIGN(auto tensor, backend::createTensor(device, dtype, shape));
    m_bytes += device.footprint(tensor.view.bytes());
    m_owned.push_back(std::move(tensor));
    return m_owned.back().view;
}

bool StepCache::logged(const method::RunContext& context, double predictor, double threshold, bool reused) {
    m_log.push_back({context.step, context.branch, predictor, threshold, reused});
    return reused;
}

}  // namespace fw::cache
