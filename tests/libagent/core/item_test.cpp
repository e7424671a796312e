#include "libagent/core/item.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("every kind of item survives the way through JSON") {
  const item_list items = {
      user_message{"hi"},
      assistant_message{"triage", "a moment"},
      tool_call{"c1", "echo", "{not json", "triage"},
      tool_output{"c1", {text_content{"done"}}, false},
      tool_output{"c2",
                  {text_content{"a"}, image_content{"image/png", "AAAA"}, audio_content{"audio/wav", "BB=="}},
                  true},
      tool_output{"c3", {}, false},
  };
  for (const auto& entry : items) {
    const auto back = item_from_json(to_json(entry));
    REQUIRE(back.has_value());
    CHECK(*back == entry);
  }
}

TEST_CASE("a tool output of one text is a plain text in JSON") {
  CHECK(to_json(item(tool_output{"c", {text_content{"x"}}, false})).dump() ==
        R"({"call_id":"c","output":"x","type":"function_call_output"})");
}

TEST_CASE("an item that lacks something is refused by the name of what it lacks") {
  const auto refused = item_from_json(json{{"type", "function_call"}, {"name", "n"}, {"arguments", "{}"}});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == fail(errc::malformed, "an item without the text 'call_id'"));
  for (const auto* bad : {"3", "[]", "{}", R"({"type":"x"})", R"({"type":"message","role":"x","content":""})",
                          R"({"type":"function_call_output","call_id":"c"})",
                          R"({"type":"function_call_output","call_id":"c","output":[{"type":"image"}]})"})
    CHECK_FALSE(item_from_json(*parse_json(bad)).has_value());
}

TEST_CASE("parts that are not text are mentioned in plain text with their size") {
  CHECK(plain_text({text_content{"see"}, image_content{"image/png", "AAAABBBB"}}) ==
        "see\n[image/png image, 6 bytes]");
}
