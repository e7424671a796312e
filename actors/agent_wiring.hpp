#pragma once

#include "actors/guardrails.hpp"
#include "actors/hooks.hpp"
#include "actors/interfaces.hpp"
#include "actors/tools.hpp"
#include "libagent/core/agent.hpp"
#include "libagent/run/machine.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Whom a run deals with wherever it is; each may be null.
struct run_company {
  observer_actor observer;
  run_owner_actor owner;
  /// What the run and all that it starts may spend.
  budget_actor ledger;
  /// Where its steps are written down before they are acted on; null for nowhere.
  journal_actor journal;
  /// By which the journal knows it: the id of the outermost run.
  std::string journal_id;
  /// Whether the observer wants to see answers grow.
  bool streamed = false;
  /// The run was started by another run, as a tool or a member of a team.
  bool nested = false;
};

struct named_mcp_server {
  std::string name;
  mcp_server_actor handle;
  approval_rule approval{};
  /// Whether what it says about its tools is believed.
  bool is_trusted = false;
};

/// Agents by name.
using roster = std::map<std::string, agent_actor, std::less<>>;

class directory;
struct run_measures;

/// What stands around an agent. Made when all agents exist, and again when some actor was replaced; shared
/// with its runs.
struct agent_wiring {
  std::shared_ptr<const agent_definition> definition;
  model_actor model;
  std::vector<named_mcp_server> mcp_servers;
  /// Function and actor tools, and the same as a list of their descriptions.
  std::vector<code_tool> tools;
  shared_tools code_tools = std::make_shared<const tool_list>();
  std::vector<handoff_target> handoffs;
  std::vector<agent_target> agent_tools;
  /// All that is offered, made once for agents without MCP servers; null for the others, whose tools may
  /// change.
  toolbox_ptr toolbox;
  std::shared_ptr<const roster> agents;
  /// All that any agent uses.
  std::shared_ptr<const guardrail_map> guardrails;
  /// Those that concern this agent.
  std::vector<hook> hooks;
  run::limits limits;
  /// What a run without a session may spend.
  budget spending;
  price_list prices;
  /// To reserve at, where a call may fall to another model.
  price_list dearest;
  /// For runs that come without a deadline (`run_request`).
  std::chrono::milliseconds run_timeout{300'000};
  /// The agent's runs under way.
  std::shared_ptr<std::atomic<std::size_t>> in_flight = std::make_shared<std::atomic<std::size_t>>(0);
  /// What is counted of runs; may be null.
  std::shared_ptr<const run_measures> measures{};
  /// Grows with each renewal; where the newest is to be found.
  std::uint64_t version = 0;
  std::weak_ptr<directory> where{};
};

} // namespace troupe
