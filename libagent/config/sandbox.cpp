#include "libagent/config/sandbox.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

#include <unistd.h>

namespace troupe::config {

namespace {

namespace fs = std::filesystem;

constexpr auto program = "bwrap";
/// What programs are made of, how they find names of hosts and users, and certificates.
constexpr std::string_view system_folders[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc"};
/// Where /etc/resolv.conf leads to on many machines.
constexpr auto resolver = "/run/systemd/resolve";

} // namespace

std::optional<fs::path> find_bubblewrap(std::string_view path) {
  while (!path.empty()) {
    const auto folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), folder.size() + 1));
    // A folder that depends on where one is would let others put a program of theirs there.
    if (!folder.starts_with('/'))
      continue;
    const auto candidate = fs::path(folder) / program;
    auto code = std::error_code{};
    if (fs::is_regular_file(candidate, code) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return std::nullopt;
}

std::optional<fs::path> find_bubblewrap() {
  const auto* path = std::getenv("PATH");
  return find_bubblewrap(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
}

std::vector<std::string> bubblewrap_arguments(const sandbox_options& box, const fs::path& cwd,
                                              const std::string& command,
                                              const std::vector<std::string>& args) {
  // By their order outer ones come first; of the same path the last rule counts.
  std::map<std::string, std::string> mounts;
  const auto mount = [&](const fs::path& where, const char* how) {
    const auto name = where.lexically_normal().string();
    mounts[name.size() > 1 && name.ends_with('/') ? name.substr(0, name.size() - 1) : name] = how;
  };
  for (const auto folder : system_folders)
    mount(folder, "--ro-bind-try");
  if (box.network)
    mount(resolver, "--ro-bind-try");
  if (!cwd.empty())
    mount(cwd, "--ro-bind");
  mount("/tmp", "--tmpfs");
  mount("/dev", "--dev");
  mount("/proc", "--proc");
  for (const auto& each : box.read_only)
    mount(each, "--ro-bind");
  for (const auto& each : box.writable)
    mount(each, "--bind");
  std::vector<std::string> made{"--unshare-all", "--die-with-parent"};
  if (box.network)
    made.emplace_back("--share-net");
  for (const auto& [where, how] : mounts) {
    made.insert(made.end(), {how, where});
    if (how.find("bind") != std::string::npos)
      made.push_back(where);
  }
  if (!cwd.empty())
    made.insert(made.end(), {"--chdir", cwd.string()});
  made.insert(made.end(), {"--", command});
  made.insert(made.end(), args.begin(), args.end());
  return made;
}

} // namespace troupe::config
