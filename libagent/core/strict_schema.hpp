#pragma once

#include "libagent/core/json.hpp"

#include <string>
#include <vector>

namespace troupe {

/// A JSON Schema in the form that endpoints can hold a model to (OpenAI API, guide "Structured outputs",
/// section "Supported schemas"): every property required, objects closed, what was optional nullable instead.
struct strict_form {
  /// The strict form, or the original if there is none.
  json schema;
  bool is_strict = false;
  /// Fit for warnings, each beginning with its place as a JSON Pointer fragment ("#/properties/a: ..."). If
  /// strict: keywords that had to be left out, so that only validation against the original sees to them. If
  /// not: what is in the way. At most 20, and then how many more.
  std::vector<std::string> limits;
};

/// References may lead to "#" and to "#/$defs/NAME" or "#/definitions/NAME". The schema should be one that
/// `json_schema` compiles.
strict_form make_strict(const json& schema);

/// The value without the nulls that stand for absence: those of properties that the original schema neither
/// requires nor allows to be null. Where the schema has alternatives, the first one that the value fits
/// counts.
json drop_added_nulls(json value, const json& original_schema);

} // namespace troupe
