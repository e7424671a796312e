#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

/// What is read of runs that a store keeps, where that need not be all of them.
namespace troupe {

/// How a run stands, without what it consists of.
struct run_head {
  std::string run_id;
  std::string session_id;
  std::string owner;
  /// As `stored_run::status`.
  std::string status;
  /// `run_acceptance::key_hash`.
  std::string key_hash;
  /// What clients are told of it once it is over.
  std::string outcome;
  std::uint64_t last_event = 0;
  bool is_over() const { return status == "completed" || status == "failed" || status == "cancelled"; }
};

/// How many events are read at once.
struct events_bound {
  static constexpr auto any_size = std::numeric_limits<std::size_t>::max();
  events_bound(std::size_t most_events, std::size_t most_bytes = any_size)
      : events(most_events), bytes(most_bytes) {}

  std::size_t events;
  /// Of all but the first, which is read whatever its size.
  std::size_t bytes;
};

} // namespace troupe
