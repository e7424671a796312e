#pragma once

#include "actors/messages.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe {

/// Runs under way, and those that were over last, by their ids. Not an actor: the sessions' actor owns it.
class run_register {
public:
  /// Keeps so many runs that are over.
  explicit run_register(std::size_t kept) : kept_(kept) {}

  void begin(const std::string& run_id, const std::string& session_id, const std::string& agent);
  /// The run is over or has paused.
  void end(run_record_ptr record);
  /// Null if the run is not known.
  run_record_ptr find(const std::string& run_id) const;

private:
  struct entry {
    run_record_ptr record;
    /// For runs that are over: place in `over_`.
    std::optional<std::list<std::string>::iterator> place;
  };

  std::size_t kept_;
  std::unordered_map<std::string, entry> runs_;
  /// Ids, the oldest first.
  std::list<std::string> over_;
};

} // namespace troupe
