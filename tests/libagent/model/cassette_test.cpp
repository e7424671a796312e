#include "libagent/model/cassette.hpp"
#include "tests/libagent/model/support.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace troupe;
using namespace model_test;

namespace {

model_response answered(std::string text) {
  return {{said(std::move(text))}, {1, 2, 3, 1, 0}, "stop", {}};
}

/// A request that uses all that a request has.
model_request full_request() {
  auto asked = request({user("q"), called("c1", "x", "{\"a\":1}"),
                        tool_output{"c1", {text_content{"o"}, image_content{"image/png", "AAAA"}}, true}},
                       {tool("x", {{"a", {{"type", "integer"}}}})});
  asked.past = std::make_shared<const item_list>(
      item_list{user("p"), reasoning{"a", "hm", "anthropic", "{}"}, said("r")});
  asked.instructions = "Be kind.";
  asked.settings = {0.7, 0.25, 100, "auto", false, "low", "concise", 2048};
  asked.output = std::make_shared<const output_format>(output_format{"fact", {{"type", "object"}}, true});
  return asked;
}

std::string record(const model_request& asked, const result<model_response>& response,
                   const std::vector<secret>& secrets = {}) {
  return cassette_line("main", asked, response, redactor(secrets)) + "\n";
}

cassette load(const std::string& text, const std::vector<secret>& secrets = {}) {
  auto read = cassette::parse(text, std::make_shared<const redactor>(secrets));
  INFO((read ? "" : read.error().detail));
  REQUIRE(read.has_value());
  return std::move(*read);
}

std::string said_by(cassette& tape, const model_request& asked) {
  const auto response = tape.answer(asked);
  INFO((response ? "" : response.error().detail));
  REQUIRE(response.has_value());
  return std::get<assistant_message>(response->output.at(0)).text;
}

std::string miss(cassette& tape, const model_request& asked) {
  const auto response = tape.answer(asked);
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().code == errc::not_recorded);
  return response.error().detail;
}

} // namespace

