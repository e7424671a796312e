#include "libagent/model/scripted.hpp"
#include "tests/libagent/model/support.hpp"

#include <catch2/catch.hpp>
#include <re2/re2.h>

#include <set>

using namespace troupe;
using namespace troupe::scripted;
using namespace model_test;

namespace {

/// Builds rules the way people read them: when(...).user("...").say("...").
struct rule_builder {
  rule made;

  rule_builder agent(std::string name) { return made.when.agent = std::move(name), *this; }
  rule_builder user(const std::string& pattern) {
    return made.when.user = compile_pattern(pattern).value(), *this;
  }
  rule_builder tool(std::string name) { return made.when.tool = std::move(name), *this; }
  rule_builder output(const std::string& pattern) {
    return made.when.output = compile_pattern(pattern).value(), *this;
  }
  rule say(std::string text) { return made.say = std::move(text), made; }
  rule call(std::string name, json arguments = json::object()) {
    return made.calls = {{std::move(name), std::move(arguments)}}, made;
  }
  rule hand_off(std::string name) { return made.handoff = std::move(name), made; }
};

rule_builder when() {
  return {};
}

model_response answered(std::vector<rule> rules, const model_request& asked) {
  auto done = answer({std::move(rules), {}}, asked);
  INFO((done ? "" : done.error().detail));
  REQUIRE(done.has_value());
  return std::move(*done);
}

std::string said_by(std::vector<rule> rules, const model_request& asked) {
  const auto response = answered(std::move(rules), asked);
  REQUIRE(response.output.size() == 1);
  return std::get<assistant_message>(response.output.front()).text;
}

std::string failure(std::vector<rule> rules, const model_request& asked) {
  const auto done = answer({std::move(rules), {}}, asked);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == errc::model_failed);
  return done.error().detail;
}

/// What a handoff to the agent "helper" gives back.
item took_over(std::string id) {
  return output(std::move(id), R"({"assistant":"helper"})");
}

const std::string& id_of(const item& call) {
  return std::get<tool_call>(call).call_id;
}

item_list without_ids(item_list items) {
  for (auto& entry : items)
    if (auto* made = std::get_if<tool_call>(&entry))
      made->call_id.clear();
  return items;
}

/// The arguments that a rule's only call gets.
json call_arguments(const rule& only, const model_request& asked) {
  const auto response = answered({only}, asked);
  REQUIRE(response.output.size() == 1);
  return json::parse(std::get<tool_call>(response.output.front()).arguments);
}

} // namespace

TEST_CASE("the first rule that applies answers") {
  const auto rules =
      std::vector{when().user("cat").say("meow"), when().user("dog").say("woof"), when().say("what?")};
  CHECK(said_by(rules, request({user("a dog")})) == "woof");
  CHECK(said_by(rules, request({user("a dog and a cat")})) == "meow");
  CHECK(said_by(rules, request({user("a bird")})) == "what?");
}

TEST_CASE("an answer is the agent's own and has stopped") {
  const auto response = answered({when().say("hi")}, request({user("q")}));
  CHECK(response.output == item_list{assistant_message{"helper", "hi"}});
  CHECK(response.finish_reason == "stop");
}

TEST_CASE("a rule may be for one agent only") {
  const auto rules = std::vector{when().agent("other").say("other's"), when().agent("helper").say("mine")};
  CHECK(said_by(rules, request({user("q")})) == "mine");
}

TEST_CASE(
    "the user's pattern is searched in the last message of the user, also where the past ends with it") {
  auto asked = request({});
  asked.past = std::make_shared<const item_list>(item_list{user("first cat"), said("a"), user("then dog")});
  CHECK_THAT(failure({when().user("cat").say("meow")}, asked), Catch::Contains("no rule"));
  CHECK(said_by({when().user("dog").say("woof")}, asked) == "woof");
  asked.fresh = {user("now cat")};
  CHECK(said_by({when().user("cat").say("meow")}, asked) == "meow");
}

TEST_CASE("groups of the match can be said") {
  CHECK(said_by({when().user("(?i)free on (?P<what>\\S+) (\\d+)?").say("{{what}}={{1}}, {{2}}.")},
                request({user("How much is FREE on /var ?")})) == "/var=/var, .");
}

