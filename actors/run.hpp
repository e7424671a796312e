#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace troupe {

struct tool_measures;

/// Owns one run while it is at one agent: feeds the run machine and carries its effects out. When the actor
/// ends, for whatever reason, calls still open are cancelled where they go on, and its asker is answered.
class run_state {
public:
  explicit run_state(run_actor::pointer self) : self_(self) {}
  ~run_state();

  /// Takes the run over. Once.
  caf::typed_response_promise<run_outcome> take(agent_wiring_ptr wiring, travelling_run&& run);
  void cancel(error reason);
  void cancel(error reason, cancel_mode mode);
  void progressed(const model_progress& what, const caf::strong_actor_ptr& source);
  void consumed(std::uint64_t events);
  /// A run that this one started is now carried by another actor, or at an end.
  void moved(const std::string& run_id, const caf::strong_actor_ptr& to);

  /// A run that this one started has paid for a call.
  void spent(const std::string& run_id, const std::string& agent, const std::string& model,
             const usage& used);

  const char* name = "run";

private:
  /// A call that must be told when nobody waits for it any more.
  struct cancellable_call {
    model_actor model;
    mcp_server_actor server;
    /// For runs that this one started: their id.
    std::string nested;
  };
  /// Progress of a model that the observer has not dealt with.
  struct held_progress {
    stream_source_actor source;
    call_key key;
    std::uint64_t bytes;
    /// The last of its events.
    std::uint64_t last_event;
  };

  // run.cpp: the run's life.
  void enter();
  void feed(run::event what);
  void carry_out_all(run::effects& todo);
  void carry_out(const run::collect_tools&);
  void carry_out(run::reserve& what);
  void carry_out(run::call_model& what);
  void carry_out(run::call_tools& what);
  void carry_out(const run::report_call& what);
  void carry_out(const run::repair& what);
  void carry_out(run::check& what);
  void carry_out(const run::hand_off& what);
  /// Takes what stands around the agent now, since actors may have been replaced.
  void renew_wiring();
  void hand_off_to(const agent_actor& next, const run::hand_off& what);
  void collect_from_servers();
  void tools_came(std::size_t server, shared_tools tools);

  // run_journal.cpp: what is written down before it is acted on.
  bool is_journaled() const;
  /// Whether a step ends what the journal has to know of this run: somebody else writes that down.
  bool ends_record(const run::effects& todo) const;
  void write_down(run::effects&& todo, bool is_recorded);
  void written();
  void not_written(const caf::error& reason);
  /// Where the run is among those of the outermost one.
  std::string path() const;

  // run_end.cpp: how it ends.
  void carry_out(const run::pause&);
  void carry_out(const run::finish&);
  void deliver();
  /// Ends this actor in order.
  void leave();
  /// Has all that was begun end.
  void cancel_calls(const error& reason);
  error stop_reason() const;
  /// What the first agent's own guardrails would have taken out of the input is not kept either, though the
  /// run did not live to ask them all.
  void mask_input();

  // run_model.cpp: model calls, and what is streamed of them.
  void ask_model(model_request_ptr request);
  void model_answered(call_key key, model_response& response, caf::actor_clock::time_point began);
  void count_answered(const model_response& response, caf::actor_clock::time_point began) const;
  void count_failed(const std::string& model, const caf::error& reason,
                    caf::actor_clock::time_point began) const;
  void settle(std::uint64_t reserved, const std::string& model, const usage& used);
  /// An answer whose endpoint counts no tokens is charged an estimate where there is a budget.
  void fill_in_usage(model_response& response, std::uint64_t input) const;
  void settle_failed(std::uint64_t reserved, const error& reason);
  /// Tells what the model said, for observers that have not seen it grow.
  void tell_answer(const model_response& response);
  void tell_delta(const model_delta& delta);
  /// Has models go on whose progress the observer has dealt with.
  void release_progress();

