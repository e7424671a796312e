#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// The text in single quotes, fit for one line of a message: control characters replaced, long ones cut.
std::string in_quotes(std::string_view text);

/// A key in single quotes, cut at the first ':', '=' or blank: a forgotten blank makes a key of
/// "api_key:secret".
std::string key_in_quotes(std::string_view key);

/// The texts quoted and separated by commas, long lists cut.
std::string listed(const std::vector<std::string>& texts);

/// Which of the known words was probably meant, by the fewest edits (a swap of neighbours is one; case,
/// `_` and `-` do not count), or an empty text when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// What would be right instead of an unknown word: "did you mean 'x'?", else "<noun> are 'x', 'y'".
std::string suggestion(std::string_view word, const std::vector<std::string>& known, std::string_view noun);

} // namespace troupe::config
