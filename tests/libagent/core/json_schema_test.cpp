#include "libagent/core/json_schema.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using Catch::Matchers::Contains;

namespace {
json_schema compiled(const char* text) {
  return *json_schema::compile(*parse_json(text));
}
} // namespace

TEST_CASE("the default schema takes any object and nothing else") {
  CHECK(json_schema().validate(json::object({{"x", 1}})).has_value());
  CHECK_FALSE(json_schema().validate(json::array()).has_value());
}

TEST_CASE("a value that breaks the schema is answered with the place") {
  const auto schema = compiled(
      R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"integer"}}}}})");
  CHECK(schema.validate(*parse_json(R"({"a":{"b":3}})")).has_value());
  const auto broken = schema.validate(*parse_json(R"({"a":{"b":"3"}})"));
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().code == errc::invalid_argument);
  CHECK_THAT(broken.error().detail, Contains("a.b"));
}

TEST_CASE("a missing required property is named") {
  const auto broken = compiled(R"({"type":"object","required":["city"]})").validate(json::object());
  REQUIRE_FALSE(broken.has_value());
  CHECK_THAT(broken.error().detail, Contains("city"));
}

TEST_CASE("what is not a schema is refused at compilation") {
  CHECK_FALSE(json_schema::compile(json("text")).has_value());
  CHECK_FALSE(json_schema::compile(*parse_json(R"({"type":"no such type"})")).has_value());
}

TEST_CASE("remote references are never fetched") {
  CHECK_FALSE(json_schema::compile(*parse_json(R"({"$ref":"http://127.0.0.1:1/schema"})")).has_value());
}

TEST_CASE("local definitions are followed") {
  const auto schema = compiled(
      R"({"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"integer","minimum":1}}})");
  CHECK(schema.validate(*parse_json(R"({"n":1})")).has_value());
  CHECK_FALSE(schema.validate(*parse_json(R"({"n":0})")).has_value());
}

TEST_CASE("the schema false takes nothing, true takes all") {
  CHECK_FALSE(json_schema::compile(json(false))->validate(json(1)).has_value());
  CHECK(json_schema::compile(json(true))->validate(json(1)).has_value());
}

TEST_CASE("patterns are checked, on the longest texts too") {
  const auto schema =
      compiled(R"({"type":"object","properties":{"id":{"type":"string","pattern":"^(a|b)*$"}}})");
  CHECK(schema.validate(json{{"id", std::string(1'000'000, 'a')}}).has_value());
  const auto broken = schema.validate(json{{"id", "abc"}});
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().detail == "id: does not match the pattern ^(a|b)*$");
}

TEST_CASE("a property that is called pattern is a property like others") {
  const auto schema = compiled(
      R"({"properties":{"pattern":{"type":"string"},"format":{"type":"string"}},"additionalProperties":false})");
  CHECK(schema.validate(json{{"pattern", "x"}, {"format", "y"}}).has_value());
  CHECK_FALSE(schema.validate(json{{"pattern", 1}}).has_value());
}

TEST_CASE("schemas that refer to themselves neither hang nor crash") {
  const auto tree =
      compiled(R"({"type":"object","properties":{"child":{"$ref":"#"}},"additionalProperties":false})");
  CHECK(tree.validate(*parse_json(R"({"child":{"child":{}}})")).has_value());
  CHECK_FALSE(tree.validate(*parse_json(R"({"child":{"x":{}}})")).has_value());
}

TEST_CASE("a reference that leads only to itself is refused") {
  CHECK_FALSE(json_schema::compile(*parse_json(R"({"$ref":"#"})")).has_value());
  CHECK_FALSE(
      json_schema::compile(*parse_json(R"({"anyOf":[{"type":"null"},{"not":{"$ref":"#"}}]})")).has_value());
  CHECK_FALSE(
      json_schema::compile(
          *parse_json(R"({"properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"$ref":"#/$defs/x"}}})"))
          .has_value());
}
