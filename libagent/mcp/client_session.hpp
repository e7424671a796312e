#pragma once

#include "libagent/core/tool.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The Model Context Protocol, without I/O. Source: modelcontextprotocol.io/specification, revisions
/// 2024-11-05 to 2025-11-25.
namespace troupe::mcp {

/// Names one request of the owner's; unique among those in flight.
using call_key = std::uint64_t;

struct client_options {
  std::string client_name = "troupe";
  std::string client_version;
  /// Tools to keep; nothing given means all that are not blocked.
  std::optional<std::vector<std::string>> allowed_tools;
  std::vector<std::string> blocked_tools;
  /// Pages of `tools/list` to follow at most.
  unsigned max_pages = 1000;
};

/// What the server said of itself in the handshake.
struct server_description {
  std::string protocol_version;
  std::string name;
  std::string version;
  std::string instructions;
};

// What the owner has to do, or may want to know.

/// Write this line (without its newline) to the server.
struct send_line {
  std::string line;
};
/// The handshake and the first tool list are done; calls may be made.
struct ready {
  server_description server;
  shared_tools tools;
};
/// The server cannot be used: stop it. Nothing further comes of this session.
struct broken {
  error reason;
};
/// A new tool list replaced the old one.
struct tools_changed {
  shared_tools tools;
};
/// A list was asked for again. Whoever thinks that it takes too long gives it up by its number.
struct listing_begun {
  std::uint64_t number;
};
/// A call is over. A JSON-RPC error or a tool's own failure is a result with `is_error`.
struct call_finished {
  call_key key;
  tool_result result;
};
/// The server says that it still works on the call.
struct call_progress {
  call_key key;
  double progress;
  std::optional<double> total;
  std::string message;
};
/// The server answered a ping.
struct pong {
  call_key key;
};
/// The server logged something (`notifications/message`), or did something worth a line in the log.
struct server_log {
  std::string level;
  std::string text;
};

using effect = std::variant<send_line, ready, broken, tools_changed, listing_begun, call_finished,
                            call_progress, pong, server_log>;
using effects = std::vector<effect>;

/// The client's end of one connection to a server: handshake with version negotiation, paginated tool
/// lists, concurrent calls matched by id, cancellation, ping in both directions, `list_changed`, progress.
/// A pure state machine: text in, effects out; time and pipes are the owner's. Lives in one thread.
class client_session {
public:
  explicit client_session(client_options options);
  ~client_session();
  client_session(client_session&&) noexcept;
  client_session& operator=(client_session&&) noexcept;

  /// Begins the handshake. Once, first.
  effects start();
  /// A line that the server wrote, without its newline. Lines that are not JSON-RPC are counted and skipped.
  effects on_line(std::string_view line);
  /// Calls a tool by the name that the server gave it. `arguments` is an object.
  effects call_tool(call_key key, const std::string& name, const json& arguments);
  /// Gives a call up: sends `notifications/cancelled`, and ignores a late answer. No `call_finished` follows.
  effects cancel(call_key key, const std::string& reason);
  effects ping(call_key key);
  /// Gives up a listing that is still under way: the old list stays, unless the server has told of one more
  /// change, which begins a new listing. Others are ignored.
  effects give_up_listing(std::uint64_t number, const std::string& reason);
  /// The connection is gone: every call in flight finishes at once with an error result.
  effects on_closed(const std::string& reason);

  bool is_ready() const noexcept;
  std::size_t calls_in_flight() const noexcept;
  /// Lines on stdout so far that were not messages.
  std::uint64_t stray_lines() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::mcp
