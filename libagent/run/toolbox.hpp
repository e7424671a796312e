#pragma once

#include "libagent/core/agent.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Tools from one owner: an MCP server, or (with an empty name) the agent's own function and actor tools.
struct tool_source {
  std::string owner;
  shared_tools tools;
  /// For all of the owner's tools.
  approval_rule approval{};
  /// What the owner says about its tools (`tool_spec::is_repeatable`) is believed.
  bool is_trusted = true;
};

/// An agent that a run may be handed to.
struct handoff_target {
  std::string agent;
  /// As the model is offered it.
  tool_spec tool;
  /// Null for the usual rules.
  std::shared_ptr<const handoff_definition> rules{};
};
handoff_target make_handoff_target(const agent_definition& target);
/// With the handoff's own name, description and input where it has them.
handoff_target make_handoff_target(const handoff_definition& rules, const agent_definition& target);

/// An agent that another one uses as a tool.
struct agent_target {
  std::string agent;
  tool_spec tool;
};
/// Its input is one text, `input`.
agent_target make_agent_target(const agent_tool& rules, const agent_definition& target);

/// What a name that the model was offered stands for.
struct toolbox_entry {
  enum class kind { tool, agent, handoff };
  kind what = kind::tool;
  /// For a tool: which source it came from.
  std::size_t source = 0;
  /// For a tool: its owner's name for it; for an agent and a handoff: the agent.
  std::string name;
  /// For a tool: `tool_source::owner`.
  std::string owner{};
  /// How the calling agent treats it; null for the usual rules. Points into the agent's definition.
  std::shared_ptr<const tool_policy> policy{};
  /// For a handoff with rules of its own.
  std::shared_ptr<const handoff_definition> handoff{};
  /// Of its owner, beside the policy's.
  approval_rule approval{};
  /// A call that a crash has left without a result may be made again.
  bool is_repeatable = false;
};

/// All that a model is offered in one turn: tools by source, agents, then handoffs.
class toolbox {
public:
  toolbox() = default;

  /// Names are made safe (`safe_tool_name`) and unique: where tools of several sources share a name, those of
  /// named owners become `<owner>_<tool>`; so does a tool that has the name of a handoff or an agent.
  toolbox(const std::vector<tool_source>& sources, const std::vector<handoff_target>& handoffs,
          const std::vector<agent_target>& agents = {},
          const std::shared_ptr<const agent_definition>& definition = nullptr);

  /// Without what is not enabled in this scope. The first condition that cannot be tested is the error.
  result<toolbox> enabled_in(const json& scope) const;
  /// Whether there is any condition for `enabled_in` to test.
  bool has_conditions() const noexcept;

  /// In the order to offer them. Never null.
  const shared_tools& offered() const noexcept { return offered_; }
  /// Entry `i` tells what `(*offered())[i]` stands for.
  const std::vector<toolbox_entry>& entries() const noexcept { return entries_; }

  /// Index of an offered name, or `npos`.
  std::size_t find(std::string_view name) const noexcept;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

private:
  shared_tools offered_ = std::make_shared<const tool_list>();
  std::vector<toolbox_entry> entries_;
};
using toolbox_ptr = std::shared_ptr<const toolbox>;

} // namespace troupe
