#include "libagent/run/arguments.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;

namespace {

tool_spec adder() {
  const auto schema =
      json::parse(R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})");
  return {"add", "", json_schema::compile(schema).value()};
}

} // namespace

TEST_CASE("arguments that a tool can take are read as they are") {
  CHECK(read_arguments(adder(), R"({"a":1})").value() == json{{"a", 1}});
  CHECK(read_arguments(adder(), R"( {"a":1,"b":2} )").value() == json{{"a", 1}, {"b", 2}});
}

TEST_CASE("arguments that a tool cannot take are refused with what the model can mend") {
  struct {
    const char* arguments;
    errc code;
    const char* part;
  } const rows[] = {
      {R"({"a":)", errc::malformed, "Error: the arguments for 'add' are not JSON"},
      {R"([1])", errc::malformed, "must be a JSON object"},
      {R"("x")", errc::malformed, "must be a JSON object"},
      {R"({"a":"1"})", errc::invalid_argument, "break its schema"},
      {R"({})", errc::invalid_argument, "break its schema"},
      {"", errc::invalid_argument, "break its schema"},
      {"{\"a\":1,\"b\":\"\xff\"}", errc::malformed, "not UTF-8"},
  };
  for (const auto& row : rows) {
    INFO(row.arguments);
    const auto read = read_arguments(adder(), row.arguments);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == row.code);
    CHECK_THAT(read.error().detail, Catch::Matchers::Contains(row.part));
  }
}

TEST_CASE("blank arguments are an empty object") {
  CHECK(read_arguments({"now", "", json_schema()}, " \n\t").value() == json::object());
}

TEST_CASE("an unknown tool is answered with the names of the known ones, as many as are of use") {
  const auto with = [](std::size_t count) {
    tool_list list;
    for (std::size_t i = 0; i < count; ++i)
      list.push_back({"t" + std::to_string(i), "", json_schema()});
    return toolbox({{"srv", std::make_shared<const tool_list>(list)}}, {});
  };
  CHECK(unknown_tool(with(0), "x") == "Error: there is no tool 'x'; no tools are available.");
  CHECK(unknown_tool(with(2), "x") == "Error: there is no tool 'x'; available tools: t0, t1.");
  CHECK_THAT(unknown_tool(with(500), "x"), Catch::Matchers::EndsWith("t48, t49."));
}

TEST_CASE("output within the bound is untouched, beyond it is cut at a character with a note") {
  CHECK(bounded(tool_result::text("12345"), 5) == tool_result::text("12345"));
  CHECK(bounded(tool_result::text("123456"), 5) == tool_result::text("12345\n[cut: 5 of 6 bytes shown]"));
  CHECK(bounded(tool_result::text("a\xC3\xBC"), 2) == tool_result::text("a\n[cut: 1 of 3 bytes shown]"));
  CHECK(bounded(tool_result::failure("123456"), 5).is_error);
}

TEST_CASE("parts share the bound") {
  const auto cut = bounded({{text_content{"123"}, text_content{"456"}, text_content{"7"}}, false}, 5);
  CHECK(plain_text(cut.parts) == "123\n45\n[cut: 2 of 3 bytes shown]\n\n[cut: 0 of 1 bytes shown]");
}

TEST_CASE("an image beyond the bound becomes a note") {
  const auto cut = bounded({{image_content{"image/png", std::string(400, 'A')}}, false}, 100);
  CHECK(plain_text(cut.parts) == "[image/png image, 300 bytes] [left out: too large]");
}
