#include "apps/troupe/check_report.hpp"

#include "apps/troupe/defaults.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe::cli {

namespace {

constexpr auto model_kind = "model";

json or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json diagnostics_json(const std::vector<config::diagnostic>& all) {
  auto list = json::array();
  for (const auto& one : all)
    list.push_back({{"file", one.file},
                    {"line", one.line > 0 ? json(one.line) : json(nullptr)},
                    {"column", one.line > 0 ? json(one.column) : json(nullptr)},
                    {"message", one.message}});
  return list;
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

/// Takes columns away in which nobody has anything, but for the last one.
void drop_empty_columns(std::vector<cells>& lines) {
  for (auto i = lines.front().size() - 1; i-- > 0;)
    if (lines.size() > 1 &&
        std::all_of(lines.begin() + 1, lines.end(), [i](const cells& line) { return line[i] == "-"; }))
      for (auto& line : lines)
        line.erase(line.begin() + static_cast<std::ptrdiff_t>(i));
}

/// Lines of cells below each other, the last cell as long as it is.
std::string table(std::vector<cells> lines) {
  drop_empty_columns(lines);
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
          ready ? list(server.tools) : one_line(error, defaults::error_characters)};
}

std::string kind_of(const agent_definition& agent) {
  switch (agent.kind) {
  case agent_kind::model:
    break;
  case agent_kind::parallel:
    return "parallel";
  case agent_kind::sequential:
    return "sequential";
  case agent_kind::loop:
    return "loop";
  }
  return model_kind;
}

json agent_json(const checked_agent& agent) {
  return {{"name", agent.info.name},
          {"kind", agent.kind},
          {"model", or_null(agent.info.model)},
          {"tools", agent.info.tools},
          {"handoffs", agent.info.handoffs},
          {"members", agent.members},
          {"guardrails", agent.guardrails}};
}

std::vector<cells> agent_table(const std::vector<checked_agent>& agents) {
  const auto has_teams =
      std::any_of(agents.begin(), agents.end(), [](const auto& agent) { return agent.kind != model_kind; });
  auto lines = std::vector<cells>{{"AGENT", "KIND", "MODEL", "MEMBERS", "HANDOFFS", "GUARDRAILS", "TOOLS"}};
  for (const auto& agent : agents)
    lines.push_back({one_line(agent.info.name, 64), has_teams ? agent.kind : "-",
                     agent.info.model.empty() ? "-" : one_line(agent.info.model, 64), list(agent.members),
                     list(agent.info.handoffs), list(agent.guardrails), list(agent.info.tools)});
  return lines;
}

} // namespace

checked_agent outline(const agent_definition& agent, agent_info info) {
  auto made = checked_agent{std::move(info), kind_of(agent), agent.members.members, {}};
  if (made.kind != model_kind)
    made.info.model.clear();
  if (!agent.members.judge.empty())
    made.members.push_back(agent.members.judge);
  for (const auto* uses : {&agent.input_guardrails, &agent.output_guardrails, &agent.tool_input_guardrails,
                           &agent.tool_output_guardrails})
    for (const auto& use : *uses)
      if (std::find(made.guardrails.begin(), made.guardrails.end(), use.name) == made.guardrails.end())
        made.guardrails.push_back(use.name);
  return made;
}

checked_model outline(const config::model_options& model) {
  auto made = checked_model{model.name, "scripted", {}, model.fallbacks};
  if (std::holds_alternative<config::replay_options>(model.provider))
    made.provider = "replay";
  if (const auto* endpoint = std::get_if<config::endpoint_options>(&model.provider)) {
    const auto speaks_messages = endpoint->format == config::endpoint_options::wire_format::anthropic;
    made.provider = speaks_messages ? "anthropic" : "openai";
    made.model = endpoint->wire.model;
  }
  return made;
}

bool all_well(const check_report& report) {
  return std::all_of(report.servers.begin(), report.servers.end(),
                     [](const mcp_status& server) { return server.state == mcp_state::ready; });
}

json to_json(const findings& found) {
  return {{"errors", diagnostics_json(found.errors)}, {"warnings", diagnostics_json(found.warnings)}};
}

json to_json(const check_report& report, const std::vector<config::diagnostic>& of_file) {
  auto value = json{{"agents", json::array()},
                    {"models", json::array()},
                    {"hooks", json::array()},
                    {"mcp_servers", json::array()}};
  for (const auto& agent : report.agents)
    value["agents"].push_back(agent_json(agent));
  for (const auto& model : report.models)
    value["models"].push_back({{"name", model.name},
                               {"provider", model.provider},
                               {"model", or_null(model.model)},
                               {"fallbacks", model.fallbacks}});
  for (const auto& hook : report.hooks)
    value["hooks"].push_back({{"name", hook.name}, {"points", hook.points}});
  for (const auto& server : report.servers)
    value["mcp_servers"].push_back(server_json(server));
  auto warnings = of_file;
  warnings.insert(warnings.end(), report.warnings.begin(), report.warnings.end());
  value.update(to_json(findings{{}, std::move(warnings)}));
  return value;
}

std::string to_text(const check_report& report) {
  auto text = table(agent_table(report.agents));
  auto models = std::vector<cells>{{"MODEL", "PROVIDER", "FALLBACKS", "ENDPOINT'S NAME"}};
  for (const auto& model : report.models)
    models.push_back({one_line(model.name, 64), model.provider, list(model.fallbacks),
                      model.model.empty() ? "-" : one_line(model.model, 64)});
  text += "\n" + table(models);
  if (!report.hooks.empty()) {
    auto hooks = std::vector<cells>{{"HOOK", "POINTS"}};
    for (const auto& hook : report.hooks)
      hooks.push_back({one_line(hook.name, 64), list(hook.points)});
    text += "\n" + table(hooks);
  }
  if (!report.servers.empty()) {
    auto servers = std::vector<cells>{{"MCP SERVER", "STATE", "PROTOCOL", "TOOLS OR ERROR"}};
    for (const auto& server : report.servers)
      servers.push_back(server_cells(server));
    text += "\n" + table(servers);
  }
  for (const auto& warning : report.warnings)
    text += "\nwarning: " + one_line(to_string(warning), defaults::error_characters) + "\n";
  return text;
}

} // namespace troupe::cli
