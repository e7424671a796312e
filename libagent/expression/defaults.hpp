#pragma once

#include <cstddef>

namespace troupe::defaults {

/// Bytes of an expression; an honest one is a line.
inline constexpr std::size_t max_expression_bytes = 4096;

/// Brackets, lists, calls and negations within each other; keeps the recursive parser off the stack's end.
inline constexpr std::size_t max_expression_depth = 64;

/// Bytes of a template, and of the text it makes: some 200,000 words.
inline constexpr std::size_t max_template_bytes = 1u << 20;
inline constexpr std::size_t max_rendered_bytes = 1u << 20;

} // namespace troupe::defaults
