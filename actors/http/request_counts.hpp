#pragma once

#include "actors/http/routes.hpp"
#include "actors/metrics/measures.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::http {

/// Counts requests by route and status, and how long they take. Reactor thread only, but for the constructor.
class request_counts {
public:
  explicit request_counts(std::shared_ptr<metrics> all);

  /// An answer goes out. Nothing: to what is no request, or to a path that is none.
  void answered(std::optional<endpoint> what, unsigned status, std::chrono::nanoseconds took);
  /// A stream begins.
  void streamed(std::optional<endpoint> what);

private:
  struct of_route {
    metrics::labels labels;
    histogram seconds;
    /// By status: few of them each.
    std::vector<std::pair<unsigned, counter>> by_status;
  };

  of_route& at(std::optional<endpoint> what);
  void count(of_route& where, unsigned status);

  std::shared_ptr<metrics> all_;
  /// By endpoint; the last is for all else.
  std::vector<of_route> routes_;
};

} // namespace troupe::http
