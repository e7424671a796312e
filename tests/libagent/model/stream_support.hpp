#pragma once

#include "libagent/model/codec.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

/// Streams cut in every way, and what their deltas add up to.
namespace model_test {

/// The bytes whole, each alone, and at random places.
inline std::vector<std::vector<std::string>> cut(const std::string& bytes) {
  auto ways = std::vector<std::vector<std::string>>{{bytes}, {}};
  for (const auto c : bytes)
    ways[1].emplace_back(1, c);
  auto random = std::minstd_rand{7};
  for (auto way = 0; way < 5; ++way) {
    auto& pieces = ways.emplace_back();
    for (auto at = std::size_t{0}; at < bytes.size(); at += pieces.back().size())
      pieces.push_back(bytes.substr(at, std::uniform_int_distribution<std::size_t>{1, 40}(random)));
  }
  return ways;
}

/// What a reader of the deltas has in the end.
struct told {
  std::string text;
  std::string thoughts;
  std::vector<troupe::tool_call> calls;

  void add(const troupe::model_deltas& deltas) {
    for (const auto& delta : deltas)
      std::visit([this](const auto& what) { add(what); }, delta);
  }
  void add(const troupe::text_delta& delta) { text += delta.text; }
  void add(const troupe::reasoning_delta& delta) { thoughts += delta.text; }
  void add(const troupe::tool_call_delta& delta) {
    REQUIRE(delta.index == calls.size());
    calls.push_back({delta.call_id, delta.name, {}, {}});
  }
  void add(const troupe::arguments_delta& delta) {
    REQUIRE(delta.index < calls.size());
    calls[delta.index].arguments += delta.text;
  }
  bool operator==(const told&) const = default;
};

/// The same, of an answer that was not streamed.
inline told tell(const troupe::model_response& answer) {
  auto all = told{};
  for (const auto& item : answer.output) {
    if (const auto* said = std::get_if<troupe::assistant_message>(&item))
      all.text += said->text;
    else if (const auto* thought = std::get_if<troupe::reasoning>(&item))
      all.thoughts += thought->text;
    else if (const auto* made = std::get_if<troupe::tool_call>(&item))
      all.calls.push_back(*made);
  }
  return all;
}

inline troupe::result<troupe::model_response>
read_stream(const troupe::model_codec& codec, const std::vector<std::string>& pieces, told& heard) {
  const auto decoder = codec.make_stream_decoder();
  for (const auto& piece : pieces) {
    const auto deltas = decoder->feed(piece);
    if (!deltas) {
      const auto end = decoder->finish();
      REQUIRE_FALSE(end.has_value());
      CHECK(end.error() == deltas.error());
      return deltas.error();
    }
    heard.add(*deltas);
  }
  return decoder->finish();
}

/// Checks that the stream, however it is cut, gives what the whole answer gives, and tells as much on the
/// way.
inline void check_same(const troupe::model_codec& codec, const std::string& stream,
                       const std::string& whole) {
  const auto expected = codec.decode(whole);
  CAPTURE(stream, whole);
  INFO((expected ? std::string{} : expected.error().detail));
  REQUIRE(expected.has_value());
  for (const auto& pieces : cut(stream)) {
    auto heard = told{};
    const auto answer = read_stream(codec, pieces, heard);
    INFO((answer ? std::string{} : answer.error().detail));
    REQUIRE(answer.has_value());
    CHECK(troupe::to_json(answer->output) == troupe::to_json(expected->output));
    CHECK(answer->used == expected->used);
    CHECK(answer->finish_reason == expected->finish_reason);
    // Nothing tells of the empty object that stands for no arguments.
    for (auto& call : heard.calls)
      call.arguments = call.arguments.empty() ? "{}" : call.arguments;
    CHECK(heard == tell(*answer));
  }
}

/// The error of the stream, however it is cut.
inline troupe::error stream_failure(const troupe::model_codec& codec, const std::string& stream) {
  auto failure = troupe::error{};
  for (const auto& pieces : cut(stream)) {
    auto heard = told{};
    const auto answer = read_stream(codec, pieces, heard);
    CAPTURE(stream);
    REQUIRE_FALSE(answer.has_value());
    CHECK((failure.detail.empty() || failure == answer.error()));
    failure = answer.error();
  }
  return failure;
}

} // namespace model_test
