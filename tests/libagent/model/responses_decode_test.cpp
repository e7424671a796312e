#include "libagent/model/responses.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace troupe;

namespace {

std::string body(const std::string& output, const std::string& more = R"("status":"completed")") {
  return fmt::format(R"({{"id":"r","object":"response",{},"output":[{}]}})", more, output);
}

model_response decode(const std::string& text) {
  auto decoded = responses::decode(text, {"m"});
  INFO((decoded ? text : decoded.error().detail));
  REQUIRE(decoded.has_value());
  return std::move(*decoded);
}

std::string failure(const std::string& text) {
  const auto decoded = responses::decode(text, {"m"});
  CAPTURE(text);
  REQUIRE_FALSE(decoded.has_value());
  CHECK(decoded.error().code == errc::model_failed);
  return decoded.error().detail;
}

item said(std::string text) {
  return assistant_message{{}, std::move(text)};
}

item called(std::string id, std::string name, std::string arguments) {
  return tool_call{std::move(id), std::move(name), std::move(arguments), {}};
}

const auto incomplete = std::string{R"("status":"incomplete","incomplete_details":{"reason":)"};

} // namespace

TEST_CASE("outputs of the Responses API become items in their order") {
  const auto thought = std::string{
      R"({"encrypted_content":"gA==","id":"rs_1","summary":[{"text":"First.","type":"summary_text"},)"
      R"({"text":"Then.","type":"summary_text"}],"type":"reasoning"})"};
  const auto answer = decode(body(
      thought +
      R"(,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"wa"},{"type":"output_text","text":"it"}]},
          {"type":"function_call","id":"fc_1","call_id":"c1","name":"x","arguments":"{\"a\": 1}"},
          {"type":"function_call","call_id":"c2","name":"y","arguments":"not json"})"));
  CHECK(answer.output == item_list{reasoning{{}, "First.\n\nThen.", "responses:m", thought}, said("wait"),
                                   called("c1", "x", "{\"a\": 1}"), called("c2", "y", "not json")});
  CHECK(answer.finish_reason == "completed");
}

TEST_CASE("each kind of output is read as it is") {
  const auto [output, items] = GENERATE(table<std::string, item_list>({
      {R"({"type":"message","content":[{"type":"refusal","refusal":"I won't"}]})", {said("I won't")}},
      {R"({"type":"message","content":"plain"})", {said("plain")}},
      {R"({"type":"message","content":[{"type":"output_text","text":"a"}]},{"type":"message","content":"b"})",
       {said("a"), said("b")}},
      {"", {said("")}},
      {R"({"type":"message","content":[]})", {said("")}},
      {R"({"type":"message"},{"type":"function_call","call_id":"c","name":"x"})", {called("c", "x", "{}")}},
      {R"({"type":"function_call","name":"x","arguments":{"b":[1]}},{"type":"function_call","name":"y","call_id":null})",
       {called("", "x", R"({"b":[1]})"), called("", "y", "{}")}},
      {R"({"type":"function_call","name":"x","call_id":"c"},{"type":"function_call","name":"x","call_id":"c"})",
       {called("c", "x", "{}"), called("c", "x", "{}")}},
      {R"({"type":"web_search_call","id":"ws"},{"type":"message","content":"a"})", {said("a")}},
      {R"({"type":"reasoning","content":[{"text":"hm"}],"summary":[]})",
       {reasoning{{}, "hm", "responses:m", R"({"content":[{"text":"hm"}],"summary":[],"type":"reasoning"})"},
        said("")}},
  }));
  CHECK(to_json(decode(body(output)).output) == to_json(items));
}

TEST_CASE("an incomplete response is an answer if it has a text, and its reason is the end") {
  const auto text =
      R"({"type":"message","status":"incomplete","content":[{"type":"output_text","text":"half"}]})";
  const auto answer = decode(body(text, incomplete + R"("max_output_tokens"})"));
  CHECK(answer.output == item_list{said("half")});
  CHECK(answer.finish_reason == "max_output_tokens");
  CHECK(decode(body(text, R"("status":"incomplete")")).finish_reason == "incomplete");
  CHECK(decode(body(text, R"("model":"m")")).finish_reason == "");
  const auto thought = R"({"type":"reasoning","summary":[]})";
  CHECK_THAT(failure(body(thought, incomplete + R"("max_output_tokens"})")), Catch::Contains("max_tokens"));
  CHECK_THAT(failure(body("", incomplete + R"("content_filter"})")), Catch::Contains("filter"));
}

TEST_CASE("usage of the Responses API counts as far as it can be read") {
  const auto [given, used] = GENERATE(table<std::string, usage>({
      {R"("usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15,"input_tokens_details":{"cached_tokens":4},
          "output_tokens_details":{"reasoning_tokens":3}})",
       {1, 10, 5, 4, 3}},
      {R"("usage":null)", {1}},
      {R"("usage":{"input_tokens":-1,"output_tokens":"many","input_tokens_details":[1]})", {1}},
  }));
  CHECK(decode(body("", given)).used == used);
}

TEST_CASE("responses that cannot be read say why") {
  const auto [text, why] = GENERATE(table<std::string, std::string>({
      {"", "not JSON"},
      {"[]", "object"},
      {"{}", "outputs"},
      {R"({"output":{}})", "outputs"},
      {R"({"output":[7]})", "type"},
      {R"({"output":[{"type":"message","content":7}]})", "content"},
      {R"({"output":[{"type":"function_call","call_id":"c"}]})", "name"},
      {R"({"output":[{"type":"web_search_call"}]})", "web_search_call"},
      {R"({"status":"failed","error":{"code":"server_error","message":"it broke"},"output":[]})", "it broke"},
      {R"({"error":"bad"})", "bad"},
      {body("", R"("error":null,"status":"failed")"), "failed"},
      {body("", R"("status":"queued")"), "queued"},
  }));
  CHECK_THAT(failure(text), Catch::Contains(why));
}
