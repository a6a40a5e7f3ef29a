// Weights that wait in host memory and visit the device in groups, two at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/backend/ops.h"
#include "core/base/result.h"

namespace fw::backend {

// A stack of matrices used group by group, always in the same order: the blocks of a transformer larger than the
// device. While one group computes the next is copied to the other of two places. Used by the thread of the queue
// it belongs to, which must outlive it. Order: park() …, settle(), then begin(g), work, end(g) for one group after
// the other; a pass may stop early and start again at any group.
class WeightStream {
 public:
    virtual ~WeightStream() = default;
    WeightStream(const WeightStream&) = delete;
    WeightStream& operator=(const WeightStream&) = delete;

    // Takes a matrix off the device: its bytes wait in host memory as a part of `group`, the last one or the one
    // after it. From now on the matrix works only between begin(group) and end(group). OutOfMemory when the host is
    // full.
    [[nodiscard]] Status park(PackedLinear& matrix, int group);
    // Takes the two places on the device, each as large as the largest group. OutOfMemory.
    [[nodiscard]] Status settle();

    // Work queued from here on finds the group on the device. Waits on the device, not here. Fails with what went
    // wrong since the last call.
    [[nodiscard]] Status begin(int group);
    // What is queued so far was the last that needs the group.
    void end(int group);

    // Both places.
    [[nodiscard]] std::int64_t deviceBytes() const;
    [[nodiscard]] std::int64_t hostBytes() const;
    // Groups copied to the device since settle().
    [[nodiscard]] std::int64_t copies() const { return m_copies; }

 protected:
    WeightStream() = default;

    static constexpr int kPlaces = 2;
    static constexpr std::int64_t kAlignment = 256;

    // Moves the bytes of a matrix to host memory, to lie `offset` bytes behind the start of a place, and returns
    // how many bytes of the place they take.
    [[nodiscard]] virtual Result<std::int64_t> takeOut(PackedLinear& matrix, int group, std::int64_t offset) = 0;
    // Makes the places, of so many bytes each.
    [[nodiscard]] virtual Status makePlaces(std::int64_t bytes) = 0;
    // Queues the copy of a group to a place, behind all work that leave(place) was told of.
    virtual void fetch(int group, int place) = 0;
    // Work queued from here on waits for the last fetch() to the place.
    virtual void await(int place) = 0;
    virtual void leave(int place) = 0;
    // The first failure since the last call.
    [[nodiscard]] virtual Status takeFailure() { return {}; }

 private:
    void fetchIfAbsent(int group);

    std::vector<std::int64_t> m_groupBytes;
    std::array<int, kPlaces> m_held{-1, -1};  // group in each place; -1: none
    int m_begun = -1;
    std::int64_t m_copies = 0;
};

// A device whose weights can wait in host memory. Not every one has it: a dynamic_cast tells.
class StreamsWeights {
 public:
    virtual ~StreamsWeights() = default;
    // For matrices packed by `ops`, a queue of this device.
    [[nodiscard]] virtual Result<std::unique_ptr<WeightStream>> createWeightStream(Ops& ops) = 0;
};

}  // namespace fw::backend
