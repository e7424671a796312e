#pragma once

#include "libagent/model/model.hpp"

#include <string_view>

namespace troupe {

/// The version that is written, and the only one that is read.
inline constexpr int cassette_version = 1;

/// One line of a cassette, read.
struct recorded_exchange {
  json request;
  result<model_response> response;
};

/// Error `malformed` or `invalid_argument`; the line's number is the caller's to add.
result<recorded_exchange> read_exchange(std::string_view line);

} // namespace troupe
