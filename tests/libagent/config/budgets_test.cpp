#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;
using namespace std::chrono_literals;

TEST_CASE("all bounds of a budget are read, of runs and of sessions") {
  const std::string all = "{turns: 5, model_calls: 6, tool_calls: 0, input_tokens: 7, output_tokens: 8, "
                          "total_tokens: 1000000000000, cost: 0.25, wall_time: 2m}";
  const auto loaded = read(minimal + "limits: {budget: " + all + "}\nsessions: {budget: " + all + "}\n");
  REQUIRE(errors_of(loaded).empty());
  const auto expected = budget{5, 6, 0, 7, 8, 1'000'000'000'000, 0.25, 2min};
  CHECK(loaded.value->limits.spending == expected);
  CHECK(loaded.value->sessions.spending == expected);
}

TEST_CASE("nothing is bounded where no budget is given") {
  const auto loaded = read(minimal + "limits: {budget: {}}\n");
  REQUIRE(loaded.value);
  CHECK(loaded.value->limits.spending == budget{});
  CHECK(loaded.value->sessions.spending == budget{});
}

TEST_CASE("what is wrong with a budget is told") {
  const std::vector<mistake> mistakes = {
      {"{turns: 0}",
       "3:26: 'turns' in 'budget' in limits is 0; it has to be a whole number from 1 to 1000000000"},
      {"{cost: -0.5}",
       "3:25: 'cost' in 'budget' in limits is -0.5; it has to be a number from 0 to 1000000000"},
      {"{cost: .nan}",
       "3:25: 'cost' in 'budget' in limits is .nan; it has to be a number from 0 to 1000000000"},
      {"{cost: $5}",
       "3:25: 'cost' in 'budget' in limits is a text; it has to be a number from 0 to 1000000000"},
      {"{total_tokens: 1e6}",
       "3:33: 'total_tokens' in 'budget' in limits is 1e6; it has to be a whole number "
       "from 1 to 1000000000000"},
      {"{wall_time: 0}",
       "3:30: 'wall_time' in 'budget' in limits is 0; it has to be a time from 1ms to 365d"},
      {"{tokens: 5}",
       "3:19: unknown key 'tokens' in 'budget' in limits; known keys are 'turns', 'model_calls', "
       "'tool_calls', 'input_tokens', 'output_tokens', 'total_tokens', 'cost', 'wall_time'"},
      {"{wall_time_ms: 5000}",
       "3:19: 'wall_time_ms' in 'budget' in limits is what the REST API calls it; write "
       "wall_time, a duration such as 30s"},
      {"{total_token: 5}",
       "3:19: unknown key 'total_token' in 'budget' in limits; did you mean 'total_tokens'?"},
      {"5", "3:18: 'budget' in limits is a number; it has to be a map of keys and values"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(minimal + "limits: {budget: " + written + "}\n") == message);
  }
}
