#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Texts of models, tools and servers, made fit for a terminal.
namespace troupe::cli {

/// The text as UTF-8 without control characters (C0, DEL and C1), newlines and tabs excepted, so that
/// nothing in it can move the cursor, set a title or feed the terminal's input.
std::string printable(std::string_view text);

/// The same on one line (whitespace runs become one space), cut to so many characters, the cut marked.
std::string one_line(std::string_view text, std::size_t max_characters);

/// The text as UTF-8 on one line, newlines as `\n`, other control characters as `\xNN`.
std::string escape_controls(std::string_view text);

/// Columns that UTF-8 text takes in a terminal, wide characters not told apart.
std::size_t character_count(std::string_view text) noexcept;

} // namespace troupe::cli
