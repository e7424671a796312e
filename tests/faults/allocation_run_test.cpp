#include "libagent/model/chat_completions.hpp"
#include "libagent/run/journal.hpp"
#include "libagent/run/paused_json.hpp"
#include "libagent/run/state_json.hpp"
#include "tests/faults/fail_everywhere.hpp"
#include "tests/faults/scale.hpp"
#include "tests/libagent/run/game.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;
using namespace troupe::testing;

namespace {

/// What was written down of a run before it was acted upon, and how it ended.
struct written {
  std::vector<std::string> records;
  std::string ending;
};

struct cast {
  agent_ptr first = make_agent("m", [](auto& a) {
    a.tool_policies["b"].approval.needed = true;
    handoff_definition to("ops");
    to.filter.what = input_filter::kind::last;
    to.filter.count = 4;
    a.handoffs = {to};
    a.agent_tools = {{"helper", "", ""}};
    a.tool_output_guardrails = {{"mask", false}};
  });
  agent_ptr second = make_agent("ops", [](auto& a) {
    a.output = make_output_schema("answer", json_schema::compile(json::parse(R"({"type":"object",
        "properties":{"n":{"type":"integer"}},"required":["n"]})"))
                                                .value());
  });
  std::unique_ptr<const model_codec> codec = chat_completions::make_chat_completions_codec({"m"});
};

/// Calls of every kind, one of which waits for somebody, a guardrail, a handoff and an output that has to be
/// mended.
class run_scene {
public:
  run_scene(const cast& with, const written& whole) : with_(with), whole_(whole) {}

  void act() {
    enter(with_.first);
    answer(R"({"choices":[{"message":{"content":"hm","tool_calls":[
        {"id":"1","function":{"name":"a","arguments":"{\"n\":1}"}},
        {"id":"2","function":{"name":"b","arguments":"{}"}},
        {"id":"3","function":{"name":"nope","arguments":"{}"}},
        {"id":"4","function":{"name":"helper","arguments":"{\"input\":\"?\"}"}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":3,"completion_tokens":2}})");
    feed(tool_answered{0, tool_result::text(long_text), {}, {}});
    feed(checked{{guard_stage::tool_output, 0, 0, 1}, guardrail::verdict{}});
    usage_report used;
    used.add("helper", "m", {1, 20, 30, 0, 0});
    feed(tool_answered{3, tool_result::text(long_text), used, {}});
    feed(checked{{guard_stage::tool_output, 3, 0, 1},
                 guardrail::verdict{guardrail::action::rewrite, long_text + " rewritten", ""}});
    for (const std::size_t call : {0, 2, 3})
      feed(call_reported{call});
    // As a store keeps it.
    run_ = paused_from_json(parse_json(dump_json(paused_to_json(run_)), 1024).value()).value();
    feed(entered_agent{with_.first});
    feed(resumed{{approve("1.1")}});
    feed(tools_collected{tools_of(with_.first)});
    feed(tool_answered{1, tool_result::failure(long_text), {}, {}});
    feed(checked{{guard_stage::tool_output, 1, 0, 1}, guardrail::verdict{}});
    feed(call_reported{1});
    feed(tools_collected{tools_of(with_.first)});
    answer_only(R"({"choices":[{"message":{"tool_calls":[
        {"id":"5","function":{"name":"transfer_to_ops","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})");
    enter(with_.second);
    answer(R"({"choices":[{"message":{"content":"no number"},"finish_reason":"stop"}]})");
    answer(R"({"choices":[{"message":{"content":"{\"n\":1}"},"finish_reason":"stop"}]})");
    so_far_.ending = ending(run_);
  }

  std::string flaw(attempt ended) {
    const auto& records = so_far_.records;
    if (ended == attempt::through && (records != whole_.records || so_far_.ending != whole_.ending))
      return "the run took the failure for something else: " + so_far_.ending;
    if (records.size() > whole_.records.size() ||
        !std::equal(records.begin(), records.end(), whole_.records.begin()))
      return "what was written is no beginning of the whole";
    step(run_, stopped{fail(errc::cancelled, "enough")});
    return run_.at == phase::finished ? "" : "it cannot be stopped";
  }

  written take() { return std::move(so_far_); }

private:
  void feed(event what) {
    const bool counts = is_recorded(what);
    const auto todo = step(run_, std::move(what));
    if (!counts && !is_recorded(todo))
      return;
    if (const auto record = by_.take(run_, {}); !record.is_null())
      so_far_.records.push_back(dump_json(record));
  }
  void enter(const agent_ptr& agent) {
    now_ = agent;
    feed(entered_agent{agent});
    feed(tools_collected{tools_of(agent)});
  }
  void answer_only(const char* body) { feed(model_answered{with_.codec->decode(body).value()}); }
  /// After which the agent collects its tools for its next turn, if there is one.
  void answer(const char* body) {
    answer_only(body);
    feed(tools_collected{tools_of(now_)});
  }

  const cast& with_;
  const written& whole_;
  agent_ptr now_;
  state run_ = begin(nullptr, long_text);
  recorder by_;
  written so_far_;
};

written play_whole(const cast& with) {
  const written nothing;
  run_scene one(with, nothing);
  one.act();
  return one.take();
}

/// Puts a run together again from its records.
class fold_scene {
public:
  fold_scene(const std::vector<std::string>& records, const std::string& whole)
      : records_(records), whole_(whole) {}

  void act() {
    std::vector<json> records;
    for (const auto& each : records_)
      records.push_back(parse_json(each).value());
    const auto folded = fold(records).value();
    got_ = folded ? dump_json(state_to_json(folded->run)) : "nothing";
  }
  std::string flaw(attempt ended) {
    return ended == attempt::through && got_ != whole_ ? "it came to something else: " + got_ : "";
  }
  std::string take() { return std::move(got_); }

private:
  const std::vector<std::string>& records_;
  const std::string& whole_;
  std::string got_;
};

} // namespace

TEST_CASE("a run that runs out of memory, wherever it does, ends by an exception and leaves nothing behind") {
  const cast with;
  const auto whole = play_whole(with);
  REQUIRE(whole.ending == R"(ok:{"n":1})");
  REQUIRE(whole.records.size() > 8);
  // A beginning of it is what a run goes on from.
  std::vector<json> beginning;
  for (const auto& each : whole.records) {
    beginning.push_back(parse_json(each).value());
    REQUIRE(fold(beginning).has_value());
  }
  // Among the tests every 13th allocation.
  const auto made = fail_everywhere([&] { return run_scene(with, whole); }, scaled(13, 1));
  CHECK(made.failed > 200);
  // What is spared is the smaller part.
  CHECK(made.spared < made.failed);
}

TEST_CASE("a run that is put together again without enough memory is whole or none") {
  const cast with;
  const auto records = play_whole(with).records;
  const std::string nothing;
  fold_scene first(records, nothing);
  first.act();
  const auto whole = first.take();
  REQUIRE_THAT(whole, Catch::Contains("ops"));
  const auto made = fail_everywhere([&] { return fold_scene(records, whole); }, scaled(5, 1));
  CHECK(made.failed > 200);
}
