#include "libagent/core/secret.hpp"

namespace troupe {

namespace {
/// Shorter texts occur by chance, and replacing them would make messages unreadable.
constexpr std::size_t min_redacted_length = 4;
constexpr std::string_view replacement = "[redacted]";
} // namespace

std::string redact(std::string text, const std::vector<secret>& secrets) {
  for (const auto& hidden : secrets) {
    const auto& value = hidden.reveal();
    if (value.size() < min_redacted_length)
      continue;
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + replacement.size()))
      text.replace(at, value.size(), replacement);
  }
  return text;
}

} // namespace troupe
