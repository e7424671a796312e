#include "libagent/model/anthropic.hpp"
#include "libagent/model/chat_completions.hpp"
#include "libagent/model/responses.hpp"
#include "tests/faults/fail_everywhere.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

class stream_scene {
public:
  stream_scene(const model_codec& codec, const std::string& bytes)
      : bytes_(bytes), decoder_(codec.make_stream_decoder()) {}

  void act() {
    for (std::size_t at = 0; at < bytes_.size(); at += piece)
      for (const auto& each : decoder_->feed(std::string_view(bytes_).substr(at, piece)).value())
        if (const auto* said = std::get_if<text_delta>(&each))
          told_ += said->text;
    got_ = decoder_->finish().value();
  }
  std::string flaw(attempt ended) {
    if (ended != attempt::through)
      return "";
    const auto* said = got_.output.size() == 2 ? std::get_if<assistant_message>(&got_.output[0]) : nullptr;
    const auto* call = got_.output.size() == 2 ? std::get_if<tool_call>(&got_.output[1]) : nullptr;
    const bool is_whole = said != nullptr && said->text == long_text && told_ == long_text &&
                          call != nullptr && call->arguments == R"({"n":1})" && got_.used.output_tokens == 7;
    return is_whole ? "" : "the answer is not whole: " + told_;
  }

private:
  static constexpr std::size_t piece = 100;
  const std::string& bytes_;
  std::unique_ptr<stream_decoder> decoder_;
  std::string told_;
  model_response got_;
};

std::string data(const std::string& event) {
  return "data: " + event + "\n\n";
}

} // namespace

TEST_CASE("a streamed answer that runs out of memory is whole or none") {
  const auto half = long_text.size() / 2;
  const auto hello = long_text.substr(0, half);
  const auto world = long_text.substr(half);
  std::unique_ptr<const model_codec> codec;
  std::string bytes;
  SECTION("of Chat Completions") {
    codec = chat_completions::make_chat_completions_codec({"m"});
    const auto chunk = [](const std::string& delta) {
      return data(R"({"choices":[{"index":0,"delta":)" + delta + "}]}");
    };
    bytes = chunk(R"({"role":"assistant","content":")" + hello + "\"}") +
            chunk(R"({"content":")" + world + "\"}") +
            chunk(R"({"tool_calls":[{"index":0,"id":"c1","function":{"name":"a","arguments":"{\"n\""}}]})") +
            chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})") +
            data(R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],)"
                 R"("usage":{"prompt_tokens":3,"completion_tokens":7}})") +
            data("[DONE]");
  }
  SECTION("of the Messages API") {
    codec = anthropic::make_anthropic_codec({"m"});
    bytes =
        data(
            R"({"type":"message_start","message":{"role":"assistant","content":[],"usage":{"input_tokens":3,"output_tokens":1}}})") +
        data(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})") +
        data(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" + hello +
             "\"}}") +
        data(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" + world +
             "\"}}") +
        data(R"({"type":"content_block_stop","index":0})") +
        data(
            R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"a","input":{}}})") +
        data(
            R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"n\":1}"}})") +
        data(R"({"type":"content_block_stop","index":1})") +
        data(R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}})") +
        data(R"({"type":"message_stop"})");
  }
  SECTION("of the Responses API") {
    codec = responses::make_responses_codec({"m"});
    const auto message =
        R"({"type":"message","id":"m","content":[{"type":"output_text","text":")" + long_text + "\"}]}";
    const std::string call = R"({"type":"function_call","call_id":"c1","name":"a","arguments":"{\"n\":1}"})";
    bytes =
        data(R"({"type":"response.created","response":{"status":"in_progress","output":[]}})") +
        data(
            R"({"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"m","content":[]}})") +
        data(R"({"type":"response.output_text.delta","output_index":0,"delta":")" + hello + "\"}") +
        data(R"({"type":"response.output_text.delta","output_index":0,"delta":")" + world + "\"}") +
        data(R"({"type":"response.output_item.done","output_index":0,"item":)" + message + "}") +
        data(R"({"type":"response.output_item.done","output_index":1,"item":)" + call + "}") +
        data(
            R"({"type":"response.completed","response":{"status":"completed","error":null,"usage":{"input_tokens":3,"output_tokens":7},"output":[)" +
            message + "," + call + "]}}");
  }
  const auto made = fail_everywhere([&] { return stream_scene(*codec, bytes); });
  CHECK(made.failed > 50);
}
