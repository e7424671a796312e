#include "libagent/model/response_deltas.hpp"
#include "tests/libagent/model/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace model_test;

namespace {

/// Puts an answer together from its deltas; neighbouring texts become one message.
item_list join(const model_deltas& deltas) {
  auto items = item_list{};
  auto calls = std::vector<std::size_t>{};
  for (const auto& delta : deltas) {
    auto* message = items.empty() ? nullptr : std::get_if<assistant_message>(&items.back());
    if (const auto* text = std::get_if<text_delta>(&delta)) {
      if (message)
        message->text += text->text;
      else
        items.push_back(said(text->text));
    } else if (const auto* thought = std::get_if<reasoning_delta>(&delta)) {
      items.emplace_back(reasoning{"a", thought->text, "f", "{}"});
    } else if (const auto* call = std::get_if<tool_call_delta>(&delta)) {
      REQUIRE(call->index == calls.size());
      calls.push_back(items.size());
      items.push_back(called(call->call_id, call->name, ""));
    } else {
      const auto& piece = std::get<arguments_delta>(delta);
      std::get<tool_call>(items.at(calls.at(piece.index))).arguments += piece.text;
    }
  }
  return items;
}

} // namespace

TEST_CASE("an answer in pieces is the same answer when put together") {
  const auto rows = std::vector<item_list>{
      {},
      {said("hello")},
      {said("  two  words \n\n and more\t")},
      {said(" ")},
      {said("gr\xC3\xBC\xC3\x9F dich\xC2\xA0wohl")},
      {said("wait"), called("c1", "x", "{\"a\":1}"), called("", "y", "not json"), called("c3", "z", "")},
      {reasoning{"a", "let me think", "f", "{}"}, said("so it is"), called("c1", "x"), said("and on")},
  };
  for (const auto& items : rows) {
    CAPTURE(dump_json(to_json(items)));
    CHECK(join(to_deltas({items, {}, {}, {}})) == items);
  }
}

TEST_CASE("texts come word by word, thoughts and arguments in one piece") {
  CHECK(to_deltas({{reasoning{"a", "let me", "f", "{}"}, said(" A few  words.\n"), called("c", "x", "{ }")},
                   {},
                   {},
                   {}}) == model_deltas{reasoning_delta{"let me"}, text_delta{" A "}, text_delta{"few  "},
                                        text_delta{"words.\n"}, tool_call_delta{0, "c", "x"},
                                        arguments_delta{0, "{ }"}});
}

TEST_CASE("nothing to say gives no deltas") {
  CHECK(to_deltas({{said(""), reasoning{"a", "", "f", "{}"}}, {}, {}, {}}).empty());
}
