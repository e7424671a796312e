#pragma once

#include "libagent/run/machine.hpp"

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

/// A run played move by move, written down so that tests can be tables.
namespace troupe::run::testing {

using agent_ptr = std::shared_ptr<const agent_definition>;
using change = std::function<void(agent_definition&)>;

agent_ptr make_agent(std::string name, const change& with = {});

/// Tools "a", "b" and "c" that take anything, "add" that takes an integer "n"; the agent's handoffs and
/// agents.
toolbox_ptr tools_of(const agent_ptr& agent);

/// What happened so far.
struct game {
  state run;
  /// E.g. "collect model tools(0 1) check(tool_output 0 mask) finish".
  std::string effects;
  /// All effects, in order, but for the reports of calls.
  run::effects done;
  /// Those, each taken note of at once, e.g. "c1_0:out c1_1:-!no such tool": "-" before what never reached
  /// its tool, "!" before an error.
  std::string reports{};
};

/// An event, or one that depends on what happened so far (such as a guardrail's verdict, which needs its
/// ticket).
class move {
public:
  template <class Event>
  requires std::constructible_from<event, Event> move(Event what)
      : make_([what = event(std::move(what))](const game&) { return what; }) {}
  move(std::function<event(const game&)> make) : make_(std::move(make)) {}
  event operator()(const game& so_far) const { return make_(so_far); }

private:
  std::function<event(const game&)> make_;
};
using moves = std::vector<move>;

/// Enters the agent that the last handoff named (or the one given), with the definition given.
move enter(agent_ptr agent);
/// The tools of the agent that the run is at.
extern const move collected;
move says(std::string text);
move answers(item_list output);
struct wish {
  std::string name;
  std::string arguments = "{}";
  /// Empty: "cT_N" by turn and place.
  std::string id{};
};
/// The model calls tools by these names, with ids "cT_N" by turn and place.
move calls(std::vector<std::string> names);
move wishes(std::vector<wish> all);
move model_fails(errc code = errc::model_failed);
move tool_says(std::size_t index, std::string text);
move tool_fails(std::size_t index, std::string text);
move agent_fails(std::size_t index, errc code);

/// The verdict that the latest check of that guardrail asked for.
move passes(std::string guardrail);
move rewrites(std::string guardrail, std::string text);
move rejects(std::string guardrail, std::string message);
move trips(std::string guardrail, std::string why);
move fails_to_judge(std::string guardrail);

move stop(errc code = errc::cancelled);
move stop_after(errc code = errc::cancelled);
move refuse();
move decide(std::vector<decision> decisions);
decision approve(std::string id);
decision approve_always(std::string id);
decision approve_with(std::string id, json arguments);
decision reject(std::string id, std::string message = {});

game play(const moves& all, limits bounds = {}, shared_items past = nullptr, bool has_budget = false);
/// Goes on with it.
void play_on(game& so_far, const moves& all);

std::string describe(const effect& what);
std::string describe(const item& what);
/// The items, in short: "U:hello C:a O:x A:done R:hm", with "!" before the text of an output that is an
/// error.
std::string story(const item_list& items);
/// "ok:OUTPUT", or the failure's code, or where the run is.
std::string ending(const state& run);
/// What is wrong with a history: a call without its one output after it, an output without a call, an id
/// given twice. Empty if nothing is.
std::string flaw(const item_list& items);
/// What the model was last asked, past and fresh together.
item_list last_request(const game& played);

/// A paused run as it comes back from a store.
void keep(state& run);

/// One rule of the loop.
struct row {
  std::string situation;
  moves events;
  std::string effects;
  std::string story;
  std::string ending;
  limits bounds{};
  bool has_budget = false;
};
/// Plays each row; checks what it tells, that a run that is over has a well-formed history, and that a
/// finished run takes nothing more.
void check_rows(const std::vector<row>& rows);

} // namespace troupe::run::testing
