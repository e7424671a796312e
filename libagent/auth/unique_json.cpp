#include "libagent/auth/unique_json.hpp"

#include <set>
#include <string>
#include <vector>

namespace troupe::auth {

std::optional<json> parse_unique(std::string_view text, std::size_t max_depth) {
  auto parsed = parse_json(text, max_depth);
  if (!parsed || !parsed->is_object())
    return std::nullopt;
  bool is_unique = true;
  std::vector<std::set<std::string>> names;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start)
      names.emplace_back();
    else if (event == json::parse_event_t::object_end)
      names.pop_back();
    else if (event == json::parse_event_t::key)
      is_unique = names.back().insert(value.get<std::string>()).second && is_unique;
    return true;
  };
  [[maybe_unused]] const auto again = json::parse(text, watch);
  if (!is_unique)
    return std::nullopt;
  return std::move(*parsed);
}

} // namespace troupe::auth
