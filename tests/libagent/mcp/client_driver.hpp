#pragma once

#include "libagent/mcp/client_session.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace troupe::mcp::testing {

/// The effects of one kind, in order.
template <class Effect>
std::vector<Effect> all(const effects& given) {
  std::vector<Effect> found;
  for (const auto& each : given)
    if (const auto* effect = std::get_if<Effect>(&each))
      found.push_back(*effect);
  return found;
}

/// The one effect of its kind.
template <class Effect>
Effect only(const effects& given) {
  const auto found = all<Effect>(given);
  REQUIRE(found.size() == 1);
  return found.front();
}

/// What goes to the server, parsed.
inline std::vector<json> sent(const effects& given) {
  std::vector<json> messages;
  for (const auto& each : all<send_line>(given)) {
    REQUIRE(each.line.find('\n') == std::string::npos);
    messages.push_back(json::parse(each.line));
  }
  return messages;
}

inline json only_sent(const effects& given) {
  const auto messages = sent(given);
  REQUIRE(messages.size() == 1);
  return messages.front();
}

inline std::string response(const json& id, const json& value) {
  return json{{"jsonrpc", "2.0"}, {"id", id}, {"result", value}}.dump();
}

inline std::string error_response(const json& id, int code, const std::string& message,
                                  const json& data = nullptr) {
  return json{
      {"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}, {"data", data}}}}
      .dump();
}

inline std::string notification(const std::string& method, const json& params = json::object()) {
  return json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump();
}

inline json welcome(const std::string& version = "2025-11-25") {
  return {{"protocolVersion", version},
          {"capabilities", {{"tools", {{"listChanged", true}}}}},
          {"serverInfo", {{"name", "stub"}, {"version", "1.2"}}},
          {"instructions", "Be kind."}};
}

inline json tool(const std::string& name) {
  return {{"name", name}, {"description", "does " + name}, {"inputSchema", {{"type", "object"}}}};
}

inline json page(std::vector<json> tools) {
  return {{"tools", std::move(tools)}};
}

inline json page(std::vector<json> tools, const json& cursor) {
  return {{"tools", std::move(tools)}, {"nextCursor", cursor}};
}

inline json text_result(const std::string& text) {
  return {{"content", {{{"type", "text"}, {"text", text}}}}};
}

/// A session whose handshake is done and whose list was asked for (request 2).
inline client_session greeted(client_options options = {}) {
  client_session session(std::move(options));
  session.start();
  session.on_line(response(1, welcome()));
  return session;
}

/// A session that is ready, with these tools. Its next request has the id 3.
inline client_session ready_with(std::vector<json> tools, client_options options = {}) {
  auto session = greeted(std::move(options));
  session.on_line(response(2, page(std::move(tools))));
  REQUIRE(session.is_ready());
  return session;
}

inline std::vector<std::string> names(const shared_tools& tools) {
  std::vector<std::string> listed;
  for (const auto& each : *tools)
    listed.push_back(each.name);
  return listed;
}

} // namespace troupe::mcp::testing
