#include "tests/interop/support/aimock.hpp"
#include "tests/interop/support/household.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <map>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

/// One of the ways to ask a model.
struct way {
  wire_format format;
  bool streamed;
  std::string name() const {
    return fmt::format("{}-{}", to_string(format), streamed ? "streamed" : "whole");
  }
};

way each_way() {
  const auto format = GENERATE(wire_format::chat_completions, wire_format::responses, wire_format::anthropic);
  const bool streamed = GENERATE(false, true);
  return {format, streamed};
}

const aimock& endpoint() {
  static const aimock one({"formats"});
  return one;
}

/// "helper" as ever; "triage", which hands off to "calculator".
runtime_options three_agents(config::model_options model) {
  auto options = one_agent(std::move(model));
  agent_definition triage;
  triage.name = "triage";
  triage.instructions = "You determine which agent to use.";
  triage.handoffs = {"calculator"};
  agent_definition calculator;
  calculator.name = "calculator";
  calculator.instructions = "You calculate.";
  options.config.agents.push_back(triage);
  options.config.agents.push_back(calculator);
  add_tools(options, "calculator");
  return options;
}

chat_request request_of(const std::string& prompt, const way& how, const std::string& agent = {}) {
  chat_request request;
  request.prompt = prompt;
  request.agent = agent;
  request.session_id = prompt.substr(0, prompt.find(' '));
  request.streamed = how.streamed;
  return request;
}

/// Events in short, put together where they are pieces of one: texts, and calls with their arguments. Tools
/// that are done are left out, since those at work at the same time end in any order.
class story {
public:
  explicit story(const std::vector<run_event>& events) {
    for (const auto& event : events)
      std::visit(*this, event);
  }
  std::vector<std::string> told;

  void operator()(const run_started&) { told.emplace_back("run"); }
  void operator()(const agent_started& what) { told.push_back("agent " + what.agent); }
  void operator()(const handed_off& what) { told.push_back("handoff " + what.from + ">" + what.to); }
  void operator()(const text_streamed& what) {
    if (told.back().starts_with("text "))
      told.back() += what.text;
    else
      told.push_back("text " + what.text);
  }
  void operator()(const reasoning_streamed& what) { told.push_back("thought " + what.text); }
  void operator()(const call_streamed& what) {
    calls_[what.call_id] = told.size();
    told.push_back("call " + what.tool + " ");
  }
  void operator()(const arguments_streamed& what) { told.at(calls_.at(what.call_id)) += what.text; }
  void operator()(const said& what) { told.push_back("said " + what.text); }
  void operator()(const tool_started& what) { told.push_back("tool " + what.tool + " " + what.arguments); }
  void operator()(const tool_finished&) {}
  void operator()(const run_taken_up&) {}
  void operator()(const guardrail_acted& what) { told.push_back("guardrail " + what.guardrail); }
  void operator()(const usage_added& what) {
    told.push_back(fmt::format("usage {}+{}", what.used.input_tokens, what.used.output_tokens));
  }

private:
  std::map<std::string, std::size_t> calls_;
};

/// Each tool that began has come to an end, after its beginning and before the next model call was paid for.
void check_tools(const std::vector<run_event>& events) {
  std::set<std::string> open;
  for (const auto& event : events) {
    if (const auto* begin = std::get_if<tool_started>(&event))
      CHECK(open.insert(begin->call_id).second);
    else if (const auto* end = std::get_if<tool_finished>(&event))
      CHECK(open.erase(end->call_id) == 1);
    else if (std::holds_alternative<usage_added>(event))
      CHECK(open.empty());
  }
  CHECK(open.empty());
}

tool_output output_of(std::string call_id, std::string text) {
  return {std::move(call_id), {text_content{std::move(text)}}, false};
}

struct scenario {
  std::string prompt;
  std::string agent;
  /// What the run adds to the session, after the prompt.
  item_list items;
  usage used;
  /// Events; those that begin with '~' are for streamed runs only.
  std::vector<std::string> told;
};

const std::string greeting = "Grüße, 你好, \"quoted\"\nsecond line \\ end, and some more words.";
const std::string loud = R"({"message":"first ünd \"more\""})";

std::vector<scenario> scenarios() {
  const std::string sum = R"(get-sum {"a":40,"b":2})";
  return {
      {"greet me",
       "helper",
       {assistant_message{"helper", greeting}},
       {1, 11, 17, 0, 0},
       {"run", "agent helper", "~text " + greeting, "usage 11+17"}},
      {"sums, one after the other",
       "helper",
       {tool_call{"call_first", "get-sum", R"({"a":2,"b":3})", "helper"}, output_of("call_first", "5"),
        tool_call{"call_second", "get-sum", R"({"a":5,"b":10})", "helper"}, output_of("call_second", "15"),
        assistant_message{"helper", "The sum is 15."}},
       {3, 60, 9, 0, 0},
       {"run", "agent helper", R"(~call get-sum {"a":2,"b":3})", "usage 10+2",
        R"(tool get-sum {"a":2,"b":3})", R"(~call get-sum {"a":5,"b":10})", "usage 20+3",
        R"(tool get-sum {"a":5,"b":10})", "~text The sum is 15.", "usage 30+4"}},
      {"call both at once",
       "helper",
       {assistant_message{"helper", "I ask both."}, tool_call{"call_a", "echo", loud, "helper"},
        tool_call{"call_b", "get-sum", R"({"a":40,"b":2})", "helper"},
        output_of("call_a", "first ünd \"more\""), output_of("call_b", "42"),
        assistant_message{"helper", "Both have answered."}},
       {2, 37, 14, 0, 0},
       {"run", "agent helper", "~text I ask both.", "~call echo " + loud, "~call " + sum, "said I ask both.",
        "usage 12+9", "tool echo " + loud, "tool " + sum, "~text Both have answered.", "usage 25+5"}},
      {"ask somebody else",
       "calculator",
       {tool_call{"call_handoff", "transfer_to_calculator", "{}", "triage"},
        output_of("call_handoff", R"({"assistant":"calculator"})"),
        tool_call{"call_sum", "get-sum", R"({"a":20,"b":22})", "calculator"}, output_of("call_sum", "42"),
        assistant_message{"calculator", "It is 42."}},
       {3, 24, 6, 0, 0},
       {"run", "agent triage", "~call transfer_to_calculator {}", "usage 7+1", "handoff triage>calculator",
        "agent calculator", R"(~call get-sum {"a":20,"b":22})", "usage 8+2",
        R"(tool get-sum {"a":20,"b":22})", "~text It is 42.", "usage 9+3"}},
  };
}

