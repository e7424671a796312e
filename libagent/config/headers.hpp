#pragma once

#include "libagent/config/reader.hpp"
#include "libagent/core/secret.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::config {

/// Headers of HTTP requests, in the file's order; the values may be secrets.
using header_list = std::vector<std::pair<std::string, secret>>;

/// Reports names that are none, that are given twice, or that Troupe sets itself.
std::optional<header_list> read_headers(const field& from);

} // namespace troupe::config
