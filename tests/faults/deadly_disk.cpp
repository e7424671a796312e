// Preloaded into a server, it ends it by SIGKILL at a write or sync of its journal (SQLite's write-ahead
// log): DEADLY_WRITE says at the how manieth, from 1; DEADLY_WHEN whether "before" it, "after" it, or when
// half of it is "torn" off.

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

namespace {

struct death {
  std::uint64_t at = 0;
  std::string_view when;
};

death planned() {
  const auto* at = std::getenv("DEADLY_WRITE");
  const auto* when = std::getenv("DEADLY_WHEN");
  if (at == nullptr || when == nullptr)
    return {};
  return {std::strtoull(at, nullptr, 10), when};
}

bool is_journal(int file) {
  std::array<char, 4096> target{};
  const auto size = ::readlink(fmt::format("/proc/self/fd/{}", file).c_str(), target.data(), target.size());
  return size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)).ends_with("-wal");
}

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  while (true)
    ::pause();
}

/// How to die at this operation; empty to live on.
std::string_view fate(int file) {
  static const auto plan = planned();
  static std::atomic<std::uint64_t> count = 0;
  return plan.at > 0 && is_journal(file) && ++count == plan.at ? plan.when : std::string_view();
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

ssize_t write_at(int file, const void* data, std::size_t size, off_t where) {
  static auto* const real = next<ssize_t(int, const void*, std::size_t, off_t)>("pwrite64");
  const auto end = fate(file);
  if (end.empty())
    return real(file, data, size, where);
  if (end != "before")
    real(file, data, end == "torn" ? size / 2 : size, where);
  die();
}

int sync(int file, const char* name) {
  const auto end = fate(file);
  if (end == "before" || end == "torn")
    die();
  const int done = next<int(int)>(name)(file);
  if (!end.empty())
    die();
  return done;
}

} // namespace

extern "C" {

ssize_t pwrite(int file, const void* data, size_t size, off_t where) {
  return write_at(file, data, size, where);
}

ssize_t pwrite64(int file, const void* data, size_t size, off_t where) {
  return write_at(file, data, size, where);
}

int fsync(int file) {
  return sync(file, "fsync");
}

int fdatasync(int file) {
  return sync(file, "fdatasync");
}
}
