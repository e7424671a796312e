#pragma once

#include <algorithm>
#include <array>
#include <string_view>

/// What the strict form of a JSON Schema does with each keyword (OpenAI API, guide "Structured outputs").
namespace troupe::strict_keywords {

template <std::size_t N>
using words = std::array<std::string_view, N>;

template <std::size_t N>
bool is_among(const words<N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Keywords that a strict form has as they are.
inline constexpr auto kept = words<9>{"title",      "description", "enum",     "const",  "pattern",
                                      "multipleOf", "minItems",    "maxItems", "minimum"};
inline constexpr auto kept_numbers = words<3>{"maximum", "exclusiveMinimum", "exclusiveMaximum"};
inline constexpr auto formats =
    words<9>{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"};
/// Keywords with a part of their own in `strict_maker`.
inline constexpr auto treated =
    words<8>{"type", "properties", "required", "additionalProperties", "items", "anyOf", "allOf", "$ref"};
/// Keywords that say nothing about values.
inline constexpr auto silent = words<10>{"$schema",  "$id",      "id",        "$comment",   "$anchor",
                                         "examples", "readOnly", "writeOnly", "deprecated", "$vocabulary"};
/// Keywords that change what is valid so much that a form without them would mislead the model.
inline constexpr auto barred = words<13>{"oneOf",
                                         "not",
                                         "if",
                                         "then",
                                         "else",
                                         "patternProperties",
                                         "dependentRequired",
                                         "dependentSchemas",
                                         "dependencies",
                                         "prefixItems",
                                         "additionalItems",
                                         "$dynamicRef",
                                         "$recursiveRef"};
inline constexpr auto definition_keys = words<2>{"$defs", "definitions"};

} // namespace troupe::strict_keywords
