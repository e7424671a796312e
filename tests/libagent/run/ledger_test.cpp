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

std::string refusal(const result<void>& outcome) {
  return outcome ? "none" : describe(outcome.error());
}

std::string refusal(const std::optional<result<reservation>>& outcome) {
  if (!outcome)
    return "later";
  return *outcome ? "none" : describe(outcome->error());
}

/// What a call that must not be refused is granted.
reservation granted(ledger& book, const call_estimate& wanted) {
  const auto outcome = book.reserve_model(wanted);
  REQUIRE(refusal(outcome) == "none");
  return outcome->value();
}

ledger book_of(const json& limits, price_list rates = prices, usage_report before = {}) {
  return ledger({{"run", of(limits), std::move(before)}}, std::move(rates));
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
    auto book = book_of(r.limit);
    for (unsigned i = 0; i < r.calls; ++i) {
      book.settle(granted(book, call()).id, "m", r.spent);
    }
    CHECK(refusal(book.reserve_model(call())) == r.refused);
    CHECK(refusal(book.reserve_model(call())) == r.refused);
  }
}

TEST_CASE("tool calls are counted when they are reserved, all of a turn or none") {
  auto book = book_of({{"tool_calls", 3}});
  CHECK(refusal(book.reserve_tools(2)) == "none");
  CHECK(refusal(book.reserve_tools(2)) == "tool_calls 2/3");
  CHECK(refusal(book.reserve_tools(1)) == "none");
  CHECK(refusal(book.reserve_tools(0)) == "none");
  CHECK(refusal(book.reserve_tools(1)) == "tool_calls 3/3");
}

TEST_CASE("no budget bounds nothing and gives no bound") {
  auto book = book_of(json::object());
  for (int i = 0; i < 100; ++i) {
    CHECK_FALSE(granted(book, call(1u << 30)).max_output_tokens.has_value());
  }
  CHECK(refusal(book.reserve_tools(1'000'000)) == "none");
}

TEST_CASE("calls in flight count as spent, so that they cannot overshoot together") {
  struct {
    json limit;
    unsigned at_once;
  } const rows[] = {{{{"turns", 3}}, 3},          {{{"model_calls", 2}}, 2},    {{{"input_tokens", 450}}, 4},
                    {{{"output_tokens", 25}}, 2}, {{{"total_tokens", 330}}, 3}, {{{"cost", 0.001}}, 3}};
  for (const auto& r : rows) {
    INFO(r.limit);
    auto book = book_of(r.limit);
    std::vector<std::uint64_t> ids;
    const bool is_count = r.limit.contains("turns") || r.limit.contains("model_calls");
    for (std::string outcome = "none"; outcome == "none";) {
      const auto made = book.reserve_model(call(100, 10));
      outcome = refusal(made);
      if (outcome == "none")
        ids.push_back((*made)->id);
      else
        CHECK((outcome == "later") == !is_count);
    }
    CHECK(ids.size() == r.at_once);
    // A call that failed costs no tokens, so that another one may take its place where tokens or money were
    // short.
    book.settle(ids.front(), "m", {});
    CHECK((refusal(book.reserve_model(call(100, 10))) == "none") == !is_count);
  }
}

