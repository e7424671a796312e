#include "tests/libagent/session/failing_disk.hpp"

#include <sqlite3.h>

#include <cstring>
#include <fstream>
#include <map>
#include <new>
#include <random>
#include <vector>

namespace troupe {

namespace {

/// A write that was not synced, and what stood there before.
struct open_write {
  std::int64_t at = 0;
  std::string now;
  std::string before;
};

struct disk_state {
  std::size_t operations = 0;
  std::size_t fails_at = 0;
  failing_disk::fault fault = failing_disk::fault::broken;
  bool is_down = false;
  std::map<std::string, std::vector<open_write>> open;
};

disk_state& disk() {
  static disk_state made;
  return made;
}

/// What SQLite has of a file; the default VFS's own follows it.
struct file {
  sqlite3_file base;
  std::string* path;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
file& own(sqlite3_file* handle) {
  return *reinterpret_cast<file*>(handle);
}

/// Whether this operation fails.
bool fails() {
  auto& now = disk();
  ++now.operations;
  if (now.fault == failing_disk::fault::unreadable || now.fault == failing_disk::fault::no_index)
    return false;
  if (now.is_down)
    return true;
  if (now.operations != now.fails_at)
    return false;
  now.is_down = now.fault == failing_disk::fault::full || now.fault == failing_disk::fault::power;
  return true;
}

int close_file(sqlite3_file* handle) {
  auto& it = own(handle);
  const auto code = it.real()->pMethods->xClose(it.real());
  delete it.path;
  return code;
}

int read_file(sqlite3_file* handle, void* into, int count, sqlite3_int64 at) {
  if (disk().fault == failing_disk::fault::unreadable)
    return SQLITE_IOERR_READ;
  auto* real = own(handle).real();
  return real->pMethods->xRead(real, into, count, at);
}

int write_file(sqlite3_file* handle, const void* from, int count, sqlite3_int64 at) {
  auto& it = own(handle);
  auto* real = it.real();
  const bool has_failed = fails();
  using fault = failing_disk::fault;
  if (has_failed && disk().fault == fault::full)
    return SQLITE_FULL;
  if (has_failed && disk().fault == fault::cut)
    real->pMethods->xWrite(real, from, count / 2, at);
  // The write that the power went at may have come through as any other that was not synced.
  const bool is_last = has_failed && disk().fault == fault::power && disk().operations == disk().fails_at;
  if (has_failed && !is_last)
    return SQLITE_IOERR_WRITE;
  std::string before(static_cast<std::size_t>(count), '\0');
  real->pMethods->xRead(real, before.data(), count, at);
  disk().open[*it.path].push_back(
      {at, {static_cast<const char*>(from), static_cast<std::size_t>(count)}, std::move(before)});
  const auto code = real->pMethods->xWrite(real, from, count, at);
  return is_last ? SQLITE_IOERR_WRITE : code;
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
  auto* real = own(handle).real();
  return fails() && disk().fault != failing_disk::fault::full ? SQLITE_IOERR_TRUNCATE
                                                              : real->pMethods->xTruncate(real, size);
}

int sync_file(sqlite3_file* handle, int flags) {
  auto& it = own(handle);
  if (fails() && disk().fault != failing_disk::fault::full)
    return SQLITE_IOERR_FSYNC;
  disk().open.erase(*it.path);
  return it.real()->pMethods->xSync(it.real(), flags);
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* size) {
  auto* real = own(handle).real();
  return real->pMethods->xFileSize(real, size);
}
int lock_file(sqlite3_file* handle, int level) {
  auto* real = own(handle).real();
  return real->pMethods->xLock(real, level);
}
int unlock_file(sqlite3_file* handle, int level) {
  auto* real = own(handle).real();
  return real->pMethods->xUnlock(real, level);
}
int check_lock(sqlite3_file* handle, int* is_held) {
  auto* real = own(handle).real();
  return real->pMethods->xCheckReservedLock(real, is_held);
}
int control_file(sqlite3_file* handle, int what, void* argument) {
  auto* real = own(handle).real();
  return real->pMethods->xFileControl(real, what, argument);
}
int sector_size(sqlite3_file* handle) {
  auto* real = own(handle).real();
  return real->pMethods->xSectorSize(real);
}
int traits_of(sqlite3_file*) {
  // None: no write is whole, none stays in its place of the order.
  return 0;
}
int map_shared(sqlite3_file* handle, int page, int size, int extends, volatile void** into) {
  if (disk().fault == failing_disk::fault::no_index)
    return SQLITE_IOERR_SHMSIZE;
  auto* real = own(handle).real();
  return real->pMethods->xShmMap(real, page, size, extends, into);
}
int lock_shared(sqlite3_file* handle, int offset, int count, int flags) {
  auto* real = own(handle).real();
  return real->pMethods->xShmLock(real, offset, count, flags);
}
void fence_shared(sqlite3_file* handle) {
  auto* real = own(handle).real();
  real->pMethods->xShmBarrier(real);
}
int unmap_shared(sqlite3_file* handle, int deletes) {
  auto* real = own(handle).real();
  return real->pMethods->xShmUnmap(real, deletes);
}

constexpr sqlite3_io_methods methods{
    2,           close_file,   read_file,    write_file,   truncate_file, sync_file, size_of_file,
    lock_file,   unlock_file,  check_lock,   control_file, sector_size,   traits_of, map_shared,
    lock_shared, fence_shared, unmap_shared, nullptr,      nullptr};

sqlite3_vfs* default_vfs = nullptr;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
  auto& it = own(handle);
  it.base.pMethods = nullptr;
  const auto code = default_vfs->xOpen(default_vfs, name, it.real(), flags, out_flags);
  if (code != SQLITE_OK)
    return code;
  it.path = new std::string(name != nullptr ? name : "");
  it.base.pMethods = &methods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int syncs) {
  return fails() && disk().fault != failing_disk::fault::full
             ? SQLITE_IOERR_DELETE
             : default_vfs->xDelete(default_vfs, name, syncs);
}

sqlite3_vfs& shim() {
  static sqlite3_vfs made = [] {
    default_vfs = sqlite3_vfs_find(nullptr);
    auto copy = *default_vfs;
    copy.zName = "failing";
    copy.pNext = nullptr;
    copy.szOsFile = static_cast<int>(sizeof(file)) + default_vfs->szOsFile;
    copy.xOpen = open_file;
    copy.xDelete = delete_file;
    return copy;
  }();
  return made;
}

} // namespace

failing_disk::failing_disk() {
  disk() = {};
  sqlite3_vfs_register(&shim(), 1);
}

failing_disk::~failing_disk() {
  sqlite3_vfs_unregister(&shim());
  sqlite3_vfs_register(default_vfs, 1);
}

void failing_disk::fail_at(std::size_t n, fault what) {
  disk().operations = 0;
  disk().fails_at = n;
  disk().fault = what;
  disk().is_down = false;
}

void failing_disk::repair() {
  fail_at(0, fault::broken);
}

std::size_t failing_disk::operations() const {
  return disk().operations;
}

void failing_disk::power_cut(std::uint64_t seed) {
  std::mt19937_64 luck(seed);
  for (auto& [path, writes] : disk().open) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    if (!file)
      continue;
    // Back to what was synced, then what came through of the rest.
    for (auto each = writes.rbegin(); each != writes.rend(); ++each)
      file.seekp(each->at).write(each->before.data(), static_cast<std::streamsize>(each->before.size()));
    for (const auto& each : writes) {
      const auto fate = luck() % 3;
      const auto kept = fate == 0 ? 0 : fate == 1 ? each.now.size() : luck() % (each.now.size() + 1);
      file.seekp(each.at).write(each.now.data(), static_cast<std::streamsize>(kept));
    }
  }
  disk() = {};
}

} // namespace troupe
