#pragma once

#include "libagent/core/secret.hpp"
#include "libagent/model/model.hpp"

#include <string>
#include <string_view>
#include <vector>

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

/// The value with secrets redacted in each of its texts and keys, as they are and in the escaped forms that
/// they have in JSON texts, and with its texts as UTF-8.
json redact_json(const json& value, const std::vector<secret>& secrets);

} // namespace troupe
