#include "actors/http/binding.hpp"

#include "libagent/core/authority.hpp"

#include <fmt/format.h>

namespace troupe::http {

result<void> may_listen(const config::server_options& options) {
  if (is_loopback(options.host) || options.auth.is_required() || options.insecure)
    return {};
  return fail(
      errc::invalid_config,
      fmt::format("will not listen on {}, which other machines may reach, while anybody may ask: make a key "
                  "by `troupe key new` and put it under server.auth in the agent file, or listen on "
                  "127.0.0.1, or say --insecure",
                  options.host));
}

std::string warning_of(const config::server_options& options) {
  if (is_loopback(options.host))
    return {};
  if (!options.auth.is_required())
    return fmt::format(
        "insecure: listening on {}, which other machines may reach, and anybody who does may ask "
        "the agents, use their tools and read all sessions",
        options.host);
  if (!options.tls)
    return fmt::format(
        "listening on {} without TLS: keys and conversations can be read on their way, unless a proxy "
        "in front encrypts; see server.tls",
        options.host);
  return {};
}

} // namespace troupe::http
