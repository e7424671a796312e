#pragma once

namespace troupe {

/// Gives memory that was freed, and that the allocator keeps, back to the kernel: jemalloc's in a program
/// that is linked with it, else that of the C library. Takes milliseconds. From any thread.
void trim_heap() noexcept;

} // namespace troupe
