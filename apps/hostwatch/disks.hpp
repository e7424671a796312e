#pragma once

#include "libagent/core/json.hpp"

#include <optional>
#include <string>

namespace troupe::hostwatch {

/// `{"filesystems":[{"mount","device","type","total","used","available","used_percent",...}]}`, sizes as
/// texts and also in bytes (`total_bytes` and so on), percentages as df(1) counts them. Without `path` the
/// local filesystems on storage, each once; with it, the one that holds the path, of whatever kind. Error
/// `io_failed` if the path cannot be looked at.
result<json> disk_usage(const std::optional<std::string>& path);

} // namespace troupe::hostwatch
