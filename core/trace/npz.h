// NumPy's own file of several arrays: numpy.load("x.npz")["name"].
//
// A zip archive of .npy files, stored as they are like numpy.savez does it
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Stored archives need three records and
// a checksum, so no library is asked; compressed ones would.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::trace {

// Collects arrays; a value. Names may be any text without '/'; one that was given before gets "_2" behind it.
class NpzArchive {
 public:
    // Contiguous, in host memory; f16, f32, i32, i64 or u8.
    void add(const std::string& name, const ConstTensorView& array);
    void add(const std::string& name, std::span<const double> values);
    // NumPy's "<U": UTF-8 here, as many characters as the longest one has there.
    void add(const std::string& name, std::span<const std::string> texts);

    // The file. Unsupported when an array or all of them exceed the 4 GiB a plain zip archive can hold.
    [[nodiscard]] Result<std::string> bytes() const;

 private:
    void add(const std::string& name, std::string_view type, const std::vector<std::int64_t>& shape,
             std::string_view data);

    struct Entry {
        std::string name, npy;
    };
    std::vector<Entry> m_entries;
};

}  // namespace fw::trace
