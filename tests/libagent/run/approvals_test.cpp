#include "tests/libagent/run/paused_rows.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;
using Catch::Matchers::Contains;

namespace {

const auto agent = make_agent("m", careful);

} // namespace

TEST_CASE("decisions are checked before a run goes on") {
  const auto run = play({enter(agent), collected, wishes({{"a"}, {"add", R"({"n":1})"}})}).run;
  struct {
    std::vector<decision> decisions;
    const char* part;
  } const rows[] = {
      {{}, "no decision is given"},
      {{approve("1.7")}, "does not wait for a decision on '1.7'"},
      {{approve("1.0/1.0")}, "'1.0/1.0'"},
      {{approve("")}, "''"},
      {{approve("1.0"), reject("1.0")}, "two decisions on '1.0'"},
      {{approve_with("1.1", json::array())}, "the arguments for '1.1' must be an object"},
      {{approve_with("1.1", {{"n", "x"}})}, "the arguments for '1.1' do not fit the tool 'add': n:"},
      {{approve("1.0"), approve("2.0")}, "'2.0'"},
  };
  for (const auto& r : rows) {
    const auto checked = check_decisions(run, r.decisions);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == errc::invalid_argument);
    CHECK_THAT(checked.error().detail, Contains(r.part));
  }
  CHECK(check_decisions(run, {approve_with("1.1", {{"n", 2}}), reject("1.0")}).has_value());
}

TEST_CASE("approval may depend on the call; a rule that cannot be tested asks") {
  const auto when = [](const condition& test) {
    return make_agent("m", [&](auto& a) { a.tool_policies["add"].approval = {true, test}; });
  };
  const auto large = when([](const json& scope) -> result<bool> {
    return scope.at("tool") == "add" && scope.at("agent") == "m" && scope.at("arguments").at("n") > 10;
  });
  const auto add = [](const char* n) { return wishes({{"add", std::string(R"({"n":)") + n + "}"}}); };
  const auto after = [&](const agent_ptr& who, const char* n) {
    return ending(play({enter(who), collected, add(n)}).run);
  };
  CHECK(after(large, "11") == "paused");
  CHECK(after(large, "10") == "acting");
  CHECK(after(when([](const json&) -> result<bool> { return fail(errc::malformed, "?"); }), "1") == "paused");
  CHECK(after(when([](const json&) -> result<bool> { throw std::runtime_error("boom"); }), "1") == "paused");
}

TEST_CASE("a server's rule holds beside the tool's own") {
  const auto plain = make_agent("m");
  const auto with_rule = std::function<event(const game&)>([](const game&) -> event {
    tool_source source{
        "srv", std::make_shared<const tool_list>(tool_list{{"a", "", json_schema()}}), {true, {}}};
    return tools_collected{
        std::make_shared<const toolbox>(std::vector<tool_source>{source}, std::vector<handoff_target>{})};
  });
  const auto played = play({enter(plain), with_rule, calls({"a"})});
  CHECK(ending(played.run) == "paused");
  const auto told = interruptions(played.run);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what == interruption::kind::tool);
  CHECK(*told[0].arguments == json::object());
}
