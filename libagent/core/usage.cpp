#include "libagent/core/usage.hpp"

namespace troupe {

usage& usage::operator+=(const usage& other) noexcept {
  requests += other.requests;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  cached_tokens += other.cached_tokens;
  reasoning_tokens += other.reasoning_tokens;
  return *this;
}

json to_json(const usage& value) {
  return {{"requests", value.requests},
          {"input_tokens", value.input_tokens},
          {"output_tokens", value.output_tokens},
          {"cached_tokens", value.cached_tokens},
          {"reasoning_tokens", value.reasoning_tokens},
          {"total_tokens", value.total_tokens()}};
}

} // namespace troupe
