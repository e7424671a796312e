#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const auto plain = make_agent("plain");
const std::string unknown = "O:!Error: there is no tool 'nope'; available tools: a, b, c, add.";

} // namespace

TEST_CASE("a call id that comes again means the same call or a broken model") {
  check_rows({
      {"the same call in a later turn is not run again, and the conversation has it once",
       {enter(plain), collected, wishes({{"a", R"({"x":1,"y":2})", "1"}}), tool_says(0, "x"), collected,
        wishes({{"a", R"({"y":2, "x":1})", "1"}}), collected, says("done")},
       "collect model tools(0) collect model collect model finish",
       "U:hello C:a O:x A:done",
       "ok:done"},
      {"the same call twice in one turn",
       {enter(plain), collected, wishes({{"a", "{}", "1"}, {"b", "{}", "2"}, {"a", "{}", "1"}}),
        tool_says(0, "x"), tool_says(1, "y")},
       "collect model tools(0 1) collect",
       "U:hello C:a C:b O:x O:y",
       "collecting"},
      {"arguments that are no JSON are the same if they are the same text",
       {enter(plain), collected, wishes({{"nope", "{", "1"}, {"nope", "{", "1"}})},
       "collect model collect",
       "U:hello C:nope " + unknown,
       "collecting"},
      {"another payload",
       {enter(plain), collected, wishes({{"a", "{}", "1"}}), tool_says(0, "x"), collected,
        wishes({{"b", "{}", "2"}, {"a", R"({"x":1})", "1"}, {"c", "{}", "3"}})},
       "collect model tools(0) collect model finish",
       "U:hello C:a O:x C:b O:!not finished: the model used the call id '1' for two different calls",
       "protocol_violation"},
      {"another tool, in one turn",
       {enter(plain), collected, wishes({{"a", "{}", "1"}, {"b", "{}", "1"}})},
       "collect model finish",
       "U:hello C:a O:!not finished: the model used the call id '1' for two different calls",
       "protocol_violation"},
  });
}

TEST_CASE("an id that an earlier run used is free") {
  const auto past = std::make_shared<const item_list>(
      item_list{tool_call{"1", "a", "{}", "plain"}, tool_output{"1", {text_content{"old"}}, false}});
  const auto played =
      play({enter(plain), collected, wishes({{"b", "{}", "1"}}), tool_says(0, "x")}, {}, past);
  CHECK(story(played.run.fresh) == "U:hello C:b O:x");
}

TEST_CASE("calls without an id get one that the conversation does not have") {
  const auto call = [](const char* id, const char* name) { return tool_call{id, name, "{}", ""}; };
  const auto output = [](const char* id) { return tool_output{id, {}, false}; };
  const auto past = std::make_shared<const item_list>(
      item_list{call("call_0", "a"), output("call_0"), call("call_3", "a"), output("call_3")});
  const auto played =
      play({enter(plain), collected, answers({call("", "a"), call("call_2", "b"), call("", "a")}),
            tool_says(0, "x"), tool_says(1, "y"), tool_says(2, "z"), collected, answers({call("", "c")})},
           {}, past);
  std::vector<std::string> ids;
  for (const auto& entry : played.run.fresh)
    if (const auto* made = std::get_if<tool_call>(&entry))
      ids.push_back(made->call_id);
  CHECK(ids == std::vector<std::string>{"call_1", "call_2", "call_4", "call_5"});
  CHECK(std::get<call_tools>(played.done.at(2)).calls.at(2).call_id == "call_4");
}
