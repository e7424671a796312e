#pragma once

#include "actors/http/answer.hpp"
#include "actors/http/visitor.hpp"
#include "libagent/config/config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

/// Which names the server has, and whose pages may ask it: keeps out pages that point a name of their own at
/// this machine (DNS rebinding), and those of other origins. Immutable.
class origins {
public:
  explicit origins(const config::server_options& options);

  /// Refuses what is for another server: 400 or 421.
  std::optional<answer> refuse_host(const visitor& from) const;
  /// Refuses a page's request: 400 or 403.
  std::optional<answer> refuse_origin(const visitor& from) const;
  /// What the browser has to be told with the answer; empty if it is no page of another origin that may ask.
  header_lines cors_headers(const visitor& from) const;
  /// Answers a browser's question whether it may ask (`Preflight` of the Fetch standard); nothing if it is
  /// none, or the origin must not ask.
  std::optional<answer> answer_preflight(const visitor& from) const;

private:
  bool is_ours(std::string_view host) const;
  bool is_listed(std::string_view origin) const;

  bool checks_hosts_;
  std::vector<std::string> hosts_;
  config::cors_options cors_;
};

} // namespace troupe::http
