#include "libagent/run/ledger.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

const price_list prices = {{"m", {2.0, 0.5, 10.0}}, {"free_output", {1.0, {}, 0.0}}};

budget of(const json& value) {
  return budget_from_json(value).value();
}

call_estimate call(std::uint64_t input = 100, std::optional<std::uint64_t> output = {},
                   const char* model = "m") {
  return {model, input, output};
}

/// "KIND SPENT/LIMIT".
std::string describe(const error& refusal) {
  CHECK(refusal.code == errc::budget_exceeded);
  REQUIRE(refusal.facts);
  const auto& facts = *refusal.facts;
  const auto kind = facts.at("kind").get<std::string>();
  CHECK_THAT(refusal.detail, Catch::Matchers::Contains(kind));
  return kind + " " + facts.at("spent").dump() + "/" + facts.at("limit").dump();
}

template <class T>
std::string refusal(const result<T>& outcome) {
  return outcome ? "none" : describe(outcome.error());
}

} // namespace

TEST_CASE("each kind of budget refuses the call that would pass it, and not the one before") {
  struct {
    json limit;
    /// What calls spend until one is refused.
    usage spent;
    unsigned calls;
    const char* refused;
  } const rows[] = {
      {{{"turns", 2}}, {1, 100, 1, 0, 0}, 2, "turns 2/2"},
      {{{"model_calls", 3}}, {1, 100, 1, 0, 0}, 3, "model_calls 3/3"},
      {{{"input_tokens", 250}}, {1, 100, 1, 0, 0}, 2, "input_tokens 200/250"},
      {{{"input_tokens", 200}}, {1, 100, 1, 0, 0}, 2, "input_tokens 200/200"},
      {{{"output_tokens", 10}}, {1, 100, 5, 0, 0}, 2, "output_tokens 10/10"},
      {{{"total_tokens", 301}}, {1, 100, 50, 0, 0}, 2, "total_tokens 300/301"},
      {{{"total_tokens", 400}}, {1, 100, 50, 0, 0}, 2, "total_tokens 300/400"},
      {{{"cost", 0.001}}, {1, 100, 30, 0, 0}, 2, "cost 0.001/0.001"},
      {{{"turns", 0}}, {}, 0, "turns 0/0"},
      {{{"output_tokens", 0}}, {}, 0, "output_tokens 0/0"},
      {{{"cost", 0}}, {}, 0, "cost 0.0/0.0"},
  };
  for (const auto& r : rows) {
    INFO(r.limit);
    ledger book(of(r.limit), prices);
    for (unsigned i = 0; i < r.calls; ++i) {
      const auto made = book.reserve_model(call());
      REQUIRE(made.has_value());
      book.settle(made->id, "m", r.spent);
    }
    CHECK(refusal(book.reserve_model(call())) == r.refused);
    CHECK(refusal(book.reserve_model(call())) == r.refused);
  }
}

TEST_CASE("tool calls are counted when they are reserved, all of a turn or none") {
  ledger book(of({{"tool_calls", 3}}), {});
  CHECK(refusal(book.reserve_tools(2)) == "none");
  CHECK(refusal(book.reserve_tools(2)) == "tool_calls 2/3");
  CHECK(refusal(book.reserve_tools(1)) == "none");
  CHECK(refusal(book.reserve_tools(0)) == "none");
  CHECK(refusal(book.reserve_tools(1)) == "tool_calls 3/3");
}

TEST_CASE("no budget bounds nothing and gives no bound") {
  ledger book({}, prices);
  for (int i = 0; i < 100; ++i) {
    const auto made = book.reserve_model(call(1u << 30));
    REQUIRE(made.has_value());
    CHECK_FALSE(made->max_output_tokens.has_value());
  }
  CHECK(refusal(book.reserve_tools(1'000'000)) == "none");
}

TEST_CASE("calls in flight count as spent, so that they cannot overshoot together") {
  struct {
    json limit;
    unsigned at_once;
  } const rows[] = {{{{"turns", 3}}, 3},          {{{"model_calls", 2}}, 2},    {{{"input_tokens", 450}}, 4},
                    {{{"output_tokens", 25}}, 3}, {{{"total_tokens", 330}}, 3}, {{{"cost", 0.001}}, 3}};
  for (const auto& r : rows) {
    INFO(r.limit);
    ledger book(of(r.limit), prices);
    std::vector<std::uint64_t> ids;
    for (auto made = book.reserve_model(call(100, 10)); made; made = book.reserve_model(call(100, 10)))
      ids.push_back(made->id);
    CHECK(ids.size() == r.at_once);
    // A call that failed costs no tokens, so that another one may take its place where tokens or money were
    // short.
    book.settle(ids.front(), "m", {});
    const bool is_count = r.limit.contains("turns") || r.limit.contains("model_calls");
    CHECK(book.reserve_model(call(100, 10)).has_value() == !is_count);
  }
}

