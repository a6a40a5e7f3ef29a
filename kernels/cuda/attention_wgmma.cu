// Which attention goes to the wgmma kernel, and to which width of it.
#include <algorithm>

#include "kernels/cuda/attention_wgmma.cuh"

namespace fw::kernels::cuda {

bool wgmmaAttentionApplies(const Queue& queue, const AttentionArgs& args) {
    // The same rows of 16-byte units as for mma.sync. Maxima are taken before the scale, which must not turn them
    // over.
    return queue.capability == 90 && mmaAttentionApplies(queue, args) && args.scale > 0.0F &&
           (args.headDim == 64 || args.headDim == 128);
}

int wgmmaParts(int divided, int multiprocessors, int keyTiles) {
    constexpr int kMostParts = 8;
    constexpr int kFewestKeyTiles = 8;  // of a part: filling the pipeline costs about one
    int best = 1;
    double least = 1.0;  // rounds
    for (int parts = 2; parts <= std::min(kMostParts, keyTiles / kFewestKeyTiles) && divided > 0; ++parts) {
        const double rounds = static_cast<double>(ceilDiv(divided * parts, multiprocessors)) / parts;
        if (rounds < least - 0.05) {  // what more parts cost
            best = parts;
            least = rounds;
        }
    }
    return best;
}

namespace {

// A warp a query: results are weighted by what separates their references.
__global__ void addPartsKernel(const AttentionArgs args, const WgmmaSplit split, int tileQueries) {
    const int at = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) / 32;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int tile = at / tileQueries;
    const int row = at % tileQueries;
    if (tile >= split.divided) {
        return;
    }
    const int tiles = static_cast<int>(ceilDiv(args.queries, tileQueries));
    const int number = split.whole + tile;
    const std::int64_t query = static_cast<std::int64_t>(number % tiles) * tileQueries + row;
    if (query >= args.queries) {
        return;
    }
    const int width = static_cast<int>(args.headDim);
    const auto partOf = [&](int part) {
        return split.partials + static_cast<std::int64_t>(tile * split.parts + part) * tileQueries * (width + 2);
    };
    const auto about = [&](int part) { return partOf(part) + tileQueries * width + row * 2; };
    float reference = -INFINITY;
    for (int part = 0; part < split.parts; ++part) {
        reference = fmaxf(reference, about(part)[0]);
    }
    reference = reference == -INFINITY ? 0.0F : reference;
    float sum = 0.0F;
    float result[4] = {0.0F, 0.0F, 0.0F, 0.0F};
    for (int part = 0; part < split.parts; ++part) {
        const float weight = exp2Fast(about(part)[0] - reference);
        sum += about(part)[1] * weight;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            if (i * 64 >= width) {
                break;
            }
            const float2 two = *reinterpret_cast<const float2*>(partOf(part) + row * width + i * 64 + lane * 2);
            result[2 * i] += two.x * weight;
            result[2 * i + 1] += two.y * weight;
        }
    }
    const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
    const int heads = static_cast<int>(args.heads);
    Bf16* out = static_cast<Bf16*>(args.out) + number / tiles / heads * args.outBatch + query * args.outToken +
                number / tiles % heads * args.outHead + lane * 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        if (i * 64 < width) {
            *reinterpret_cast<std::uint32_t*>(out + i * 64) =
                packBf16(result[2 * i] * factor, result[2 * i + 1] * factor);
        }
    }
}

}  // namespace

Code addParts(Queue& queue, const AttentionArgs& args, const WgmmaSplit& split, int tileQueries) {
    constexpr int kThreads = 256;
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(split.divided * tileQueries, kThreads / 32)));
    shape.threads = kThreads;
    return launch(queue, addPartsKernel, shape, args, split, tileQueries);
}

WgmmaSplit wgmmaSplitOf(Queue& queue, const AttentionArgs& args, int tileQueries, int tileKeys) {
    const int tiles = static_cast<int>(ceilDiv(args.queries, tileQueries) * args.heads * args.batch);
    const int over = tiles % queue.multiprocessors;
    const int parts = wgmmaParts(over, queue.multiprocessors, static_cast<int>(ceilDiv(args.keys, tileKeys)));
    WgmmaSplit split{.whole = tiles};
    if (parts > 1) {
        split = {.whole = tiles - over, .divided = over, .parts = parts};
        const std::int64_t floats = static_cast<std::int64_t>(over) * parts * tileQueries * (args.headDim + 2);
        split.partials = static_cast<float*>(queue.attentionParts.take(queue.stream, floats * 4));
        if (split.partials == nullptr) {
            split = {.whole = tiles};  // slower by less than a round
        }
    }
    return split;
}

Code makeWgmmaMaps(Queue& queue, const AttentionArgs& args, int queries, WgmmaMaps& maps) {
    const int keys = args.headDim == 64 ? kWgmmaKeys<64> : kWgmmaKeys<128>;
    const TensorMapSpec q{args.q,      args.batch,  args.queries, args.heads, args.headDim,
                          args.qBatch, args.qToken, args.qHead,   queries};
    const TensorMapSpec k{args.k,      args.batch,  args.keys,  args.heads, args.headDim,
                          args.kBatch, args.kToken, args.kHead, keys};
    const TensorMapSpec v{args.v,      args.batch,  args.keys,  args.heads, args.headDim,
                          args.vBatch, args.vToken, args.vHead, keys};
    return makeTensorMap(maps.q, q) && makeTensorMap(maps.k, k) && makeTensorMap(maps.v, v)
               ? Code::Ok
               : queue.fail(Code::Failed, "the driver refuses to describe an attention operand");
}

Code wgmmaAttention(Queue& queue, const AttentionArgs& args) {
    const bool narrow = args.headDim == 64;
    WgmmaMaps maps{};
    const Code code = makeWgmmaMaps(queue, args, narrow ? kWgmmaQueries<64> : kWgmmaQueries<128>, maps);
    if (code != Code::Ok) {
        return code;
    }
    return narrow ? wgmmaAttention64(queue, args, maps) : wgmmaAttention128(queue, args, maps);
}

}  // namespace fw::kernels::cuda
