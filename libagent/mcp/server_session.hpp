#pragma once

#include "libagent/core/tool.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::mcp {

/// A tool that a server offers, with what it does. `run` gets arguments that fit the schema; it may throw,
/// which becomes an error result.
struct served_tool {
  tool_spec spec;
  /// JSON Schema of `structuredContent`, if the tool gives any (then a text result that is JSON is sent as
  /// structured content too).
  std::optional<json> output_schema;
  bool read_only = false;
  std::function<tool_result(const json& arguments)> run;
};

struct server_options {
  std::string name;
  std::string version;
  std::string instructions;
};

/// The server's end of a connection: answers initialize (any known revision), ping, tools/list, tools/call;
/// -32601 to the rest. A pure function of lines; see `apps/hostwatch` for its use over stdio.
class server_session {
public:
  server_session(server_options options, std::vector<served_tool> tools);
  ~server_session();

  /// Lines to write in answer to a line that was read; empty for notifications.
  std::vector<std::string> on_line(std::string_view line);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::mcp
