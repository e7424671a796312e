#include "actors/http/binding.hpp"
#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/ask.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/defaults.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace troupe::cli {

namespace {

std::string in_url(const std::string& host) {
  const auto bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with("[");
  return bare_ipv6 ? "[" + host + "]" : host;
}

/// Whether the front end came up; false, and a word on stderr, if not.
bool announce(const config::server_options& server, const answer<std::uint16_t>& port) {
  if (const auto* reason = std::get_if<error>(&port)) {
    complain("troupe: {}\n", printable(reason->detail));
    return false;
  }
  if (const auto warning = http::warning_of(server); !warning.empty())
    spdlog::warn("{}", warning);
  const auto url = fmt::format("{}://{}:{}", server.tls ? "https" : "http", in_url(server.host),
                               std::get<std::uint16_t>(port));
  return print(fmt::format("listening on {}\n", url));
}

} // namespace

int serve(const common_options& common, const serve_options& options, stop_signals& signals) {
  set_up_logging(common, "info");
  auto loaded = load_agent_file(common.config);
  auto* file = std::get_if<config::configuration>(&loaded);
  if (!file)
    return exit_code::usage;
  file->server.host = options.host.value_or(file->server.host);
  file->server.port = options.port.value_or(file->server.port);
  file->server.insecure = options.insecure;
  const auto server = file->server;
  if (const auto allowed = http::may_listen(server); !allowed) {
    complain("troupe: {}\n", allowed.error().detail);
    return exit_code::usage;
  }
  const auto house = host::start(std::move(*file), signals, nullptr, orphan_filter{});
  if (!house)
    return exit_code::failed;

  const auto front = house->agents().serve_http(server);
  const auto port =
      ask<std::uint16_t>(house->system(), signals, front, defaults::bind_timeout, port_atom::value);
  auto number = std::get_if<int>(&port) ? std::get<int>(port) : 0;
  if (number == 0) {
    if (!announce(server, port))
      return exit_code::failed;
    number = signals.wait();
  }
  spdlog::info("{}: finishing runs for up to {} ms; a second signal ends at once", strsignal(number),
               server.shutdown_grace.count());
  house->shutdown(server.shutdown_grace);
  spdlog::info("stopped");
  return exit_code::ok;
}

} // namespace troupe::cli
