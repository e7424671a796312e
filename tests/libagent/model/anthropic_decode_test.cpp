#include "libagent/model/anthropic.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <random>

using namespace troupe;

namespace {

const auto codec = anthropic::make_anthropic_codec({"m"});

/// An answer's body, by its content blocks as JSON text.
std::string answer(std::string_view blocks, std::string_view stop_reason = "end_turn",
                   std::string_view usage = "{}") {
  return fmt::format(
      R"({{"id":"msg_1","type":"message","role":"assistant","content":[{}],"stop_reason":"{}",)"
      R"("usage":{}}})",
      blocks, stop_reason, usage);
}

item said(std::string text) {
  return assistant_message{{}, std::move(text)};
}

item called(std::string id, std::string name, std::string arguments) {
  return tool_call{std::move(id), std::move(name), std::move(arguments), {}};
}

item thought(std::string text, std::string raw) {
  return reasoning{{}, std::move(text), "anthropic", std::move(raw)};
}

std::string failure(const std::string& body) {
  const auto decoded = codec->decode(body);
  CAPTURE(body);
  REQUIRE_FALSE(decoded.has_value());
  CHECK(decoded.error().code == errc::model_failed);
  return decoded.error().detail;
}

std::string event(const json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", data["type"].get<std::string>(), dump_json(data));
}

/// The events by which the API gives a block, its texts in pieces of some three bytes.
std::string streamed_block(std::size_t index, const json& whole) {
  auto begin = whole;
  auto deltas = std::vector<json>{};
  const auto cut = [&](const std::string& text, const char* type, const char* key) {
    for (auto at = std::size_t{0}; at < text.size();) {
      auto end = std::min(at + 3, text.size());
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u)
        ++end;
      deltas.push_back({{"type", type}, {key, text.substr(at, end - at)}});
      at = end;
    }
  };
  const auto type = whole["type"].get<std::string>();
  if (type == "text") {
    begin["text"] = "";
    cut(whole["text"].get<std::string>(), "text_delta", "text");
  } else if (type == "thinking") {
    begin["thinking"] = begin["signature"] = "";
    cut(whole["thinking"].get<std::string>(), "thinking_delta", "thinking");
    cut(whole["signature"].get<std::string>(), "signature_delta", "signature");
  } else if (type == "tool_use") {
    begin["input"] = json::object();
    cut(whole["input"].empty() ? "" : whole["input"].dump(1), "input_json_delta", "partial_json");
  }
  auto out = event({{"type", "content_block_start"}, {"index", index}, {"content_block", begin}});
  for (const auto& delta : deltas)
    out += event({{"type", "content_block_delta"}, {"index", index}, {"delta", delta}});
  return out + event({{"type", "content_block_stop"}, {"index", index}});
}

/// The stream of events that gives the answer.
std::string streamed(const std::string& body) {
  const auto whole = json::parse(body);
  auto begin = whole;
  begin["content"] = json::array();
  begin["stop_reason"] = nullptr;
  begin["usage"]["output_tokens"] = 1;
  auto out = event({{"type", "message_start"}, {"message", begin}}) + event({{"type", "ping"}});
  for (auto i = std::size_t{0}; i < whole["content"].size(); ++i)
    out += streamed_block(i, whole["content"][i]);
  auto counts = json{{"output_tokens", whole["usage"].value("output_tokens", 0)}};
  return out +
         event({{"type", "message_delta"},
                {"delta", {{"stop_reason", whole["stop_reason"]}}},
                {"usage", counts}}) +
         event({{"type", "message_stop"}});
}

struct stream_outcome {
  model_deltas deltas;
  result<model_response> response;
};

/// Feeds the stream in pieces of the sizes that `next_size` gives.
template <class NextSize>
stream_outcome read(std::string_view stream, NextSize next_size) {
  const auto decoder = codec->make_stream_decoder();
  auto deltas = model_deltas{};
  while (!stream.empty()) {
    const auto size = std::min<std::size_t>(next_size(), stream.size());
    auto added = decoder->feed(stream.substr(0, size));
    if (!added)
      return {deltas, added.error()};
    deltas.insert(deltas.end(), added->begin(), added->end());
    stream.remove_prefix(size);
  }
  return {deltas, decoder->finish()};
}

stream_outcome read_whole(std::string_view stream) {
  return read(stream, [&] { return stream.size(); });
}

