#include "libagent/model/responses.hpp"
#include "tests/libagent/model/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace model_test;

namespace {

json body(const model_request& asked, const responses::wire_options& options = {"m"}) {
  const auto text = responses::encode(asked, options);
  INFO(text);
  auto parsed = parse_json(text);
  REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

json input(item_list fresh, const responses::wire_options& options = {"m"}) {
  return body(request(std::move(fresh)), options)["input"];
}

json message(std::string role, std::string text) {
  return {{"role", std::move(role)}, {"content", std::move(text)}};
}

json call(std::string id, std::string name) {
  return {
      {"type", "function_call"}, {"call_id", std::move(id)}, {"name", std::move(name)}, {"arguments", "{}"}};
}

json answer(std::string id, json text) {
  return {{"type", "function_call_output"}, {"call_id", std::move(id)}, {"output", std::move(text)}};
}

const auto encrypted =
    std::string{R"({"type":"reasoning", "id":"rs_1","summary":[],"encrypted_content":"gA=="})"};
const auto interrupted = "The call was interrupted; there is no result.";

item thought(std::string raw, std::string format = "responses") {
  return reasoning{"a", "hm", std::move(format), std::move(raw)};
}

} // namespace

TEST_CASE("a history becomes input that the Responses API takes back") {
  struct row {
    const char* name;
    item_list history;
    json input;
  };
  const auto [name, history, expected] = GENERATE(values<row>({
      {"messages",
       {user("q"), said("a"), user("r")},
       {message("user", "q"), message("assistant", "a"), message("user", "r")}},
      {"empty assistant texts are left out", {user("q"), said("")}, {message("user", "q")}},
      {"a turn keeps its order, outputs follow in that of their calls",
       {user("q"), called("c1", "x"), said("wait"), called("c2", "y"), output("c2", "two"),
        output("c1", "one")},
       {message("user", "q"), call("c1", "x"), message("assistant", "wait"), call("c2", "y"),
        answer("c1", "one"), answer("c2", "two")}},
      {"a call without an output is answered as interrupted",
       {called("c1", "x"), user("again")},
       {call("c1", "x"), answer("c1", interrupted), message("user", "again")}},
      {"an output without a call is left out", {user("q"), output("c9", "lost")}, {message("user", "q")}},
      {"a second output is left out",
       {called("c1", "x"), output("c1", "one"), output("c1", "late")},
       {call("c1", "x"), answer("c1", "one")}},
      {"ids that a later turn uses again are answered by that turn's outputs",
       {called("c", "x"), user("crash"), called("c", "x"), output("c", "two")},
       {call("c", "x"), answer("c", interrupted), message("user", "crash"), call("c", "x"),
        answer("c", "two")}},
      {"encrypted reasoning goes back in its place",
       {user("q"), thought(encrypted), called("c1", "x"), output("c1", "one"), thought(encrypted), said("a")},
       {message("user", "q"), json::parse(encrypted), call("c1", "x"), answer("c1", "one"),
        json::parse(encrypted), message("assistant", "a")}},
      {"so does reasoning with its text",
       {thought(R"({"type":"reasoning","content":[{"text":"hm"}]})"), said("a")},
       {json::parse(R"({"type":"reasoning","content":[{"text":"hm"}]})"), message("assistant", "a")}},
      {"reasoning that nothing of its turn follows is left out",
       {thought(encrypted), said(""), user("q"), called("c", "x"), thought(encrypted), output("c", "one")},
       {message("user", "q"), call("c", "x"), answer("c", "one")}},
      {"reasoning that only the endpoint's store could tell is left out",
       {thought(
            R"({"type":"reasoning","id":"rs_1","summary":[{"text":"hm"}],"encrypted_content":null,"content":[]})"),
        said("a")},
       {message("assistant", "a")}},
      {"reasoning of other formats and broken ones are left out",
       {thought(encrypted, "anthropic"), thought("{"), thought("7"), said("a")},
       {message("assistant", "a")}},
  }));
  CAPTURE(name);
  CHECK(input(history) == expected);
}

TEST_CASE("reasoning goes back to the byte") {
  CHECK_THAT(responses::encode(request({thought(encrypted), said("a")}), {"m"}), Catch::Contains(encrypted));
}

TEST_CASE("reasoning goes back only to the model and the endpoint that it came from") {
  const auto raw = std::string{R"({"type":"reasoning","summary":[],"encrypted_content":"gA=="})"};
  const auto answered = R"({"status":"completed","output":[)" + raw +
                        R"(,{"type":"message","content":[{"type":"output_text","text":"a"}]}]})";
  const auto codec_for = [](responses::wire_options options) {
    return responses::make_responses_codec(std::move(options));
  };
  const auto own = responses::wire_options{"m", true, "https://one.example:8443/v1"};
  const auto whole = codec_for(own)->decode(answered).value().output;
  const auto decoder = codec_for(own)->make_stream_decoder();
  REQUIRE(
      decoder->feed("data: {\"type\":\"response.completed\",\"response\":" + answered + "}\n\n").has_value());
  const auto streamed = decoder->finish().value().output;
  CHECK(to_json(streamed) == to_json(whole));
  CHECK(std::get<reasoning>(whole.front()).format == "responses:m@one.example:8443");

  const auto [base_url, model, goes_back] = GENERATE(table<std::string, std::string, bool>({
      {"https://one.example:8443/v1", "m", true},
      {"https://one.example:8443/v2/", "m", true},
      {"https://one.example:8443/v1", "n", false},
      {"https://two.example/v1", "m", false},
      {"", "m", false},
  }));
  CAPTURE(base_url, model);
  const auto sent = body(request(whole), {model, true, base_url});
  CHECK(sent["input"].size() == (goes_back ? 2 : 1));
  CHECK(sent["input"].back() == message("assistant", "a"));
  CHECK(sent.contains("include") == goes_back);
}

TEST_CASE("images of a tool are passed on where they are taken") {
  const auto shot = tool_output{"c1", {text_content{"see"}, image_content{"image/png", "AAAA"}}, false};
  CHECK(input({called("c1", "x"), shot})[1] ==
        answer("c1", {{{"type", "input_text"}, {"text", "see"}},
                      {{"type", "input_image"}, {"image_url", "data:image/png;base64,AAAA"}}}));
  CHECK(input({called("c1", "x"), shot}, {"m", false})[1] == answer("c1", "see\n[image/png image, 3 bytes]"));
}

TEST_CASE("bytes that are not UTF-8 are replaced in the input too") {
  CHECK(input({user("a\xFFz")}) == json{message("user", "a\xEF\xBF\xBDz")});
}

TEST_CASE("encrypted reasoning is asked for only where there is reasoning") {
  CHECK_FALSE(body(request({user("q")})).contains("include"));
  const auto wanted = json{"reasoning.encrypted_content"};
  auto asked = request({user("q")});
  asked.settings.reasoning_effort = "low";
  CHECK(body(asked)["reasoning"] == json{{"effort", "low"}});
  CHECK(body(asked)["include"] == wanted);
  asked.settings = {};
  asked.settings.reasoning_summary = "auto";
  CHECK(body(asked)["reasoning"] == json{{"summary", "auto"}});
  CHECK(body(asked)["include"] == wanted);
  CHECK(body(request({thought(encrypted), said("a")}))["include"] == wanted);
}

TEST_CASE("the choice of a tool is sent in the flat form while the tool is offered") {
  auto asked = request({user("q")}, {tool("x")});
  asked.settings.tool_choice = "x";
  CHECK(body(asked)["tool_choice"] == json{{"type", "function"}, {"name", "x"}});
  asked.settings.tool_choice = "gone";
  CHECK_FALSE(body(asked).contains("tool_choice"));
  asked.tools = nullptr;
  asked.settings.tool_choice = "auto";
  asked.settings.parallel_tool_calls = true;
  CHECK_FALSE(body(asked).contains("tool_choice"));
  CHECK_FALSE(body(asked).contains("parallel_tool_calls"));
}

TEST_CASE("fields of a response request come in a fixed order") {
  auto described = tool("x");
  described.description = "Does.";
  auto asked = request({user("q"), called("c", "x"), output("c", "o")}, {described});
  asked.instructions = "Be kind.";
  asked.settings = {1.0, 0.5, 9, "required", false, "high", "concise", {}};
  asked.output = std::make_shared<const output_format>(output_format{"verdict", {{"type", "object"}}, true});
  CHECK(
      responses::encode(asked, {"m"}, true) ==
      R"({"model":"m","instructions":"Be kind.","input":[{"role":"user","content":"q"},)"
      R"({"type":"function_call","call_id":"c","name":"x","arguments":"{}"},)"
      R"({"type":"function_call_output","call_id":"c","output":"o"}],)"
      R"("tools":[{"type":"function","name":"x","description":"Does.",)"
      R"("parameters":{"properties":{},"type":"object"},"strict":false}],"tool_choice":"required",)"
      R"("parallel_tool_calls":false,"temperature":1.0,"top_p":0.5,"max_output_tokens":9,)"
      R"("reasoning":{"effort":"high","summary":"concise"},)"
      R"("text":{"format":{"type":"json_schema","name":"verdict","strict":true,"schema":{"type":"object"}}},)"
      R"("store":false,"include":["reasoning.encrypted_content"],"stream":true})");
  CHECK(responses::encode(request({user("q")}), {"m"}) ==
        R"({"model":"m","input":[{"role":"user","content":"q"}],"store":false})");
}
