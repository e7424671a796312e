#include "apps/troupe/commands.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/output.hpp"
#include "libagent/auth/api_key.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/random.h>

namespace troupe::cli {

int new_key(const key_options& options) {
  std::array<unsigned char, 32> random;
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    complain("troupe: no random bits: {}\n", std::strerror(errno));
    return exit_code::failed;
  }
  const auto key = auth::new_api_key(random);
  const auto printed = print(fmt::format("The key, which is not shown again:\n"
                                         "\n"
                                         "  {}\n"
                                         "\n"
                                         "For the agent file:\n"
                                         "\n"
                                         "server:\n"
                                         "  auth:\n"
                                         "    keys:\n"
                                         "      - name: \"{}\"\n"
                                         "        hash: sha256:{}\n"
                                         "        role: user\n",
                                         key, options.name, auth::hash_of_key(key)));
  return printed ? exit_code::ok : exit_code::failed;
}

} // namespace troupe::cli
