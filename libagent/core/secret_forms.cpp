#include "libagent/core/secret_forms.hpp"

#include "libagent/core/json.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr std::string_view plain_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void add(std::vector<std::string>& forms, std::string form) {
  if (form.size() < least_secret_size)
    form.clear();
  forms.push_back(std::move(form));
}

std::string escaped(const std::string& text) {
  const auto quoted = dump_json(text);
  return quoted.substr(1, quoted.size() - 2);
}

/// As JSON of others may have it, where all that is not ASCII is escaped.
std::string in_ascii(const std::string& text) {
  const auto quoted = json(text).dump(-1, ' ', true, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

/// The same, where a slash is escaped.
std::string with_escaped_slashes(std::string_view text) {
  std::string made;
  for (const auto c : text)
    c == '/' ? made += "\\/" : made += c;
  return made;
}

/// `kept` beside letters and digits.
std::string percent_encoded(std::string_view text, std::string_view digits, std::string_view kept = "-._~") {
  std::string made;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    if (is_letter || (byte >= '0' && byte <= '9') || kept.find(c) != std::string_view::npos)
      made += c;
    else
      made.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return made;
}

/// The characters of base64 that depend on the text alone, when so many bytes stand before it.
std::string inside_base64(std::string_view text, std::size_t before, std::string_view alphabet) {
  // Of each group of four characters the first has bits of byte 0, the second of 0 and 1, and so on.
  constexpr std::array<std::size_t, 3> tainted{0, 2, 3};
  const auto bytes = std::string(before, '\0') + std::string(text);
  std::string made;
  for (std::size_t bit = 0; bit + 6 <= bytes.size() * 8; bit += 6) {
    const auto at = bit / 8;
    const auto next = at + 1 < bytes.size() ? static_cast<unsigned char>(bytes[at + 1]) : 0u;
    const auto pair = static_cast<unsigned>(static_cast<unsigned char>(bytes[at])) << 8 | next;
    made += alphabet[pair >> (10 - bit % 8) & 63];
  }
  return made.substr(std::min(made.size(), tainted[before]));
}

} // namespace

std::vector<std::string> forms_of(std::string_view text) {
  std::vector<std::string> forms;
  if (text.size() < least_secret_size)
    return forms;
  add(forms, std::string(text));
  const auto once = escaped(std::string(text));
  add(forms, once);
  add(forms, escaped(once));
  const auto ascii = in_ascii(std::string(text));
  add(forms, ascii);
  add(forms, escaped(ascii));
  add(forms, with_escaped_slashes(once));
  add(forms, with_escaped_slashes(ascii));
  add(forms, percent_encoded(text, "0123456789ABCDEF"));
  add(forms, percent_encoded(text, "0123456789abcdef"));
  for (const auto alphabet : {plain_alphabet, url_alphabet})
    for (std::size_t before = 0; before < 3; ++before)
      add(forms, inside_base64(text, before, alphabet));
  // Seals name forms by their places: what is added comes last.
  add(forms, escaped(with_escaped_slashes(once)));
  add(forms, escaped(with_escaped_slashes(ascii)));
  add(forms, with_escaped_slashes(escaped(with_escaped_slashes(once))));
  add(forms, with_escaped_slashes(escaped(with_escaped_slashes(ascii))));
  // As a URL's path, where slashes stay.
  for (const auto digits : {"0123456789ABCDEF", "0123456789abcdef"})
    add(forms, percent_encoded(text, digits, "-._~/"));
  return forms;
}

} // namespace troupe