TEST_CASE("a rule without a user condition applies where there is no user") {
  CHECK(said_by({when().say("hi")}, request({})) == "hi");
  CHECK_THAT(failure({when().user(".*").say("hi")}, request({})), Catch::Contains("no rule"));
}

TEST_CASE("a rule calls tools with arguments from the match") {
  const auto response =
      answered({when().user("disk (\\S+)").call("disk_usage", {{"path", "{{1}}"}})},
               request({user("disk /var")}, {tool("disk_usage", {{"path", {{"type", "string"}}}})}));
  CHECK(without_ids(response.output) ==
        item_list{tool_call{"", "disk_usage", R"({"path":"/var"})", "helper"}});
  CHECK(response.finish_reason == "tool_calls");
}

TEST_CASE("a rule may say something beside several calls") {
  auto both = when().call("x");
  both.say = "A moment.";
  both.calls.push_back({"y", {{"n", 1}}});
  const auto given = answered({both}, request({user("q")}, {tool("x"), tool("y")})).output;
  CHECK(without_ids(given) == item_list{assistant_message{"helper", "A moment."},
                                        tool_call{"", "x", "{}", "helper"},
                                        tool_call{"", "y", R"({"n":1})", "helper"}});
  CHECK_THAT(id_of(given.at(1)), Catch::StartsWith("call_1_0_"));
  CHECK_THAT(id_of(given.at(2)), Catch::StartsWith("call_1_1_"));
}

TEST_CASE("call ids differ from turn to turn, also where the history is kept short") {
  const auto rules = std::vector{when().call("x"), when().tool("x").call("x")};
  const auto keeps = GENERATE(as<std::size_t>{}, 100, 3);
  auto history = item_list{user("q")};
  auto ids = std::set<std::string>{};
  for (auto turn = 0; turn < 6; ++turn) {
    const auto response = answered(rules, request(history, {tool("x")}));
    const auto made = std::get<tool_call>(response.output.front());
    ids.insert(made.call_id);
    history.push_back(made);
    history.push_back(output(made.call_id, "o"));
    while (history.size() > keeps)
      history.erase(history.begin() + 1);
  }
  CHECK(ids.size() == 6);
}

TEST_CASE("agents that see the same history use other ids, and so do calls with other arguments") {
  const auto id = [](std::string agent, json arguments) {
    auto asked = request({user("q")}, {tool("x")});
    asked.agent = std::move(agent);
    return id_of(answered({when().call("x", std::move(arguments))}, asked).output.front());
  };
  CHECK(id("a", {{"n", 1}}) == id("a", {{"n", 1}}));
  CHECK(id("a", {{"n", 1}}) != id("b", {{"n", 1}}));
  CHECK(id("a", {{"n", 1}}) != id("a", {{"n", 2}}));
}

TEST_CASE("the same request gets the same answer") {
  const auto rules = std::vector{when().user("(.*)").call("x", {{"a", "{{1}}"}})};
  const auto asked = request({user("q")}, {tool("x")});
  CHECK(answered(rules, asked).output == answered(rules, asked).output);
}

TEST_CASE("after a tool's output the rules for that tool apply") {
  const auto asked = request(
      {user("memory?"), called("c1", "memory"), output("c1", R"({"free":{"bytes":42}})")}, {tool("memory")});
  CHECK(said_by({when().tool("disk").say("no"), when().tool("memory").say("{{output.free.bytes}} free")},
                asked) == "42 free");
  CHECK(said_by({when().tool("*").say("any: {{output}}")}, asked) == R"(any: {"free":{"bytes":42}})");
}

TEST_CASE("an output's text can be a condition, with or without the tool") {
  const auto asked = request({user("q"), called("c1", "x"), output("c1", "error: no such file", true)});
  CHECK(said_by({when().tool("x").output("^ok").say("fine"),
                 when().tool("x").output("^error: (.*)").say("sorry")},
                asked) == "sorry");
  CHECK(said_by({when().output("no such").say("{{output}}")}, asked) == "error: no such file");
}

TEST_CASE("a rule about no output does not apply right after one") {
  const auto asked = request({user("q"), called("c1", "x"), output("c1", "o")}, {tool("x")});
  CHECK_THAT(failure({when().user("q").call("x"), when().say("hi")}, asked),
             Catch::Contains("after the output of \"x\""));
}

