#pragma once

#include <cstddef>

/// The program's own operator new, which fails when it is told to. For programs of one thread; sanitizers
/// have operators of their own.
///
/// Spared are three functions of nlohmann/json 3.11, because no program can get over a failure in them: the
/// destructor, which is noexcept, asks for room to take deep values apart without recursion; the constructor
/// from a braced list leaves behind what it has begun of an object; and a null that becomes an object or
/// array by being added to says that it is one before it has the memory, which its own assertions find.
/// Spared is also who asks for null instead of an exception: only valijson, which compiles schemas so and
/// does not look at what it got.
namespace troupe::testing::failing_memory {

/// What came of the allocation that was to fail.
enum class outcome { not_reached, failed, spared };

/// The n-th allocation from now on, from 1, throws `std::bad_alloc`.
void fail_at(std::size_t n) noexcept;
/// None fails any more.
outcome heal() noexcept;

/// How much is allocated and not released.
std::size_t live() noexcept;

} // namespace troupe::testing::failing_memory
