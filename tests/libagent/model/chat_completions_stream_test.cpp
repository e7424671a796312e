#include "libagent/model/chat_completions.hpp"
#include "tests/libagent/model/stream_support.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace model_test;

namespace {

const model_codec& codec() {
  static const auto made = chat_completions::make_chat_completions_codec({"m"});
  return *made;
}

std::string event(const std::string& data) {
  return "data: " + data + "\n\n";
}

/// Chunks with these deltas, then the end with this reason.
std::string stream(const std::vector<std::string>& deltas, const std::string& finish_reason = "stop") {
  auto all =
      event(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})");
  for (const auto& delta : deltas)
    all += event(fmt::format(R"({{"choices":[{{"index":0,"delta":{},"finish_reason":null}}]}})", delta));
  return all +
         event(fmt::format(R"({{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{}"}}]}})",
                           finish_reason)) +
         event("[DONE]");
}

std::string whole(const std::string& message, const std::string& finish_reason = "stop") {
  return fmt::format(R"({{"choices":[{{"message":{},"finish_reason":"{}"}}]}})", message, finish_reason);
}

std::string calls(const std::string& entries) {
  return R"({"tool_calls":[)" + entries + "]}";
}

} // namespace

TEST_CASE("a streamed answer is the same as a whole one") {
  struct row {
    const char* name;
    std::vector<std::string> deltas;
    std::string message;
  };
  const auto [name, deltas, message] = GENERATE(values<row>({
      {"text", {R"({"content":"Hel"})", R"({"content":"lo \u00fc"})"}, R"({"content":"Hello \u00fc"})"},
      {"nothing", {}, R"({"content":null})"},
      {"text in parts",
       {R"({"content":[{"type":"text","text":"a"}]})", R"({"content":[{"type":"text","text":"b"}]})"},
       R"({"content":"ab"})"},
      {"refusal",
       {R"({"refusal":"I "})", R"({"content":null,"refusal":"won't"})"},
       R"({"refusal":"I won't"})"},
      {"refusal after text",
       {R"({"content":"a"})", R"({"refusal":"no"})"},
       R"({"content":"a","refusal":"no"})"},
      {"thoughts",
       {R"({"reasoning_content":"h"})", R"({"reasoning_content":"m","content":null})", R"({"content":"a"})"},
       R"({"reasoning_content":"hm","content":"a"})"},
      {"thoughts in both fields",
       {R"({"reasoning":"h","reasoning_content":"h"})", R"({"reasoning":"m","reasoning_content":"m"})"},
       R"({"reasoning_content":"hm","reasoning":"hm"})"},
      {"text and calls",
       {R"({"content":"wait"})",
        calls(R"({"index":0,"id":"c1","type":"function","function":{"name":"x","arguments":""}})"),
        calls(R"({"index":0,"function":{"arguments":"{\"a\""}})"),
        calls(R"({"index":0,"function":{"arguments":": 1}"}})"),
        calls(R"({"index":1,"id":"c2","type":"function","function":{"name":"y","arguments":""}})"),
        calls(R"({"index":1,"function":{"arguments":"{}"}})")},
       R"({"content":"wait","tool_calls":[{"id":"c1","function":{"name":"x","arguments":"{\"a\": 1}"}},
                                          {"id":"c2","function":{"name":"y","arguments":"{}"}}]})"},
      {"several calls in a delta, interleaved",
       {calls(
            R"({"index":0,"id":"c1","function":{"name":"x"}},{"index":1,"id":"c2","function":{"name":"y"}})"),
        calls(R"({"index":1,"function":{"arguments":"[1"}},{"index":0,"function":{"arguments":"[2"}})"),
        calls(R"({"index":0,"function":{"arguments":"]"}},{"index":1,"function":{"arguments":"]"}})")},
       R"({"tool_calls":[{"id":"c1","function":{"name":"x","arguments":"[2]"}},
                         {"id":"c2","function":{"name":"y","arguments":"[1]"}}]})"},
      {"indexes that leave some out",
       {calls(R"({"index":3,"id":"a","function":{"name":"x","arguments":"{}"}})"),
        calls(R"({"index":7,"id":"b","function":{"name":"x","arguments":"{}"}})")},
       R"({"tool_calls":[{"id":"a","function":{"name":"x"}},{"id":"b","function":{"name":"x"}}]})"},
      {"ids and names in pieces",
       {calls(R"({"index":0,"id":"ca","function":{"name":"get_"}})"),
        calls(R"({"index":0,"id":"ll","function":{"name":"time"}})"),
        calls(R"({"index":0,"function":{"arguments":"{}"}})")},
       R"({"tool_calls":[{"id":"call","function":{"name":"get_time","arguments":"{}"}}]})"},
      {"ids and names repeated",
       {calls(R"({"index":0,"id":"c","function":{"name":"x","arguments":"{\"a\":"}})"),
        calls(R"({"index":0,"id":"c","function":{"name":"x","arguments":"{}"}})"),
        calls(R"({"index":0,"id":"c","function":{"name":"x","arguments":"}"}})"),
        calls(R"({"index":0,"id":"c","function":{"name":"x","arguments":""}})")},
       R"({"tool_calls":[{"id":"c","function":{"name":"x","arguments":"{\"a\":{}}"}}]})"},
      {"another id in each delta",
       {calls(R"({"index":0,"id":"c1","function":{"name":"x","arguments":"{\"a"}})"),
        calls(R"({"index":0,"id":"c2","function":{"arguments":"\":1}"}})")},
       R"({"tool_calls":[{"id":"c1","function":{"name":"x","arguments":"{\"a\":1}"}}]})"},
      {"no index, new ids begin calls",
       {calls(R"({"id":"c1","function":{"name":"x","arguments":"{\"a\":"}})"),
        calls(R"({"function":{"arguments":"1}"}})"), calls(R"({"id":"c2","function":{"name":"x"}})"),
        calls(R"({"id":"c2","function":{"arguments":"{}"}})")},
       R"({"tool_calls":[{"id":"c1","function":{"name":"x","arguments":"{\"a\":1}"}},
                         {"id":"c2","function":{"name":"x","arguments":"{}"}}]})"},
      {"no index and no ids, new names begin calls",
       {calls(R"({"function":{"name":"x","arguments":"{"}})"), calls(R"({"function":{"arguments":"}"}})"),
        calls(R"({"function":{"name":"y","arguments":"{}"}})")},
       R"({"tool_calls":[{"function":{"name":"x"}},{"function":{"name":"y"}}]})"},
      {"no index and no ids, whole calls of one tool",
       {calls(
            R"({"function":{"name":"x","arguments":"{\"a\":\"}{\"}"}},{"function":{"name":"x","arguments":"{}"}})"),
        calls(R"({"function":{"name":"x","arguments":{"b":[]}}})")},
       R"({"tool_calls":[{"function":{"name":"x","arguments":"{\"a\":\"}{\"}"}},{"function":{"name":"x"}},
                         {"function":{"name":"x","arguments":{"b":[]}}}]})"},
      {"whole calls that all have the index 0",
       {calls(R"({"index":0,"id":"c1","function":{"name":"x","arguments":"{\"a\":1}"}})"),
        calls(R"({"index":0,"id":"c2","function":{"name":"x","arguments":"{\"a\":2}"}})"),
        calls(R"({"index":0,"id":"","function":{"name":"y","arguments":"{}"}})")},
       R"({"tool_calls":[{"id":"c1","function":{"name":"x","arguments":"{\"a\":1}"}},
                         {"id":"c2","function":{"name":"x","arguments":"{\"a\":2}"}},
                         {"function":{"name":"y"}}]})"},
      {"ids that come twice",
       {calls(
           R"({"index":0,"id":"c","function":{"name":"x"}},{"index":1,"id":"c","function":{"name":"y"}})")},
       R"({"tool_calls":[{"id":"c","function":{"name":"x"}},{"id":"c","function":{"name":"y"}}]})"},
      {"no arguments",
       {calls(R"({"index":0,"id":"c","function":{"name":"x","arguments":null}})")},
       R"({"tool_calls":[{"id":"c","function":{"name":"x"}}]})"},
      {"a name after the arguments",
       {calls(R"({"index":0,"id":"c","function":{"arguments":"{\"a\":"}})"),
        calls(R"({"index":0,"function":{"name":"x","arguments":"1}"}})")},
       R"({"tool_calls":[{"id":"c","function":{"name":"x","arguments":"{\"a\":1}"}}]})"},
      {"the older form of one call",
       {R"({"function_call":{"name":"x","arguments":"{\"a\""}})", R"({"function_call":{"arguments":":1}"}})"},
       R"({"function_call":{"name":"x","arguments":"{\"a\":1}"}})"},
      {"arguments that are no JSON",
       {calls(R"({"index":0,"id":"c","function":{"name":"x","arguments":"no}]}"}})"),
        calls(R"({"index":0,"function":{"arguments":"\"json"}})")},
       R"({"tool_calls":[{"id":"c","function":{"name":"x","arguments":"no}]}\"json"}}]})"},
  }));
  CAPTURE(name);
  check_same(codec(), stream(deltas), whole(message));
}