TEST_CASE("a rule about an output applies only while that output comes last") {
  const auto rules = std::vector{when().tool("x").say("output"), when().say("none")};
  CHECK(said_by(rules, request({user("q"), called("c1", "x"), output("c1", "o"), user("next")})) == "none");
  CHECK(said_by(rules, request({user("q"), called("c1", "x"), output("c1", "o")})) == "output");
}

TEST_CASE("the user's condition holds together with the tool's") {
  const auto asked = request({user("short please"), called("c1", "x"), output("c1", "o")});
  CHECK(said_by({when().user("long").tool("x").say("l"),
                 when().user("(\\w+) please").tool("x").say("{{1}} {{output}}")},
                asked) == "short o");
}

TEST_CASE("of outputs that came in parallel the first that fits counts") {
  const auto asked = request({user("q"), called("c1", "x"), called("c2", "y"), called("c3", "y"),
                              output("c1", "one"), output("c2", "two"), output("c3", "three")});
  CHECK(said_by({when().tool("y").say("{{output}}")}, asked) == "two");
  CHECK(said_by({when().tool("*").say("{{output}}")}, asked) == "one");
  CHECK(said_by({when().tool("y").output("thr").say("{{output}}")}, asked) == "three");
}

TEST_CASE("outputs of an earlier turn do not count") {
  const auto asked =
      request({user("q"), called("c1", "x"), output("c1", "one"), called("c2", "y"), output("c2", "two")});
  CHECK_THAT(failure({when().tool("x").say("x")}, asked), Catch::Contains("no rule"));
}

TEST_CASE("an id that was used before stands for its latest call") {
  const auto asked = request(
      {user("q"), called("c", "x"), output("c", "one"), user("r"), called("c", "y"), output("c", "two")});
  CHECK(said_by({when().tool("x").say("x"), when().tool("y").say("y")}, asked) == "y");
}

TEST_CASE("an output in several texts is JSON if one of them is") {
  const auto parts = std::vector<content>{text_content{"Memory:"}, text_content{R"({"free":7})"}};
  const auto asked = request({user("q"), called("c1", "x"), tool_output{"c1", parts, false}});
  CHECK(said_by({when().tool("x").say("{{output.free}}")}, asked) == "7");
}

TEST_CASE("a handoff calls the tool of the agent that takes over") {
  const auto response = answered({when().user("memory").hand_off("Host Watch")},
                                 request({user("memory?")}, {tool("transfer_to_host_watch")}));
  CHECK(without_ids(response.output) == item_list{tool_call{"", "transfer_to_host_watch", "{}", "helper"}});
  CHECK(response.finish_reason == "tool_calls");
}

TEST_CASE("the agent that took over begins with the user's message") {
  const auto rules = std::vector{when().agent("triage").user("memory").hand_off("helper"),
                                 when().agent("helper").user("memory").call("memory"),
                                 when().agent("helper").tool("*").say("got {{output}}")};
  auto history = item_list{user("memory?"), called("c1", "transfer_to_helper"), took_over("c1")};
  const auto offered = tool_list{tool("memory")};
  const auto response = answered(rules, request(history, offered));
  REQUIRE(response.output.size() == 1);
  CHECK(std::get<tool_call>(response.output.front()).name == "memory");
  history.push_back(response.output.front());
  history.push_back(output(id_of(response.output.front()), "42"));
  CHECK(said_by(rules, request(history, offered)) == "got 42");
}

TEST_CASE("a rule can be about a handoff by its tool's name") {
  const auto asked = request({user("q"), called("c1", "transfer_to_helper"), took_over("c1")});
  CHECK(said_by({when().tool("transfer_to_helper").say("here I am")}, asked) == "here I am");
}

TEST_CASE("beside a handoff the outputs of other tools still count for rules about them") {
  const auto asked = request({user("q"), called("c1", "x"), called("c2", "transfer_to_helper"),
                              output("c1", "one"), took_over("c2")});
  CHECK(said_by({when().tool("*").say("{{output}}")}, asked) == "one");
  CHECK(said_by({when().user("q").say("afresh")}, asked) == "afresh");
}

TEST_CASE("a handoff that failed is an output like any other, so that its rule does not go on forever") {
  const auto asked =
      request({user("q"), called("c1", "transfer_to_helper"), output("c1", "unknown tool", true)},
              {tool("transfer_to_helper")});
  CHECK_THAT(failure({when().hand_off("helper")}, asked), Catch::Contains("no rule"));
  CHECK(said_by({when().tool("*").say("{{output}}")}, asked) == "unknown tool");
}

