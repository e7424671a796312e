#include "libagent/core/error_json.hpp"

namespace troupe {

json to_json(const error& value) {
  json made = {{"code", to_string(value.code)}, {"detail", value.detail}};
  if (value.facts)
    made["facts"] = *value.facts;
  return made;
}

std::optional<error> error_from_json(const json& value) {
  const auto* code = find_string(value, "code");
  const auto* detail = find_string(value, "detail");
  if (code == nullptr || detail == nullptr)
    return std::nullopt;
  error made{errc_named(*code).value_or(errc::internal), *detail};
  if (const auto* facts = find(value, "facts"))
    made.facts = std::make_shared<const json>(*facts);
  return made;
}

} // namespace troupe
