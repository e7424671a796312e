#pragma once

#include "libagent/core/json.hpp"

#include <memory>

namespace troupe {

/// A JSON Schema (drafts 4 to 7 as valijson has them; unknown keywords are ignored), compiled once
/// and then used from any thread. Cheap to copy.
class json_schema {
public:
  /// The schema `{"type":"object","properties":{}}`: any object will do.
  json_schema();

  /// Compiles a schema. Error `invalid_argument` if it is not a schema at all, or holds a remote
  /// reference (nothing is ever fetched).
  static result<json_schema> compile(json document);

  /// The schema as it was given.
  const json& document() const noexcept;

  /// Error `invalid_argument` with the first places at which the value breaks the schema, each as a
  /// path and a reason, short enough for a model to read.
  result<void> validate(const json& value) const;

private:
  struct compiled;
  explicit json_schema(std::shared_ptr<const compiled> impl);
  std::shared_ptr<const compiled> impl_;
};

} // namespace troupe
