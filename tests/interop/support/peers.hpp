#pragma once

#include "libagent/config/config.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace troupe::test {

/// The pinned Node.js if it runs on this processor, else the one on the PATH. Throws with what to do if the
/// npm packages are not installed.
std::string node_program();

/// A file of this folder.
std::string interop_file(const std::string& path);

/// One of the reference servers: "everything", "filesystem", "memory", "sequential-thinking".
config::mcp_server_options reference_server(const std::string& name, std::vector<std::string> args = {});

/// stubs/misbehaving.py, under the name "stub". Restarts come quickly.
config::mcp_server_options stub(const std::string& mode, std::vector<std::string> args = {});

/// Someone else's process, known from now on even if its number is used again.
class watched_process {
public:
  explicit watched_process(pid_t pid);
  ~watched_process();
  watched_process(const watched_process&) = delete;
  watched_process& operator=(const watched_process&) = delete;

  void kill(int signal) const;
  bool has_ended() const;
  /// False if it does not end in time.
  bool ends() const;

private:
  int handle_;
};

} // namespace troupe::test
