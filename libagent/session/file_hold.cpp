#include "libagent/session/file_hold.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace troupe {

namespace {

/// Where SQLite's lock bytes begin, and how many there are.
constexpr off_t first_lock_byte = 0x40000000;
constexpr off_t lock_bytes = 512;

} // namespace

file_hold::file_hold(file_hold&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

file_hold& file_hold::operator=(file_hold&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

file_hold::~file_hold() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

result<file_hold> file_hold::take(const std::string& path) {
  file_hold made;
  made.descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  const bool can_write = made.descriptor_ >= 0;
  if (!can_write)
    made.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (made.descriptor_ < 0)
    return fail(errc::store_failed, fmt::format("it cannot be opened: {}", std::strerror(errno)));
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = first_lock_byte;
  wanted.l_len = lock_bytes;
  // Of the open file, as those of other connections are of their processes: so even one in this process
  // shows.
  const bool is_told = ::fcntl(made.descriptor_, can_write ? F_OFD_SETLK : F_OFD_GETLK, &wanted) == 0;
  if (!is_told && errno != EAGAIN && errno != EACCES)
    return fail(errc::store_failed, fmt::format("it cannot be locked: {}", std::strerror(errno)));
  if (!is_told || (!can_write && wanted.l_type != F_UNLCK))
    return fail(errc::conflict, "somebody has it open");
  return made;
}

} // namespace troupe