/// The same outcome however the stream is cut.
stream_outcome read_all_ways(const std::string& stream) {
  const auto whole = read_whole(stream);
  const auto check_same = [&](const stream_outcome& other) {
    REQUIRE(other.response.has_value() == whole.response.has_value());
    CHECK(other.deltas == whole.deltas);
    if (whole.response)
      CHECK(other.response->output == whole.response->output);
  };
  check_same(read(stream, [] { return 1; }));
  auto dice = std::mt19937{7};
  for (auto round = 0; round < 20; ++round)
    check_same(read(stream, [&] { return std::uniform_int_distribution{1, 90}(dice); }));
  return whole;
}

/// The items that deltas tell of, with the arguments as JSON: texts and thoughts joined, calls by index.
struct retold {
  std::string text;
  std::string thoughts;
  std::vector<std::string> calls;
  std::vector<std::string> arguments;
  bool operator==(const retold&) const = default;
};

retold retell(const model_deltas& deltas) {
  auto told = retold{};
  for (const auto& delta : deltas) {
    if (const auto* text = std::get_if<text_delta>(&delta)) {
      told.text += text->text;
    } else if (const auto* thoughts = std::get_if<reasoning_delta>(&delta)) {
      told.thoughts += thoughts->text;
    } else if (const auto* call = std::get_if<tool_call_delta>(&delta)) {
      REQUIRE(call->index == told.calls.size());
      told.calls.push_back(call->call_id + "/" + call->name);
      told.arguments.emplace_back();
    } else {
      const auto& piece = std::get<arguments_delta>(delta);
      told.arguments.at(piece.index) += piece.text;
    }
  }
  for (auto& text : told.arguments)
    text = dump_json(json::parse(text));
  return told;
}

retold retell(const item_list& items) {
  auto told = retold{};
  for (const auto& entry : items) {
    if (const auto* message = std::get_if<assistant_message>(&entry)) {
      told.text += message->text;
    } else if (const auto* thoughts = std::get_if<reasoning>(&entry)) {
      told.thoughts += thoughts->text;
    } else {
      const auto& call = std::get<tool_call>(entry);
      told.calls.push_back(call.call_id + "/" + call.name);
      told.arguments.push_back(call.arguments);
    }
  }
  return told;
}

} // namespace

TEST_CASE("an answer of the Messages API gives the same items, whole and streamed") {
  struct row {
    std::string name;
    std::string body;
    item_list items;
  };
  const auto tool = [](std::string_view id, std::string_view name, std::string_view input) {
    return fmt::format(R"({{"type":"tool_use","id":"{}","name":"{}","input":{}}})", id, name, input);
  };
  const auto thinking = std::string{R"({"signature":"sig==","thinking":"so \u00fc","type":"thinking"})"};
  const auto thinking_raw = R"({"signature":"sig==","thinking":"so ü","type":"thinking"})";
  const auto redacted = std::string{R"({"data":"zz","type":"redacted_thinking"})"};
  const auto text = [](std::string_view value) {
    return fmt::format(R"({{"type":"text","text":"{}"}})", value);
  };
  const auto rows = std::vector<row>{
      {"a text", answer(text("hello there")), {said("hello there")}},
      {"neighbouring texts", answer(text("a") + "," + text("") + "," + text("b")), {said("ab")}},
      {"a text and calls",
       answer(text("wait") + "," + tool("c1", "x", R"({"b":[1,2.5],"a":"\"ü"})") + "," +
                  tool("c2", "y", "{}"),
              "tool_use"),
       {said("wait"), called("c1", "x", R"({"a":"\"ü","b":[1,2.5]})"), called("c2", "y", "{}")}},
      {"a text after a call",
       answer(tool("c1", "x", "{}") + "," + text("so")),
       {called("c1", "x", "{}"), said("so")}},
      {"calls with one id",
       answer(tool("c", "x", "{}") + "," + tool("c", "x", "{}")),
       {called("c", "x", "{}"), called("c", "x", "{}")}},
      {"a call without an id", answer(tool("", "x", "{}")), {called("", "x", "{}")}},
      {"thoughts",
       answer(thinking + "," + redacted + "," + text("a") + "," + tool("c1", "x", "{}")),
       {thought("so ü", thinking_raw), thought("", redacted), said("a"), called("c1", "x", "{}")}},
      {"thoughts between",
       answer(thinking + "," + text("a") + "," + thinking + "," + text("b")),
       {thought("so ü", thinking_raw), said("a"), thought("so ü", thinking_raw), said("b")}},
      {"unknown blocks",
       answer(text("a") + R"(,{"type":"server_tool_use","id":"s","input":{}},{"type":"news"},)" + text("b")),
       {said("ab")}},
      {"silence", answer(""), {said("")}},
      {"thoughts and silence", answer(redacted), {thought("", redacted), said("")}},
      {"a text that a limit cut", answer(text("half"), "max_tokens"), {said("half")}},
      {"a text before a refusal", answer(text("well"), "refusal"), {said("well")}},
  };
  for (const auto& [name, body, items] : rows) {
    CAPTURE(name);
    const auto whole = codec->decode(body);
    REQUIRE(whole.has_value());
    CHECK(whole->output == items);
    const auto [deltas, response] = read_all_ways(streamed(body));
    REQUIRE(response.has_value());
    CHECK(response->output == items);
    CHECK(response->finish_reason == whole->finish_reason);
    CHECK(retell(deltas) == retell(items));
  }
}

