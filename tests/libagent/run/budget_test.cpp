#include "libagent/run/budget.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace troupe;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

budget of(json value) {
  return budget_from_json(value).value();
}

const json all = {{"turns", 1},         {"model_calls", 2},  {"tool_calls", 3}, {"input_tokens", 4},
                  {"output_tokens", 5}, {"total_tokens", 6}, {"cost", 0.5},     {"wall_time_ms", 1500}};

} // namespace

TEST_CASE("a budget survives its JSON form") {
  const auto read = of(all);
  CHECK(to_json(read) == all);
  CHECK(read.turns == 1u);
  CHECK(read.total_tokens == 6u);
  CHECK(read.cost == 0.5);
  CHECK(read.wall_time == 1500ms);
  CHECK(to_json(budget{}) == json::object());
}

TEST_CASE("a budget is bounded by any one of its bounds, zero included") {
  CHECK_FALSE(budget{}.is_bounded());
  for (const auto& [name, value] : all.items()) {
    CAPTURE(name);
    CHECK(of({{name, value}}).is_bounded());
    CHECK(of({{name, 0}}).is_bounded());
  }
}

TEST_CASE("the tighter of two budgets has the smaller of each bound and keeps what only one has") {
  const auto left = of({{"turns", 3}, {"tool_calls", 5}, {"cost", 2}, {"wall_time_ms", 10}});
  const auto right = of({{"turns", 4}, {"tool_calls", 1}, {"cost", 1.5}, {"input_tokens", 7}});
  const auto expected =
      of({{"turns", 3}, {"tool_calls", 1}, {"cost", 1.5}, {"wall_time_ms", 10}, {"input_tokens", 7}});
  CHECK(tighter(left, right) == expected);
  CHECK(tighter(right, left) == expected);
  CHECK(tighter(left, {}) == left);
}

TEST_CASE("all that is wrong with a budget is told at once, up to a bound") {
  const auto two = budget_from_json({{"turns", -1}, {"model_calls", 2}, {"cost", "much"}});
  REQUIRE_FALSE(two.has_value());
  CHECK_THAT(two.error().detail, Contains("'turns'") && Contains("'cost'") && !Contains("'model_calls'"));
  auto many = json::object();
  for (int i = 0; i < 1000; ++i)
    many[std::to_string(i)] = 1;
  const auto bounded = budget_from_json(many);
  REQUIRE_FALSE(bounded.has_value());
  CHECK(bounded.error().detail.size() < 1200);
  CHECK_THAT(bounded.error().detail, Catch::EndsWith("; and maybe more"));
}

TEST_CASE("what a budget cannot hold is refused by name") {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto bad = GENERATE_COPY(
      std::pair{json{{"turn", 1}}, "'turn' is unknown"}, std::pair{json{{"turns", -1}}, "'turns'"},
      std::pair{json{{"turns", 1.5}}, "'turns'"}, std::pair{json{{"tool_calls", "3"}}, "'tool_calls'"},
      std::pair{json{{"cost", -0.1}}, "'cost'"}, std::pair{json{{"cost", nan}}, "'cost'"},
      std::pair{json{{"cost", nullptr}}, "'cost'"},
      std::pair{json{{"wall_time_ms", std::numeric_limits<std::uint64_t>::max()}}, "'wall_time_ms'"},
      std::pair{json::array(), "object"});
  const auto read = budget_from_json(bad.first);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == errc::invalid_argument);
  CHECK_THAT(read.error().detail, Contains(bad.second));
}
