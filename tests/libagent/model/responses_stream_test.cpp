#include "libagent/model/responses.hpp"
#include "tests/libagent/model/stream_support.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace model_test;

namespace {

const model_codec& codec() {
  static const auto made = responses::make_responses_codec({"m"});
  return *made;
}

std::string event(const std::string& type, const std::string& members = "") {
  return fmt::format("event: {0}\ndata: {{\"type\":\"{0}\"{1}{2}}}\n\n", type, members.empty() ? "" : ",",
                     members);
}

std::string added(unsigned place, const std::string& item) {
  return event("response.output_item.added", fmt::format(R"("output_index":{},"item":{})", place, item));
}

std::string done(unsigned place, const std::string& item) {
  return event("response.output_item.done", fmt::format(R"("output_index":{},"item":{})", place, item));
}

std::string delta(const std::string& of, unsigned place, const std::string& text,
                  const std::string& more = "") {
  return event("response." + of + ".delta",
               fmt::format(R"("output_index":{},"delta":"{}"{})", place, text, more));
}

std::string whole(const std::string& output, const std::string& more = R"("status":"completed")") {
  return fmt::format(
      R"({{"id":"r","error":null,{},"usage":{{"input_tokens":3,"output_tokens":2}},"output":[{}]}})", more,
      output);
}

std::string end(const std::string& response, const std::string& how = "completed") {
  return event("response." + how, "\"response\":" + response);
}

const auto begin = event("response.created", R"("response":{"status":"in_progress","output":[]})") +
                   event("response.in_progress", R"("response":{"status":"in_progress","output":[]})");
const auto message_begun = std::string{R"({"type":"message","id":"m","status":"in_progress","content":[]})"};
const auto message =
    std::string{R"({"type":"message","id":"m","content":[{"type":"output_text","text":"Hello"}]})"};
const auto call_begun = std::string{R"({"type":"function_call","call_id":"c1","name":"x","arguments":""})"};
const auto call =
    std::string{R"({"type":"function_call","call_id":"c1","name":"x","arguments":"{\"a\":1}"})"};
const auto other_call = std::string{R"({"type":"function_call","call_id":"c2","name":"y","arguments":"{}"})"};
const auto thought = std::string{
    R"({"type":"reasoning","summary":[{"text":"One."},{"text":"Two."}],"encrypted_content":"gA=="})"};

struct row {
  const char* name;
  std::string events;
  std::string output;
};

std::vector<row> rows() {
  const auto hello = delta("output_text", 0, "Hel") + delta("output_text", 0, "lo");
  const auto arguments =
      delta("function_call_arguments", 1, R"({\"a\")") + delta("function_call_arguments", 1, ":1}");
  return {
      {"text", added(0, message_begun) + hello + done(0, message), message},
      {"a refusal",
       added(0, message_begun) + delta("refusal", 0, "no") +
           done(0, R"({"type":"message","content":[{"type":"refusal","refusal":"no"}]})"),
       R"({"type":"message","content":[{"type":"refusal","refusal":"no"}]})"},
      {"text and calls",
       added(0, message_begun) + hello + done(0, message) + added(1, call_begun) + arguments +
           event("response.function_call_arguments.done", R"("output_index":1,"arguments":"{\"a\":1}")") +
           done(1, call) + added(2, other_call) + done(2, other_call),
       message + "," + call + "," + other_call},
      {"arguments without deltas",
       added(0, call_begun) +
           event("response.function_call_arguments.done", R"("output_index":0,"arguments":"{\"a\":1}")") +
           done(0, call),
       call},
      {"whole entries only", done(0, message) + done(1, call) + done(2, other_call),
       message + "," + call + "," + other_call},
      {"thoughts in two parts",
       added(0, R"({"type":"reasoning","summary":[]})") +
           delta("reasoning_summary_text", 0, "On", R"(,"summary_index":0)") +
           delta("reasoning_summary_text", 0, "e.", R"(,"summary_index":0)") +
           delta("reasoning_summary_text", 0, "Two.", R"(,"summary_index":1)") + done(0, thought) +
           done(1, message),
       thought + "," + message},
      {"thoughts in full",
       delta("reasoning_text", 0, "h", R"(,"content_index":0)") +
           delta("reasoning_text", 0, "m", R"(,"content_index":0)") +
           done(0, R"({"type":"reasoning","content":[{"text":"hm"}]})") + done(1, message),
       R"({"type":"reasoning","content":[{"text":"hm"}]},)" + message},
      {"nothing", "", ""},
      {"ids that come twice", done(0, call) + done(1, call), call + "," + call},
      {"events of unknown types",
       event("response.web_search_call.searching") + event("keepalive") + done(0, message), message},
  };
}

} // namespace

TEST_CASE("a streamed response is the same as a whole one, whether or not its end tells it again") {
  for (const auto& [name, events, output] : rows()) {
    CAPTURE(name);
    check_same(codec(), begin + events + end(whole(output)), whole(output));
    // Without the output in the last event, what was gathered counts.
    check_same(codec(), begin + events + end(whole("")) + "data: [DONE]\n\n", whole(output));
  }
}

TEST_CASE("an entry that never became whole counts as far as it came") {
  check_same(codec(),
             added(0, message_begun) + delta("output_text", 0, "Hello") + added(1, call_begun) +
                 delta("function_call_arguments", 1, R"({\"a\":1})") + end(R"({"status":"completed"})"),
             R"({"status":"completed","output":[)" + message + "," + call + "]}");
}

TEST_CASE("an entry that began and of which nothing came is told by the end") {
  check_same(codec(), begin + added(0, message_begun) + end(whole(message)), whole(message));
}

TEST_CASE("events need not tell their place") {
  const auto place = std::string{R"("output_index")"};
  auto stream = rows()[2].events;
  for (auto at = stream.find(place); at != std::string::npos; at = stream.find(place))
    stream.replace(at, place.size(), R"("sequence_number")");
  check_same(codec(), stream + end(whole("")), whole(message + "," + call + "," + other_call));
}

TEST_CASE("events are known by their type, and those without one by their name") {
  const auto response = "\"response\":" + whole(message);
  check_same(codec(), "data: {\"type\":\"response.completed\"," + response + "}\n\n", whole(message));
  check_same(codec(), "event: response.completed\ndata: {" + response + "}\n\n", whole(message));
}

TEST_CASE("an incomplete response streamed is as one that is not") {
  const auto reason =
      std::string{R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})"};
  check_same(codec(), begin + done(0, message) + end(whole(message, reason), "incomplete"),
             whole(message, reason));
  CHECK_THAT(stream_failure(codec(), begin + end(whole("", reason), "incomplete")).detail,
             Catch::Contains("max_tokens"));
}

TEST_CASE("a stream without its last event is cut") {
  for (const auto& stream :
       {std::string{}, begin, begin + done(0, message), begin + done(0, message) + "data: [DONE]\n\n"})
    CHECK(stream_failure(codec(), stream).code == errc::model_stream_cut);
}

TEST_CASE("errors in mid-stream and events that cannot be read end the response") {
  const auto [stream, why] = GENERATE(table<std::string, std::string>({
      {event("error", R"("code":"rate_limit","message":"too fast","param":null)"), "too fast"},
      {"data: {\"type\":\"error\",\"error\":{\"message\":\"too fast\"}}\n\n", "too fast"},
      {"data: {\"error\":{\"message\":\"too fast\"}}\n\n", "too fast"},
      {"event: error\ndata: gone\n\n", "gone"},
      {end(R"({"status":"failed","error":{"code":"server_error","message":"it broke"}})", "failed"),
       "it broke"},
      {end(R"({"status":"failed","error":null})", "failed"), "failed"},
      {event("response.completed"), "without a response"},
      {event("response.output_item.added", "\"item\":7"), "not an object"},
      {done(0, R"({"type":"message","content":7})"), "content"},
      {done(0, R"({"type":"function_call"})") + end(whole("")), "name"},
      {"data: {\n\n", "not JSON"},
      {"data: 7\n\n", "not a JSON object"},
  }));
  const auto failure = stream_failure(codec(), begin + stream);
  CHECK(failure.code == errc::model_failed);
  CHECK_THAT(failure.detail, Catch::Contains(why));
}

TEST_CASE("a call of a response is told of at once") {
  const auto decoder = codec().make_stream_decoder();
  CHECK(decoder->feed(added(4, call_begun)).value() == model_deltas{tool_call_delta{0, "c1", "x"}});
  CHECK(decoder->feed(delta("function_call_arguments", 4, "{")).value() ==
        model_deltas{arguments_delta{0, "{"}});
}

TEST_CASE("a stream of the Responses API is complete by its last event") {
  const auto name = GENERATE(values<std::string>({"completed", "incomplete"}));
  const auto decoder = codec().make_stream_decoder();
  CHECK(decoder->feed(begin).has_value());
  CHECK_FALSE(decoder->is_complete());
  CHECK(decoder->feed(end(whole(message), name)).has_value());
  CHECK(decoder->is_complete());
}

TEST_CASE("the codec of the Responses API says where requests go and how they are authorised") {
  CHECK(codec().path() == "/responses");
  CHECK(codec().headers("").empty());
  CHECK(codec().headers("k") ==
        std::vector<std::pair<std::string, std::string>>{{"Authorization", "Bearer k"}});
}
