#pragma once

#include "libagent/core/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// JSON-RPC 2.0 (jsonrpc.org/specification) as MCP uses it: named parameters, ids that are not null.
namespace troupe::mcp {

namespace rpc_code {
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int internal_error = -32603;
} // namespace rpc_code

/// Answered with the same id, exactly as it came.
struct rpc_request {
  json id;
  std::string method;
  /// Null if there are none.
  json params;
};
struct rpc_notification {
  std::string method;
  json params;
};
struct rpc_response {
  json id;
  json value;
};
struct rpc_error {
  /// Null where the peer could not tell which request it was.
  json id;
  std::int64_t code = 0;
  std::string message;
  json data;
};
/// JSON that is no message.
struct rpc_invalid {
  /// The id if there is a usable one, else null.
  json id;
  /// It has no method, so it may have been meant as an answer.
  bool may_be_answer = false;
  std::string reason;
};

using rpc_message = std::variant<rpc_request, rpc_notification, rpc_response, rpc_error, rpc_invalid>;

/// Tells what kind of message one JSON value is, moving its parts out of it. An array is no message: batches
/// are for the caller to take apart.
rpc_message classify(json value);

// The texts of messages, in one line. `params` and `value` are JSON texts; empty `params` are left out.

std::string encode_request(std::int64_t id, std::string_view method, std::string_view params = {});
std::string encode_notification(std::string_view method, std::string_view params = {});
std::string encode_response(const json& id, std::string_view value);
std::string encode_error(const json& id, int code, std::string_view message);

/// A line of stdio without a byte order mark, carriage return and blanks around it; empty if there is
/// nothing else.
std::string_view trimmed_line(std::string_view line) noexcept;

} // namespace troupe::mcp
