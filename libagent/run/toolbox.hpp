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
};

/// An agent that a run may be handed to.
struct handoff_target {
  std::string agent;
  /// As the model is offered it.
  tool_spec tool;
};
handoff_target make_handoff_target(const agent_definition& target);

/// What a name that the model was offered stands for.
struct toolbox_entry {
  enum class kind { tool, handoff };
  kind what = kind::tool;
  /// For a tool: which source it came from, and its owner's name for it.
  std::size_t source = 0;
  /// For a handoff: the agent.
  std::string name;
};

/// All that a model is offered in one turn: tools by source, then handoffs.
class toolbox {
public:
  toolbox() = default;

  /// Names are made safe (`safe_tool_name`) and unique: where tools of several sources share a name, those of
  /// named owners become `<owner>_<tool>`; so does a tool that has the name of a handoff.
  toolbox(const std::vector<tool_source>& sources, const std::vector<handoff_target>& handoffs);

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
