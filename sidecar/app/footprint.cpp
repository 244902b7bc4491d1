#include "sidecar/app/footprint.hpp"

#include <cstdint>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace mailid::app {
namespace {

/// Lets the kernel forget that the read-only parts of a program or library are mapped. What was written to is left
/// alone, so nothing is lost.
int drop_read_only_pages(dl_phdr_info* image, std::size_t /*size*/, void* /*data*/) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (std::size_t i = 0; i < image->dlpi_phnum; ++i) {
    const auto& segment = image->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const auto begin = (image->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const auto end = image->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): segments are given as addresses
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void keep_footprint_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  ::dl_iterate_phdr(drop_read_only_pages, nullptr);
}

void shrink_footprint() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(drop_read_only_pages, nullptr);
}

}  // namespace mailid::app