TEST_CASE("a handoff is known by the name of its tool") {
  const auto agents = [] {
    std::vector<agent_definition> made(2);
    made[0].name = "helper";
    made[0].handoffs = {"bills", "bills", "ops"};
    made[0].handoffs[0].tool_name = "escalate";
    made[1].name = "other";
    made[1].handoffs = {"ops"};
    made[1].handoffs[0].tool_name = "page_ops";
    return made;
  }();
  const auto told = [&](const rule& only, const model_request& asked) {
    const auto done = answer({{only}, {}, handoffs_of(agents)}, asked);
    if (!done)
      return done.error().detail;
    const auto* made = std::get_if<tool_call>(&done->output.front());
    return made ? made->name : std::get<assistant_message>(done->output.front()).text;
  };
  const auto bills = when().hand_off("bills");
  CHECK(told(bills, request({user("q")}, {tool("transfer_to_bills"), tool("escalate")})) == "escalate");
  CHECK(told(bills, request({user("q")}, {tool("transfer_to_bills")})) == "transfer_to_bills");
  CHECK_THAT(told(bills, request({user("q")})), Catch::Contains("would call \"escalate\""));
  CHECK(told(when().hand_off("ops"), request({user("q")}, {tool("page_ops"), tool("transfer_to_ops")})) ==
        "transfer_to_ops");

  auto taken_over = request({user("q"), called("c1", "escalate"), output("c1", R"({"assistant":"bills"})")});
  taken_over.agent = "bills";
  CHECK(told(when().user("q").say("afresh"), taken_over) == "afresh");
  CHECK_THAT(told(when().tool("*").say("no"), taken_over), Catch::Contains("no rule"));
  const auto to_nobody =
      request({user("q"), called("c1", "escalate"), output("c1", R"({"assistant":"ops"})")});
  CHECK_THAT(told(when().user("q").say("afresh"), to_nobody), Catch::Contains("no rule"));
}

TEST_CASE("a tool that is only named like a handoff is a tool like any other") {
  const auto asked =
      request({user("q"), called("c1", "transfer_to_account"), output("c1", R"({"balance":7})")});
  CHECK_THAT(failure({when().say("afresh")}, asked), Catch::Contains("no rule"));
  CHECK(said_by({when().tool("*").say("{{output.balance}}")}, asked) == "7");
}

TEST_CASE("a rule whose tool is not offered is passed over") {
  const auto rules =
      std::vector{when().call("memory"), when().hand_off("expert"), when().say("I cannot look.")};
  CHECK(said_by(rules, request({user("q")}, {tool("disk")})) == "I cannot look.");
}

TEST_CASE("where only rules with missing tools apply the error names tool, rule and what is offered") {
  const auto rules =
      std::vector{when().user("x").say("no"), when().call("memory"), when().hand_off("expert")};
  CHECK_THAT(failure(rules, request({user("q")}, {tool("disk"), tool("cpu")})),
             Catch::Contains("rule 2 would call \"memory\"") && Catch::Contains("offered: disk, cpu"));
  auto without = request({user("q")});
  without.tools = nullptr;
  CHECK_THAT(failure(rules, without), Catch::Contains("offered: none"));
}

TEST_CASE("where no rule applies the error names the agent and quotes the user, shortened") {
  const auto detail =
      failure({when().user("x{9}").say("no")}, request({user(std::string(119, 'a') + "\xC3\xBC"
                                                                                     "bbb")}));
  CHECK_THAT(detail, Catch::Contains("\"helper\"") && Catch::Contains("aaa...\""));
  CHECK_THAT(detail, !Catch::Contains("bbb"));
  CHECK(is_utf8(detail));
}

TEST_CASE("a template that names what is not there fails the call") {
  const auto asked = request({user("q"), called("c1", "x"), output("c1", "not json")}, {tool("x")});
  CHECK_THAT(failure({when().tool("x").say("{{output.a}}")}, asked), Catch::Contains("{{output.a}}"));
  CHECK_THAT(failure({when().tool("x").call("x", {{"n", "{{output.a}}"}})}, asked),
             Catch::Contains("{{output.a}}"));
}

