#include "libagent/run/window.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

using namespace troupe;
using run::newest_items;

namespace {

/// "u": the user, "a": the agent, "c1", "o1": the call 1 and its output, "r": a thought; each with its place.
shared_items conversation(const std::vector<std::string>& words) {
  auto made = std::make_shared<item_list>();
  for (const auto& word : words) {
    const auto text = word + "@" + std::to_string(made->size());
    if (word == "u")
      made->push_back(user_message{text});
    else if (word == "a")
      made->push_back(assistant_message{"agent", text});
    else if (word == "r")
      made->push_back(reasoning{"agent", text, "responses", "{}"});
    else if (word[0] == 'c')
      made->push_back(tool_call{word.substr(1), "tool", "{}", "agent"});
    else
      made->push_back(tool_output{word.substr(1), {}, false});
  }
  return made;
}

std::string told(const shared_items& items) {
  struct teller {
    std::string operator()(const user_message& said) const { return said.text; }
    std::string operator()(const assistant_message& said) const { return said.text; }
    std::string operator()(const tool_call& made) const { return "c" + made.call_id; }
    std::string operator()(const tool_output& got) const { return "o" + got.call_id; }
    std::string operator()(const reasoning& thought) const { return thought.text; }
  };
  std::string text;
  for (const auto& entry : *items)
    text += (text.empty() ? "" : " ") + std::visit(teller{}, entry);
  return text;
}

} // namespace

TEST_CASE("a conversation that is short enough is not copied") {
  const auto all = conversation({"u", "a", "u", "a"});
  CHECK(newest_items(all, 4) == all);
  CHECK(newest_items(all, 5) == all);
  CHECK(newest_items(nullptr, 5) == nullptr);
}

TEST_CASE("what is left of a long conversation begins with what a user said") {
  struct row {
    std::vector<std::string> items;
    std::size_t most;
    std::string left;
  };
  const row rows[] = {
      {{"u", "a", "u", "a", "u", "a"}, 4, "u@2 a@3 u@4 a@5"},
      {{"u", "a", "u", "a", "u", "a"}, 3, "u@4 a@5"},
      {{"u", "a", "u", "a", "u"}, 1, "u@4"},
      // The cut would fall between the call and its output.
      {{"u", "c1", "o1", "a", "u", "c2", "o2", "a"}, 6, "u@4 c2 o2 a@7"},
      {{"u", "r", "c1", "o1", "a", "u", "a"}, 4, "u@5 a@6"},
  };
  for (const auto& [items, most, left] : rows) {
    CAPTURE(most, left);
    CHECK(told(newest_items(conversation(items), most)) == left);
  }
}

TEST_CASE("a question that has had more items than that is kept with the last of them, calls whole") {
  struct row {
    std::vector<std::string> items;
    std::size_t most;
    std::string left;
  };
  const row rows[] = {
      {{"u", "c1", "o1", "c2", "o2", "a"}, 4, "u@0 c2 o2 a@5"},
      // The call of the output that would be the first is gone, and so is the output.
      {{"u", "c1", "o1", "c2", "o2", "a"}, 3, "u@0 a@5"},
      {{"u", "c1", "c2", "o1", "o2", "a"}, 4, "u@0 a@5"},
      {{"u", "c1", "r"}, 2, "u@0"},
      {{"c1", "o1", "a", "a"}, 3, "a@2 a@3"},
  };
  for (const auto& [items, most, left] : rows) {
    CAPTURE(most, left);
    CHECK(told(newest_items(conversation(items), most)) == left);
  }
}

TEST_CASE("conversations that grow begin alike for a quarter of what may be") {
  std::set<std::string> beginnings;
  std::vector<std::string> words;
  for (int turn = 0; turn < 200; ++turn) {
    words.insert(words.end(), {"u", "a"});
    const auto left = newest_items(conversation(words), 40);
    CHECK(left->size() <= 40);
    CHECK(left->size() >= std::min<std::size_t>(words.size(), 30));
    beginnings.insert(std::get<user_message>(left->front()).text);
  }
  CHECK(beginnings.size() == 37);
}
