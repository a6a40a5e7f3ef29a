#include "core/ipc/preview_ring.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "core/base/check.h"

namespace fw::ipc {

namespace {

constexpr std::uint64_t kMagic = 0x31676e6952777246ULL;  // "FrwRing1"
constexpr std::size_t kSlotAlignment = 64;

struct SlotHeader {
    std::atomic<std::uint64_t> sequence;  // 0 while it is being written
    std::atomic<std::int64_t> bytes;
};

std::size_t slotStride(std::int64_t slotBytes) {
    const std::size_t raw = kSlotAlignment + static_cast<std::size_t>(slotBytes);
    return (raw + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment;
}

// Frames are copied word by word with releasing stores and acquiring loads, so that whoever saw a new word also
// sees the new sequence: the reader may look at a slot while it is overwritten and then throws the copy away, which
// is only defined behaviour when every access is atomic.
using Word = std::uint64_t;

void copyIn(std::byte* slot, const void* data, std::size_t bytes) {
    const auto* from = static_cast<const std::byte*>(data);
    for (std::size_t at = 0; at < bytes; at += sizeof(Word)) {
        Word word = 0;
        std::memcpy(&word, from + at, std::min(sizeof(Word), bytes - at));
        std::atomic_ref<Word>(*reinterpret_cast<Word*>(slot + at)).store(word, std::memory_order_release);
    }
}

void copyOut(void* data, std::byte* slot, std::size_t bytes) {
    auto* to = static_cast<std::byte*>(data);
    for (std::size_t at = 0; at < bytes; at += sizeof(Word)) {
        const Word word =
            std::atomic_ref<Word>(*reinterpret_cast<Word*>(slot + at)).load(std::memory_order_acquire);
        std::memcpy(to + at, &word, std::min(sizeof(Word), bytes - at));
    }
}

std::string systemText(int error) {
    return std::strerror(error);
}

}  // namespace

struct PreviewRing::Header {
    std::uint64_t magic;
    std::int32_t slotCount;
    std::int32_t reserved;
    std::int64_t slotBytes;
    std::atomic<std::uint64_t> nextSequence;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "sequences are shared between processes");

PreviewRing::PreviewRing(std::string name, int file, void* memory, std::size_t size, const Layout& layout)
    : m_name(std::move(name)), m_file(file), m_memory(memory), m_size(size), m_layout(layout) {}

PreviewRing::~PreviewRing() {
    munmap(m_memory, m_size);
    if (m_file >= 0) {
        close(m_file);
    }
}

Result<std::unique_ptr<PreviewRing>> PreviewRing::create(const std::string& name, int slotCount,
                                                         std::int64_t slotBytes) {
    FW_CHECK(slotCount > 0 && slotBytes > 0, "{} slotCount of {} bytes", slotCount, slotBytes);
    const int file = shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) {
        return fail(ErrorCode::Io, "cannot create shared memory for previews: {}", systemText(errno));
    }
    flock(file, LOCK_EX | LOCK_NB);  // ours alone: nobody else knows the name; freed however we end
    const std::size_t size = kSlotAlignment + static_cast<std::size_t>(slotCount) * slotStride(slotBytes);
    // posix_fallocate reserves the pages now: a full /dev/shm is an error here and not a SIGBUS later.
    const int reserved = posix_fallocate(file, 0, static_cast<off_t>(size));
    void* memory = reserved == 0 ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    const int error = reserved != 0 ? reserved : errno;
    if (memory == MAP_FAILED) {
        close(file);
        shm_unlink(name.c_str());
        return fail(ErrorCode::OutOfMemory, "cannot reserve {} bytes of shared memory for previews: {}", size,
                    systemText(error));
    }
    auto* header = new (memory) Header{};
    header->slotCount = slotCount;
    header->slotBytes = slotBytes;
    header->nextSequence.store(1);
    header->magic = kMagic;
    return std::unique_ptr<PreviewRing>(new PreviewRing(name, file, memory, size, {slotCount, slotBytes}));
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
    const auto* header = static_cast<const Header*>(memory);
    const Layout layout{header->slotCount, header->slotBytes};
    auto ring = std::unique_ptr<PreviewRing>(new PreviewRing(name, -1, memory, size, layout));
    const bool valid =
        header->magic == kMagic && layout.slotCount > 0 && layout.slotBytes > 0 &&
        layout.slotBytes < static_cast<std::int64_t>(size) &&
        static_cast<std::size_t>(layout.slotCount) <= (size - kSlotAlignment) / slotStride(layout.slotBytes);
    if (!valid) {
        return fail(ErrorCode::InvalidArgument, "the shared memory for previews has an unknown layout");
    }
    return ring;
}

void PreviewRing::unlink() {
    shm_unlink(m_name.c_str());
}

void PreviewRing::sweep(const std::string& prefix, std::chrono::seconds minimumAge) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/dev/shm", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with(prefix)) {
            continue;
        }
        const int file = shm_open(('/' + name).c_str(), O_RDWR | O_CLOEXEC, 0);
        if (file < 0) {
            continue;  // somebody else's
        }
        struct stat info {};
        const bool ours = fstat(file, &info) == 0 && info.st_uid == geteuid();
        if (ours && std::time(nullptr) - info.st_mtime >= minimumAge.count() &&
            flock(file, LOCK_EX | LOCK_NB) == 0) {
            shm_unlink(('/' + name).c_str());
        }
        close(file);
    }
}

Result<PreviewRing::Written> PreviewRing::write(const void* data, std::int64_t bytes) {
    auto* header = static_cast<Header*>(m_memory);
    if (bytes <= 0 || bytes > m_layout.slotBytes) {
        return fail(ErrorCode::InvalidArgument, "a preview of {} bytes does not fit a slot of {}", bytes,
                    m_layout.slotBytes);
    }
    const int slot = m_next;
    m_next = (m_next + 1) % m_layout.slotCount;
    auto* base = static_cast<std::byte*>(m_memory) + kSlotAlignment +
                 static_cast<std::size_t>(slot) * slotStride(m_layout.slotBytes);
    auto* slotHeader = reinterpret_cast<SlotHeader*>(base);
    const std::uint64_t sequence = header->nextSequence.fetch_add(1);
    // An acquiring exchange: no word below is written before the slot is marked as being written.
    slotHeader->sequence.exchange(0, std::memory_order_acq_rel);
    slotHeader->bytes.store(bytes, std::memory_order_relaxed);
    copyIn(base + kSlotAlignment, data, static_cast<std::size_t>(bytes));
    slotHeader->sequence.store(sequence, std::memory_order_release);
    return Written{slot, sequence};
}

std::vector<std::uint8_t> PreviewRing::read(int slot, std::uint64_t sequence) {
    if (slot < 0 || slot >= m_layout.slotCount || sequence == 0) {
        return {};
    }
    auto* base = static_cast<std::byte*>(m_memory) + kSlotAlignment +
                 static_cast<std::size_t>(slot) * slotStride(m_layout.slotBytes);
    auto* slotHeader = reinterpret_cast<SlotHeader*>(base);
    if (slotHeader->sequence.load(std::memory_order_acquire) != sequence) {
        return {};
    }
    const std::int64_t bytes = slotHeader->bytes.load(std::memory_order_relaxed);
    if (bytes <= 0 || bytes > m_layout.slotBytes) {
        return {};
    }
    std::vector<std::uint8_t> copy(static_cast<std::size_t>(bytes));
    copyOut(copy.data(), base + kSlotAlignment, copy.size());
    if (slotHeader->sequence.load(std::memory_order_acquire) != sequence) {
        return {};
    }
    return copy;
}

}  // namespace fw::ipc
