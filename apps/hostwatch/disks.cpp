#include "apps/hostwatch/disks.hpp"

#include "apps/hostwatch/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include <mntent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace troupe::hostwatch {

namespace {

namespace fs = std::filesystem;

struct mount {
  std::string directory;
  std::string device;
  std::string type;
};

std::vector<mount> read_mounts() {
  std::vector<mount> mounts;
  const std::unique_ptr<FILE, int (*)(FILE*)> table(::setmntent("/proc/self/mounts", "re"), ::endmntent);
  if (!table)
    return mounts;
  ::mntent entry{};
  std::array<char, 8192> text{};
  while (::getmntent_r(table.get(), &entry, text.data(), static_cast<int>(text.size())) != nullptr)
    mounts.push_back({entry.mnt_dir, entry.mnt_fsname, entry.mnt_type});
  return mounts;
}

/// Local and on storage. One that lives on another machine may block whoever asks it for as long as that
/// machine is away, and so may a filesystem in user space.
bool is_local_storage(const mount& each) {
  constexpr std::array<std::string_view, 35> others = {
      "autofs",    "binfmt_misc", "bpf",      "cgroup",   "cgroup2", "configfs",   "debugfs",
      "devfs",     "devpts",      "devtmpfs", "efivarfs", "fusectl", "hugetlbfs",  "mqueue",
      "nsfs",      "proc",        "pstore",   "ramfs",    "rootfs",  "rpc_pipefs", "securityfs",
      "selinuxfs", "squashfs",    "sysfs",    "tmpfs",    "tracefs", "afs",        "ceph",
      "cifs",      "ncpfs",       "nfs",      "nfs4",     "smb3",    "smbfs",      "gpfs"};
  if (each.directory == "/")
    return true;
  return std::find(others.begin(), others.end(), each.type) == others.end() &&
         !each.type.starts_with("fuse.");
}

/// Nothing if the filesystem holds no blocks or cannot be asked.
std::optional<json> usage_of(const mount& each, const std::string& asked_at) {
  struct statvfs figures {};
  if (::statvfs(asked_at.c_str(), &figures) != 0 || figures.f_blocks == 0)
    return std::nullopt;
  const std::uint64_t block = figures.f_frsize;
  const std::uint64_t used = (figures.f_blocks - figures.f_bfree) * block;
  const std::uint64_t available = figures.f_bavail * block;
  // Blocks that only root may take count neither as used nor as available, as in df(1).
  const auto share = static_cast<double>(used) / std::max(1.0, static_cast<double>(used + available));
  json usage = {{"mount", to_utf8(each.directory)},
                {"device", to_utf8(each.device)},
                {"type", each.type},
                {"used_percent", static_cast<int>(std::ceil(100 * share))}};
  const auto add = [&usage](const std::string& name, std::uint64_t bytes) {
    usage[name] = human_bytes(bytes);
    usage[name + "_bytes"] = bytes;
  };
  add("total", figures.f_blocks * block);
  add("used", used);
  add("available", available);
  return usage;
}

bool is_under(const fs::path& path, const fs::path& directory) {
  const auto [left, right] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return left == directory.end() || (directory == directory.root_path() && right != path.begin());
}

result<json> usage_at(const std::string& path) {
  std::error_code failure;
  const auto real = fs::canonical(path, failure);
  if (failure)
    return fail(errc::io_failed, fmt::format("{}: {}", to_utf8(path), failure.message()));
  mount holder{"/", "", ""};
  for (const auto& each : read_mounts())
    // The last of equals lies on top.
    if (is_under(real, each.directory) && each.directory.size() >= holder.directory.size())
      holder = each;
  const auto usage = usage_of(holder, real.string());
  if (!usage)
    return fail(errc::io_failed, fmt::format("{} is on a filesystem without blocks", to_utf8(path)));
  return json{{"filesystems", json::array({*usage})}};
}

} // namespace

result<json> disk_usage(const std::optional<std::string>& path) {
  if (path)
    return usage_at(*path);
  auto mounts = read_mounts();
  std::erase_if(mounts, [](const mount& each) { return !is_local_storage(each); });
  // A filesystem may be mounted at many places: the shortest stands for it.
  std::stable_sort(mounts.begin(), mounts.end(),
                   [](const mount& a, const mount& b) { return a.directory.size() < b.directory.size(); });
  std::set<dev_t> seen;
  auto listed = json::array();
  for (const auto& each : mounts) {
    struct stat root {};
    // Containers mount single files, which are no place to store something.
    if (::stat(each.directory.c_str(), &root) != 0 || !S_ISDIR(root.st_mode) ||
        !seen.insert(root.st_dev).second)
      continue;
    if (auto usage = usage_of(each, each.directory))
      listed.push_back(std::move(*usage));
  }
  if (listed.empty())
    return usage_at("/");
  return json{{"filesystems", std::move(listed)}};
}

} // namespace troupe::hostwatch
