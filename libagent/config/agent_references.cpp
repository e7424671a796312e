#include "libagent/config/circles.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/reference_names.hpp"
#include "libagent/config/spelling.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace troupe::config {

namespace {

class agent_checker {
public:
  agent_checker(reference_names& names, std::size_t index)
      : names_(names), agent_(names.value().agents[index]), index_(index),
        path_(fmt::format("agents/{}", index)) {}

  /// Finds what is wrong with the agent, and tells which agents it runs inside its own runs.
  std::vector<reference> run() {
    if (names_.is_broken(path_))
      return {};
    if (agent_.kind == agent_kind::model && !names_.is_broken(path_ + "/kind"))
      check_model();
    for (std::size_t i = 0; i < agent_.mcp_servers.size(); ++i)
      names_.check(fmt::format("{}/mcp_servers/{}", path_, i), who() + " names MCP server",
                   agent_.mcp_servers[i], names_.servers(), "MCP servers");
    check_handoffs();
    check_agent_tools();
    check_team();
    check_guardrails();
    return std::move(inner_);
  }

private:
  std::string who() const { return names_.show_agent(index_); }

  void check_model() {
    const auto at = path_ + "/model";
    const auto& models = names_.value().models;
    if (agent_.model != "default" || names_.is_written(at)) {
      names_.check(at, who() + " names model", agent_.model, names_.models(), "models");
      return;
    }
    if (!names_.models().lacks(agent_.model))
      return;
    const auto right = models.size() == 1
                           ? fmt::format("rename model {0} to 'default', or write model: {0}",
                                         in_quotes(models.front().name))
                           : std::string{"add a model 'default' under models, or write model: NAME"};
    names_.report(at, fmt::format("{} names no model, and no model is called 'default'; {}", who(), right));
  }

  void check_handoffs() {
    for (std::size_t i = 0; i < agent_.handoffs.size(); ++i) {
      const auto& handoff = agent_.handoffs[i];
      const auto at = fmt::format("{}/handoffs/{}", path_, i);
      if (handoff.agent == agent_.name)
        names_.report(at, who() + " hands off to itself; name another agent");
      else if (!names_.check(at, who() + " hands off to", handoff.agent, names_.agents(), "agents"))
        check_tool_name(at, "handoff", handoff.agent,
                        handoff.tool_name.empty() ? handoff_tool_name(handoff.agent)
                                                  : safe_tool_name(handoff.tool_name));
    }
  }

  void check_agent_tools() {
    for (std::size_t i = 0; i < agent_.agent_tools.size(); ++i) {
      const auto& tool = agent_.agent_tools[i];
      const auto at = fmt::format("{}/agent_tools/{}", path_, i);
      if (check_inner(at, "agent tool", tool.agent))
        check_tool_name(at, "agent tool", tool.agent, agent_tool_name(tool));
    }
  }

  /// An agent whose runs take place inside this one's. True if there is such an agent.
  bool check_inner(const std::string& at, std::string_view role, const std::string& name) {
    if (name == agent_.name) {
      names_.report(at, fmt::format("{} is its own {}; name another agent", who(), role));
      return false;
    }
    if (names_.check(at, fmt::format("{} names {}", who(), role), name, names_.agents(), "agents"))
      return false;
    if (const auto found = names_.agents().owners.find(name); found != names_.agents().owners.end())
      inner_.push_back({found->second, at});
    return true;
  }

  /// The model tells tools apart by their names only.
  void check_tool_name(const std::string& at, std::string_view kind, const std::string& target,
                       const std::string& name) {
    const auto [first, is_new] = tools_.emplace(name, offered{at, kind, target});
    if (is_new)
      return;
    const auto& [other_at, other_kind, other_target] = first->second;
    if (kind == other_kind && target == other_target)
      return names_.report(
          at, fmt::format("{} names {} {} twice; name it once", who(), kind, names_.show(at, target)));
    names_.report(at,
                  fmt::format("the {} {} and the {} {} are one tool to the model{}; give one of them another "
                              "'tool_name'",
                              other_kind, names_.show(other_at, other_target), kind, names_.show(at, target),
                              names_.is_literal(at) ? " (" + name + ")" : ""));
  }

