// SHA-256 by OpenSSL's libcrypto.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace fw::model {

// Feed bytes, then take the digest once. Not thread-safe.
class Sha256 {
 public:
    Sha256();

    void add(std::span<const std::byte> bytes);
    // A text with its length in front, so that ("ab", "c") and ("a", "bc") differ.
    void addText(std::string_view text);
    // 64 lower-case hexadecimal digits.
    [[nodiscard]] std::string finish();

 private:
    struct Deleter {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Deleter> m_context;
};

}  // namespace fw::model
