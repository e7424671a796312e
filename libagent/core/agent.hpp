#pragma once

#include "libagent/core/condition.hpp"
#include "libagent/core/item.hpp"
#include "libagent/core/tool.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Settings of a model call that an agent may choose. Absent means: the endpoint's own default.
struct model_settings {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<unsigned> max_tokens;
  /// "auto", "none", "required", or the name of a tool.
  std::optional<std::string> tool_choice;
  std::optional<bool> parallel_tool_calls;
  /// How much a reasoning model thinks: "minimal", "low", "medium" or "high".
  std::optional<std::string> reasoning_effort;
  /// Whether the Responses API tells what the model thought: "auto", "concise" or "detailed".
  std::optional<std::string> reasoning_summary;
  /// Tokens that the Messages API's model may think with; at least 1,024.
  std::optional<unsigned> thinking_tokens;
  /// What a budget leaves for all that the model writes, thoughts included. Not the agent's to set; nothing
  /// raises it.
  std::optional<unsigned> token_bound{};

  friend bool operator==(const model_settings&, const model_settings&) = default;
};

/// How an agent treats a tool.
struct tool_policy {
  /// Beside the tool's own; the shorter one holds.
  std::optional<std::chrono::milliseconds> timeout;
  /// A failure of the tool ends the run (`tool_failed`) instead of being told to the model.
  bool fails_run = false;
  /// Whether the tool is offered.
  condition enabled;
  approval_rule approval;
  /// Names of guardrails, beside the agent's own.
  std::vector<std::string> input_guardrails;
  std::vector<std::string> output_guardrails;
  /// Whether a call that a crash has left without a result may be made again unasked; nothing given: what the
  /// tool's owner says, if that is trusted.
  std::optional<bool> repeatable{};
};

/// What the next agent sees of the conversation after a handoff. The session keeps all of it.
struct input_filter {
  enum class kind { keep_all, drop_tools, last, code };
  kind what = kind::keep_all;
  /// For `last`: items.
  std::size_t count = 0;
  /// For `code`: gets the conversation and returns what is left of it.
  std::function<item_list(const item_list&)> code;
};

/// An agent's way to hand a run to another.
struct handoff_definition {
  handoff_definition() = default;
  /// With the usual name and description.
  handoff_definition(std::string target) : agent(std::move(target)) {}
  handoff_definition(const char* target) : agent(target) {}

  std::string agent;
  /// As the model is offered it; empty: `handoff_tool_name`.
  std::string tool_name;
  /// Empty: `handoff_tool_description`.
  std::string description;
  /// What the model has to say about the handoff; none: nothing.
  std::optional<json_schema> input;
  /// Told of the handoff and its input, an object, before it takes place. Quick and without exceptions.
  std::function<void(const json& arguments)> on_handoff;
  input_filter filter;
  /// The conversation so far becomes one message that tells it, before the filter applies.
  bool nest_history = false;
  condition enabled;
  approval_rule approval;
};

/// Another agent as a tool: it runs on the text that the model gives, and its final output is the tool's.
struct agent_tool {
  std::string agent;
  /// As the model is offered it; empty: the agent's name, made safe.
  std::string tool_name;
  /// Empty: the agent's description.
  std::string description;
};

/// What happens after an agent's tools were called.
struct stop_rule {
  enum class kind { run_llm_again, stop_on_first_tool, stop_at_tools };
  kind what = kind::run_llm_again;
  /// For `stop_at_tools`: names as the model is offered them.
  std::vector<std::string> tools;
};

/// A guardrail that an agent uses.
struct guardrail_use {
  std::string name;
  /// For input: the model is asked meanwhile. No tool runs and nothing is final before the guardrail has
  /// passed.
  bool parallel = false;
};

/// What a model is told of the output it has to give.
struct output_format {
  /// As endpoints accept it: `safe_tool_name`.
  std::string name;
  /// JSON Schema; in its strict form if `strict`.
  json schema;
  /// Whether the endpoint is to hold the model to the schema.
  bool strict = false;
};

/// What a final output has to look like.
struct output_schema {
  json_schema schema;
  std::shared_ptr<const output_format> format;
  /// What keeps the schema from its strict form; empty if nothing does.
  std::vector<std::string> limits;
};
output_schema make_output_schema(std::string_view name, json_schema schema);

/// How an agent comes to its output.
enum class agent_kind {
  /// By asking a model.
  model,
  /// By asking several agents at once for the same input.
  parallel,
  /// By asking agents one after the other, each for the output of the one before.
  sequential,
  /// By doing so again and again.
  loop,
};

/// How agents work together, for the kinds other than `model`.
struct team {
  std::vector<std::string> members;
  /// Makes the output of a parallel team's: the scope's "outputs" has each member's by its name. Null, and
  /// without a judge: the outputs, each under its member's name as a heading.
  text_source join;
  /// An agent that makes the output of the members': it gets them with the input. Empty for none.
  std::string judge;
  /// Ends a loop, tested after each round; the scope has "output" and "round" (from 1). Null: only
  /// `max_rounds` does.
  condition until;
  /// A loop ends after so many rounds with what it has.
  unsigned max_rounds = 5;
};

/// What an agent is. Names are unique among agents; references are by name.
struct agent_definition {
  std::string name;
  /// What a handoff tells other models about this agent.
  std::string description;
  /// The system message. Never shown to clients.
  std::string instructions;
  /// A name of the `models` block.
  std::string model = "default";
  model_settings settings;
  std::vector<handoff_definition> handoffs;
  std::vector<std::string> mcp_servers;

  agent_kind kind = agent_kind::model;
  team members;
  /// In place of `instructions`, asked before each turn.
  text_source instructions_source;
  std::vector<agent_tool> agent_tools;
  /// By name as the model is offered it, or as its owner has it; "*" is for all that have no entry of their
  /// own.
  std::map<std::string, tool_policy, std::less<>> tool_policies;
  stop_rule tool_use_behavior;
  /// Once the agent has used a tool, its `tool_choice` no longer holds: lest a model that must call a tool
  /// does so for ever.
  bool reset_tool_choice = true;
  std::vector<guardrail_use> input_guardrails;
  std::vector<guardrail_use> output_guardrails;
  std::vector<guardrail_use> tool_input_guardrails;
  std::vector<guardrail_use> tool_output_guardrails;
  std::optional<output_schema> output;
};

/// The tool by which a model hands off to the agent: `transfer_to_<name>`, lower case, characters outside
/// [A-Za-z0-9_] as `_`.
std::string handoff_tool_name(std::string_view agent_name);
/// The name by which a model calls the agent as a tool.
std::string agent_tool_name(const agent_tool& tool);
/// "Handoff to the <name> agent to handle the request. <description>".
std::string handoff_tool_description(const agent_definition& target);

} // namespace troupe
