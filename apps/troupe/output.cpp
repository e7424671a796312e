#include "apps/troupe/output.hpp"

#include "apps/troupe/hidden_secrets.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace troupe::cli {

namespace {

bool write(std::string_view text) {
  const auto written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0)
    return true;
  std::fprintf(stderr, "troupe: cannot write to stdout: %s\n", std::strerror(errno));
  return false;
}

} // namespace

bool print(std::string_view text) {
  return write(hidden_secrets()->hide(std::string(text)));
}

bool print_json(const json& value, int indent) {
  const auto clean = hidden_secrets()->hide_tree(value);
  return write(clean.dump(indent, ' ', false, json::error_handler_t::replace) + "\n");
}

void print_error(const std::string& text) {
  std::fputs(hidden_secrets()->hide(text).c_str(), stderr);
}

} // namespace troupe::cli
