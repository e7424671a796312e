#include "libagent/model/chat_completions.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace troupe;

namespace {

model_response decode(const std::string& body) {
  auto decoded = chat_completions::decode(body);
  INFO((decoded ? body : decoded.error().detail));
  REQUIRE(decoded.has_value());
  return std::move(*decoded);
}

model_response decode_message(const std::string& message, const std::string& finish_reason = "stop") {
  return decode(
      fmt::format(R"({{"choices":[{{"message":{},"finish_reason":"{}"}}]}})", message, finish_reason));
}

std::string failure(const std::string& body) {
  const auto decoded = chat_completions::decode(body);
  CAPTURE(body);
  REQUIRE_FALSE(decoded.has_value());
  CHECK(decoded.error().code == errc::model_failed);
  return decoded.error().detail;
}

std::string message_failure(const std::string& message, const std::string& finish_reason = "stop") {
  return failure(
      fmt::format(R"({{"choices":[{{"message":{},"finish_reason":"{}"}}]}})", message, finish_reason));
}

item said(std::string text) {
  return assistant_message{{}, std::move(text)};
}

item called(std::string id, std::string name, std::string arguments) {
  return tool_call{std::move(id), std::move(name), std::move(arguments), {}};
}

} // namespace

TEST_CASE("a text is one assistant message") {
  const auto answer = decode_message(R"({"role":"assistant","content":"hello"})");
  CHECK(answer.output == item_list{said("hello")});
  CHECK(answer.finish_reason == "stop");
}

TEST_CASE("text parts are joined") {
  CHECK(decode_message(
            R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"image"},"c"]})")
            .output == item_list{said("abc")});
}

TEST_CASE("a refusal is a text") {
  CHECK(decode_message(R"({"content":null,"refusal":"I won't"})").output == item_list{said("I won't")});
  CHECK(decode_message(R"({"content":[{"type":"refusal","refusal":"no"}]})").output == item_list{said("no")});
}

TEST_CASE("an empty answer of a model that simply stopped is an empty text") {
  CHECK(decode_message(R"({"content":""})").output == item_list{said("")});
  CHECK(decode_message(R"({"content":null})").output == item_list{said("")});
}

TEST_CASE("an empty answer that a limit or a filter made is an error that says so") {
  CHECK_THAT(message_failure(R"({"content":""})", "length"), Catch::Contains("max_tokens"));
  CHECK_THAT(message_failure(R"({"content":null})", "content_filter"), Catch::Contains("filter"));
}

TEST_CASE("a text that a limit cut off is still an answer") {
  const auto answer = decode_message(R"({"content":"half"})", "length");
  CHECK(answer.output == item_list{said("half")});
  CHECK(answer.finish_reason == "length");
}

TEST_CASE("a text comes before the calls beside it, calls in their order") {
  const auto answer = decode_message(
      R"({"content":"wait","tool_calls":[
           {"id":"c1","type":"function","function":{"name":"x","arguments":"{\"a\": 1}"}},
           {"id":"c2","type":"function","function":{"name":"y","arguments":"not json"}}]})",
      "tool_calls");
  CHECK(answer.output ==
        item_list{said("wait"), called("c1", "x", "{\"a\": 1}"), called("c2", "y", "not json")});
  CHECK(answer.finish_reason == "tool_calls");
}

TEST_CASE("no text beside calls gives no message") {
  const auto content = GENERATE(as<std::string>{}, R"("content":null,)", R"("content":"",)", "");
  CHECK(decode_message("{" + content +
                       R"("tool_calls":[{"id":"c1","function":{"name":"x","arguments":"{}"}}]})")
            .output == item_list{called("c1", "x", "{}")});
}

TEST_CASE("arguments that came as an object become their text") {
  CHECK(decode_message(R"({"tool_calls":[{"id":"c","function":{"name":"x","arguments":{"b":[1,2]}}}]})")
            .output == item_list{called("c", "x", R"({"b":[1,2]})")});
}

