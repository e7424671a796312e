#include "libagent/model/anthropic.hpp"
#include "libagent/model/chat_completions.hpp"
#include "libagent/model/responses.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace troupe::fuzz {

namespace {

/// What came of a stream, as text.
struct outcome {
  std::string answer;
  std::string text;
  bool operator==(const outcome&) const = default;
};

std::string said_in(const item_list& items) {
  std::string all;
  for (const auto& each : items)
    if (const auto* said = std::get_if<assistant_message>(&each))
      all += said->text;
  return all;
}

std::ptrdiff_t characters_in(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; });
}

/// `is_gathered`: the answer is made of what was streamed, and not told once more at the end.
outcome read(const model_codec& codec, const std::vector<std::string_view>& pieces, bool is_gathered) {
  const auto decoder = codec.make_stream_decoder();
  outcome made;
  std::size_t calls = 0;
  bool has_told = false;
  for (const auto piece : pieces) {
    const auto deltas = decoder->feed(piece);
    if (!deltas) {
      made.text.clear();
      made.answer = deltas.error().detail;
      expect(!decoder->finish().has_value(), "a stream that has failed has no answer");
      return made;
    }
    has_told = has_told || !deltas->empty();
    for (const auto& each : *deltas) {
      if (const auto* said = std::get_if<text_delta>(&each))
        made.text += said->text;
      else if (const auto* call = std::get_if<tool_call_delta>(&each))
        expect(call->index == calls++, "calls are told in order");
      else if (const auto* arguments = std::get_if<arguments_delta>(&each))
        expect(arguments->index < calls, "arguments belong to a call");
    }
  }
  const auto answer = decoder->finish();
  made.answer = answer ? dump_json(to_json(answer->output)) : answer.error().detail;
  if (answer && is_gathered)
    expect(said_in(answer->output) == made.text, "the text of an answer is what was streamed");
  else if (answer)
    expect(has_told || said_in(answer->output).empty(), "what is said is streamed");
  else
    made.text.clear();
  return made;
}

void read_all(const model_codec& codec, std::string_view input, bool is_gathered) {
  if (const auto answer = codec.decode(input)) {
    for (const auto& each : answer->output)
      expect(item_from_json(to_json(each)).has_value(), "an item can be kept");
    expect(!answer->output.empty(), "an answer has something in it");
  }
  const auto words = codec.error_message(input);
  expect(is_utf8(words) && characters_in(words) <= 500, "an endpoint's words are short");
  expect(read(codec, {input}, is_gathered) == read(codec, pieces_of(input), is_gathered),
         "an answer does not depend on how the stream is cut");
}

} // namespace

void chat_completions(std::string_view input) {
  static const auto codec = chat_completions::make_chat_completions_codec({"m"});
  read_all(*codec, input, true);
}

void responses(std::string_view input) {
  static const auto codec = responses::make_responses_codec({"m"});
  read_all(*codec, input, false);
}

void anthropic(std::string_view input) {
  static const auto codec = anthropic::make_anthropic_codec({"m"});
  read_all(*codec, input, true);
}

} // namespace troupe::fuzz
