#include "libagent/session/store.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr std::size_t max_session_id_length = 128;

} // namespace

bool is_session_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_session_id_length &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
}

} // namespace troupe
