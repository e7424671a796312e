#pragma once

#include "actors/http/answer.hpp"
#include "actors/http/routes.hpp"
#include "actors/metrics/measures.hpp"
#include "actors/metrics/memory_watch.hpp"
#include "libagent/config/config.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace troupe::http {

/// Refuses at the edge what the inside could not bear: before a body is decoded, and without a message to any
/// actor, so that a refusal does not wait behind the work that it is for. Reactor thread only, but for the
/// constructor.
class admission {
public:
  using clock = memory_watch::clock;

  /// `memory` may be null: then no look is taken at it.
  admission(metrics& all, const config::server_options& options, std::shared_ptr<memory_watch> memory);

  /// Why a request cannot be taken now, though there is nothing wrong with it. `in_work`: requests that wait
  /// for their answers. What operators look at, and what makes room, is let through.
  std::optional<answer> refuse(endpoint what, std::size_t in_work, clock::time_point now);

  /// Past the bound of connections, as it goes over the wire: the request is not even read.
  const std::string& no_connection();

  /// A request was refused for the size of its body.
  void refused_body() const { refused_body_.add(); }

  /// Shows how many there are.
  void show_connections(std::size_t count) const { connections_.set(static_cast<double>(count)); }
  void show_requests(std::size_t count) const { requests_.set(static_cast<double>(count)); }

private:
  std::size_t max_requests_;
  std::shared_ptr<memory_watch> memory_;
  std::string no_connection_;
  counter refused_requests_;
  counter refused_memory_;
  counter refused_connections_;
  counter refused_body_;
  gauge connections_;
  gauge requests_;
};

} // namespace troupe::http
