#pragma once

#include "libagent/core/json.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Text with gaps, such as "Hello {{ context.user.name | default 'you' }}". Immutable, cheap to copy, used
/// from any thread.
///
///     template = { text | "{{{{" | "{{" path [ "|" "default" literal ] "}}" }
///     literal  = string | number | "true" | "false" | "null"
///
/// Paths and literals are those of `expression`. A string is put in as it is, any other value as compact
/// JSON; null, or a path that leads nowhere, is its default or else no text. "{{{{" stands for "{{".
class text_template {
public:
  /// At most 1 MiB of UTF-8. Error `invalid_argument` says in which line and column what was expected.
  static result<text_template> compile(std::string_view text);

  /// Error `invalid_argument` if the text would be longer than 1 MiB.
  result<std::string> render(const json& scope) const;

  /// The first names of its paths, each once, in the order of the text.
  const std::vector<std::string>& roots() const noexcept;

private:
  struct compiled;
  explicit text_template(std::shared_ptr<const compiled> impl);
  std::shared_ptr<const compiled> impl_;
};

} // namespace troupe
