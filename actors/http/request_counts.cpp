#include "actors/http/request_counts.hpp"

#include <algorithm>
#include <string>

namespace troupe::http {

request_counts::request_counts(std::shared_ptr<metrics> all) : all_(std::move(all)) {
  std::size_t last = 0;
  for (const auto& each : routes())
    last = std::max(last, static_cast<std::size_t>(each.what));
  routes_.resize(last + 2);
  for (const auto& each : routes())
    routes_[static_cast<std::size_t>(each.what)].labels = {{"method", std::string(each.method)},
                                                           {"route", std::string(each.path)}};
  routes_.back().labels = {{"method", ""}, {"route", "-"}};
  for (auto& each : routes_)
    each.seconds = all_->spread("troupe_http_request_duration_seconds",
                                "From a request's last byte to its answer; of streams nothing.",
                                duration_buckets(), each.labels);
}

request_counts::of_route& request_counts::at(std::optional<endpoint> what) {
  return what ? routes_[static_cast<std::size_t>(*what)] : routes_.back();
}

void request_counts::count(of_route& where, unsigned status) {
  const auto known = std::find_if(where.by_status.begin(), where.by_status.end(),
                                  [status](const auto& each) { return each.first == status; });
  if (known != where.by_status.end())
    return known->second.add();
  auto labels = where.labels;
  labels["status"] = std::to_string(status);
  where.by_status.emplace_back(status, all_->count("troupe_http_requests_total",
                                                   "Requests, by route and the answer's status.", labels));
  where.by_status.back().second.add();
}

void request_counts::answered(std::optional<endpoint> what, unsigned status, std::chrono::nanoseconds took) {
  auto& where = at(what);
  count(where, status);
  where.seconds.observe(in_seconds(took));
}

void request_counts::streamed(std::optional<endpoint> what) {
  count(at(what), 200);
}

} // namespace troupe::http
