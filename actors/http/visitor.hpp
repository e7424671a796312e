#pragma once

#include <string_view>

namespace troupe::http {

/// A header that a request has once at the most.
struct single_header {
  /// Of the first, if there are several. Empty if there is none.
  std::string_view value{};
  unsigned count = 0;
};

/// What a request tells of where it comes from and where it means to go; lives as long as the request.
struct visitor {
  std::string_view method;
  std::string_view target;
  single_header host{};
  single_header origin{};
  single_header authorization{};
  single_header api_key{};
  /// `Access-Control-Request-Method`, which makes an OPTIONS a question of a browser's.
  single_header asked_method{};
  /// HTTP/1.0 may leave off its `Host`.
  bool may_lack_host = false;
};

} // namespace troupe::http
