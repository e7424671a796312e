#include "libagent/model/anthropic.hpp"
#include "tests/libagent/model/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace model_test;
using anthropic::make_anthropic_codec;

namespace {

json body(const model_request& asked, anthropic::wire_options options = {"m"}, bool streamed = false) {
  const auto text = make_anthropic_codec(std::move(options))->encode(asked, streamed);
  INFO(text);
  auto parsed = parse_json(text);
  REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

json messages(item_list fresh, anthropic::wire_options options = {"m"}) {
  return body(request(std::move(fresh)), std::move(options))["messages"];
}

item thought(std::string raw = R"({"type":"thinking","thinking":"hm","signature":"s"})",
             std::string format = "anthropic") {
  return reasoning{"a", "hm", std::move(format), std::move(raw)};
}

json text(std::string value) {
  return {{"type", "text"}, {"text", std::move(value)}};
}

json use(std::string id, std::string name, json input = json::object()) {
  return {
      {"type", "tool_use"}, {"id", std::move(id)}, {"name", std::move(name)}, {"input", std::move(input)}};
}

json outcome(std::string id, json content) {
  return {{"type", "tool_result"}, {"tool_use_id", std::move(id)}, {"content", std::move(content)}};
}

json failed(std::string id, json content) {
  auto made = outcome(std::move(id), std::move(content));
  made["is_error"] = true;
  return made;
}

json turn(std::string role, std::vector<json> blocks) {
  return {{"role", std::move(role)}, {"content", std::move(blocks)}};
}

const auto go_on = text("Continue.");
const auto hm = json::parse(R"({"type":"thinking","thinking":"hm","signature":"s"})");

/// A request of a thinking model.
json thinking_body(item_list fresh, model_settings settings = {}) {
  auto asked = request(std::move(fresh), {tool("x")});
  asked.settings = std::move(settings);
  if (!asked.settings.thinking_tokens)
    asked.settings.thinking_tokens = 2000;
  return body(asked);
}

} // namespace

TEST_CASE("the Messages API is asked with its own headers") {
  const auto codec = make_anthropic_codec({"m"});
  using headers = std::vector<std::pair<std::string, std::string>>;
  CHECK(codec->path() == "/v1/messages");
  CHECK(codec->headers("k") == headers{{"x-api-key", "k"}, {"anthropic-version", "2023-06-01"}});
  CHECK(codec->headers("") == headers{{"anthropic-version", "2023-06-01"}});
}

TEST_CASE("a plain request has a model, a limit and messages") {
  CHECK(body(request({user("hi")}), {"claude"}) ==
        json{{"model", "claude"}, {"max_tokens", 4096}, {"messages", {turn("user", {text("hi")})}}});
  CHECK(body(request({user("hi")}), {"m"}, true)["stream"] == true);
}

TEST_CASE("instructions are the system prompt, with the schema of the answer behind them") {
  auto asked = request({user("hi")});
  asked.instructions = "Be kind.";
  CHECK(body(asked)["system"] == "Be kind.");
  asked.output = std::make_shared<const output_format>(output_format{"fact", {{"type", "object"}}, true});
  const auto system = body(asked)["system"].get<std::string>();
  CHECK_THAT(system, Catch::StartsWith("Be kind.\n\n") && Catch::EndsWith("\n{\"type\":\"object\"}") &&
                         Catch::Contains("fact"));
  asked.instructions.clear();
  CHECK_THAT(body(asked)["system"].get<std::string>(), Catch::StartsWith("Your final answer"));
}

TEST_CASE("turns of user and assistant alternate, the user first and last") {
  struct row {
    std::string name;
    item_list history;
    json sent;
  };
  const auto rows = std::vector<row>{
      {"a conversation",
       {user("a"), said("b"), user("c")},
       {turn("user", {text("a")}), turn("assistant", {text("b")}), turn("user", {text("c")})}},
      {"neighbours of one role",
       {user("a"), user("b"), said("c"), said("d"), user("e")},
       {turn("user", {text("a"), text("b")}), turn("assistant", {text("c"), text("d")}),
        turn("user", {text("e")})}},
      {"the assistant first",
       {said("a"), user("b")},
       {turn("user", {text("(Earlier messages are left out.)")}), turn("assistant", {text("a")}),
        turn("user", {text("b")})}},
      {"the assistant last",
       {user("a"), said("b")},
       {turn("user", {text("a")}), turn("assistant", {text("b")}), turn("user", {go_on})}},
      {"nobody", {}, {turn("user", {go_on})}},
      {"nothing but blanks", {user(" \n"), said("")}, {turn("user", {go_on})}},
      {"blanks between",
       {user("a"), said(""), user("b"), said("\t")},
       {turn("user", {text("a"), text("b")})}},
  };
  for (const auto& [name, history, sent] : rows) {
    CAPTURE(name);
    CHECK(messages(history) == sent);
  }
}

TEST_CASE("calls are answered first thing in the next message") {
  struct row {
    std::string name;
    item_list history;
    json sent;
  };
  const auto q = turn("user", {text("q")});
  const auto called_x = turn("assistant", {use("c1", "x")});
  const auto rows = std::vector<row>{
      {"in the order of the calls",
       {user("q"), called("c1", "x", "{\"a\":1}"), called("c2", "y"), output("c2", "two"),
        output("c1", "one")},
       {q, turn("assistant", {use("c1", "x", {{"a", 1}}), use("c2", "y")}),
        turn("user", {outcome("c1", "one"), outcome("c2", "two")})}},
      {"before what the user says",
       {user("q"), called("c1", "x"), output("c1", "one"), user("r")},
       {q, called_x, turn("user", {outcome("c1", "one"), text("r")})}},
      {"even if the output came later",
       {user("q"), called("c1", "x"), user("r"), output("c1", "one")},
       {q, called_x, turn("user", {outcome("c1", "one"), text("r")})}},
      {"turn by turn",
       {user("q"), called("c1", "x"), output("c1", "one"), called("c2", "x"), output("c2", "two")},
       {q, called_x, turn("user", {outcome("c1", "one")}), turn("assistant", {use("c2", "x")}),
        turn("user", {outcome("c2", "two")})}},
      {"a text goes before the calls",
       {user("q"), called("c1", "x"), said("wait"), output("c1", "one")},
       {q, turn("assistant", {text("wait"), use("c1", "x")}), turn("user", {outcome("c1", "one")})}},
      {"a call without an output",
       {user("q"), called("c1", "x"), user("r")},
       {q, called_x,
        turn("user", {failed("c1", "The call was interrupted; there is no result."), text("r")})}},
      {"an output without a call",
       {user("q"), output("c9", "lost"), said("a"), user("r")},
       {q, turn("assistant", {text("a")}), turn("user", {text("r")})}},
      {"an error",
       {user("q"), called("c1", "x"), output("c1", "no", true)},
       {q, called_x, turn("user", {failed("c1", "no")})}},
      {"an error that says nothing",
       {user("q"), called("c1", "x"), output("c1", " ", true)},
       {q, called_x, turn("user", {failed("c1", "The call failed; there is no message.")})}},
      {"an output that says nothing",
       {user("q"), called("c1", "x"), output("c1", "")},
       {q, called_x, turn("user", {{{"type", "tool_result"}, {"tool_use_id", "c1"}}})}},
      {"arguments that are no object",
       {user("q"), called("c1", "x", "{\"a\":"), called("c2", "x", "[1]"), output("c1", "1"),
        output("c2", "2")},
       {q, turn("assistant", {use("c1", "x"), use("c2", "x")}),
        turn("user", {outcome("c1", "1"), outcome("c2", "2")})}},
      {"ids that the API does not take",
       {user("q"), called("f.x:0", "x"), output("f.x:0", "1"), called("", "x"), output("", "2")},
       {q, turn("assistant", {use("f_x_0", "x")}), turn("user", {outcome("f_x_0", "1")}),
        turn("assistant", {use("call", "x")}), turn("user", {outcome("call", "2")})}},
      {"ids that come again",
       {user("q"), called("c", "x"), output("c", "1"), called("c", "x"), output("c", "2")},
       {q, turn("assistant", {use("c", "x")}), turn("user", {outcome("c", "1")}),
        turn("assistant", {use("c_2", "x")}), turn("user", {outcome("c_2", "2")})}},
  };
  for (const auto& [name, history, sent] : rows) {
    CAPTURE(name);
    CHECK(messages(history) == sent);
  }
}

TEST_CASE("images stay in the outputs that they came with") {
  const auto parts =
      std::vector<content>{text_content{"look"}, image_content{"image/png", "AAAA"}, text_content{""},
                           image_content{"image/tiff", "BBBB"}, audio_content{"audio/wav", "CCCC"}};
  const auto history = item_list{user("q"), called("c1", "x"), tool_output{"c1", parts, false}};
  const auto picture = json{{"type", "image"},
                            {"source", {{"type", "base64"}, {"media_type", "image/png"}, {"data", "AAAA"}}}};
  CHECK(messages(history)[2] ==
        turn("user", {outcome("c1", {text("look"), picture, text("[image/tiff image, 3 bytes]"),
                                     text("[audio/wav audio, 3 bytes]")})}));
  const auto words =
      "look\n[image/png image, 3 bytes]\n\n[image/tiff image, 3 bytes]\n[audio/wav audio, 3 bytes]";
  CHECK(messages(history, {"m", false})[2] == turn("user", {outcome("c1", words)}));
  const auto broken = item_list{user("q"), called("c1", "x"), tool_output{"c1", parts, true}};
  CHECK(messages(broken)[2] == turn("user", {failed("c1", words)}));
}

TEST_CASE("tools are offered to the Messages API with their schemas in their order") {
  auto first = tool("zebra", {{"n", {{"type", "integer"}}}});
  first.description = "Counts.";
  CHECK(body(request({user("q")}, {first, tool("ant")}))["tools"] ==
        json{{{"name", "zebra"},
              {"description", "Counts."},
              {"input_schema", {{"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}}}},
             {{"name", "ant"}, {"input_schema", {{"type", "object"}, {"properties", json::object()}}}}});
}

TEST_CASE("tools of the past are declared where none is offered") {
  const auto sent =
      body(request({user("q"), called("c1", "x"), output("c1", "1"), called("c2", "x"), user("r")}));
  REQUIRE(sent["tools"].size() == 1);
  CHECK(sent["tools"][0]["name"] == "x");
  CHECK(sent["tool_choice"] == json{{"type", "none"}});
  CHECK_FALSE(body(request({user("q")})).contains("tools"));
}

TEST_CASE("the choice of tools is told as the API has it") {
  struct row {
    std::optional<std::string> choice;
    std::optional<bool> parallel;
    json sent;
  };
  const auto rows = std::vector<row>{
      {std::nullopt, std::nullopt, nullptr},
      {std::nullopt, true, nullptr},
      {std::nullopt, false, {{"type", "auto"}, {"disable_parallel_tool_use", true}}},
      {"auto", std::nullopt, {{"type", "auto"}}},
      {"auto", false, {{"type", "auto"}, {"disable_parallel_tool_use", true}}},
      {"none", false, {{"type", "none"}}},
      {"required", std::nullopt, {{"type", "any"}}},
      {"required", false, {{"type", "any"}, {"disable_parallel_tool_use", true}}},
      {"x", std::nullopt, {{"type", "tool"}, {"name", "x"}}},
      {"x", false, {{"type", "tool"}, {"name", "x"}, {"disable_parallel_tool_use", true}}},
      {"gone", std::nullopt, nullptr},
      {"gone", false, {{"type", "auto"}, {"disable_parallel_tool_use", true}}},
  };
  for (const auto& [choice, parallel, sent] : rows) {
    auto asked = request({user("q")}, {tool("x")});
    asked.settings.tool_choice = choice;
    asked.settings.parallel_tool_calls = parallel;
    CAPTURE(choice.value_or("-"), parallel.has_value());
    CHECK(body(asked).value("tool_choice", json{}) == sent);
  }
}

TEST_CASE("settings are sent to the Messages API as they are") {
  auto asked = request({user("q")});
  asked.settings.temperature = 0.7;
  asked.settings.top_p = 0.25;
  asked.settings.max_tokens = 100;
  const auto sent = body(asked);
  CHECK(sent["temperature"] == 0.7);
  CHECK(sent["top_p"] == 0.25);
  CHECK(sent["max_tokens"] == 100);
  CHECK(body(request({user("q")}), {"m", true, 7})["max_tokens"] == 7);
}

TEST_CASE("with thinking the settings that do not go with it are left out") {
  auto settings = model_settings{};
  settings.temperature = 0.7;
  settings.top_p = 0.9;
  settings.tool_choice = GENERATE(as<std::string>{}, "required", "x");
  const auto sent = thinking_body({user("q")}, settings);
  CHECK(sent["thinking"] == json{{"type", "enabled"}, {"budget_tokens", 2000}});
  CHECK_FALSE(sent.contains("temperature"));
  CHECK_FALSE(sent.contains("top_p"));
  CHECK_FALSE(sent.contains("tool_choice"));
}

TEST_CASE("the limit of tokens is above the budget of thinking") {
  struct row {
    unsigned thinking;
    std::optional<unsigned> max_tokens;
    std::uint64_t budget;
    std::uint64_t limit;
  };
  const auto rows = std::vector<row>{{2000, std::nullopt, 2000, 4096},
                                     {2000, 2001, 2000, 2001},
                                     {2000, 2000, 2000, 4000},
                                     {2000, 100, 2000, 2100},
                                     {10, 100, 1024, 1124},
                                     {4294967295u, 4294967295u, 4294967295u, 8589934590u}};
  for (const auto& [thinking, max_tokens, budget, limit] : rows) {
    auto settings = model_settings{};
    settings.thinking_tokens = thinking;
    settings.max_tokens = max_tokens;
    const auto sent = thinking_body({user("q")}, settings);
    CAPTURE(thinking, max_tokens.value_or(0));
    CHECK(sent["thinking"]["budget_tokens"] == budget);
    CHECK(sent["max_tokens"] == limit);
  }
}

TEST_CASE("an effort is a budget of thinking, or an effort where the model knows it") {
  struct row {
    std::string model;
    std::string effort;
    std::optional<unsigned> max_tokens;
    json thinking;
    json output_config;
    std::uint64_t limit;
  };
  const auto budget = [](unsigned tokens) { return json{{"type", "enabled"}, {"budget_tokens", tokens}}; };
  const auto at = [](const char* effort) { return json{{"effort", effort}}; };
  const auto adaptive = json{{"type", "adaptive"}};
  const auto rows = std::vector<row>{
      {"m", "minimal", {}, {}, {}, 4096},
      {"m", "low", {}, budget(2048), {}, 6144},
      {"m", "medium", {}, budget(8192), {}, 12'288},
      {"m", "high", {}, budget(16'384), {}, 20'480},
      {"m", "high", 10'000, budget(5000), {}, 10'000},
      {"m", "low", 10'000, budget(2048), {}, 10'000},
      {"m", "high", 1500, budget(1024), {}, 1500},
      {"m", "high", 1025, budget(1024), {}, 1025},
      {"m", "high", 1024, {}, {}, 1024},
      {"claude-3-7-sonnet-20250219", "low", {}, budget(2048), {}, 6144},
      {"claude-opus-4-20250514", "low", {}, budget(2048), {}, 6144},
      {"claude-opus-4-5", "low", {}, budget(2048), {}, 6144},
      {"claude-opus-4-6", "high", {}, adaptive, at("high"), 20'480},
      {"us.anthropic.claude-sonnet-4-6-v1:0", "medium", 5000, adaptive, at("medium"), 5000},
      {"anthropic/claude-4.7-opus", "low", {}, adaptive, at("low"), 6144},
      {"claude-opus-4-10-20270101", "low", {}, adaptive, at("low"), 6144},
      {"claude-sonnet-5", "minimal", {}, {}, at("low"), 4096},
  };
  for (const auto& [model, effort, max_tokens, thinking, config, limit] : rows) {
    CAPTURE(model, effort, max_tokens.value_or(0));
    auto asked = request({user("q")}, {tool("x")});
    asked.settings.reasoning_effort = effort;
    asked.settings.max_tokens = max_tokens;
    const auto sent = body(asked, {model});
    CHECK(sent.value("thinking", json()) == thinking);
    CHECK(sent.value("output_config", json()) == config);
    CHECK(sent["max_tokens"] == limit);
  }
}

TEST_CASE("what a thinking model's version does not take is left out") {
  struct row {
    std::string model;
    std::optional<unsigned> tokens;
    std::optional<std::string> effort;
    json thinking;
    bool sampling;
    bool forced;
  };
  const auto budget = json{{"type", "enabled"}, {"budget_tokens", 2000}};
  const auto adaptive = json{{"type", "adaptive"}};
  const auto rows = std::vector<row>{
      {"claude-opus-4-5", {}, {}, {}, true, true},
      {"claude-opus-4-5", {}, "low", json{{"type", "enabled"}, {"budget_tokens", 2048}}, false, false},
      {"claude-opus-4-5", 2000, "high", budget, false, false},
      {"claude-opus-4-6", {}, {}, {}, true, true},
      {"claude-opus-4-6", 2000, "high", budget, false, false},
      {"claude-opus-4-6", {}, "high", adaptive, false, true},
      {"claude-opus-4-7", {}, {}, {}, false, true},
      {"claude-opus-4-7", 2000, "high", adaptive, false, true},
  };
  for (const auto& [model, tokens, effort, thinking, sampling, forced] : rows) {
    CAPTURE(model, tokens.value_or(0), effort.value_or(""));
    auto asked = request({user("q")}, {tool("x")});
    asked.settings = {0.5, 0.9, {}, "required", {}, effort, {}, tokens};
    const auto sent = body(asked, {model});
    CHECK(sent.value("thinking", json()) == thinking);
    CHECK(sent.contains("temperature") == sampling);
    CHECK(sent.contains("top_p") == sampling);
    CHECK(sent.contains("tool_choice") == forced);
  }
}

TEST_CASE("only adaptive thinking goes on after calls without a thought") {
  const auto model = GENERATE(as<std::string>(), "claude-opus-4-5", "claude-opus-4-6");
  auto asked = request({user("q"), called("c1", "x"), output("c1", "1"), thought(), called("c2", "x")});
  asked.settings.reasoning_effort = "high";
  const auto sent = body(asked, {model});
  const auto adaptive = model == "claude-opus-4-6";
  CHECK(sent.contains("thinking") == adaptive);
  CHECK(sent["messages"][3]["content"].front() == (adaptive ? hm : use("c2", "x")));
}

TEST_CASE("thoughts go back where they were since the user last spoke") {
  const auto raw = R"({"type":"redacted_thinking","data":"zz"})";
  const auto sent =
      thinking_body({user("p"), thought(), said("old"), user("q"), thought(), thought(raw), said("wait"),
                     called("c1", "x"), output("c1", "1"), called("c2", "x"), output("c2", "2")});
  CHECK(sent.contains("thinking"));
  const auto& turns = sent["messages"];
  REQUIRE(turns.size() == 7);
  CHECK(turns[1] == turn("assistant", {text("old")}));
  CHECK(turns[3] == turn("assistant", {hm, json::parse(raw), text("wait"), use("c1", "x")}));
  CHECK(turns[5] == turn("assistant", {use("c2", "x")}));
}

TEST_CASE("a turn with thoughts keeps its order, and no message ends with one") {
  const auto sent =
      thinking_body({user("q"), thought(), called("c1", "x"), thought(), said("so"), called("c2", "x"),
                     output("c1", "1"), output("c2", "2"), thought(), said("")});
  CHECK(sent["messages"] == json{turn("user", {text("q")}),
                                 turn("assistant", {hm, use("c1", "x"), hm, text("so"), use("c2", "x")}),
                                 turn("user", {outcome("c1", "1"), outcome("c2", "2")})});
}

TEST_CASE("a model does not think in the middle of what began without thinking") {
  struct row {
    std::string name;
    item_list since;
    bool thinks;
  };
  const auto call = item_list{called("c1", "x"), output("c1", "1")};
  const auto with_call = [&](item_list before) {
    before.insert(before.end(), call.begin(), call.end());
    return before;
  };
  const auto rows = std::vector<row>{
      {"nothing yet", {}, true},
      {"a text", {said("a")}, true},
      {"a call", call, false},
      {"a call after a thought", with_call({thought()}), true},
      {"a call after a blank and a thought", with_call({said(""), thought()}), true},
      {"a call after a text and a thought", with_call({said("a"), thought()}), false},
      {"a call after another provider's thought", with_call({thought("{}", "responses")}), false},
      {"a call after a broken thought", with_call({thought("{")}), false},
      {"a call after a thought that is no object", with_call({thought("[]")}), false},
      {"a thought after the call", {called("c1", "x"), thought(), output("c1", "1")}, false},
  };
  for (const auto& [name, since, thinks] : rows) {
    CAPTURE(name);
    auto history = item_list{user("p"), called("c0", "x"), output("c0", "0"), user("q")};
    history.insert(history.end(), since.begin(), since.end());
    const auto sent = thinking_body(history);
    CHECK(sent.contains("thinking") == thinks);
    CHECK((dump_json(sent).find("\"hm\"") != std::string::npos) ==
          (thinks && !since.empty() && name != "a text"));
  }
}

TEST_CASE("without thinking no thoughts go back") {
  CHECK(messages({user("q"), thought(), called("c1", "x"), output("c1", "1")})[1] ==
        turn("assistant", {use("c1", "x")}));
  CHECK(messages({user("q"), thought()}) == json{turn("user", {text("q")})});
}

TEST_CASE("a body of the Messages API is JSON and UTF-8 whatever is in it") {
  auto asked =
      request({user("a\xFFz"), called("c\xC3", "x\xFF", "{\"a\":\"\xFF\"}"), output("c\xC3", "\xFE")});
  asked.instructions = "\xC3(";
  const auto sent = body(asked);
  CHECK(sent["system"] == "\xEF\xBF\xBD(");
  CHECK(sent["messages"][0]["content"][0]["text"] == "a\xEF\xBF\xBDz");
  CHECK(sent["messages"][1]["content"][0] == use("c_", "x_"));
}

TEST_CASE("fields of the Messages API come in a fixed order") {
  auto asked = request({user("q"), called("c", "x"), output("c", "o")}, {tool("x")});
  asked.instructions = "i";
  asked.settings = {1.0, 1.0, 9, "auto", true, {}, {}, {}};
  CHECK(
      make_anthropic_codec({"m"})->encode(asked, true) ==
      R"({"model":"m","max_tokens":9,"system":"i","messages":[{"role":"user","content":[{"type":"text","text":"q"}]},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"c","name":"x","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"o"}]}],)"
      R"("tools":[{"name":"x","input_schema":{"properties":{},"type":"object"}}],"tool_choice":{"type":"auto"},)"
      R"("temperature":1.0,"top_p":1.0,"stream":true})");
}