TEST_CASE("the reason of the Messages API for stopping is kept") {
  CHECK(codec->decode(answer(R"({"type":"text","text":"a"})", "stop_sequence"))->finish_reason ==
        "stop_sequence");
}

TEST_CASE("silence that a limit or a refusal made is an error that says so, whole and streamed") {
  const auto [reason, word] =
      GENERATE(table<std::string, std::string>({{"max_tokens", "raise max_tokens"},
                                                {"refusal", "refusal"},
                                                {"model_context_window_exceeded", "context"}}));
  const auto blocks = GENERATE(as<std::string>{}, "", R"({"type":"text","text":""})",
                               R"({"type":"thinking","thinking":"a","signature":""})");
  const auto body = answer(blocks, reason);
  const auto detail = failure(body);
  CHECK_THAT(detail, Catch::Contains(word));
  const auto response = read_whole(streamed(body)).response;
  REQUIRE(response.has_error());
  CHECK(response.error() == fail(errc::model_failed, detail));
}

TEST_CASE("usage counts what the cache read and wrote as input") {
  const auto counts = GENERATE(table<std::string, usage>({
      {R"({"input_tokens":10,"output_tokens":5})", {1, 10, 5, 0, 0}},
      {R"({"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":4,"cache_creation_input_tokens":3})",
       {1, 17, 5, 4, 0}},
      {R"({"input_tokens":null,"output_tokens":5,"cache_read_input_tokens":-1})", {1, 0, 5, 0, 0}},
      {"{}", {1, 0, 0, 0, 0}},
  }));
  const auto body = answer(R"({"type":"text","text":"a"})", "end_turn", std::get<0>(counts));
  CHECK(codec->decode(body)->used == std::get<1>(counts));
  CHECK(read_whole(streamed(body)).response->used == std::get<1>(counts));
}

TEST_CASE("answers of the Messages API that cannot be read say why") {
  const auto rows = std::vector<std::pair<std::string, std::string>>{
      {"", "not JSON"},
      {"<html>busy</html>", "not JSON"},
      {"\"\xFF\"", "UTF-8"},
      {"[]", "object"},
      {"{}", "content"},
      {R"({"content":"hi"})", "content"},
      {R"({"content":[7]})", "block"},
      {R"({"content":[{}]})", "type"},
      {R"({"content":[{"type":"text"}]})", "text"},
      {R"({"content":[{"type":"text","text":7}]})", "text"},
      {R"({"content":[{"type":"tool_use","id":"c"}]})", "name"},
      {R"({"content":[{"type":"tool_use","name":""}]})", "name"},
      {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", "Overloaded"},
  };
  for (const auto& [body, word] : rows)
    CHECK_THAT(failure(body), Catch::Contains(word));
}

TEST_CASE("arguments that are missing or a text are taken as they can be") {
  const auto [input, arguments] =
      GENERATE(table<std::string, std::string>({{"", "{}"},
                                                {R"(,"input":null)", "{}"},
                                                {R"(,"input":"")", "{}"},
                                                {R"(,"input":"{\"a\":")", "{\"a\":"}}));
  CHECK(codec->decode(answer(R"({"type":"tool_use","id":"c","name":"x")" + input + "}"))->output ==
        item_list{called("c", "x", arguments)});
}

TEST_CASE("an error body of the Messages API is read") {
  CHECK(codec->error_message(
            R"({"type":"error","error":{"type":"authentication_error","message":"bad key"}})") == "bad key");
}

TEST_CASE("a stream that does not get to its end is cut, wherever that is") {
  const auto stream =
      streamed(answer(R"({"type":"text","text":"hello"},{"type":"tool_use","id":"c","name":"x",)"
                      R"("input":{"a":1}})"));
  const auto end = stream.rfind("\n\n") + 2;
  REQUIRE(end == stream.size());
  for (auto size = std::size_t{0}; size < end; ++size) {
    const auto response = read_whole(stream.substr(0, size)).response;
    REQUIRE(response.has_error());
    REQUIRE(response.error().code == errc::model_stream_cut);
  }
  CHECK(read_whole(stream).response.has_value());
}

TEST_CASE("input that a limit cut off stays the text that came") {
  const auto stream =
      event({{"type", "message_start"}, {"message", {{"role", "assistant"}}}}) +
      event(
          json::parse(R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c",
        "name":"x","input":{}}})")) +
      event(json::parse(R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta",
        "partial_json":"{\"a\": [1"}})")) +
      event(json::parse(R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},
        "usage":{"output_tokens":3}})")) +
      event({{"type", "message_stop"}});
  const auto [deltas, response] = read_all_ways(stream);
  REQUIRE(response.has_value());
  CHECK(response->output == item_list{called("c", "x", "{\"a\": [1")});
  CHECK(response->used == usage{1, 0, 3, 0, 0});
  CHECK(deltas == model_deltas{tool_call_delta{0, "c", "x"}, arguments_delta{0, "{\"a\": [1"}});
}

