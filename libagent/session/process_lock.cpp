#include "libagent/session/process_lock.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace troupe {

namespace {

struct flock lock_of(std::int64_t number) {
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = number;
  wanted.l_len = 1;
  return wanted;
}

} // namespace

process_lock::process_lock(process_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), own_(std::exchange(other.own_, -1)) {}

process_lock& process_lock::operator=(process_lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(own_, other.own_);
  return *this;
}

process_lock::~process_lock() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

result<process_lock> process_lock::open(const std::string& path) {
  process_lock made;
  made.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made.descriptor_ < 0)
    return fail(errc::store_failed, fmt::format("\"{}\": {}", path, std::strerror(errno)));
  return made;
}

result<void> process_lock::take(std::int64_t number) {
  auto wanted = lock_of(number);
  // Of the open file, not of the process: else any close of the file would let go of it.
  if (::fcntl(descriptor_, F_OFD_SETLK, &wanted) != 0)
    return fail(errc::store_failed, fmt::format("the lock of process {}: {}", number, std::strerror(errno)));
  own_ = number;
  return {};
}

bool process_lock::is_held(std::int64_t number) const noexcept {
  if (number == own_)
    return true;
  auto wanted = lock_of(number);
  return ::fcntl(descriptor_, F_OFD_GETLK, &wanted) != 0 || wanted.l_type != F_UNLCK;
}

} // namespace troupe
