#include "actors/http/sse.hpp"

#include "actors/told_event.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::http;

TEST_CASE("what happens in a run has a name and a form on a stream") {
  const usage used{
      .requests = 1, .input_tokens = 5, .output_tokens = 2, .cached_tokens = 3, .reasoning_tokens = 1};
  const auto [what, name, data] = GENERATE_COPY(table<run_event, std::string_view, std::string_view>({
      {run_started{"r1", "s1"}, "run_started", R"({"run_id":"r1","session_id":"s1"})"},
      {agent_started{"a"}, "agent_started", R"({"agent":"a"})"},
      {text_streamed{"a", "Hi\n"}, "text_delta", R"({"agent":"a","text":"Hi\n"})"},
      {reasoning_streamed{"a", "hm"}, "reasoning_delta", R"({"agent":"a","text":"hm"})"},
      {call_streamed{"a", "c1", "t"}, "tool_call_started", R"({"agent":"a","call_id":"c1","tool":"t"})"},
      {arguments_streamed{"a", "c1", "{\""}, "tool_call_arguments_delta",
       R"({"call_id":"c1","delta":"{\""})"},
      {tool_finished{"a", "c1", "t", "out", true}, "tool_call_completed",
       R"({"agent":"a","call_id":"c1","tool":"t","output":"out","is_error":true})"},
      {handed_off{"a", "b"}, "handoff", R"({"from":"a","to":"b"})"},
      {guardrail_acted{"a", "pii", "input", "rewrite", "why"}, "guardrail",
       R"({"agent":"a","guardrail":"pii","stage":"input","action":"rewrite","message":"why"})"},
      {usage_added{"a", "m", used}, "usage",
       R"({"agent":"a","model":"m","requests":1,"input_tokens":5,"output_tokens":2,"cached_tokens":3,
           "reasoning_tokens":1,"tool_calls":0,"total_tokens":7})"},
  }));
  const auto event = told(what, "");
  REQUIRE(event);
  CHECK(event->name == name);
  CHECK(json::parse(event->data) == json::parse(data));
}

TEST_CASE("what a stream has told in pieces is not told again") {
  CHECK_FALSE(told(said{"a", "Hi"}, ""));
  CHECK_FALSE(told(tool_started{"a", "c1", "t", "{}"}, ""));
}

TEST_CASE("data is one line, whatever it is made of") {
  const auto event = told(text_streamed{"a\r", "1\n2\r\n3\xff\0 4" + std::string(1, '\0')}, "");
  REQUIRE(event);
  CHECK(event->data.find_first_of("\r\n") == std::string::npos);
  CHECK(is_utf8(event->data));
}

TEST_CASE("an event is written with its name and its data, and its id if it has one") {
  std::string text = "before\n\n";
  append_sse(text, {"usage", "{}", 7});
  append_sse(text, {"approval_required", "{}"});
  CHECK(text == "before\n\nid: 7\nevent: usage\ndata: {}\n\nevent: approval_required\ndata: {}\n\n");
}

TEST_CASE("the last event of a stream is the body that the answer has without one") {
  chat_reply reply;
  reply.result = "done";
  reply.run_id = "r1";
  const auto completed = last_event(reply);
  CHECK(completed.name == "run_completed");
  CHECK(completed.data == show(reply).body);
  reply.status = run_status::paused;
  reply.interruptions = {{"c1", interruption::kind::tool, "a", "t", nullptr}};
  const auto paused = last_event(reply);
  CHECK(paused.name == "approval_required");
  CHECK(paused.data == show(reply).body);
}

TEST_CASE("the last event of a stream that fails is the refusal, with its status") {
  const auto failed = last_event(refuse(fail(errc::conflict, "no"), "s1", "r1"));
  CHECK(failed.name == "run_failed");
  CHECK(json::parse(failed.data) ==
        json::parse(
            R"({"status":409,"detail":{"error":"no","code":"conflict","session_id":"s1","run_id":"r1"}})"));
}
