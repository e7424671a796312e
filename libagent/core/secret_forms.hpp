#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Shorter texts occur by chance, and replacing them would make what is read unreadable.
inline constexpr std::size_t least_secret_size = 8;

/// The ways in which a text is found in other texts: as it is, first; inside a JSON text, and inside one that
/// is kept in another; percent-encoded; inside base64, plain and for URLs, wherever it begins there. Each
/// form has its own place in the list, whatever the text; some may be the same, and those shorter than
/// `least_secret_size` are empty. Nothing for a text that is shorter itself.
std::vector<std::string> forms_of(std::string_view text);

} // namespace troupe