std::vector<std::string> told_of(const scenario& what, bool streamed) {
  std::vector<std::string> told;
  for (const auto& word : what.told) {
    const bool grows = word.starts_with('~');
    if (!grows || streamed)
      told.push_back(word.substr(grows ? 1 : 0));
  }
  return told;
}

} // namespace

TEST_CASE("every format, streamed or not, gives the same items, usage and events") {
  const auto how = each_way();
  household home(three_agents(endpoint().model({how.format, "", "same-" + how.name()})));
  for (const auto& each : scenarios()) {
    INFO(how.name() << ": " << each.prompt);
    const auto first = each.agent == "calculator" ? "triage" : "helper";
    const auto [outcome, events] = await(home.watch(request_of(each.prompt, how, first)));
    REQUIRE(outcome.has_value());
    CHECK(outcome->agent == each.agent);
    CHECK(outcome->result == std::get<assistant_message>(each.items.back()).text);
    auto items = each.items;
    items.insert(items.begin(), user_message{each.prompt});
    CHECK(to_json(outcome->items).dump(1) == to_json(items).dump(1));
    auto charged = outcome->used.total();
    charged.tool_calls = 0;
    CHECK(charged == each.used);
    CHECK(story(events).told == told_of(each, how.streamed));
    check_tools(events);
    CHECK(await(home.session(outcome->session_id)).value()->items == items);
  }
}

TEST_CASE("every format asks at its own path, with the key in its own header") {
  const auto how = each_way();
  INFO(how.name());
  const auto place = endpoint_place{how.format, "", "path-" + how.name()};
  household home(one_agent(endpoint().model(place)));
  REQUIRE(await(home.watch(request_of("greet me", how))).outcome.has_value());
  const auto journal = endpoint().journal("testId=" + place.test_id);
  REQUIRE(journal.size() == 1);
  const auto& asked = journal.at(0);
  const bool is_anthropic = how.format == wire_format::anthropic;
  CHECK(asked.at("path") == (is_anthropic                           ? "/v1/messages"
                             : how.format == wire_format::responses ? "/v1/responses"
                                                                    : "/v1/chat/completions"));
  CHECK(asked.at("headers").contains("x-api-key") == is_anthropic);
  CHECK(asked.at("headers").contains("authorization") == !is_anthropic);
  CHECK(asked.at("headers").contains("anthropic-version") == is_anthropic);
  CHECK(asked.at("body").value("stream", false) == how.streamed);
  const auto& messages = asked.at("body").at("messages");
  REQUIRE(messages.size() == 2);
  CHECK(messages.at(0) == json{{"role", "system"}, {"content", "You help."}});
  CHECK(messages.at(1) == json{{"role", "user"}, {"content", "greet me"}});
  CHECK(asked.at("body").at("tools").size() == 2);
}

TEST_CASE("in every format a refused key fails the run at once and leaves the session fit for the next") {
  const auto how = each_way();
  INFO(how.name());
  const auto place = endpoint_place{how.format, "", "key-" + how.name()};
  household home(one_agent(endpoint().model(place)));
  auto request = request_of("with a bad key", how);
  const auto [outcome, events] = await(home.watch(request));
  REQUIRE(outcome.has_error());
  CHECK(outcome.error().code == errc::model_failed);
  CHECK_THAT(outcome.error().detail, Catch::Contains("401") &&
                                         Catch::Contains("Incorrect API key provided") &&
                                         !Catch::Contains(model_key));
  CHECK(endpoint().statuses(place.test_id) == std::vector<int>{401});
  CHECK(story(events).told == std::vector<std::string>{"run", "agent helper"});

  request.prompt = "greet me";
  CHECK(await(home.watch(request)).outcome.value().result == greeting);
  CHECK(await(home.session(request.session_id)).value()->items ==
        item_list{user_message{"with a bad key"}, user_message{"greet me"},
                  assistant_message{"helper", greeting}});
}

TEST_CASE("in every format a busy and then a failing server is tried again, and only the answer counts") {
  const auto how = each_way();
  INFO(how.name());
  const auto place = endpoint_place{how.format, "", "retry-" + how.name()};
  household home(one_agent(endpoint().model(place)));
  const auto [outcome, events] = await(home.watch(request_of("work at the third try", how)));
  REQUIRE(outcome.has_value());
  CHECK(outcome->result == "Now it works.");
  CHECK(to_json(outcome->used.total()) == to_json(usage{1, 6, 3, 0, 0}));
  CHECK(endpoint().statuses(place.test_id) == std::vector<int>{429, 500, 200});
  const scenario expected{"", "", {}, {}, {"run", "agent helper", "~text Now it works.", "usage 6+3"}};
  CHECK(story(events).told == told_of(expected, how.streamed));
}