  // run_calls.cpp: tools, and agents as tools.
  void run_tool(const run::requested_call& call);
  void start_tool(const run::requested_call& call);
  void call_server(const run::requested_call& call, call_key key, tool_invocation invocation);
  void call_code(const run::requested_call& call, call_key key, tool_invocation invocation);
  void call_agent(const run::requested_call& call, call_key key);
  travelling_run nested_run(const run::requested_call& call, const std::string& run_id);
  void agent_answered(const run::requested_call& call, call_key key, run_outcome& outcome);
  /// Null if nobody counts. Lives as long as the wiring, of which later ones have the same.
  const tool_measures* measures_of(const run::requested_call& call) const;
  template <class Handle>
  void request_tool(const Handle& tool, std::chrono::milliseconds within, call_key key,
                    const run::requested_call& call, tool_invocation invocation);
  /// Lets the run that owns this one know, so that it counts though this one may not live to answer.
  void tell_spent(const std::string& agent, const std::string& model, const usage& used);
  usage_report take_spent(const std::string& run_id);
  void tool_done(call_key key, run::tool_answered answer);

  // run_guards.cpp: guardrails and hooks.
  void ask_judge(const judge& rule, const run::check& what, std::chrono::milliseconds within);
  void call_judge(const judge& rule, const run::check& what, std::chrono::milliseconds within,
                  model_request_ptr request, const reservation& reserved);
  void no_verdict(const run::check& what, const caf::error& reason);
  void verdict_came(const run::check& what, result<guardrail::verdict> outcome);
  /// What the hooks of that point are told; null if there is none, without calling `make`.
  template <class Make>
  std::shared_ptr<const json> facts_for(hook_point point, Make make) const;
  bool has_hook(hook_point point) const;
  /// Tells the hooks of that point, one after the other, then goes on; a failure ends the run instead. At
  /// once if there are no facts.
  void at_hooks(hook_point point, std::shared_ptr<const json> facts, std::function<void()> go_on);
  void tell_hook(std::size_t index, hook_call call, std::function<void()> go_on);
  void hook_failed(const hook& failed, const hook_call& call, const error& why, std::size_t index,
                   std::function<void()> go_on);
  const json& no_facts() const;

  // Of all.
  void request_failed(const caf::error& reason, call_key key, const std::function<void(error)>& handle);
  /// Time until the deadline, or so much beyond it; at least one millisecond, so that a passed deadline ends
  /// the run by a timeout.
  std::chrono::milliseconds remaining(std::chrono::milliseconds beyond = {}) const;
  /// Whether a request failed because the run's time is over.
  bool is_deadline(const caf::error& reason) const;
  error deadline_error() const;
  call_key next_key();
  void tell(run_event what);
  bool is_streamed() const;
  bool is_finished() const { return run_.state.at == run::phase::finished; }

  run_actor::pointer self_;
  agent_wiring_ptr wiring_;
  /// Counts this run at its agent.
  std::shared_ptr<std::atomic<std::size_t>> in_flight_;
  travelling_run run_;
  caf::typed_response_promise<run_outcome> promise_;
  std::map<call_key, cancellable_call> open_;
  /// Runs that this one started, by their id.
  std::map<std::string, run_actor> nested_;
  /// What those that have not answered have spent.
  std::map<std::string, usage_report> spent_by_;
  std::uint32_t keys_ = 0;
  /// Tools by source while they come in: code tools, then servers.
  std::vector<tool_source> sources_;
  std::size_t sources_missing_ = 0;
  /// Of the model call under way.
  std::uint64_t reservation_ = 0;
  std::uint64_t estimated_input_ = 0;
  bool saw_progress_ = false;
  std::vector<std::string> streamed_calls_;
  /// Events that the observer of a streamed run has before it, and that it has dealt with.
  std::uint64_t unconsumed_ = 0;
  std::uint64_t consumed_ = 0;
  std::deque<held_progress> held_;
  /// Steps that are not acted on yet, since they or those before them are being written down.
  struct held_step {
    run::effects todo;
    bool is_written = false;
  };
  std::deque<held_step> held_steps_;
  bool is_over_ = false;
  bool was_paused_ = false;
};

template <class Make>
std::shared_ptr<const json> run_state::facts_for(hook_point point, Make make) const {
  return has_hook(point) ? std::make_shared<const json>(make()) : nullptr;
}

run_actor::behavior_type run_behavior(run_actor::stateful_pointer<run_state> self, agent_wiring_ptr wiring);

} // namespace troupe
