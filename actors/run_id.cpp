#include "actors/run_id.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/random.h>

namespace troupe {

std::string new_session_id() {
  // std::random_device asks the processor, which a virtual machine may make slow; the kernel's generator
  // never is.
  std::array<std::uint64_t, 2> bits;
  if (getrandom(bits.data(), sizeof bits, 0) != sizeof bits)
    throw std::system_error(errno, std::generic_category(), "no random bits");
  return fmt::format("{:016x}{:016x}", bits[0], bits[1]);
}

std::string new_run_id() {
  return "run_" + new_session_id();
}

} // namespace troupe
