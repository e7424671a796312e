#include "libagent/core/tool.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace troupe {

namespace {

constexpr std::size_t max_name_length = 64;

bool is_safe(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// FNV-1a; it only has to tell apart the few long names of one agent.
std::uint32_t short_hash(std::string_view text) noexcept {
  std::uint32_t hash = 2166136261u;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

} // namespace

std::string safe_tool_name(std::string_view name) {
  std::string safe;
  safe.reserve(name.size());
  for (const char c : name)
    safe += is_safe(c) ? c : '_';
  if (safe.empty())
    safe = "_";
  if (safe.size() > max_name_length) {
    const auto ending = fmt::format("_{:08x}", short_hash(name));
    safe.resize(max_name_length - ending.size());
    safe += ending;
  }
  return safe;
}

} // namespace troupe
