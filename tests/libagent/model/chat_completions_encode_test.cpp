#include "libagent/model/chat_completions.hpp"
#include "tests/libagent/model/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace model_test;

namespace {

json body(const model_request& asked, const chat_completions::wire_options& options = {"m"}) {
  const auto text = chat_completions::encode(asked, options);
  INFO(text);
  auto parsed = parse_json(text);
  REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

json messages(item_list fresh, const chat_completions::wire_options& options = {"m"}) {
  return body(request(std::move(fresh)), options)["messages"];
}

json assistant(json content, std::vector<std::array<std::string, 3>> calls) {
  auto list = json::array();
  for (const auto& [id, name, arguments] : calls)
    list.push_back(
        {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}});
  return {{"role", "assistant"}, {"content", std::move(content)}, {"tool_calls", std::move(list)}};
}

json message(std::string role, std::string text) {
  return {{"role", std::move(role)}, {"content", std::move(text)}};
}

json answer(std::string id, std::string text) {
  return {{"role", "tool"}, {"tool_call_id", std::move(id)}, {"content", std::move(text)}};
}

} // namespace

TEST_CASE("instructions become the one system message") {
  auto asked = request({user("hi")});
  asked.instructions = "Be kind.";
  CHECK(body(asked)["messages"] == json{message("system", "Be kind."), message("user", "hi")});
}

TEST_CASE("without instructions there is no system message") {
  CHECK(messages({user("hi")}) == json{message("user", "hi")});
}

TEST_CASE("what the session held comes before what the run added") {
  auto asked = request({user("two")});
  asked.past = std::make_shared<const item_list>(item_list{user("one"), said("first")});
  CHECK(body(asked)["messages"] ==
        json{message("user", "one"), message("assistant", "first"), message("user", "two")});
}

TEST_CASE("calls of one turn are folded into one assistant message and answered right after it") {
  CHECK(messages({user("q"), called("c1", "x", "{\"a\":1}"), called("c2", "y"), output("c1", "one"),
                  output("c2", "two"), said("done")}) ==
        json{message("user", "q"), assistant(nullptr, {{"c1", "x", "{\"a\":1}"}, {"c2", "y", "{}"}}),
             answer("c1", "one"), answer("c2", "two"), message("assistant", "done")});
}

TEST_CASE("a text beside calls goes into the same message, wherever it stood") {
  const auto expected = json{assistant("let me see", {{"c1", "x", "{}"}}), answer("c1", "one")};
  CHECK(messages({said("let me see"), called("c1", "x"), output("c1", "one")}) == expected);
  CHECK(messages({called("c1", "x"), said("let me see"), output("c1", "one")}) == expected);
}

TEST_CASE("calls of two turns stay two messages") {
  CHECK(messages({called("c1", "x"), output("c1", "one"), called("c2", "x"), output("c2", "two")}) ==
        json{assistant(nullptr, {{"c1", "x", "{}"}}), answer("c1", "one"),
             assistant(nullptr, {{"c2", "x", "{}"}}), answer("c2", "two")});
}

TEST_CASE("outputs follow in the order of their calls") {
  CHECK(messages({called("c1", "x"), called("c2", "x"), output("c2", "two"), output("c1", "one")}) ==
        json{assistant(nullptr, {{"c1", "x", "{}"}, {"c2", "x", "{}"}}), answer("c1", "one"),
             answer("c2", "two")});
}

TEST_CASE("an empty answer is sent, an empty text beside calls is not") {
  CHECK(messages({user("q"), said(""), user("r")}) ==
        json{message("user", "q"), message("assistant", ""), message("user", "r")});
  CHECK(messages({said(""), called("c1", "x"), output("c1", "")}) ==
        json{assistant(nullptr, {{"c1", "x", "{}"}}), answer("c1", "")});
}

TEST_CASE("a call without an output is answered as interrupted") {
  const auto sent = messages({called("c1", "x"), called("c2", "y"), output("c1", "one"), user("again")});
  REQUIRE(sent.size() == 4);
  CHECK(sent[1] == answer("c1", "one"));
  CHECK(sent[2]["tool_call_id"] == "c2");
  CHECK_THAT(sent[2]["content"].get<std::string>(), Catch::Contains("interrupted"));
  CHECK(sent[3] == message("user", "again"));
}

TEST_CASE("an output without a call is left out") {
  CHECK(messages({user("q"), output("c9", "lost"), said("a")}) ==
        json{message("user", "q"), message("assistant", "a")});
}

