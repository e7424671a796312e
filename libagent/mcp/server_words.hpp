#pragma once

#include "libagent/mcp/client_session.hpp"
#include "libagent/mcp/jsonrpc.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the messages of a server say to its client.
namespace troupe::mcp {

/// The answer to `initialize`, once its revision is one that is spoken here.
struct handshake_answer {
  server_description server;
  bool has_tools = false;
};
/// Error `protocol_violation` says which revision the server wants and which are spoken.
result<handshake_answer> read_handshake(const json& answer);

/// The reason for giving up when `initialize` was answered with an error.
std::string describe_refusal(const rpc_error& answer);

/// "message (code N)".
std::string describe(const rpc_error& answer);

/// Parameters of `notifications/progress`.
struct progress_report {
  std::int64_t token;
  double progress;
  std::optional<double> total;
  std::string message;
};
std::optional<progress_report> read_progress(const json& params);

/// Parameters of `notifications/message`.
server_log read_log(const json& params);

/// An id or progress token of the client's own, which are integers; some servers send them back as a text
/// or a float.
std::optional<std::int64_t> own_id(const json& value);

/// The beginning of a text that may be anything, for the log.
std::string excerpt(std::string_view text);

} // namespace troupe::mcp
