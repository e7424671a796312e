#pragma once

#include "libagent/run/journal.hpp"
#include "libagent/run/ledger.hpp"
#include "tests/libagent/run/random_agent.hpp"
#include "tests/libagent/run/tally.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::run::testing {

/// A session whose prompts are run one after the other, with all that actors do for them on virtual time: the
/// journal's writes take a while, answers come late, twice or never, calls time out, processes end. The seed
/// decides everything. What is checked at each step is `REQUIRE`d.
class simulation {
public:
  explicit simulation(std::uint64_t seed);
  /// Until the last run is over.
  void play();

  unsigned crashes = 0;
  unsigned pauses = 0;
  unsigned doubts = 0;
  unsigned late_answers = 0;
  unsigned refusals = 0;
  std::map<std::string, unsigned> endings;
  /// What was done, in short.
  std::string log;

private:
  using ticks = std::uint64_t;

  /// A run, or one that a run has started: its path is as in the journal.
  struct machine {
    state run;
    tally own;
    recorder by;
    /// Of the call that has started it.
    std::size_t index = 0;
    /// Effects that wait for the journal, in order.
    struct held_step {
      effects todo;
      bool is_written = false;
    };
    std::deque<held_step> held;
    std::uint64_t reserved = 0;
    std::optional<std::uint64_t> max_output_tokens;
    bool is_over = false;
  };
  struct prompt {};
  struct written {
    std::string record;
    bool is_whole;
    std::shared_ptr<const kept_run> now;
  };
  struct deadline {
    unsigned epoch;
  };
  struct decide {};
  /// A model's answer, which is paid for once.
  struct paid {
    std::uint64_t reserved;
    usage used;
    event what;
  };
  /// A run inside is over or waits, for the run that started it.
  struct ended_inside {
    std::string path;
    event what;
  };
  using happening = std::variant<prompt, written, deadline, decide, paid, ended_inside, event>;
  struct planned {
    unsigned life;
    std::string path;
    happening what;
  };

  void plan(const std::string& path, happening what, ticks delay, bool outlives_crash = false);
  /// After a while, and perhaps once more.
  void answer(const std::string& path, happening what);
  void happen(planned next);
  void take_event(const std::string& path, event what);
  void take_ended(const std::string& path, ended_inside ended);
  void write_down(const std::string& path, machine& at, bool is_recorded, effects todo);
  void carry_out(const std::string& path);
  void carry_out_all(const std::string& path, effects& todo);

  void start_next();
  budget random_budget();
  void end_run();
  void crash();
  void recover_run();
  void take_up(machine& at, state run, tally own);
  void resume();
  void set_deadline();
  std::vector<decision> decide_all(const std::vector<interruption>& waits);
  void fill(state& run) const;
  void settle(std::uint64_t reserved, const usage& used);

  void act(const std::string& path, collect_tools& what);
  void act(const std::string& path, reserve& what);
  void act(const std::string& path, call_model& what);
  void act(const std::string& path, call_tools& what);
  void act(const std::string& path, report_call& what);
  void act(const std::string& path, repair& what);
  void act(const std::string& path, check& what);
  void act(const std::string& path, hand_off& what);
  void act(const std::string& path, troupe::run::pause& what);
  void act(const std::string& path, finish& what);
  void start_nested(const std::string& path, const requested_call& call);
  void end_nested(const std::string& path, event outcome);
  void end_inside(const std::string& path);
  bool ask_ledger(const std::string& path, const model_request& request);

  tool_call random_call();
  agent_ptr agent_named(const std::string& name) const;

  chance luck_;
  ticks now_ = 0;
  std::uint64_t order_ = 0;
  std::map<std::pair<ticks, std::uint64_t>, planned> to_come_;
  unsigned life_ = 0;
  unsigned crashes_left_ = 0;
  /// Which stretch between pauses it is; deadlines are of one.
  unsigned epoch_ = 0;

  // The session.
  item_list items_;
  unsigned waiting_ = 0;
  bool is_active_ = false;
  std::optional<std::pair<json, tally>> paused_;
  std::vector<std::string> records_;
  /// What they should come to.
  kept_runs kept_;
  unsigned takeovers_ = 0;

  // The run under way.
  std::map<std::string, agent_ptr> agents_;
  limits bounds_;
  budget spending_;
  std::optional<ledger> ledger_;
  std::deque<std::pair<std::string, model_request_ptr>> waits_for_ledger_;
  usage spent_;
  std::map<std::string, machine> machines_;
  std::set<std::string> called_;
  std::set<std::string> reported_;
  std::set<std::string> may_repeat_;
  std::vector<tool_call> made_;
  unsigned last_id_ = 0;
  unsigned steps_ = 0;
};

} // namespace troupe::run::testing