TEST_CASE("a second output for the same call is left out") {
  CHECK(messages({called("c1", "x"), output("c1", "one"), output("c1", "late")}) ==
        json{assistant(nullptr, {{"c1", "x", "{}"}}), answer("c1", "one")});
}

TEST_CASE("an output that came late still follows its call directly") {
  CHECK(messages({called("c1", "x"), user("hello?"), output("c1", "one")}) ==
        json{assistant(nullptr, {{"c1", "x", "{}"}}), answer("c1", "one"), message("user", "hello?")});
}

TEST_CASE("ids that a later turn uses again are answered by that turn's outputs") {
  const auto sent = messages({called("call_0", "x"), output("call_0", "one"), called("call_0", "x"),
                              user("crash"), called("call_0", "x"), output("call_0", "three")});
  REQUIRE(sent.size() == 7);
  CHECK(sent[1] == answer("call_0", "one"));
  CHECK_THAT(sent[3]["content"].get<std::string>(), Catch::Contains("interrupted"));
  CHECK(sent[6] == answer("call_0", "three"));
}

TEST_CASE("arguments that are not JSON are sent as the model wrote them") {
  CHECK(messages({called("c1", "x", "{\"a\": "),
                  output("c1", "bad")})[0]["tool_calls"][0]["function"]["arguments"] == "{\"a\": ");
}

