#pragma once

#include "libagent/run/defaults.hpp"
#include "libagent/run/events.hpp"

#include <map>
#include <set>
#include <utility>

namespace troupe::run {

enum class phase : std::uint8_t {
  created,
  /// Input guardrails that the model has to wait for.
  guarding_input,
  collecting,
  /// Waits for the budget before a model call.
  reserving,
  thinking,
  /// The model has answered; parallel input guardrails have not all passed.
  holding,
  /// A paused run goes on: it has to know its tools first.
  resuming,
  /// Waits for the budget before tool calls.
  reserving_tools,
  acting,
  handing_off,
  guarding_output,
  paused,
  finished,
};

struct limits {
  unsigned max_turns = defaults::max_turns;
  std::size_t max_tool_output_bytes = defaults::max_tool_output_bytes;
  /// Calls of tools at the same time; further ones wait.
  std::size_t max_parallel_tools = defaults::max_parallel_tools;
  /// A call that is in doubt ends the run, instead of waiting for somebody's word.
  bool fails_in_doubt = false;
};

/// One call of the turn under way.
struct open_call {
  enum class stage : std::uint8_t {
    /// For somebody's word.
    waiting,
    /// Free to go on: to its tool, or with a result to the conversation.
    opened,
    checking_input,
    queued,
    running,
    checking_output,
    /// Its result is known.
    settled,
    /// The result is being told to whoever watches the run.
    reporting,
    done,
  };
  std::string call_id;
  std::string offered_name;
  stage at = stage::queued;
  toolbox_entry::kind what = toolbox_entry::kind::tool;
  std::size_t source = 0;
  /// As its owner has it; for agents and handoffs the agent.
  std::string name;
  /// `toolbox_entry::owner`; none in runs that were paused by a version that did not keep it.
  std::optional<std::string> owner;
  /// Whether it was ever sent off.
  bool was_started = false;
  std::shared_ptr<const json> arguments;
  json_schema schema;
  std::shared_ptr<const tool_policy> policy;
  /// For handoffs.
  std::shared_ptr<const handoff_definition> rules;
  /// Which of its guardrails is at work.
  std::size_t guard_step = 0;
  /// Once settled. Another result is another value, which is how the journal sees it.
  std::shared_ptr<const tool_result> result;
  /// Ends the run when all calls of the turn are done.
  std::optional<error> fatal;
  /// The paused run of an agent, and what was decided about it.
  std::shared_ptr<const state> nested;
  std::vector<decision> decisions;
  /// Somebody said yes.
  bool approved = false;
  /// It was under way when the server ended, and nobody knows what came of it.
  bool in_doubt = false;
};

/// Names the tool that a call is for, whatever else has its name: what `state::always_approved` goes by.
std::string approval_key(const open_call& call);

/// What only the model is told: an output that was not good enough, and why. Not part of the conversation.
struct note {
  /// Stands before the item of `fresh` with this index.
  std::size_t before = 0;
  item what;
};

/// Where a team stands.
struct team_progress {
  /// The conversation before what members are asked, if that is another than the run's past; else null.
  shared_items history;
  /// What the next member is asked.
  std::string input;
  std::size_t next_member = 0;
  unsigned round = 1;
  /// Of each member, by name, in order.
  std::vector<std::pair<std::string, std::string>> outputs;
  bool judging = false;
};

/// A run: a value that can be moved from actor to actor between events.
struct state {
  /// The conversation before the run; may be null.
  shared_items past;
  /// What the run added, in order and well-formed at the end: each call has its output.
  item_list fresh;
  /// Items of `fresh` before this one are as they were when a journal last took note of them.
  std::size_t unchanged = 0;
  std::shared_ptr<const agent_definition> agent;
  limits bounds;
  /// What conditions and templates know as "context": an object, or null for an empty one.
  std::shared_ptr<const json> context;
  /// Whether there is a budget to be asked before each call.
  bool has_budget = false;
  phase at = phase::created;
  /// It was read back from a journal and has not gone on yet.
  bool is_interrupted = false;
  /// Model calls begun.
  unsigned turns = 0;
  usage_report used;
  toolbox_ptr tools;
  std::vector<open_call> open_calls;
  /// Agents, and the tools (`approval_key`) whose calls by them need no approval any more.
  std::set<std::pair<std::string, std::string>> always_approved;
  /// Agents whose `tool_choice` was used up.
  std::set<std::string> tool_users;

  /// What the agent sees of the conversation where a filter has changed it: this, then `fresh` from
  /// `seen_from` on.
  bool is_filtered = false;
  shared_items seen_past;
  std::size_t seen_from = 0;
  std::vector<note> notes;
  /// What agents are told that the user said, where a guardrail has rejected the words.
  std::optional<std::string> said_instead;
  bool is_repaired = false;

  /// Input guardrails that have passed or changed the input.
  std::set<std::size_t> checked_input;
  /// Those that have not answered, each with the number of the rewriting that it looks at.
  std::map<std::size_t, std::size_t> unchecked_input;
  std::size_t input_rewrites = 0;
  /// The answer that waits for them.
  std::optional<model_response> held;
  /// They have changed the input: the answer to the old one does not count.
  bool ask_again = false;
  /// The call that waits for the budget.
  std::shared_ptr<model_request> request;
  /// Ends the run if the model call under way is cut where the budget ends.
  std::optional<error> if_cut;
  /// Which output guardrail is at work, on which item of `fresh`.
  std::size_t output_guard = 0;
  std::size_t guarded_item = 0;
  /// Where the answer that may become final begins in `fresh`.
  std::size_t answer_start = 0;
  /// The output is a tool's, not a message: that of the item of `fresh` at `tool_output_item`.
  bool is_tool_output = false;
  std::size_t tool_output_item = 0;
  team_progress team;
  std::optional<error> stop_before_turn;
  /// While it is handed off: to whom, and what the model said about it.
  std::string next_agent;
  std::shared_ptr<const json> handoff_arguments;

  /// The final output, once finished without failure.
  std::string output;
  /// The same of an agent with an output schema; null for others.
  std::shared_ptr<const json> structured;
  std::optional<error> failure;
};

} // namespace troupe::run