TEST_CASE("usage is taken from a chunk without choices, beside them, and the last that came") {
  const auto used = std::string{R"("usage":{"prompt_tokens":9,"completion_tokens":5,
      "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}})"};
  const auto expected = R"({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],)" + used + "}";
  auto line = used;
  std::erase(line, '\n');
  const auto text = event(R"({"choices":[{"delta":{"content":"a"}}],"usage":null})");
  const auto early = event(R"({"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":9}})");
  const auto end = R"({"choices":[{"delta":{},"finish_reason":"stop"}])";
  check_same(codec(), text + event(std::string{end} + "}") + event(R"({"choices":[],)" + line + "}"),
             expected);
  check_same(codec(), text + event(std::string{end} + "}") + event("{" + line + "}") + event("[DONE]"),
             expected);
  check_same(codec(), early + event(std::string{end} + "," + line + "}"), expected);
}

TEST_CASE("only the first of several choices counts") {
  check_same(
      codec(),
      event(R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"a"}}]})") +
          event(R"({"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"length"}]})") +
          event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"),
      whole(R"({"content":"a"})"));
}

TEST_CASE("a stream is complete with a finish reason or with [DONE], and cut without") {
  const auto text = event(R"({"choices":[{"delta":{"content":"a"}}]})");
  const auto end = event(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})");
  check_same(codec(), ": keep-alive\n\n" + text + end, whole(R"({"content":"a"})"));
  check_same(codec(), text + event("[DONE]") + event("not read any more"), whole(R"({"content":"a"})", ""));
  for (const auto& stream : {std::string{}, text, text + "data: [DONE]"})
    CHECK(stream_failure(codec(), stream).code == errc::model_stream_cut);
}

