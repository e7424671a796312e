#include "libagent/run/tool_turn.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;

namespace {

struct argument_row {
  const char* arguments;
  /// Empty if the call is to run; else a part of the result.
  const char* refusal;
};

toolbox one_tool() {
  auto list = std::make_shared<tool_list>();
  list->push_back({"add", "",
                   *json_schema::compile(*parse_json(
                       R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})"))});
  list->push_back({"now", "", json_schema()});
  return toolbox({{"srv", list}}, {});
}

} // namespace

TEST_CASE("arguments are checked before a tool runs") {
  const argument_row rows[] = {
      {R"({"a":1})", ""},
      {R"({"a":1,"b":2})", ""},
      {R"({"a":)", "not JSON"},
      {R"([1])", "must be a JSON object"},
      {R"("x")", "must be a JSON object"},
      {R"({"a":"1"})", "break its schema"},
      {R"({})", "break its schema"},
      {"", "break its schema"},
      {"{\"a\":1,\"b\":\"\xff\"}", "not UTF-8"},
  };
  const auto box = one_tool();
  for (const auto& row : rows) {
    INFO(row.arguments);
    const auto turn = open_turn(box, {tool_call{"c", "add", row.arguments, ""}});
    const bool runs = std::string_view(row.refusal).empty();
    CHECK(turn.to_run.size() == (runs ? 1u : 0u));
    REQUIRE(turn.open_calls.size() == 1);
    CHECK(turn.open_calls[0].result.has_value() == !runs);
    if (!runs) {
      CHECK(turn.open_calls[0].result->is_error);
      CHECK_THAT(plain_text(turn.open_calls[0].result->parts), Catch::Matchers::Contains(row.refusal));
    }
  }
}

TEST_CASE("blank arguments are an empty object") {
  const auto turn = open_turn(one_tool(), {tool_call{"c", "now", " \n", ""}});
  REQUIRE(turn.to_run.size() == 1);
  CHECK(*turn.to_run[0].arguments == json::object());
}

TEST_CASE("an unknown tool is answered with the names of the known ones") {
  const auto turn = open_turn(one_tool(), {tool_call{"c", "sub", "{}", ""}});
  CHECK(plain_text(turn.open_calls[0].result->parts) ==
        "Error: there is no tool 'sub'; available tools: add, now.");
}

TEST_CASE("output within the bound is untouched, beyond it is cut at a character with a note") {
  CHECK(bounded(tool_result::text("12345"), 5) == tool_result::text("12345"));
  CHECK(bounded(tool_result::text("123456"), 5) == tool_result::text("12345\n[cut: 5 of 6 bytes shown]"));
  CHECK(bounded(tool_result::text("a\xC3\xBC"), 2) == tool_result::text("a\n[cut: 1 of 3 bytes shown]"));
}

TEST_CASE("an image beyond the bound becomes a note") {
  const auto cut = bounded({{image_content{"image/png", std::string(400, 'A')}}, false}, 100);
  CHECK(plain_text(cut.parts) == "[image/png image, 300 bytes] [left out: too large]");
}