TEST_CASE("a call is settled once, and only if it was reserved") {
  ledger book(of({{"input_tokens", 300}}), prices);
  const auto made = book.reserve_model(call()).value();
  book.settle(made.id + 1, "m", {1, 1'000, 0, 0, 0});
  book.settle(made.id, "m", {1, 100, 0, 0, 0});
  book.settle(made.id, "m", {1, 1'000, 0, 0, 0});
  CHECK(refusal(book.reserve_model(call(200))) == "none");
  CHECK(book.cost() == Approx(0.0002));
}

TEST_CASE("the model is told what it may answer with: what is left, the agent's own bound, or a usual one") {
  struct {
    json limit;
    std::optional<std::uint64_t> own;
    std::uint64_t expected;
  } const rows[] = {
      {{{"output_tokens", 10}}, {}, 10},
      {{{"output_tokens", 10}}, 5, 5},
      {{{"output_tokens", 1'000'000}}, {}, 4096},
      {{{"output_tokens", 1'000'000}}, 9'000, 9'000},
      {{{"total_tokens", 150}}, {}, 50},
      {{{"cost", 0.001}}, {}, 80},
      {{{"output_tokens", 70}, {"cost", 0.001}, {"total_tokens", 175}}, {}, 70},
      {{{"cost", 1e300}}, {}, 4096},
  };
  for (const auto& r : rows) {
    INFO(r.limit);
    ledger book(of(r.limit), prices);
    const auto made = book.reserve_model(call(100, r.own));
    REQUIRE(made.has_value());
    CHECK(made->max_output_tokens == r.expected);
  }
}

TEST_CASE("money without a price costs nothing, and output that is free is not bounded by money") {
  ledger book(of({{"cost", 0.001}}), prices);
  const auto unknown = book.reserve_model(call(1u << 30, {}, "unknown"));
  REQUIRE(unknown.has_value());
  CHECK_FALSE(unknown->max_output_tokens.has_value());
  const auto made = book.reserve_model(call(1'000, {}, "free_output"));
  REQUIRE(made.has_value());
  CHECK_FALSE(made->max_output_tokens.has_value());
  CHECK(refusal(book.reserve_model(call(1, {}, "free_output"))) == "cost 0.001/0.001");
}

TEST_CASE("a budget of money is used up to its last token, whatever the figures") {
  for (int tokens = 1; tokens <= 200; ++tokens) {
    for (const double rate : {0.1, 0.3, 0.7, 1.1, 3.3}) {
      const double limit = tokens * rate / 1e6;
      ledger book(budget{{}, {}, {}, {}, {}, {}, limit, {}}, {{"m", {0.0, {}, rate}}});
      std::uint64_t given = 0;
      for (auto made = book.reserve_model(call(0, 7)); made; made = book.reserve_model(call(0, 7)))
        given += made->max_output_tokens.value();
      CHECK(given + 1 >= static_cast<std::uint64_t>(tokens));
      CHECK(given <= static_cast<std::uint64_t>(tokens));
    }
  }
}

TEST_CASE("cached input has its own price, and can be no more than the input") {
  CHECK(cost_of({1, 1'000'000, 1'000'000, 400'000, 0}, prices.at("m")) == Approx(0.6 * 2 + 0.4 * 0.5 + 10));
  CHECK(cost_of({1, 1'000'000, 0, 400'000, 0}, prices.at("free_output")) == Approx(1));
  CHECK(cost_of({1, 10, 0, 1'000'000, 0}, {1, 0, 0}) == 0);
  ledger book(of({{"cost", 1}}), prices);
  const auto made = book.reserve_model(call()).value();
  book.settle(made.id, "m", {1, 1'000, 100, 1'000, 0});
  CHECK(book.cost() == Approx(0.0005 + 0.001));
}

TEST_CASE("what is left of a budget goes down to nothing, and wall time is left alone") {
  usage_report used;
  used.add("a", "m", {2, 1'000, 100, 500, 0});
  used.add("b", "unknown", {1, 10, 10, 0, 0});
  const auto left = [&](const json& whole) { return to_json(left_of(of(whole), used, 4, prices)); };
  CHECK(left({{"turns", 5}, {"model_calls", 2}, {"tool_calls", 5}}) ==
        json{{"turns", 2}, {"model_calls", 0}, {"tool_calls", 1}});
  CHECK(
      left({{"input_tokens", 1'000}, {"output_tokens", 111}, {"total_tokens", 1'121}, {"wall_time_ms", 7}}) ==
      json{{"input_tokens", 0}, {"output_tokens", 1}, {"total_tokens", 1}, {"wall_time_ms", 7}});
  CHECK(left_of(of({{"cost", 1}}), used, 0, prices).cost == Approx(1 - (0.001 + 0.00025 + 0.001)));
  CHECK(left_of(of({{"cost", 0.001}}), used, 0, prices).cost == 0.0);
  CHECK(left(json::object()) == json::object());
}

TEST_CASE("a request's input is estimated by all that is sent") {
  model_request request;
  CHECK(estimate_input(request) == 0);
  request.instructions = std::string(7, 'x');
  CHECK(estimate_input(request) == 2);
  request.past = std::make_shared<const item_list>(item_list{user_message{std::string(400, 'x')}});
  request.fresh = {assistant_message{"", std::string(40, 'x')},
                   tool_call{"1", "name", std::string(36, 'x'), ""},
                   tool_output{"1", {text_content{std::string(40, 'x')}}, false},
                   reasoning{"", "not sent", "f", std::string(40, 'x')}};
  CHECK(estimate_input(request) == 142);
  const auto before = estimate_input(request);
  request.tools = std::make_shared<const tool_list>(tool_list{{"a", std::string(399, 'x'), json_schema()}});
  CHECK(estimate_input(request) >= before + 100);
}
