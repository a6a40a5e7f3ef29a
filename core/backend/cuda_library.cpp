#include "core/backend/cuda_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace fw::backend {

namespace {

namespace cuda = kernels::cuda;

constexpr const char* kFile = "libfw_cuda.so";

// Files to try, in order; the last is left to the system's search.
std::vector<std::string> candidates() {
    if (const char* chosen = std::getenv("FW_CUDA_LIBRARY")) {
        return {chosen};
    }
    std::vector<std::string> files;
    std::error_code error;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        for (const char* folder : {".", "../lib/framewright"}) {
            const std::filesystem::path file = program.parent_path() / folder / kFile;
            if (std::filesystem::exists(file, error)) {
                files.push_back(file.string());
            }
        }
    }
    files.emplace_back(kFile);
    return files;
}

std::string lastLoaderError() {
    const char* text = ::dlerror();
    return text == nullptr ? "unknown error" : text;
}

// A further table of the library; null when it has none of this version.
template <class EntryPoint>
auto tableOf(void* handle, const char* name, std::int32_t version) -> decltype(EntryPoint()(version)) {
    void* symbol = ::dlsym(handle, name);
    return symbol == nullptr ? nullptr : reinterpret_cast<EntryPoint>(symbol)(version);
}

}  // namespace

bool CudaLibrary::isThere() {
    return candidates().front() != kFile;
}

Result<std::shared_ptr<const CudaLibrary>> CudaLibrary::open() {
    void* handle = nullptr;
    std::string reason;
    for (const std::string& file : candidates()) {
        handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (handle != nullptr) {
            break;
        }
        // The first file is the one that was meant; that the system does not know the name either says less.
        if (std::string error = lastLoaderError(); reason.empty()) {
            reason = std::move(error);
        }
    }
    if (handle == nullptr) {
        return fail(ErrorCode::Unsupported, "the CUDA engine cannot be opened: {}", reason);
    }
    void* symbol = ::dlsym(handle, cuda::kEntryPoint);
    if (symbol == nullptr) {
        return fail(ErrorCode::Unsupported, "{} is not Framewright's: {}", kFile, lastLoaderError());
    }
    const cuda::Api* api = reinterpret_cast<cuda::EntryPoint>(symbol)(cuda::kApiVersion);
    if (api == nullptr) {
        return fail(ErrorCode::Unsupported, "{} belongs to another version of Framewright; install both anew",
                    kFile);
    }
    return std::shared_ptr<const CudaLibrary>(new CudaLibrary(
        api, tableOf<cuda::StreamingEntryPoint>(handle, cuda::kStreamingEntryPoint, cuda::kStreamingVersion),
        tableOf<cuda::TimingEntryPoint>(handle, cuda::kTimingEntryPoint, cuda::kTimingVersion)));
}

Error cudaError(cuda::Code code, const cuda::Message& message) {
    switch (code) {
        case cuda::Code::OutOfMemory:
            return {ErrorCode::OutOfMemory, message.text};
        case cuda::Code::NoDriver:
        case cuda::Code::NoDevice:
        case cuda::Code::Unsupported:
            return {ErrorCode::Unsupported, message.text};
        case cuda::Code::DeviceLost:
            return {ErrorCode::DeviceLost, message.text};
        case cuda::Code::Ok:
        case cuda::Code::Failed:
            break;
    }
    return {ErrorCode::Internal, message.text};
}

}  // namespace fw::backend
