#include "core/model/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>

#include "core/base/check.h"

namespace fw::model {

void Sha256::Deleter::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : m_context(EVP_MD_CTX_new()) {
    // Fails only without memory or with a libcrypto built without SHA-2.
    FW_CHECK(m_context && EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(std::span<const std::byte> bytes) {
    FW_CHECK(EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size()) == 1);
}

void Sha256::addText(std::string_view text) {
    std::array<std::byte, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
        length[i] = static_cast<std::byte>(std::uint64_t{text.size()} >> (8 * i));
    }
    add(length);
    add(std::as_bytes(std::span(text)));
}

std::string Sha256::finish() {
    std::array<unsigned char, 32> digest{};
    FW_CHECK(EVP_DigestFinal_ex(m_context.get(), digest.data(), nullptr) == 1);
    std::string result;
    for (const unsigned char byte : digest) {
        result += fmt::format("{:02x}", byte);
    }
    return result;
}

}  // namespace fw::model
