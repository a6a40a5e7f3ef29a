// The chunked scan with mma.sync.
#include "kernels/cuda/scan_chunked.cuh"

namespace fw::kernels::cuda {

namespace {

template <int kState, int kHeads>
Code runScan(Queue& queue, const StateSpaceArgs& args) {
    ChunkedScan scan{};
    const Code code = planScan(queue, args, kHeads, scan);
    return code == Code::Ok ? launchChunked<MmaProducts, kState, kHeads>(queue, scan) : code;
}

// As many heads a block as share b and c and fit.
template <int kState>
Code runState(Queue& queue, const StateSpaceArgs& args) {
    constexpr std::int64_t kPairBytes = ScanTiles<kState, 2, true>::kBytes + ScanTiles<kState, 2, true>::kAlignment;
    const bool pairs = args.heads / args.groups % 2 == 0 && kPairBytes <= queue.sharedBytesPerBlock;
    return pairs ? runScan<kState, 2>(queue, args) : runScan<kState, 1>(queue, args);
}

}  // namespace

Code mmaScan(Queue& queue, const StateSpaceArgs& args) {
    return args.stateDim == 64 ? runState<64>(queue, args) : runState<128>(queue, args);
}

}  // namespace fw::kernels::cuda
