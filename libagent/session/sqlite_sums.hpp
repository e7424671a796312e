#pragma once

#include "libagent/session/checksum.hpp"

#include <cstdint>
#include <string_view>

/// Checksums as they stand in a session database: docs/journal.md.
namespace troupe::sqlite {

/// Places of texts that are neither records, nor events, nor items.
inline constexpr std::int64_t request_place = -1;
inline constexpr std::int64_t outcome_place = -2;
inline constexpr std::int64_t paused_place = -3;

/// In place of the checksum of a text that has none: older versions wrote it.
inline constexpr std::int64_t no_sum = -1;

/// Of a text of the run, or of the session, of that id.
inline std::int64_t sum_of(std::string_view id, std::int64_t place, std::string_view text) {
  return static_cast<std::int64_t>(record_checksum(id, place, text));
}

/// Whether the text is as it was written, as far as that can be known.
inline bool fits(std::int64_t sum, std::string_view id, std::int64_t place, std::string_view text) {
  return sum == no_sum || sum == sum_of(id, place, text);
}

} // namespace troupe::sqlite
