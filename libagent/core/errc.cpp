#include "libagent/core/errc.hpp"

#include "libagent/core/result.hpp"

#include <stdexcept>

namespace troupe {

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::malformed:
    return "malformed";
  case errc::invalid_argument:
    return "invalid_argument";
  case errc::invalid_config:
    return "invalid_config";
  case errc::unknown_agent:
    return "unknown_agent";
  case errc::unknown_session:
    return "unknown_session";
  case errc::overloaded:
    return "overloaded";
  case errc::memory_short:
    return "memory_short";
  case errc::too_large:
    return "too_large";
  case errc::shutting_down:
    return "shutting_down";
  case errc::unavailable:
    return "unavailable";
  case errc::cancelled:
    return "cancelled";
  case errc::deadline_exceeded:
    return "deadline_exceeded";
  case errc::max_turns_exceeded:
    return "max_turns_exceeded";
  case errc::budget_exceeded:
    return "budget_exceeded";
  case errc::guardrail_tripped:
    return "guardrail_tripped";
  case errc::invalid_output:
    return "invalid_output";
  case errc::tool_failed:
    return "tool_failed";
  case errc::hook_failed:
    return "hook_failed";
  case errc::unknown_run:
    return "unknown_run";
  case errc::conflict:
    return "conflict";
  case errc::model_failed:
    return "model_failed";
  case errc::model_timeout:
    return "model_timeout";
  case errc::model_stream_cut:
    return "model_stream_cut";
  case errc::model_unavailable:
    return "model_unavailable";
  case errc::not_recorded:
    return "not_recorded";
  case errc::protocol_violation:
    return "protocol_violation";
  case errc::server_down:
    return "server_down";
  case errc::call_timeout:
    return "call_timeout";
  case errc::call_failed:
    return "call_failed";
  case errc::io_failed:
    return "io_failed";
  case errc::store_failed:
    return "store_failed";
  case errc::store_full:
    return "store_full";
  case errc::in_doubt:
    return "in_doubt";
  case errc::internal:
    return "internal";
  }
  return "internal";
}

std::optional<errc> errc_named(std::string_view name) noexcept {
  for (auto code = static_cast<std::uint8_t>(errc::malformed);
       code <= static_cast<std::uint8_t>(errc::internal); ++code)
    if (to_string(static_cast<errc>(code)) == name)
      return static_cast<errc>(code);
  return std::nullopt;
}

void throw_exception_from_error(const error& reason, const boost::source_location&) {
  throw std::runtime_error(std::string(to_string(reason.code)) + ": " + reason.detail);
}

} // namespace troupe
