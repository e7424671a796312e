#pragma once

#include "libagent/core/json.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::hostwatch {

/// Bytes of one entry of /proc/meminfo, such as "MemTotal".
std::optional<std::uint64_t> meminfo_bytes(std::string_view meminfo, std::string_view entry);

/// `{"total","available","free","used","used_percent","swap_total","swap_free","swap_used"}` as texts such as
/// "15.6 GiB", and each but the percentage also as a number with `_bytes` to its name. `used` is what is not
/// available.
result<json> memory(std::string_view meminfo);

} // namespace troupe::hostwatch
