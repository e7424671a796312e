#include "apps/troupe/check_report.hpp"

#include "apps/troupe/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe::cli {

namespace {

/// Characters of a server's error that are shown to people; JSON has the whole.
constexpr std::size_t error_characters = 2000;

json or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json server_json(const mcp_status& server) {
  auto value = json{{"name", server.name},
                    {"state", to_string(server.state)},
                    {"protocol_version", or_null(server.protocol_version)},
                    {"server_info", nullptr},
                    {"tools", server.tools}};
  if (!server.server_name.empty())
    value["server_info"] = {{"name", server.server_name}, {"version", server.server_version}};
  if (server.state != mcp_state::ready)
    value["error"] = server.last_error.empty() ? "it did not come up" : server.last_error;
  return value;
}

std::string list(const std::vector<std::string>& names) {
  return names.empty() ? "-" : one_line(fmt::format("{}", fmt::join(names, ", ")), std::string::npos / 16);
}

using cells = std::vector<std::string>;

/// Lines of cells below each other, the last cell as long as it is.
std::string table(const std::vector<cells>& lines) {
  auto widths = std::vector<std::size_t>(lines.front().size());
  for (const auto& line : lines)
    for (auto i = std::size_t{0}; i + 1 < line.size(); ++i)
      widths[i] = std::max(widths[i], character_count(line[i]));
  auto text = std::string{};
  for (const auto& line : lines) {
    for (auto i = std::size_t{0}; i + 1 < line.size(); ++i)
      text += line[i] + std::string(widths[i] + 2 - character_count(line[i]), ' ');
    text += line.back() + "\n";
  }
  return text;
}

cells server_cells(const mcp_status& server) {
  const auto ready = server.state == mcp_state::ready;
  const auto error = server_json(server).value("error", std::string{});
  return {one_line(server.name, 64), std::string{to_string(server.state)},
          server.protocol_version.empty() ? "-" : one_line(server.protocol_version, 32),
          ready ? list(server.tools) : one_line(error, error_characters)};
}

} // namespace

bool all_well(const check_report& report) {
  return std::all_of(report.servers.begin(), report.servers.end(),
                     [](const mcp_status& server) { return server.state == mcp_state::ready; });
}

json to_json(const check_report& report) {
  auto agents = json::array();
  for (const auto& agent : report.agents)
    agents.push_back(
        {{"name", agent.name}, {"model", agent.model}, {"tools", agent.tools}, {"handoffs", agent.handoffs}});
  auto servers = json::array();
  for (const auto& server : report.servers)
    servers.push_back(server_json(server));
  return {{"agents", std::move(agents)}, {"mcp_servers", std::move(servers)}};
}

std::string to_text(const check_report& report) {
  auto agents = std::vector<cells>{{"AGENT", "MODEL", "HANDOFFS", "TOOLS"}};
  for (const auto& agent : report.agents)
    agents.push_back(
        {one_line(agent.name, 64), one_line(agent.model, 64), list(agent.handoffs), list(agent.tools)});
  auto text = table(agents);
  if (!report.servers.empty()) {
    auto servers = std::vector<cells>{{"MCP SERVER", "STATE", "PROTOCOL", "TOOLS OR ERROR"}};
    for (const auto& server : report.servers)
      servers.push_back(server_cells(server));
    text += "\n" + table(servers);
  }
  for (const auto& warning : report.warnings)
    text += "\nwarning: " + one_line(warning, error_characters) + "\n";
  return text;
}

} // namespace troupe::cli