TEST_CASE("arguments that are missing, null or empty are an empty object") {
  const auto arguments = GENERATE(as<std::string>{}, "", R"(,"arguments":null)", R"(,"arguments":"")");
  CHECK(decode_message(R"({"tool_calls":[{"id":"c","function":{"name":"x")" + arguments + "}}]}").output ==
        item_list{called("c", "x", "{}")});
}

TEST_CASE("calls without an id have an empty one, however many") {
  CHECK(decode_message(R"({"tool_calls":[{"function":{"name":"x"}},{"id":"","function":{"name":"y"}},
                           {"id":null,"function":{"name":"z"}}]})")
            .output == item_list{called("", "x", "{}"), called("", "y", "{}"), called("", "z", "{}")});
}

TEST_CASE("ids that come twice stay as they are: what they mean is the run's to decide") {
  CHECK(decode_message(
            R"({"tool_calls":[{"id":"c","function":{"name":"x"}},{"id":"c_2","function":{"name":"x"}},
                           {"id":"c","function":{"name":"x"}}]})")
            .output == item_list{called("c", "x", "{}"), called("c_2", "x", "{}"), called("c", "x", "{}")});
}

TEST_CASE("thoughts come before the rest, from either field") {
  const auto field = GENERATE(as<std::string>{}, "reasoning_content", "reasoning");
  const auto answer = decode_message(fmt::format(R"({{"content":"a","{}":"hm"}})", field));
  CHECK(
      answer.output ==
      item_list{reasoning{{}, "hm", "chat_completions", fmt::format(R"({{"{}":"hm"}})", field)}, said("a")});
}

TEST_CASE("thoughts given in both fields count once, and those that are no text not at all") {
  CHECK(decode_message(R"({"content":"a","reasoning":"hm","reasoning_content":"hm"})").output ==
        item_list{reasoning{{}, "hm", "chat_completions", R"({"reasoning_content":"hm"})"}, said("a")});
  const auto none = GENERATE(as<std::string>{}, "null", "\"\"", "7", R"({"effort":"low"})");
  CHECK(decode_message(R"({"content":"a","reasoning_content":)" + none + "}").output == item_list{said("a")});
}

TEST_CASE("an answer that has only thoughts was cut off or is silent") {
  CHECK_THAT(message_failure(R"({"reasoning_content":"hm"})", "length"), Catch::Contains("max_tokens"));
  CHECK(decode_message(R"({"reasoning_content":"hm"})").output.back() == said(""));
}

TEST_CASE("the older form of one function call is understood") {
  CHECK(decode_message(R"({"content":null,"function_call":{"name":"x","arguments":"{\"a\":1}"}})",
                       "function_call")
            .output == item_list{called("", "x", "{\"a\":1}")});
}

TEST_CASE("usage counts one request and the endpoint's tokens") {
  const auto answer = decode(R"({"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":10,
      "completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},
      "completion_tokens_details":{"reasoning_tokens":3}}})");
  CHECK(answer.used == usage{1, 10, 5, 4, 3});
}

TEST_CASE("usage that is missing, null or odd counts as far as it can be read") {
  const auto given =
      GENERATE(as<std::string>{}, "", R"(,"usage":null)", R"(,"usage":7)",
               R"(,"usage":{"prompt_tokens":null,"completion_tokens":-1,"prompt_tokens_details":null})",
               R"(,"usage":{"prompt_tokens":"many","prompt_tokens_details":[1]})");
  CHECK(decode(R"({"choices":[{"message":{"content":"a"}}])" + given + "}").used == usage{1, 0, 0, 0, 0});
}

TEST_CASE("an error with status 200 is an error with its message") {
  CHECK_THAT(failure(R"({"error":{"message":"quota used up","code":429}})"),
             Catch::Contains("quota used up"));
  CHECK_THAT(failure(R"({"error":"broken"})"), Catch::Contains("broken"));
  CHECK_THAT(failure(R"({"choices":[{"error":{"message":"upstream died"},"finish_reason":"error"}]})"),
             Catch::Contains("upstream died"));
}

TEST_CASE("an error of null is none") {
  CHECK(decode(R"({"error":null,"choices":[{"message":{"content":"a"}}]})").output == item_list{said("a")});
}

