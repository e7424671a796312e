#pragma once

#include "libagent/config/text_places.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::config {

/// How far the parser came before it gave up.
struct yaml_progress {
  /// Offset of what it told of last.
  std::size_t last = 0;
  /// Offset of the outermost collection in brackets that it told of and that has not ended.
  std::optional<std::size_t> open_bracket{};
};

/// What is wrong with a text, and where it is to be shown.
struct yaml_trouble {
  std::size_t offset = 0;
  /// "what is wrong; what would be right".
  std::string message;
};

/// Says in words why the parser gave up at the offset. It notices quotes and brackets that are not closed,
/// and tabs, only where they no longer fit what follows, so that they are looked for from where it was last
/// well.
yaml_trouble explain_yaml(const text_places& places, std::size_t offset, const std::string& parser_says,
                          const yaml_progress& progress);

/// Offset of the first quote that is never closed, from a '[' or '{' on; nothing if another thing is wrong
/// before it.
std::optional<std::size_t> find_unclosed_quote(const text_places& places, std::size_t bracket);

/// Offset of the quote that closes the text in quotes at the offset, or `npos`.
std::size_t end_of_quotes(std::string_view text, std::size_t offset);

} // namespace troupe::config