TEST_CASE("images of a turn's outputs follow all of them in one user message") {
  const auto picture = tool_output{"c1", {text_content{"look"}, image_content{"image/png", "AAAA"}}, false};
  const auto sent =
      messages({called("c1", "shot"), called("c2", "y"), picture, output("c2", "two"), said("nice")});
  REQUIRE(sent.size() == 5);
  CHECK(sent[1] == answer("c1", "look\n[image/png image, 3 bytes]"));
  CHECK(sent[2] == answer("c2", "two"));
  CHECK(sent[3]["role"] == "user");
  REQUIRE(sent[3]["content"].size() == 2);
  CHECK_THAT(sent[3]["content"][0]["text"].get<std::string>(), Catch::Contains("shot"));
  CHECK(sent[3]["content"][1] ==
        json{{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64,AAAA"}}}});
  CHECK(sent[4] == message("assistant", "nice"));
}

TEST_CASE("images of two outputs share the message, each under its tool's name") {
  const auto first =
      tool_output{"c1", {image_content{"image/png", "AAAA"}, image_content{"image/gif", "BBBB"}}, false};
  const auto second = tool_output{"c2", {image_content{"image/jpeg", "CCCC"}}, false};
  const auto sent = messages({called("c1", "shot"), called("c2", "scan"), first, second});
  REQUIRE(sent.size() == 4);
  auto kinds = std::vector<std::string>{};
  for (const auto& part : sent[3]["content"])
    kinds.push_back(part["type"].get<std::string>());
  CHECK(kinds == std::vector<std::string>{"text", "image_url", "image_url", "text", "image_url"});
}

TEST_CASE("where images are not taken only the tool's text speaks of them") {
  const auto picture = tool_output{"c1", {image_content{"image/png", "AAAA"}}, false};
  const auto sent = messages({called("c1", "shot"), picture}, {"m", false});
  REQUIRE(sent.size() == 2);
  CHECK(sent[1] == answer("c1", "[image/png image, 3 bytes]"));
}

TEST_CASE("bytes that are not UTF-8 are replaced, and every other character survives") {
  const auto tricky = std::string{"\"\\/\b\f\n\r\t\x01\x1f\x7f\0gr\xC3\xBC\xC3\x9F\xF0\x9F\x8E\xAD", 22};
  CHECK(messages({user(tricky)})[0]["content"] == tricky);
  CHECK(messages({user("a\xFF\xC3z")})[0]["content"] == "a\xEF\xBF\xBD\xEF\xBF\xBDz");
}

TEST_CASE("tools are offered to Chat Completions with their schemas in their order") {
  auto first = tool("zebra", {{"n", {{"type", "integer"}}}});
  first.description = "Counts.";
  const auto sent = body(request({user("q")}, {first, tool("ant")}));
  CHECK(sent["tools"] ==
        json{{{"type", "function"},
              {"function",
               {{"name", "zebra"},
                {"description", "Counts."},
                {"parameters", {{"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}}}}}},
             {{"type", "function"},
              {"function",
               {{"name", "ant"}, {"parameters", {{"type", "object"}, {"properties", json::object()}}}}}}});
}

TEST_CASE("without tools nothing is said about tools") {
  auto asked = request({user("q")});
  asked.settings.tool_choice = "auto";
  asked.settings.parallel_tool_calls = false;
  for (const auto& none : {tools({}), shared_tools{}}) {
    asked.tools = none;
    const auto sent = body(asked);
    CHECK_FALSE(sent.contains("tools"));
    CHECK_FALSE(sent.contains("tool_choice"));
    CHECK_FALSE(sent.contains("parallel_tool_calls"));
  }
}

TEST_CASE("settings that are absent are not sent") {
  const auto sent = body(request({user("q")}, {tool("x")}));
  auto keys = std::vector<std::string>{};
  for (const auto& [key, value] : sent.items())
    keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"messages", "model", "tools"});
}

TEST_CASE("settings go to Chat Completions as they are") {
  auto asked = request({user("q")}, {tool("x")});
  asked.settings.temperature = 0.7;
  asked.settings.top_p = 0.25;
  asked.settings.max_tokens = 100;
  asked.settings.tool_choice = "required";
  asked.settings.parallel_tool_calls = false;
  const auto sent = body(asked);
  CHECK(sent["temperature"] == 0.7);
  CHECK(sent["top_p"] == 0.25);
  CHECK(sent["max_tokens"] == 100);
  CHECK(sent["tool_choice"] == "required");
  CHECK(sent["parallel_tool_calls"] == false);
}

TEST_CASE("the choice of a tool by name is sent while the tool is offered") {
  auto asked = request({user("q")}, {tool("x")});
  asked.settings.tool_choice = "x";
  CHECK(body(asked)["tool_choice"] == json{{"type", "function"}, {"function", {{"name", "x"}}}});
  asked.settings.tool_choice = "gone";
  CHECK_FALSE(body(asked).contains("tool_choice"));
}

TEST_CASE("the field for the token limit can be chosen") {
  auto asked = request({user("q")});
  asked.settings.max_tokens = 5;
  const auto sent = body(asked, {"m", true, "max_completion_tokens"});
  CHECK(sent["max_completion_tokens"] == 5);
  CHECK_FALSE(sent.contains("max_tokens"));
}

TEST_CASE("reasoning is not sent back and does not break up a turn") {
  const auto thought = [](std::string format) -> item {
    return reasoning{"a", "hm", std::move(format), "{}"};
  };
  CHECK(messages({user("q"), thought("responses"), said("let me see"), thought("chat_completions"),
                  called("c1", "x"), thought("anthropic"), called("c2", "y"), output("c1", "one"),
                  output("c2", "two"), thought("responses"), user("r")}) ==
        json{message("user", "q"), assistant("let me see", {{"c1", "x", "{}"}, {"c2", "y", "{}"}}),
             answer("c1", "one"), answer("c2", "two"), message("user", "r")});
}

TEST_CASE("a streamed answer is asked for with its usage") {
  const auto text = chat_completions::encode(request({user("q")}), {"m"}, true);
  CHECK(text == R"({"model":"m","messages":[{"role":"user","content":"q"}],"stream":true,)"
                R"("stream_options":{"include_usage":true}})");
}

TEST_CASE("the form of the final answer is asked for as a response format") {
  auto asked = request({user("q")});
  const auto schema = json{{"type", "object"}};
  const auto strict = GENERATE(true, false);
  asked.output = std::make_shared<const output_format>(output_format{"verdict", schema, strict});
  CHECK(body(asked)["response_format"] ==
        json{{"type", "json_schema"},
             {"json_schema", {{"name", "verdict"}, {"strict", strict}, {"schema", schema}}}});
}

TEST_CASE("the effort of reasoning is sent if it is set") {
  auto asked = request({user("q")});
  asked.settings.reasoning_effort = "low";
  asked.settings.reasoning_summary = "auto";
  const auto sent = body(asked);
  CHECK(sent["reasoning_effort"] == "low");
  CHECK(sent.size() == 3);
}

TEST_CASE("fields come in a fixed order") {
  auto asked = request({user("q"), called("c", "x"), output("c", "o")}, {tool("x")});
  asked.settings = {1.0, 1.0, 9, "auto", true, {}, {}, {}};
  CHECK(
      chat_completions::encode(asked, {"m"}) ==
      R"({"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,)"
      R"("tool_calls":[{"id":"c","type":"function","function":{"name":"x","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"c","content":"o"}],"tools":[{"type":"function","function":{"name":"x",)"
      R"("parameters":{"properties":{},"type":"object"}}}],"tool_choice":"auto","parallel_tool_calls":true,)"
      R"("temperature":1.0,"top_p":1.0,"max_tokens":9})");
}
