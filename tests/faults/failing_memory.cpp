#include "tests/faults/failing_memory.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string_view>

namespace troupe::testing::failing_memory {

namespace {

std::size_t allocated = 0;
/// Until one fails; 0: none does.
std::size_t left = 0;
outcome last = outcome::not_reached;

/// The program has to export its functions (ENABLE_EXPORTS), else they have no names here.
bool is_spared_function(const void* address) noexcept {
  Dl_info known{};
  if (dladdr(address, &known) == 0 || known.dli_sname == nullptr)
    return false;
  const std::string_view name = known.dli_sname;
  const auto has = [name](std::string_view part) { return name.find(part) != std::string_view::npos; };
  const bool destroys = has("10json_value7destroy");
  const bool takes_list = has("10basic_json") && has("C2ESt16initializer_list");
  const bool makes_empty = has("10basic_json") && has("6createI") && name.ends_with("EJEEEPT_DpOT0_");
  return destroys || takes_list || makes_empty;
}

/// The same, remembered: the names of all functions are looked through each time.
bool is_spared_frame(const void* address) noexcept {
  struct entry {
    const void* address;
    bool is_spared;
  };
  static std::array<entry, 4096> known{};
  auto& at = known[(reinterpret_cast<std::uintptr_t>(address) >> 1) % known.size()];
  if (at.address != address)
    at = {address, is_spared_function(address)};
  return at.is_spared;
}

bool is_spared() noexcept {
  // A map's node, a string in it: that deep below the constructor it can be.
  std::array<void*, 48> frames{};
  const auto count = backtrace(frames.data(), static_cast<int>(frames.size()));
  for (int i = 0; i < count; ++i)
    if (is_spared_frame(frames[static_cast<std::size_t>(i)]))
      return true;
  return false;
}

void* serve(std::size_t size) noexcept {
  auto* made = std::malloc(size);
  allocated += made != nullptr ? 1 : 0;
  return made;
}

void* allocate(std::size_t size) {
  if (left > 0 && --left == 0) {
    last = is_spared() ? outcome::spared : outcome::failed;
    if (last == outcome::failed)
      throw std::bad_alloc();
  }
  auto* made = serve(size);
  if (made == nullptr)
    throw std::bad_alloc();
  return made;
}

void release(void* what) noexcept {
  allocated -= what != nullptr ? 1 : 0;
  std::free(what);
}

} // namespace

void fail_at(std::size_t n) noexcept {
  last = outcome::not_reached;
  left = n;
}

outcome heal() noexcept {
  left = 0;
  return last;
}

std::size_t live() noexcept {
  return allocated;
}

} // namespace troupe::testing::failing_memory

using namespace troupe::testing::failing_memory;

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return serve(size);
}
void operator delete(void* what) noexcept {
  release(what);
}
void operator delete[](void* what) noexcept {
  release(what);
}
void operator delete(void* what, std::size_t) noexcept {
  release(what);
}
void operator delete[](void* what, std::size_t) noexcept {
  release(what);
}
