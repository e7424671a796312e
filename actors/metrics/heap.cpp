#include "actors/metrics/heap.hpp"

#include <cstddef>

#include <malloc.h>

// jemalloc(3). Which allocator there is, is the program's choice: without jemalloc this is null.
extern "C" int mallctl(const char* name, void* old, std::size_t* old_size, void* value,
                       std::size_t size) noexcept __attribute__((weak));

namespace troupe {

void trim_heap() noexcept {
  // 4096 stands for all arenas (MALLCTL_ARENAS_ALL).
  if (mallctl)
    ::mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
  else
    ::malloc_trim(0);
}

} // namespace troupe
