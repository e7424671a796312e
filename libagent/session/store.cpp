#include "libagent/session/store.hpp"

namespace troupe {

result<std::optional<stored_run>> session_store::load_run(std::string_view) {
  return std::optional<stored_run>{};
}

result<std::vector<orphaned_run>> session_store::adopt_runs() {
  return std::vector<orphaned_run>{};
}

result<std::vector<stored_event>> session_store::load_events(std::string_view, std::uint64_t, std::size_t) {
  return std::vector<stored_event>{};
}

result<std::vector<std::string>> session_store::run_ids() {
  return std::vector<std::string>{};
}

result<std::vector<std::string>> session_store::check_file() {
  return std::vector<std::string>{};
}

result<bool> session_store::purge(const retention&) {
  return false;
}

} // namespace troupe