TEST_CASE("an empty stream that a limit or a filter made is an error that says so") {
  CHECK_THAT(stream_failure(codec(), stream({}, "length")).detail, Catch::Contains("max_tokens"));
  CHECK_THAT(stream_failure(codec(), stream({}, "content_filter")).detail, Catch::Contains("filter"));
  check_same(codec(), stream({R"({"content":"half"})"}, "length"), whole(R"({"content":"half"})", "length"));
}

TEST_CASE("errors in mid-stream and chunks that cannot be read end the stream") {
  const auto [chunk, why] = GENERATE(table<std::string, std::string>({
      {event(R"({"error":{"message":"quota used up","code":429},"choices":[]})"), "quota used up"},
      {event(R"({"error":"broken"})"), "broken"},
      {event(R"({"choices":[{"error":{"message":"upstream died"},"finish_reason":"error"}]})"),
       "upstream died"},
      {"event: error\ndata: {\"message\":\"overloaded\"}\n\n", "overloaded"},
      {"event: error\ndata: gone\n\n", "gone"},
      {event("{"), "not JSON"},
      {event("7"), "not a JSON object"},
      {event(R"({"choices":{}})"), "choices"},
      {event(R"({"choices":[{"delta":7}]})"), "message"},
      {event(R"({"choices":[{"delta":{"content":7}}]})"), "content"},
      {event(R"({"choices":[{"delta":{"tool_calls":{}}}]})"), "tool_calls"},
      {event(R"({"choices":[{"delta":{"tool_calls":[7]}}]})"), "not an object"},
      {event(R"({"choices":[{"delta":{"tool_calls":[{"function":7}]}}]})"), "function"},
      {event(R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c"}]}}]})"), "name"},
      {event("[DONE]"), "no choice"},
  }));
  const auto failure = stream_failure(codec(), chunk + event("[DONE]"));
  CHECK(failure.code == errc::model_failed);
  CHECK_THAT(failure.detail, Catch::Contains(why));
}

