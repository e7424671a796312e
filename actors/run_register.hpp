#pragma once

#include "actors/run_requests.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Runs under way, and those that were over last, by their ids. Not an actor: the sessions' actor owns it.
class run_register {
public:
  /// Keeps so many runs that are over, and fewer where their items are larger than `max_bytes` together.
  run_register(std::size_t kept, std::size_t max_bytes) : kept_(kept), max_bytes_(max_bytes) {}

  void begin(const std::string& run_id, const std::string& session_id, const std::string& agent,
             const std::string& owner = {}, const std::string& key_hash = {});
  /// The run is over or has paused.
  void end(run_record_ptr record);
  /// The session's actor is gone, and with it the runs that it had under way, which are returned.
  std::vector<run_record_ptr> lose(const std::string& session_id);
  /// The session is forgotten, and so are its runs that are over or paused: these.
  std::vector<std::string> forget(const std::string& session_id);
  /// Those that are neither over nor paused.
  std::vector<run_record_ptr> under_way() const;
  /// Null if the run is not known.
  run_record_ptr find(const std::string& run_id) const;

private:
  struct entry {
    run_record_ptr record;
    /// For runs that are over: place in `over_`.
    std::optional<std::list<std::string>::iterator> place;
    std::size_t bytes = 0;
  };

  void forget_place(entry& known);

  std::size_t kept_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, entry> runs_;
  /// Ids, the oldest first.
  std::list<std::string> over_;
};

} // namespace troupe
