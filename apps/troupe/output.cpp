#include "apps/troupe/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace troupe::cli {

bool print(std::string_view text) {
  const auto written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0)
    return true;
  std::fprintf(stderr, "troupe: cannot write to stdout: %s\n", std::strerror(errno));
  return false;
}

} // namespace troupe::cli