TEST_CASE("a request's JSON form has all that it asks") {
  CHECK(to_json(full_request()) == json::parse(R"({
    "agent": "helper", "instructions": "Be kind.",
    "items": [{"type": "message", "role": "user", "content": "p"},
              {"type": "reasoning", "agent": "a", "text": "hm", "format": "anthropic", "raw": "{}"},
              {"type": "message", "role": "assistant", "agent": "a", "content": "r"},
              {"type": "message", "role": "user", "content": "q"},
              {"type": "function_call", "call_id": "c1", "name": "x", "arguments": "{\"a\":1}", "agent": "a"},
              {"type": "function_call_output", "call_id": "c1", "is_error": true,
               "output": [{"type": "text", "text": "o"},
                          {"type": "image", "media_type": "image/png", "data": "AAAA"}]}],
    "tools": [{"name": "x", "description": "",
               "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}],
    "settings": {"temperature": 0.7, "top_p": 0.25, "max_tokens": 100, "tool_choice": "auto",
                 "parallel_tool_calls": false, "reasoning_effort": "low", "reasoning_summary": "concise",
                 "thinking_tokens": 2048},
    "output": {"name": "fact", "schema": {"type": "object"}, "strict": true}})"));
  CHECK(to_json(model_request{}) ==
        json::parse(R"({"agent": "", "instructions": "", "items": [], "tools": [], "settings": {}})"));
}

TEST_CASE("a line of a cassette is one line of JSON") {
  const auto line = cassette_line("main", request({user("a\nb\xFF")}), answered("hi"), redactor());
  CHECK_THAT(line, Catch::StartsWith(R"({"troupe_cassette":1,"model":"main","request":{)"));
  CHECK(line.find('\n') == std::string::npos);
  const auto read = json::parse(line);
  CHECK(read["request"]["items"][0]["content"] == "a\nb\xEF\xBF\xBD");
  CHECK(read["response"]["finish_reason"] == "stop");
}

TEST_CASE("what was recorded is answered, every part of it") {
  const auto given = model_response{
      {reasoning{"a", "t", "responses", "{\"id\":1}"}, said("hm\xC3\xBC"), called("c1", "x", "no json")},
      {1, 20, 30, 10, 5},
      "tool_calls",
      {}};
  auto tape = load(record(full_request(), given));
  CHECK(tape.size() == 1);
  const auto response = tape.answer(full_request());
  REQUIRE(response.has_value());
  CHECK(response->output == given.output);
  CHECK(response->used == given.used);
  CHECK(response->finish_reason == given.finish_reason);
}

TEST_CASE("where the past ends and the run begins does not matter") {
  auto tape = load(record(request({user("a"), said("b"), user("c")}), answered("d")));
  auto asked = request({user("c")});
  asked.past = std::make_shared<const item_list>(item_list{user("a"), said("b")});
  CHECK(said_by(tape, asked) == "d");
}

TEST_CASE("bytes that are not UTF-8 find their recording") {
  const auto asked = request({user("a\xFF")});
  auto tape = load(record(asked, answered("b")));
  CHECK(said_by(tape, asked) == "b");
}

TEST_CASE("a recorded error is answered as that error") {
  auto reason = fail(errc::model_timeout, "no answer in 5 s");
  reason.facts = std::make_shared<const json>(json{{"tries", 3}});
  auto tape = load(record(request({user("q")}), reason));
  const auto response = tape.answer(request({user("q")}));
  REQUIRE(response.has_error());
  CHECK(response.error() == reason);
  REQUIRE(response.error().facts);
  CHECK(*response.error().facts == *reason.facts);
}

TEST_CASE("a request recorded several times is answered in order, then with the last") {
  const auto one = request({user("one")});
  const auto two = request({user("two")});
  auto tape = load(record(one, answered("a")) + record(two, answered("x")) + record(one, answered("b")) +
                   record(one, fail(errc::model_failed, "c")));
  CHECK(tape.size() == 4);
  CHECK(said_by(tape, one) == "a");
  CHECK(said_by(tape, one) == "b");
  CHECK(said_by(tape, two) == "x");
  for (auto i = 0; i < 2; ++i)
    CHECK(tape.answer(one).error().detail == "c");
  CHECK(said_by(tape, two) == "x");
}

TEST_CASE("secrets are in no part of a recording") {
  const auto hidden = std::string{"s3\"cr\\et\n!"};
  const auto in_json = dump_json({{"key", hidden}});
  auto asked =
      request({user("my " + hidden), called("c1", hidden, in_json),
               output("c1", dump_json({{"inner", in_json}})), reasoning{"a", hidden, "responses", in_json}},
              {tool("x", {{hidden, {{"default", hidden}}}})});
  asked.agent = asked.instructions = hidden;
  asked.settings.tool_choice = hidden;
  auto reason = fail(errc::model_failed, hidden);
  reason.facts = std::make_shared<const json>(json{{hidden, {hidden}}});
  const auto secrets = std::vector{secret{hidden}};
  auto answer = answered(hidden);
  answer.finish_reason = hidden;
  answer.output.push_back(called("c2", "x", in_json));
  for (const auto& response : {result<model_response>{answer}, result<model_response>{reason}}) {
    const auto line = cassette_line(hidden, asked, response, redactor(secrets));
    CHECK_THAT(line, Catch::Contains("[redacted]"));
    CHECK_THAT(line, !Catch::Contains("cr\\") && !Catch::Contains("s3"));
  }
}

TEST_CASE("a recording without its secrets answers who asks with them, and who asks without") {
  const auto secrets = std::vector{secret{"sk-123456"}, secret{"sk-123456789"}};
  const auto text = record(request({user("key sk-123456789")}), answered("is sk-123456"), secrets);
  auto with = load(text, secrets);
  CHECK(said_by(with, request({user("key sk-123456789")})) == "is [redacted]");
  auto other = load(text, {secret{"another-key"}});
  CHECK(said_by(other, request({user("key another-key")})) == "is [redacted]");
  auto without = load(text);
  CHECK(said_by(without, request({user("key [redacted]")})) == "is [redacted]");
  CHECK_THAT(miss(with, request({user("sk-123456789 is wrong")})), !Catch::Contains("sk-"));
}

TEST_CASE("a recording made before a secret was one answers who asks with it") {
  const auto asked = request({user("key sk-123456")});
  auto tape = load(record(asked, answered("a")), {secret{"sk-123456"}});
  CHECK(said_by(tape, asked) == "a");
}

TEST_CASE("a request that differs anywhere is not recorded, and the first difference is named") {
  const auto whole = full_request();
  auto asked = full_request();
  const auto replace_fresh = [&](std::size_t i, item value) { asked.fresh.at(i) = std::move(value); };
  struct row {
    std::string place;
    std::function<void()> change;
  };
  const auto rows = std::vector<row>{
      {"agent", [&] { asked.agent = "other"; }},
      {"instructions", [&] { asked.instructions += "!"; }},
      {"items[0].content", [&] { asked.past = std::make_shared<const item_list>(item_list{user("P")}); }},
      {"items[3].content", [&] { replace_fresh(0, user("Q")); }},
      {"items[4].arguments", [&] { replace_fresh(1, called("c1", "x", "{}")); }},
      {"items[5].output[1].data",
       [&] { std::get<image_content>(std::get<tool_output>(asked.fresh.at(2)).parts.at(1)).data = "BBBB"; }},
      {"items[5].is_error", [&] { std::get<tool_output>(asked.fresh.at(2)).is_error = false; }},
      {"items[5]", [&] { asked.fresh.pop_back(); }},
      {"items[6]", [&] { asked.fresh.push_back(user("more")); }},
      {"tools[0].description",
       [&] {
         auto changed = *asked.tools;
         changed[0].description = "d";
         asked.tools = tools(changed);
       }},
      {"tools[1]",
       [&] {
         asked.tools = tools({asked.tools->at(0), tool("y")});
       }},
      {"settings.temperature", [&] { asked.settings.temperature.reset(); }},
      {"settings.thinking_tokens", [&] { asked.settings.thinking_tokens = 4096; }},
      {"output", [&] { asked.output = nullptr; }},
      {"output.strict",
       [&] {
         asked.output =
             std::make_shared<const output_format>(output_format{"fact", {{"type", "object"}}, false});
       }},
  };
  auto tape = load(record(whole, answered("a")));
  for (const auto& [place, change] : rows) {
    asked = full_request();
    change();
    CHECK_THAT(miss(tape, asked), Catch::EndsWith("differs first in '" + place + "'"));
  }
  CHECK(said_by(tape, whole) == "a");
}

TEST_CASE("a miss names the agent, quotes the user, counts the exchanges and compares with the nearest") {
  auto others = request({user("a"), said("b"), user("c")});
  others.agent = "other";
  auto tape = load(record(others, answered("x")) + record(request({user("z")}), answered("x")) +
                   record(request({user("a"), said("b"), user("d")}), answered("x")));
  CHECK(miss(tape, request({user("a"), said("b"), user("c")})) ==
        "nothing is recorded for this request of agent \"helper\", whose user said \"c\"; of the 3 recorded "
        "exchanges number 3 is the nearest, and differs first in 'items[2].content'");
}

TEST_CASE("a miss quotes 80 characters of the user, whole ones") {
  auto tape = load("");
  CHECK(tape.size() == 0);
  auto words = std::string{};
  for (auto i = 0; i < 80; ++i)
    words += "\xC3\xBC";
  CHECK(miss(tape, request({user(words), said("s")})) ==
        "nothing is recorded for this request of agent \"helper\", whose user said \"" + words +
            "\"; the cassette is empty");
  CHECK_THAT(miss(tape, request({user(words + "xyz")})),
             Catch::Contains("\xC3\xBC...\"") && !Catch::Contains("x"));
  CHECK(miss(tape, request({})) ==
        "nothing is recorded for this request of agent \"helper\"; the cassette is empty");
}

TEST_CASE("a recording that was edited is compared as far as it goes") {
  auto line = json::parse(record(request({user("q")}), answered("a")));
  line["request"]["note"] = "mine";
  auto tape = load(line.dump());
  CHECK_THAT(miss(tape, request({user("q")})), Catch::EndsWith("differs first in 'note'"));
  line["request"] = {{"items", 7}};
  tape = load(line.dump());
  CHECK_THAT(miss(tape, request({user("q")})), Catch::EndsWith("differs first in 'agent'"));
  auto asked = request({user("q")});
  asked.settings.temperature = 1.0;
  line = json::parse(record(asked, answered("a")));
  line["request"]["settings"]["temperature"] = 1;
  tape = load(line.dump());
  CHECK_THAT(miss(tape, asked), Catch::Contains("number"));
}

TEST_CASE("line breaks of any kind and empty lines are no matter") {
  const auto line = cassette_line("m", request({user("q")}), answered("a"), redactor());
  CHECK(load("\n" + line + "\r\n  \r\n\n" + line).size() == 2);
}

TEST_CASE("a recording that cannot be read names the line and the reason") {
  const auto good = record(request({user("q")}), answered("a"));
  struct row {
    std::string line;
    errc code;
    std::string word;
  };
  const auto rows = std::vector<row>{
      {good.substr(0, good.size() / 2), errc::malformed, "not JSON"},
      {"\xFF", errc::malformed, "UTF-8"},
      {"[]", errc::invalid_argument, "troupe_cassette"},
      {"{}", errc::invalid_argument, "troupe_cassette"},
      {R"({"troupe_cassette":2,"request":{},"response":{}})", errc::invalid_argument,
       "version 2; this program reads version 1"},
      {R"({"troupe_cassette":"1","request":{}})", errc::invalid_argument, "version"},
      {R"({"troupe_cassette":1,"response":{"output":[]}})", errc::invalid_argument, "request"},
      {R"({"troupe_cassette":1,"request":[],"response":{"output":[]}})", errc::invalid_argument, "request"},
      {R"({"troupe_cassette":1,"request":{}})", errc::invalid_argument, "either"},
      {R"({"troupe_cassette":1,"request":{},"response":{"output":[]},"error":{}})", errc::invalid_argument,
       "either"},
      {R"({"troupe_cassette":1,"request":{},"response":{}})", errc::invalid_argument, "output"},
      {R"({"troupe_cassette":1,"request":{},"response":{"output":[{"type":"?"}]}})", errc::invalid_argument,
       "unknown type"},
      {R"({"troupe_cassette":1,"request":{},"error":{"code":"model_failed"}})", errc::invalid_argument,
       "detail"},
      {R"({"troupe_cassette":1,"request":{},"error":{"code":"bad","detail":""}})", errc::invalid_argument,
       "'bad'"},
  };
  for (const auto& [line, code, word] : rows) {
    CAPTURE(line);
    const auto read = cassette::parse(good + "\n" + line + "\n" + good);
    REQUIRE(read.has_error());
    CHECK(read.error().code == code);
    CHECK_THAT(read.error().detail, Catch::StartsWith("line 3 of the cassette: ") && Catch::Contains(word));
  }
}