TEST_CASE("what comes with a block's beginning counts, and so does what is not known not") {
  const auto stream =
      event({{"type", "message_start"}, {"message", {{"usage", nullptr}}}}) + event({{"type", "weather"}}) +
      event(json::parse(
          R"({"type":"content_block_start","index":3,"content_block":{"type":"text","text":"a"}})")) +
      event(json::parse(R"({"type":"content_block_delta","index":3,"delta":{"type":"citations_delta"}})")) +
      event(json::parse(
          R"({"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"b"}})")) +
      event(
          json::parse(R"({"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"c",
        "name":"x","input":{"n":1}}})")) +
      event(json::parse(R"({"type":"content_block_stop","index":4})")) + event({{"type", "message_stop"}}) +
      "data: [DONE]\n\n";
  const auto [deltas, response] = read_all_ways(stream);
  REQUIRE(response.has_value());
  CHECK(response->output == item_list{said("ab"), called("c", "x", R"({"n":1})")});
  CHECK(deltas == model_deltas{text_delta{"a"}, text_delta{"b"}, tool_call_delta{0, "c", "x"},
                               arguments_delta{0, R"({"n":1})"}});
}

TEST_CASE("an error in mid-stream ends it with the endpoint's message") {
  const auto begin = event({{"type", "message_start"}, {"message", json::object()}});
  const auto stream = begin + event({{"type", "error"},
                                     {"error", {{"type", "overloaded_error"}, {"message", "Overloaded"}}}});
  const auto response = read_all_ways(stream).response;
  REQUIRE(response.has_error());
  CHECK(response.error().code == errc::model_failed);
  CHECK_THAT(response.error().detail, Catch::Contains("Overloaded"));
}

TEST_CASE("a stream of messages is complete by message_stop alone") {
  const auto stream = streamed(
      R"({"content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"output_tokens":1}})");
  const auto last = event({{"type", "message_stop"}});
  const auto decoder = codec->make_stream_decoder();
  CHECK(decoder->feed(stream.substr(0, stream.size() - last.size())).has_value());
  CHECK_FALSE(decoder->is_complete());
  CHECK(decoder->feed(last).has_value());
  CHECK(decoder->is_complete());
}

TEST_CASE("streams that are not the Messages API's say why") {
  const auto start = event({{"type", "message_start"}, {"message", json::object()}});
  const auto text = event(
      json::parse(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"));
  const auto rows = std::vector<std::pair<std::string, std::string>>{
      {"data: {\n\n", "cannot be read"},
      {"data: [DONE]\n\n", "cannot be read"},
      {"data: []\n\n", "without a type"},
      {"data: {\"choices\":[]}\n\n", "without a type"},
      {event({{"type", "message_start"}}), "without a message"},
      {event({{"type", "message_stop"}}), "before message_start"},
      {text, "before message_start"},
      {start + start, "begins twice"},
      {start + text + text, "one index"},
      {start + event({{"type", "content_block_stop"}, {"index", 0}}), "not begun"},
      {start + event({{"type", "content_block_delta"}, {"index", "0"}}), "index"},
      {start + event({{"type", "content_block_start"}, {"index", 0}}), "without its block"},
  };
  for (const auto& [stream, word] : rows) {
    CAPTURE(stream);
    const auto response = read_whole(stream).response;
    REQUIRE(response.has_error());
    CHECK(response.error().code == errc::model_failed);
    CHECK_THAT(response.error().detail, Catch::Contains(word));
  }
}
