#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// CRC-32C (Castagnoli) of a record and of where it belongs, so that one in the wrong place is noticed too.
std::uint32_t record_checksum(std::string_view run_id, std::int64_t place, std::string_view text) noexcept;

} // namespace troupe
