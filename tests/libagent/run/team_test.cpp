#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

agent_ptr team_of(agent_kind kind, const change& with = {}) {
  return make_agent("team", [&](auto& a) {
    a.kind = kind;
    a.members.members = {"x", "y"};
    if (with)
      with(a);
  });
}

const auto side_by_side = team_of(agent_kind::parallel);
const auto one_by_one = team_of(agent_kind::sequential);
const auto again_and_again = team_of(agent_kind::loop, [](auto& a) { a.members.max_rounds = 2; });
const auto judged = team_of(agent_kind::parallel, [](auto& a) { a.members.judge = "z"; });

agent_ptr until(const condition& test) {
  return team_of(agent_kind::loop, [&](auto& a) { a.members.until = test; });
}

/// What the last calls ask, by the name of whom they ask.
std::vector<std::string> last_asked(const game& played) {
  std::vector<std::string> all;
  for (const auto& call : std::get<call_tools>(played.done.back()).calls) {
    CHECK(call.what == toolbox_entry::kind::agent);
    CHECK(call.call_id.empty());
    CHECK(call.is_member);
    all.push_back(call.name + ": " + call.arguments->at("input").get<std::string>());
  }
  return all;
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("teams ask their members and make one output of theirs") {
  const auto headings = std::string("## x\n\n1\n\n## y\n\n2");
  check_rows({
      {"all at once, in the order of the members whoever answers first",
       {enter(side_by_side), tool_says(1, "2"), tool_says(0, "1")},
       "tools(0 1) finish",
       "U:hello A:" + headings,
       "ok:" + headings},
      {"within the cap",
       {enter(side_by_side), tool_says(0, "1"), tool_says(1, "2")},
       "tools(0) tools(1) finish",
       "U:hello A:" + headings,
       "ok:" + headings,
       {10, 1000, 1}},
      {"one after the other",
       {enter(one_by_one), tool_says(0, "1"), tool_says(0, "2")},
       "tools(0) tools(0) finish",
       "U:hello A:2",
       "ok:2"},
      {"again and again, up to the bound",
       {enter(again_and_again), tool_says(0, "1"), tool_says(0, "2"), tool_says(0, "3"), tool_says(0, "4")},
       "tools(0) tools(0) tools(0) tools(0) finish",
       "U:hello A:4",
       "ok:4"},
      {"until it is enough",
       {enter(until([](const json& scope) -> result<bool> { return scope.at("output") == "2"; })),
        tool_says(0, "1"), tool_says(0, "2")},
       "tools(0) tools(0) finish",
       "U:hello A:2",
       "ok:2"},
      {"a judge has the last word",
       {enter(judged), tool_says(0, "1"), tool_says(1, "2"), tool_says(0, "both")},
       "tools(0 1) tools(0) finish",
       "U:hello A:both",
       "ok:both"},
      {"a template joins",
       {enter(team_of(agent_kind::parallel,
                      [](auto& a) {
                        a.members.join = [](const json& scope) -> result<std::string> {
                          return dump_json(scope.at("outputs"));
                        };
                      })),
        tool_says(0, "1"), tool_says(1, "2")},
       "tools(0 1) finish",
       R"(U:hello A:{"x":"1","y":"2"})",
       R"(ok:{"x":"1","y":"2"})"},
      {"an empty output is one",
       {enter(one_by_one), tool_says(0, "1"), tool_says(0, "")},
       "tools(0) tools(0) finish",
       "U:hello",
       "ok:"},
      {"without members there is nobody to ask",
       {enter(team_of(agent_kind::parallel, [](auto& a) { a.members.members.clear(); }))},
       "finish",
       "U:hello",
       "invalid_config"},
  });
}

TEST_CASE("a team fails with the first member that does, and does not wait for the others") {
  check_rows({
      {"side by side",
       {enter(side_by_side), agent_fails(1, errc::model_failed), agent_fails(0, errc::budget_exceeded)},
       "tools(0 1) finish",
       "U:hello",
       "model_failed"},
      {"those that wait for their turn are not asked",
       {enter(side_by_side), agent_fails(0, errc::model_failed)},
       "tools(0) finish",
       "U:hello",
       "model_failed",
       {10, 1000, 1}},
      {"one after the other: the next one is not asked",
       {enter(one_by_one), agent_fails(0, errc::model_failed)},
       "tools(0) finish",
       "U:hello",
       "model_failed"},
      {"a judge",
       {enter(judged), tool_says(0, "1"), tool_says(1, "2"), agent_fails(0, errc::model_failed)},
       "tools(0 1) tools(0) finish",
       "U:hello",
       "model_failed"},
      {"a join that cannot be made",
       {enter(team_of(agent_kind::parallel,
                      [](auto& a) {
                        a.members.join = [](const json&) -> result<std::string> {
                          throw std::runtime_error("boom");
                        };
                      })),
        tool_says(0, "1"), tool_says(1, "2")},
       "tools(0 1) finish",
       "U:hello",
       "internal"},
      {"a condition that cannot be tested",
       {enter(until([](const json&) -> result<bool> { return fail(errc::malformed, "?"); })),
        tool_says(0, "1"), tool_says(0, "2")},
       "tools(0) tools(0) finish",
       "U:hello",
       "invalid_config"},
  });
}

TEST_CASE("a stop reaches a team between its steps") {
  check_rows({
      {"at once",
       {enter(side_by_side), tool_says(0, "1"), stop(), tool_says(1, "2")},
       "tools(0 1) finish",
       "U:hello",
       "cancelled"},
      {"before it begins", {stop_after(), enter(side_by_side)}, "finish", "U:hello", "cancelled"},
      {"before the next member",
       {enter(one_by_one), stop_after(), tool_says(0, "1")},
       "tools(0) finish",
       "U:hello",
       "cancelled"},
      {"before the judge",
       {enter(judged), stop_after(), tool_says(0, "1"), tool_says(1, "2")},
       "tools(0 1) finish",
       "U:hello",
       "cancelled"},
      {"before the next round",
       {enter(again_and_again), tool_says(0, "1"), stop_after(), tool_says(0, "2")},
       "tools(0) tools(0) finish",
       "U:hello",
       "cancelled"},
      {"not before an output that is there",
       {enter(side_by_side), stop_after(), tool_says(0, "1"), tool_says(1, "2")},
       "tools(0 1) finish",
       "U:hello A:## x\n\n1\n\n## y\n\n2",
       "ok:## x\n\n1\n\n## y\n\n2"},
  });
}

TEST_CASE("members are asked what the user said, or what the one before answered") {
  CHECK(last_asked(play({enter(side_by_side)})) == strings{"x: hello", "y: hello"});
  CHECK(last_asked(play({enter(one_by_one)})) == strings{"x: hello"});
  CHECK(last_asked(play({enter(one_by_one), tool_says(0, "1")})) == strings{"y: 1"});
  CHECK(last_asked(play({enter(again_and_again), tool_says(0, "1"), tool_says(0, "2")})) == strings{"x: 2"});
  CHECK(last_asked(play({enter(judged), tool_says(0, "1"), tool_says(1, "2")})) ==
        strings{"z: hello\n\nThe answers to this so far:\n\n## x\n\n1\n\n## y\n\n2"});
}

TEST_CASE("a loop's condition knows the round") {
  std::vector<int> rounds;
  const auto agent = until([&](const json& scope) -> result<bool> {
    rounds.push_back(scope.at("round").get<int>());
    return rounds.size() == 2;
  });
  moves all = {enter(agent)};
  for (int i = 0; i < 4; ++i)
    all.push_back(tool_says(0, "x"));
  CHECK(ending(play(all).run) == "ok:x");
  CHECK(rounds == std::vector{1, 2});
}

TEST_CASE("a team's guardrails hold: those for input all before its members, those for output with nobody to "
          "mend it") {
  const auto guarded = team_of(agent_kind::parallel, [](auto& a) {
    a.input_guardrails = {{"in", true}};
    a.output_guardrails = {{"out"}};
  });
  const auto answered = moves{enter(guarded), passes("in"), tool_says(0, "1"), tool_says(1, "2")};
  const auto with = [&](const move& last) {
    auto all = answered;
    all.push_back(last);
    return all;
  };
  check_rows({
      {"asked before", {enter(guarded)}, "check(input in)", "U:hello", "guarding_input"},
      {"rewritten", with(rewrites("out", "*")), "check(input in) tools(0 1) check(output out) finish",
       "U:hello A:*", "ok:*"},
      {"rejected: there is no model to tell", with(rejects("out", "be kind")),
       "check(input in) tools(0 1) check(output out) finish", "U:hello", "guardrail_tripped"},
  });
}

TEST_CASE("a team with an output schema asks no model to mend it") {
  const auto typed = team_of(agent_kind::sequential, [](auto& a) {
    a.output = make_output_schema(
        "answer", json_schema::compile(json::parse(R"({"type":"object","required":["n"]})")).value());
  });
  check_rows({
      {"fits",
       {enter(typed), tool_says(0, "1"), tool_says(0, R"({"n":1})")},
       "tools(0) tools(0) finish",
       R"(U:hello A:{"n":1})",
       R"(ok:{"n":1})"},
      {"does not fit",
       {enter(typed), tool_says(0, "1"), tool_says(0, "{}")},
       "tools(0) tools(0) finish",
       "U:hello A:{}",
       "invalid_output"},
      {"is empty",
       {enter(typed), tool_says(0, "1"), tool_says(0, "")},
       "tools(0) tools(0) finish",
       "U:hello",
       "invalid_output"},
  });
}

TEST_CASE("a run can be handed off to a team") {
  const auto first = make_agent("m", [](auto& a) { a.handoffs = {"team"}; });
  const auto played = play({enter(first), collected, calls({"transfer_to_team"}), enter(one_by_one),
                            tool_says(0, "1"), tool_says(0, "2")});
  CHECK(played.effects == "collect model handoff(team) tools(0) tools(0) finish");
  CHECK(story(played.run.fresh) == "U:hello C:transfer_to_team O:{\"assistant\":\"team\"} A:2");
  CHECK(std::get<assistant_message>(played.run.fresh.back()).agent == "team");
}

TEST_CASE("members see what the team sees of the conversation, no more") {
  const auto past = std::make_shared<const item_list>(item_list{user_message{"before"}});
  const auto seen = [](const game& played) {
    const auto& call = std::get<call_tools>(played.done.back()).calls.front();
    return call.arguments->at("input").get<std::string>() + " | " +
           story(call.history ? *call.history : item_list{});
  };
  SECTION("the past of a run that begins with it") {
    CHECK(seen(play({enter(side_by_side)}, {}, past)) == "hello | U:before");
  }
  SECTION("a rejection in the place of what was rejected") {
    const auto guarded = team_of(agent_kind::sequential, [](auto& a) { a.input_guardrails = {{"g"}}; });
    auto played = play({enter(guarded), rejects("g", "not that")}, {}, past);
    CHECK(seen(played) == "not that | U:before");
    CHECK(story(played.run.fresh) == "U:hello");
    CHECK(scope_of(played.run).at("input") == "not that");
  }
  SECTION("what the one that handed over left") {
    const auto handed = [&](const change& with) {
      const auto desk = make_agent("desk", [&](auto& a) {
        handoff_definition to("team");
        a.handoffs = {to};
        if (with)
          with(a);
      });
      return play({enter(desk), collected, calls({"a"}), tool_says(0, "x"), collected,
                   calls({"transfer_to_team"}), enter(side_by_side)},
                  {}, past);
    };
    CHECK(seen(handed({})) == "hello | U:before C:a O:x C:transfer_to_team O:{\"assistant\":\"team\"}");
    CHECK(seen(handed([](auto& a) { a.handoffs[0].filter.what = input_filter::kind::drop_tools; })) ==
          "hello | U:before");
  }
  SECTION("kept while it is paused") {
    const auto nested = std::make_shared<const state>(
        play({enter(make_agent("x", [](auto& a) { a.tool_policies["a"].approval.needed = true; })), collected,
              calls({"a"})})
            .run);
    const auto guarded = team_of(agent_kind::sequential, [](auto& a) { a.input_guardrails = {{"g"}}; });
    auto played = play({enter(guarded), rejects("g", "not that"), call_paused{0, nested}}, {}, past);
    keep(played.run);
    play_on(played, {enter(guarded), resumed{{approve("1.0/1.0")}}, tool_says(0, "1")});
    CHECK(seen(played) == "1 | U:before");
    CHECK(scope_of(played.run).at("input") == "not that");
  }
}