TEST_CASE("a call is told of once its id and name are known, its arguments as they come") {
  const auto decoder = codec().make_stream_decoder();
  const auto fed = [&](const std::string& delta) {
    return decoder->feed(event(R"({"choices":[{"delta":)" + delta + "}]}")).value();
  };
  CHECK(fed(calls(R"({"index":0,"id":"c1","function":{"name":"x","arguments":""}})")).empty());
  CHECK(fed(calls(R"({"index":0,"function":{"arguments":"{"}})")) ==
        model_deltas{tool_call_delta{0, "c1", "x"}, arguments_delta{0, "{"}});
  CHECK(fed(calls(R"({"index":0,"function":{"arguments":"}"}})")) == model_deltas{arguments_delta{0, "}"}});
  CHECK(fed(calls(R"({"index":1,"id":"c2","function":{"name":"y"}})")).empty());
  CHECK(decoder->feed(event(R"({"choices":[{"delta":{},"finish_reason":"tool_calls"}]})")).value() ==
        model_deltas{tool_call_delta{1, "c2", "y"}});
}

TEST_CASE("calls are told of in order, also where a later one is known earlier") {
  const auto decoder = codec().make_stream_decoder();
  const auto fed = [&](const std::string& delta) {
    return decoder->feed(event(R"({"choices":[{"delta":)" + delta + "}]}")).value();
  };
  CHECK(fed(calls(R"({"index":0,"id":"c1"})")).empty());
  CHECK(fed(calls(R"({"index":1,"id":"c2","function":{"name":"y","arguments":"{"}})")).empty());
  CHECK(fed(calls(R"({"index":0,"id":"c1","function":{"name":"x","arguments":"{}"}})")) ==
        model_deltas{tool_call_delta{0, "c1", "x"}, arguments_delta{0, "{}"}, tool_call_delta{1, "c2", "y"},
                     arguments_delta{1, "{"}});
  CHECK(fed(calls(R"({"index":1,"function":{"arguments":"}"}})")) == model_deltas{arguments_delta{1, "}"}});
}

TEST_CASE("a stream of Chat Completions is complete by [DONE] alone") {
  const auto decoder = codec().make_stream_decoder();
  CHECK(
      decoder->feed(event(R"({"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]})")).has_value());
  CHECK_FALSE(decoder->is_complete());
  CHECK(decoder->feed(event(R"({"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1}})"))
            .has_value());
  CHECK_FALSE(decoder->is_complete());
  CHECK(decoder->feed(event("[DONE]")).has_value());
  CHECK(decoder->is_complete());
  CHECK(decoder->finish()->used.input_tokens == 2);
}

TEST_CASE("the codec says where requests go and how they are authorised") {
  CHECK(codec().path() == "/chat/completions");
  CHECK(codec().headers("").empty());
  CHECK(codec().headers("k") ==
        std::vector<std::pair<std::string, std::string>>{{"Authorization", "Bearer k"}});
}
