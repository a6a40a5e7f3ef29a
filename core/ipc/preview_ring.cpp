#include "core/ipc/preview_ring.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace fw::ipc {

namespace {

constexpr std::uint64_t kMagic = 0x31676e6952777246ULL;  // "FrwRing1"
constexpr std::size_t kSlotAlignment = 64;

struct SlotHeader {
    std::atomic<std::uint64_t> sequence;  // 0 while it is being written
    std::int64_t bytes;
};

std::size_t slotStride(std::int64_t slotBytes) {
    const std::size_t raw = kSlotAlignment + static_cast<std::size_t>(slotBytes);
    return (raw + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment;
}

std::string systemText(int error) { return std::strerror(error); }

}  // namespace

struct PreviewRing::Header {
    std::uint64_t magic;
    std::int32_t slots;
    std::int32_t reserved;
    std::int64_t slotBytes;
    std::atomic<std::uint64_t> nextSequence;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "sequences are shared between processes");

PreviewRing::PreviewRing(std::string name, void* memory, std::size_t size)
    : m_name(std::move(name)), m_memory(memory), m_size(size) {}

PreviewRing::~PreviewRing() { munmap(m_memory, m_size); }

Result<std::unique_ptr<PreviewRing>> PreviewRing::create(const std::string& name, int slots, std::int64_t slotBytes) {
    FW_CHECK(slots > 0 && slotBytes > 0, "{} slots of {} bytes", slots, slotBytes);
    const int file = shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) {
        return fail(ErrorCode::Io, "cannot create shared memory for previews: {}", systemText(errno));
    }
    const std::size_t size = kSlotAlignment + static_cast<std::size_t>(slots) * slotStride(slotBytes);
    // posix_fallocate reserves the pages now: a full /dev/shm is an error here and not a SIGBUS later.
    const int reserved = posix_fallocate(file, 0, static_cast<off_t>(size));
    void* memory = reserved == 0 ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    const int error = reserved != 0 ? reserved : errno;
    close(file);
    if (memory == MAP_FAILED) {
        shm_unlink(name.c_str());
        return fail(ErrorCode::OutOfMemory, "cannot reserve {} bytes of shared memory for previews: {}", size,
                    systemText(error));
    }
    auto* header = new (memory) Header{};
    header->slots = slots;
    header->slotBytes = slotBytes;
    header->nextSequence.store(1);
    header->magic = kMagic;
    return std::unique_ptr<PreviewRing>(new PreviewRing(name, memory, size));
}

Result<std::unique_ptr<PreviewRing>> PreviewRing::open(const std::string& name) {
    const int file = shm_open(name.c_str(), O_RDWR | O_CLOEXEC, 0);
    if (file < 0) {
        return fail(ErrorCode::Io, "cannot open the shared memory for previews: {}", systemText(errno));
    }
    struct stat info {};
    const bool known = fstat(file, &info) == 0 && info.st_size >= static_cast<off_t>(kSlotAlignment);
    const auto size = static_cast<std::size_t>(known ? info.st_size : 0);
    void* memory = known ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    if (memory == MAP_FAILED) {
        return fail(ErrorCode::Io, "the shared memory for previews cannot be mapped");
    }
    auto ring = std::unique_ptr<PreviewRing>(new PreviewRing(name, memory, size));
    const auto* header = static_cast<const Header*>(memory);
    const bool valid = header->magic == kMagic && header->slots > 0 && header->slotBytes > 0 &&
                       header->slotBytes < static_cast<std::int64_t>(size) &&
                       static_cast<std::size_t>(header->slots) <= (size - kSlotAlignment) / slotStride(header->slotBytes);
    if (!valid) {
        return fail(ErrorCode::InvalidArgument, "the shared memory for previews has an unknown layout");
    }
    return ring;
}

void PreviewRing::unlink() { shm_unlink(m_name.c_str()); }

Result<PreviewRing::Written> PreviewRing::write(const void* data, std::int64_t bytes) {
    auto* header = static_cast<Header*>(m_memory);
    if (bytes <= 0 || bytes > header->slotBytes) {
        return fail(ErrorCode::InvalidArgument, "a preview of {} bytes does not fit a slot of {}", bytes,
                    header->slotBytes);
    }
    const int slot = m_next;
    m_next = (m_next + 1) % header->slots;
    auto* base = static_cast<std::byte*>(m_memory) + kSlotAlignment +
                 static_cast<std::size_t>(slot) * slotStride(header->slotBytes);
    auto* slotHeader = reinterpret_cast<SlotHeader*>(base);
    const std::uint64_t sequence = header->nextSequence.fetch_add(1);
    slotHeader->sequence.store(0, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    slotHeader->bytes = bytes;
    std::memcpy(base + kSlotAlignment, data, static_cast<std::size_t>(bytes));
    slotHeader->sequence.store(sequence, std::memory_order_release);
    return Written{slot, sequence};
}

std::vector<std::uint8_t> PreviewRing::read(int slot, std::uint64_t sequence) {
    const auto* header = static_cast<const Header*>(m_memory);
    if (slot < 0 || slot >= header->slots || sequence == 0) {
        return {};
    }
    const auto* base = static_cast<const std::byte*>(m_memory) + kSlotAlignment +
                       static_cast<std::size_t>(slot) * slotStride(header->slotBytes);
    const auto* slotHeader = reinterpret_cast<const SlotHeader*>(base);
    if (slotHeader->sequence.load(std::memory_order_acquire) != sequence) {
        return {};
    }
    const std::int64_t bytes = slotHeader->bytes;
    if (bytes <= 0 || bytes > header->slotBytes) {
        return {};
    }
    std::vector<std::uint8_t> copy(static_cast<std::size_t>(bytes));
    std::memcpy(copy.data(), base + kSlotAlignment, copy.size());
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (slotHeader->sequence.load(std::memory_order_acquire) != sequence) {
        return {};
    }
    return copy;
}

}  // namespace fw::ipc
