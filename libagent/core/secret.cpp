#include "libagent/core/secret.hpp"

#include <algorithm>

namespace troupe {

namespace {
/// Shorter texts occur by chance, and replacing them would make messages unreadable.
constexpr std::size_t min_redacted_length = 4;
constexpr std::string_view replacement = "[redacted]";
} // namespace

std::string redact(std::string text, const std::vector<secret>& secrets) {
  std::vector<std::string_view> values;
  for (const auto& hidden : secrets)
    if (hidden.reveal().size() >= min_redacted_length)
      values.push_back(hidden.reveal());
  // One secret may be the beginning of another.
  std::sort(values.begin(), values.end(), [](auto a, auto b) { return a.size() > b.size(); });
  for (const auto value : values)
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + replacement.size()))
      text.replace(at, value.size(), replacement);
  return text;
}

} // namespace troupe