TEST_CASE("a call is settled once, and only if it was reserved") {
  auto book = book_of({{"input_tokens", 300}});
  const auto made = granted(book, call());
  book.settle(made.id + 1, "m", {1, 1'000, 0, 0, 0});
  book.settle(made.id, "m", {1, 100, 0, 0, 0});
  book.settle(made.id, "m", {1, 1'000, 0, 0, 0});
  CHECK(refusal(book.reserve_model(call(200))) == "none");
  CHECK(book.cost() == Approx(0.0002));
}

TEST_CASE("the model is told what is left where that is less than it may want") {
  struct {
    json limit;
    std::optional<std::uint64_t> own;
    std::optional<std::uint64_t> expected;
  } const rows[] = {
      {{{"output_tokens", 10}}, {}, 10},
      {{{"output_tokens", 10}}, 5, {}},
      {{{"output_tokens", 10}}, 11, 10},
      {{{"output_tokens", 1'000'000}}, {}, {}},
      {{{"output_tokens", 16'383}}, {}, 16'383},
      {{{"output_tokens", 1'000'000}}, 2'000'000, 1'000'000},
      {{{"total_tokens", 150}}, {}, 50},
      {{{"cost", 0.001}}, {}, 80},
      {{{"output_tokens", 70}, {"cost", 0.001}, {"total_tokens", 175}}, {}, 70},
      {{{"cost", 1e300}}, {}, {}},
  };
  for (const auto& r : rows) {
    INFO(r.limit);
    auto book = book_of(r.limit);
    const auto made = granted(book, call(100, r.own));
    CHECK(made.max_output_tokens == r.expected);
    CHECK(made.if_cut.has_value() == r.expected.has_value());
  }
}

TEST_CASE("money without a price costs nothing, and output that is free is not bounded by money") {
  auto book = book_of({{"cost", 0.001}});
  CHECK_FALSE(granted(book, call(1u << 30, {}, "unknown")).max_output_tokens.has_value());
  const auto made = granted(book, call(1'000, {}, "free_output"));
  CHECK_FALSE(made.max_output_tokens.has_value());
  CHECK(refusal(book.reserve_model(call(1, {}, "free_output"))) == "later");
  book.settle(made.id, "free_output", {1, 1'000, 0, 0, 0});
  CHECK(refusal(book.reserve_model(call(1, {}, "free_output"))) == "cost 0.001/0.001");
}

TEST_CASE("a budget of money is used up to its last token, whatever the figures") {
  for (int tokens = 1; tokens <= 200; ++tokens) {
    for (const double rate : {0.1, 0.3, 0.7, 1.1, 3.3}) {
      const double limit = tokens * rate / 1e6;
      auto book = book_of({{"cost", limit}}, {{"m", {0.0, {}, rate}}});
      std::uint64_t given = 0;
      for (auto made = book.reserve_model(call(0, 7)); made->has_value();
           made = book.reserve_model(call(0, 7))) {
        const auto answered = (*made)->max_output_tokens.value_or(7);
        given += answered;
        book.settle((*made)->id, "m", {1, 0, answered, 0, 0});
      }
      CHECK(given + 1 >= static_cast<std::uint64_t>(tokens));
      CHECK(given <= static_cast<std::uint64_t>(tokens));
    }
  }
}

TEST_CASE("cached input has its own price, and can be no more than the input") {
  CHECK(cost_of({1, 1'000'000, 1'000'000, 400'000, 0}, prices.at("m")) == Approx(0.6 * 2 + 0.4 * 0.5 + 10));
  CHECK(cost_of({1, 1'000'000, 0, 400'000, 0}, prices.at("free_output")) == Approx(1));
  CHECK(cost_of({1, 10, 0, 1'000'000, 0}, {1, 0, 0}) == 0);
  auto book = book_of({{"cost", 1}});
  const auto made = granted(book, call());
  book.settle(made.id, "m", {1, 1'000, 100, 1'000, 0});
  CHECK(book.cost() == Approx(0.0005 + 0.001));
}

TEST_CASE("what was spent before counts, against the budget that it was spent of") {
  usage_report before;
  before.add("a", "m", {2, 1'000, 100, 500, 0, 3});
  const auto refused = [&](const json& run, const json& session) {
    ledger book({{"run", of(run)}, {"session", of(session), before}}, prices);
    const auto made = book.reserve_model(call());
    if (refusal(made) != "none")
      return (*made).error().facts->at("budget").get<std::string>() + " " + describe((*made).error());
    const auto tools = book.reserve_tools(2);
    return tools ? "none" : tools.error().facts->at("budget").get<std::string>() + " " + refusal(tools);
  };
  CHECK(refused({{"model_calls", 1}}, {{"model_calls", 3}}) == "none");
  CHECK(refused({{"model_calls", 1}}, {{"model_calls", 2}}) == "session model_calls 2/2");
  CHECK(refused({{"model_calls", 0}}, {{"model_calls", 3}}) == "run model_calls 0/0");
  CHECK(refused(json::object(), {{"tool_calls", 4}}) == "session tool_calls 3/4");
  CHECK(refused(json::object(), {{"total_tokens", 1'200}}) == "session total_tokens 1100/1200");
  CHECK(refused(json::object(), {{"output_tokens", 100}}) == "session output_tokens 100/100");
  CHECK(refused(json::object(), {{"cost", 0.002}}) == "session cost 0.00225/0.002");
}

TEST_CASE("a call waits for what others may give back, and is refused what is spent") {
  auto book = book_of({{"total_tokens", 1'000}});
  const auto first = granted(book, call(100));
  CHECK(first.max_output_tokens == 900);
  CHECK(refusal(book.reserve_model(call(100))) == "later");
  CHECK(refusal(book.reserve_model(call(2'000))) == "total_tokens 1000/1000");
  book.settle(first.id, "m", {1, 100, 50, 0, 0});
  const auto second = granted(book, call(100));
  CHECK(second.max_output_tokens == 750);
  REQUIRE(second.if_cut);
  CHECK(describe(*second.if_cut) == "total_tokens 1000/1000");
}

TEST_CASE("a call is reserved at the price of the dearest model that it may fall to") {
  ledger book({{"run", of({{"cost", 0.001}})}}, prices, {{"m", {2, {}, 100}}});
  CHECK(granted(book, call(0)).max_output_tokens == 10);
}

TEST_CASE("an answer whose input nobody counted is charged the estimate, and one that failed is not") {
  auto book = book_of({{"input_tokens", 250}});
  book.settle(granted(book, call(100)).id, "m", {1, 0, 0, 0, 0});
  book.settle(granted(book, call(100)).id, "", {});
  book.settle(granted(book, call(100)).id, "m", {1, 0, 0, 0, 0});
  CHECK(refusal(book.reserve_model(call(100))) == "input_tokens 200/250");
}

TEST_CASE("a judge's call is no turn") {
  auto book = book_of({{"turns", 1}});
  book.settle(granted(book, {"m", 1, {}, false}).id, "m", {1, 1, 1, 0, 0});
  book.settle(granted(book, call()).id, "m", {1, 1, 1, 0, 0});
  CHECK(refusal(book.reserve_model(call())) == "turns 1/1");
  CHECK(refusal(book.reserve_model({"m", 1, {}, false})) == "none");
}

TEST_CASE("what models with prices have used has a cost") {
  usage_report used;
  used.add("b", "unknown", {1, 10, 10, 0, 0});
  CHECK_FALSE(cost_of(used, prices).has_value());
  used.add("a", "m", {2, 1'000, 100, 500, 0});
  CHECK(cost_of(used, prices).value() == Approx(0.001 + 0.00025 + 0.001));
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