TEST_CASE("text from a template becomes the type that the tool's schema asks for") {
  const auto offered = tool("t", {{"i", {{"type", "integer"}}},
                                  {"n", {{"type", "number"}}},
                                  {"b", {{"type", "boolean"}}},
                                  {"s", {{"type", "string"}}},
                                  {"maybe", {{"anyOf", {{{"type", "integer"}}, {{"type", "null"}}}}}},
                                  {"list", {{"type", {"integer", "null"}}}},
                                  {"either", {{"type", {"string", "integer"}}}}});
  const auto asked = request({user("take 5 of 2.5, true")}, {offered});
  const auto only = when()
                        .user("(\\d+) of ([\\d.]+), (\\w+)")
                        .call("t", {{"i", "{{1}}"},
                                    {"n", "{{2}}"},
                                    {"b", "{{3}}"},
                                    {"s", "{{1}}"},
                                    {"maybe", "{{1}}"},
                                    {"list", "{{1}}"},
                                    {"either", "{{1}}"},
                                    {"unknown", "{{1}}"}});
  CHECK(call_arguments(only, asked) == json{{"i", 5},
                                            {"n", 2.5},
                                            {"b", true},
                                            {"s", "5"},
                                            {"maybe", 5},
                                            {"list", 5},
                                            {"either", "5"},
                                            {"unknown", "5"}});
}

TEST_CASE("text that is not of the type stays text, and so does what the rule itself wrote") {
  const auto offered =
      tool("t", {{"i", {{"type", "integer"}}}, {"j", {{"type", "integer"}}}, {"k", {{"type", "integer"}}}});
  CHECK(call_arguments(when().user("(\\S+)").call("t", {{"i", "{{1}}"}, {"j", "{{1}}0"}, {"k", "7"}}),
                       request({user("2.5")}, {offered})) == json{{"i", "2.5"}, {"j", "2.50"}, {"k", "7"}});
}

TEST_CASE("a value of an output keeps its type as an argument") {
  const auto asked =
      request({user("q"), called("c1", "x"), output("c1", R"({"pids":[1,2],"top":{"pid":7}})")},
              {tool("kill"), tool("x")});
  CHECK(call_arguments(
            when().tool("x").call("kill", {{"all", "{{output.pids}}"}, {"one", "{{output.top.pid}}"}}),
            asked) == json{{"all", {1, 2}}, {"one", 7}});
}

TEST_CASE("usage is one request and an estimate of four bytes a token") {
  auto asked = request({user("12345"), called("c1", "x", "{}"), output("c1", "1234567")});
  asked.instructions = "abc";
  CHECK(answered({when().tool("x").say("hello")}, asked).used == usage{1, 5, 2, 0, 0});
}

TEST_CASE("user text and outputs that are not UTF-8 break nothing") {
  const auto asked = request({user("\xFF\xFE"), called("c1", "x"), output("c1", "\xC3(")}, {tool("x")});
  CHECK(said_by({when().tool("x").output("never").say("no"), when().tool("x").say("{{output}}")}, asked) ==
        "\xC3(");
  CHECK(answered({when().tool("x").call("x", {{"a", "{{output}}"}})}, asked).output.size() == 1);
}

TEST_CASE("a large output is matched and said") {
  const auto large = std::string(std::size_t{8} << 20, 'x') + "end";
  const auto asked = request({user("q"), called("c1", "x"), output("c1", large)});
  CHECK(said_by({when().output("(x+x+)+y").say("no"), when().output("end$").say("{{output}}")}, asked) ==
        large);
}

TEST_CASE("an answer ends where a budget does, at a whole character") {
  auto asked = request({user("q")}, {tool("x")});
  asked.settings.token_bound = 2;
  const auto whole = answered({when().say("12345678")}, asked);
  CHECK(whole.finish_reason == "stop");
  const auto half = answered({when().say("1234567\xC3\xA4")}, asked);
  CHECK(half.finish_reason == "length");
  CHECK(half.used.output_tokens == 2);
  CHECK(std::get<assistant_message>(half.output.at(0)).text == "1234567");
  const auto call = answered({when().call("x", {{"a", "a long argument"}})}, asked);
  CHECK(call.finish_reason == "length");
  CHECK(call.output.size() == 1);
  CHECK(std::get<assistant_message>(call.output.at(0)).text.empty());
}