  void check_team() {
    const auto& team = agent_.members;
    const auto at = path_ + "/members";
    if (agent_.kind == agent_kind::model) {
      if (!team.members.empty() && !names_.is_from_file())
        names_.report(at,
                      who() + " has members, but asks a model; make its kind parallel, sequential or loop");
      return;
    }
    if (team.members.empty())
      names_.report(at, who() + " is a team without members; write members: [AGENT, ...]");
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < team.members.size(); ++i) {
      const auto& member = team.members[i];
      const auto member_at = fmt::format("{}/{}", at, i);
      const auto is_new = seen.insert(member).second;
      if (check_inner(member_at, "member", member) && agent_.kind == agent_kind::parallel && !is_new)
        names_.report(member_at, fmt::format("{} names member {} twice; name it once", who(),
                                             names_.show(member_at, member)));
    }
    if (!team.judge.empty())
      check_inner(path_ + "/judge", "judge", team.judge);
    if (!names_.is_from_file())
      check_made_team();
  }

  /// What only code can get wrong here; the reader tells it of a file with its place.
  void check_made_team() {
    const auto& team = agent_.members;
    if (!team.judge.empty() && team.join)
      names_.report(path_, who() + " has both a join and a judge; give it one of them");
    if (team.max_rounds < 1 || team.max_rounds > defaults::most_rounds)
      names_.report(path_, fmt::format("{} has max_rounds {}; it has to be from 1 to {}", who(),
                                       team.max_rounds, defaults::most_rounds));
  }

  void check_guardrail(const std::string& at, const std::string& what, const std::string& name) {
    names_.check(at, what + " names guardrail", name, names_.guardrails(), "guardrails");
  }

  void check_uses(const std::vector<guardrail_use>& uses, std::string_view key) {
    for (std::size_t i = 0; i < uses.size(); ++i)
      check_guardrail(fmt::format("{}/{}/{}", path_, key, i), who(), uses[i].name);
  }

  void check_guardrails() {
    check_uses(agent_.input_guardrails, "input_guardrails");
    check_uses(agent_.output_guardrails, "output_guardrails");
    check_uses(agent_.tool_input_guardrails, "tool_input_guardrails");
    check_uses(agent_.tool_output_guardrails, "tool_output_guardrails");
    for (const auto& [tool, policy] : agent_.tool_policies) {
      const auto what = fmt::format("tool {} in {}", key_in_quotes(tool), who());
      const auto at = fmt::format("{}/tools/{}", path_, tool);
      for (std::size_t i = 0; i < policy.input_guardrails.size(); ++i)
        check_guardrail(fmt::format("{}/input_guardrails/{}", at, i), what, policy.input_guardrails[i]);
      for (std::size_t i = 0; i < policy.output_guardrails.size(); ++i)
        check_guardrail(fmt::format("{}/output_guardrails/{}", at, i), what, policy.output_guardrails[i]);
    }
  }

  /// What the model is offered under a name, and where that stands.
  struct offered {
    std::string path;
    std::string_view kind;
    std::string target;
  };

  reference_names& names_;
  const agent_definition& agent_;
  std::size_t index_;
  std::string path_;
  std::map<std::string, offered> tools_;
  std::vector<reference> inner_;
};

} // namespace

void check_agents(reference_names& names) {
  const auto& agents = names.value().agents;
  if (agents.empty())
    names.report("agents", "there is no agent; add one under agents, such as '- name: assistant'");
  std::vector<std::vector<reference>> inner;
  for (std::size_t i = 0; i < agents.size(); ++i)
    inner.push_back(agent_checker{names, i}.run());
  for (const auto& closed : find_circles(inner)) {
    std::vector<std::string> shown;
    for (const auto owner : closed.owners)
      shown.push_back(names.is_literal(fmt::format("agents/{}/name", owner)) ? agents[owner].name : "${...}");
    names.report(closed.path,
                 fmt::format("agents {} lead in a circle as members and tools of each other; take "
                             "one of them out",
                             listed(shown)));
  }
}

} // namespace troupe::config
