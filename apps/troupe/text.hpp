#pragma once

#include "libagent/core/json.hpp"

#include <cstddef>
#include <string>
#include <string_view>

/// Texts of models, tools and servers, made fit for a terminal.
namespace troupe::cli {

/// The text as UTF-8 without control characters (C0, DEL and C1), newlines and tabs excepted, so that
/// nothing in it can move the cursor, set a title or feed the terminal's input; and without characters that
/// turn the direction of writing (U+202A to U+202E, U+2066 to U+2069).
std::string printable(std::string_view text);

/// The same on one line (whitespace runs become one space), cut to so many characters, the cut marked.
/// Without secrets (`hide_secrets`), of which the cut might leave a part.
std::string one_line(std::string_view text, std::size_t max_characters);

/// The text as UTF-8 on one line, newlines as `\n`, other control characters as `\xNN`, those that turn the
/// direction of writing as `\uNNNN`.
std::string escape_controls(std::string_view text);

/// A word for a shell's command line that stands for the text; quoted where it has to be.
std::string in_shell(std::string_view text);

/// JSON text that means the same and in which nothing hides: control characters, and those that turn the
/// direction of writing or take no room, are escaped. `indent` spaces a level; on one line if negative.
std::string visible_json(const json& value, int indent);

/// Columns that UTF-8 text takes in a terminal, wide characters not told apart.
std::size_t character_count(std::string_view text) noexcept;

} // namespace troupe::cli
