#include "libagent/mcp/tool_content.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::mcp;

namespace {

tool_result read(const json& value) {
  return to_tool_result(value, std::nullopt);
}

tool_result read_part(const json& part) {
  return read({{"content", json::array({part})}});
}

std::string only_text(const tool_result& given) {
  REQUIRE(given.parts.size() == 1);
  REQUIRE(std::holds_alternative<text_content>(given.parts.front()));
  return std::get<text_content>(given.parts.front()).text;
}

json text_part(const std::string& text) {
  return {{"type", "text"}, {"text", text}};
}

} // namespace

TEST_CASE("text, images and sounds stay what they are") {
  const auto given = read({{"content",
                            {text_part("a"),
                             {{"type", "image"}, {"data", "AAAA"}, {"mimeType", "image/png"}},
                             {{"type", "audio"}, {"data", "BBBB"}, {"mimeType", "audio/wav"}}}}});
  CHECK_FALSE(given.is_error);
  CHECK(given.parts == std::vector<content>{text_content{"a"}, image_content{"image/png", "AAAA"},
                                            audio_content{"audio/wav", "BBBB"}});
}

TEST_CASE("embedded resources reach the model as what they hold") {
  const auto part = [](json resource) {
    return json{{"type", "resource"}, {"resource", std::move(resource)}};
  };
  CHECK(only_text(read_part(part({{"uri", "demo://1"}, {"text", "hello"}}))) == "[resource demo://1]\nhello");
  CHECK(read_part(part({{"uri", "demo://2"}, {"mimeType", "image/gif"}, {"blob", "R0lG"}})).parts ==
        std::vector<content>{image_content{"image/gif", "R0lG"}});
  CHECK(read_part(part({{"uri", "demo://3"}, {"mimeType", "audio/ogg"}, {"blob", "T2dn"}})).parts ==
        std::vector<content>{audio_content{"audio/ogg", "T2dn"}});
  CHECK(only_text(read_part(part({{"uri", "demo://4"}, {"mimeType", "text/plain"}, {"blob", "aGVsbG8="}}))) ==
        "[resource demo://4]\nhello");
  CHECK(only_text(
            read_part(part({{"uri", "demo://5"}, {"mimeType", "application/pdf"}, {"blob", "AAAAAAAA"}}))) ==
        "[resource demo://5, application/pdf, 6 bytes, not shown]");
  CHECK_THAT(
      only_text(read_part(part({{"uri", "demo://6"}, {"mimeType", "text/plain"}, {"blob", "/////w=="}}))),
      Catch::Contains("not shown"));
}

TEST_CASE("links to resources name where they lead") {
  CHECK_THAT(only_text(read_part({{"type", "resource_link"},
                                  {"uri", "file:///a.txt"},
                                  {"name", "a.txt"},
                                  {"description", "the first"}})),
             Catch::Contains("file:///a.txt") && Catch::Contains("a.txt") && Catch::Contains("the first"));
}

TEST_CASE("parts that cannot be shown leave a note and do not spoil the rest") {
  const json part =
      GENERATE(json(5), json::object(), json{{"type", "video"}, {"data", "x"}}, json{{"type", "text"}},
               json{{"type", "text"}, {"text", 5}}, json{{"type", "image"}, {"data", "AAAA"}},
               json{{"type", "audio"}}, json{{"type", "resource"}},
               json{{"type", "resource"}, {"resource", json::object()}}, json{{"type", "resource_link"}});
  const auto given = read({{"content", {part, text_part("after")}}});
  REQUIRE(given.parts.size() == 2);
  CHECK_THAT(std::get<text_content>(given.parts[0]).text, Catch::StartsWith("[") && Catch::EndsWith("]"));
  CHECK(given.parts[1] == content(text_content{"after"}));
}

TEST_CASE("structured content without text becomes JSON text") {
  CHECK(only_text(read({{"structuredContent", {{"a", 1}}}})) == "{\"a\":1}");
  CHECK(only_text(read({{"content", json::array()}, {"structuredContent", {{"a", 1}}}})) == "{\"a\":1}");
}

TEST_CASE("structured content is not repeated where the text says the same") {
  const auto parts = [](json content, json structured) {
    return read({{"content", std::move(content)}, {"structuredContent", std::move(structured)}}).parts.size();
  };
  CHECK(parts({text_part("{ \"a\": 1 }")}, {{"a", 1}}) == 1);
  CHECK(parts({text_part("plain")}, {{"result", "plain"}}) == 1);
  CHECK(parts({text_part("7")}, {{"result", 7}}) == 1);
  CHECK(parts({text_part("plain")}, {{"content", "plain"}}) == 1);
  CHECK(parts({text_part("7")}, {{"count", 7}}) == 2);
  CHECK(parts({text_part("a"), text_part("b")}, {{"result", {"a", "b"}}}) == 2);
  CHECK(parts({text_part("a summary")}, {{"a", 1}}) == 2);
  CHECK(parts({text_part("{\"a\":2}")}, {{"a", 1}}) == 2);
  CHECK(parts({text_part("a")}, {{"result", {"a", "b"}}}) == 2);
}

TEST_CASE("a tool's own failure is kept, and its structured content is not held against it") {
  const auto schema = json_schema::compile({{"type", "object"}, {"required", {"n"}}}).value();
  const auto given = to_tool_result(
      {{"content", {text_part("no such city")}}, {"isError", true}, {"structuredContent", {{"x", 1}}}},
      schema);
  CHECK(given.is_error);
  CHECK(given.parts.front() == content(text_content{"no such city"}));
}

TEST_CASE("a result that is malformed is an error that says so") {
  const json value = GENERATE(json(nullptr), json("text"), json::array(), json::object(),
                              json{{"content", nullptr}}, json{{"content", "text"}}, json{{"isError", true}});
  const auto given = read(value);
  CHECK(given.is_error);
  CHECK_THAT(only_text(given), Catch::Contains("malformed"));
}

TEST_CASE("fields that are not known change nothing") {
  const auto given = read({{"content", {text_part("a")}}, {"resultType", "complete"}, {"_meta", {{"x", 1}}}});
  CHECK(given == tool_result::text("a"));
}