TEST_CASE("answers that cannot be read say why") {
  CHECK_THAT(failure(""), Catch::Contains("not JSON"));
  CHECK_THAT(failure("<html>busy</html>"), Catch::Contains("not JSON"));
  CHECK_THAT(failure(R"({"choices":[{"message":{"content":"cut)"), Catch::Contains("not JSON"));
  CHECK_THAT(failure("\"\xFF\""), Catch::Contains("UTF-8"));
  CHECK_THAT(failure("[]"), Catch::Contains("object"));
  CHECK_THAT(failure("{}"), Catch::Contains("choices"));
  CHECK_THAT(failure(R"({"choices":{}})"), Catch::Contains("choices"));
  CHECK_THAT(failure(R"({"choices":[]})"), Catch::Contains("no choice"));
  CHECK_THAT(failure(R"({"choices":[7]})"), Catch::Contains("no choice"));
  CHECK_THAT(failure(R"({"choices":[{}]})"), Catch::Contains("message"));
  CHECK_THAT(failure(R"({"choices":[{"message":"hi"}]})"), Catch::Contains("message"));
  CHECK_THAT(message_failure(R"({"content":7})"), Catch::Contains("content"));
  CHECK_THAT(message_failure(R"({"tool_calls":{}})"), Catch::Contains("tool_calls"));
  CHECK_THAT(message_failure(R"({"tool_calls":["x"]})"), Catch::Contains("not an object"));
  CHECK_THAT(message_failure(R"({"tool_calls":[{"id":"c"}]})"), Catch::Contains("function"));
  CHECK_THAT(message_failure(R"({"tool_calls":[{"function":"x"}]})"), Catch::Contains("function"));
  CHECK_THAT(message_failure(R"({"tool_calls":[{"function":{"name":""}}]})"), Catch::Contains("name"));
  CHECK_THAT(message_failure(R"({"tool_calls":[{"function":{"name":7}}]})"), Catch::Contains("name"));
}

TEST_CASE("an error body's message is found in the usual places") {
  using chat_completions::error_message;
  CHECK(error_message(R"({"error":{"message":"bad key","type":"auth"}})") == "bad key");
  CHECK(error_message(R"({"error":"model not found"})") == "model not found");
  CHECK(error_message(R"({"detail":"Not Found"})") == "Not Found");
  CHECK(error_message(R"({"detail":[{"loc":["body"],"msg":"field required"}]})") == "field required");
  CHECK(error_message(R"({"message":"throttled"})") == "throttled");
  CHECK(error_message(R"([{"error":{"message":"first"}}])") == "first");
  CHECK(error_message(R"({"error":{"code":"rate_limit"}})") == "rate_limit");
}

TEST_CASE("an error body without a message is shown as text") {
  using chat_completions::error_message;
  CHECK(error_message("") == "");
  CHECK(error_message("upstream timed out") == "upstream timed out");
  CHECK(error_message(R"({"status":"bad"})") == R"({"status":"bad"})");
  CHECK(error_message(R"({"error":{}})") == R"({"error":{}})");
}

TEST_CASE("an error message is at most 500 characters, whole ones") {
  const auto long_text = [] {
    auto text = std::string{};
    for (auto i = 0; i < 600; ++i)
      text += "\xC3\xBC";
    return text;
  }();
  CHECK(chat_completions::error_message(long_text) == long_text.substr(0, 1000));
  CHECK(chat_completions::error_message(R"({"error":")" + long_text + "\"}") == long_text.substr(0, 1000));
}

TEST_CASE("an error message has no control characters") {
  CHECK(chat_completions::error_message("a\x1B[31m\r\nb\tc\x7F\xC2\x9B"
                                        "d\x01") == "a[31m b cd");
  CHECK(chat_completions::error_message(R"({"error":"x\u0000\u001by\nz"})") == "xy z");
}

TEST_CASE("an error message is UTF-8 whatever the body is") {
  CHECK(is_utf8(chat_completions::error_message("\xFF\xFE binary \xC3")));
}
