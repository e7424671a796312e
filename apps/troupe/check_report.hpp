#pragma once

#include "actors/mcp_status.hpp"
#include "actors/messages.hpp"
#include "apps/troupe/agent_file.hpp"
#include "libagent/config/config.hpp"
#include "libagent/core/json.hpp"

#include <string>
#include <vector>

namespace troupe::cli {

/// An agent as the file has it, with what it can do right now.
struct checked_agent {
  agent_info info;
  /// "model", "parallel", "sequential" or "loop".
  std::string kind;
  /// For teams.
  std::vector<std::string> members;
  /// Of all stages, each once.
  std::vector<std::string> guardrails;
};
checked_agent outline(const agent_definition& agent, agent_info info);

struct checked_model {
  std::string name;
  /// "openai", "anthropic", "scripted" or "replay".
  std::string provider;
  /// What the endpoint calls it; empty for others.
  std::string model;
  std::vector<std::string> fallbacks;
};
checked_model outline(const config::model_options& model);

struct checked_hook {
  std::string name;
  std::vector<std::string> points;
};

/// What `troupe check` found out.
struct check_report {
  std::vector<checked_agent> agents;
  std::vector<checked_model> models;
  std::vector<checked_hook> hooks;
  std::vector<mcp_status> servers;
  /// What works but is probably not meant.
  std::vector<config::diagnostic> warnings;
};

/// Whether all that should run does.
bool all_well(const check_report& report);

/// `{"agents":[{"name","kind","model","tools","handoffs","members","guardrails"}],
///   "models":[{"name","provider","model","fallbacks"}], "hooks":[{"name","points"}],
///   "mcp_servers":[{"name","state","protocol_version","server_info","tools","error"?}],
///   "errors":[], "warnings":[{"file","line","column","message"}]}`, where a team's `model`, that of a model
/// without an endpoint, and `protocol_version` and `server_info` (`{"name","version"}`) of a server that
/// never answered are null. The file's own warnings come first.
json to_json(const check_report& report, const std::vector<config::diagnostic>& of_file);

/// For a file that cannot be used: `{"errors":[{"file","line","column","message"}],"warnings":[...]}`; line
/// and column are null where the place is not known.
json to_json(const findings& found);

/// For people, with one trailing newline.
std::string to_text(const check_report& report);

} // namespace troupe::cli
