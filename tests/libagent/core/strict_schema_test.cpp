#include "libagent/core/strict_schema.hpp"

#include "libagent/core/json_schema.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace troupe;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

json parsed(const std::string& text) {
  return parse_json(text, 1000).value();
}

/// An object schema with one property "p", optional unless `required` says so.
std::string with_property(const std::string& property, const std::string& required = "") {
  return R"({"type":"object","properties":{"p":)" + property + R"(},"required":[)" + required + "]}";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line + '\n';
  return text;
}

struct row {
  std::string given;
  std::string expected;
};

} // namespace

TEST_CASE("optional properties become required and nullable, objects closed") {
  const auto each =
      GENERATE(row{R"({"type":"string"})", R"({"type":["string","null"]})"},
               row{R"({"type":["string","integer"]})", R"({"type":["string","integer","null"]})"},
               row{R"({"type":"string","enum":["a"]})", R"({"type":["string","null"],"enum":["a",null]})"},
               row{R"({"enum":["a","b"]})", R"({"type":["string","null"],"enum":["a","b",null]})"},
               row{R"({"const":7})", R"({"anyOf":[{"const":7,"type":"integer"},{"type":"null"}]})"},
               row{R"({"anyOf":[{"type":"string"},{"type":"number"}]})",
                   R"({"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]})"},
               row{R"({"type":"array","items":{"type":"string"},"minItems":1})",
                   R"({"type":["array","null"],"items":{"type":"string"},"minItems":1})"},
               row{R"({"$ref":"#"})", R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})"},
               row{R"({"$ref":"#","description":"d"})",
                   R"({"anyOf":[{"$ref":"#"},{"type":"null"}],"description":"d"})"},
               row{R"({"allOf":[{"type":"string"}],"description":"d"})",
                   R"({"type":["string","null"],"description":"d"})"},
               // What is nullable already stays as it is.
               row{R"({"type":["string","null"]})", R"({"type":["string","null"]})"},
               row{R"({"anyOf":[{"type":"string"},{"type":"null"}]})",
                   R"({"anyOf":[{"type":"string"},{"type":"null"}]})"},
               row{R"({"enum":["a",null]})", R"({"type":["null","string"],"enum":["a",null]})"},
               row{R"({"type":"object","properties":{"q":{"type":"boolean"}},"required":["q"]})",
                   R"({"type":["object","null"],"properties":{"q":{"type":"boolean"}},"required":["q"],
              "additionalProperties":false})"},
               row{R"({"type":"string","format":"date","pattern":"^a"})",
                   R"({"type":["string","null"],"format":"date","pattern":"^a"})"});
  CAPTURE(each.given);
  const auto made = make_strict(parsed(with_property(each.given)));
  CAPTURE(joined(made.limits));
  REQUIRE(made.is_strict);
  CHECK(made.limits.empty());
  CHECK(made.schema.at("properties").at("p") == parsed(each.expected));
  CHECK(made.schema.at("required") == json::array({"p"}));
  CHECK(made.schema.at("additionalProperties") == json(false));
}

TEST_CASE("required properties do not become nullable") {
  const auto given = GENERATE(R"({"type":"string"})", R"({"$ref":"#/$defs/d"})", R"({"type":"null"})");
  auto schema = parsed(with_property(given, "\"p\""));
  schema["$defs"]["d"] = {{"type", "integer"}};
  const auto made = make_strict(schema);
  REQUIRE(made.is_strict);
  CHECK(made.schema.at("properties").at("p") == parsed(given));
}

TEST_CASE("definitions are kept and made strict, and one that allows null needs no other null") {
  const auto key = GENERATE("$defs", "definitions");
  const auto ref = fmt::format(R"({{"$ref":"#/{}/d"}})", key);
  auto schema = parsed(with_property(ref));
  schema[key]["d"] = parsed(R"({"type":["object","null"],"properties":{"n":{"type":"integer"}}})");
  const auto made = make_strict(schema);
  REQUIRE(made.is_strict);
  CHECK(made.schema.at("properties").at("p") == parsed(ref));
  CHECK(made.schema.at(key).at("d") ==
        parsed(R"({"type":["object","null"],"properties":{"n":{"type":["integer","null"]}},"required":["n"],
                   "additionalProperties":false})"));
}

TEST_CASE("a root behind a reference is put in its place") {
  const auto made = make_strict(parsed(
      R"({"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"next":{"$ref":"#/$defs/t"}}}}})"));
  REQUIRE(made.is_strict);
  CHECK(made.schema.at("type") == "object");
  CHECK(made.schema.at("properties").at("next") ==
        parsed(R"({"anyOf":[{"$ref":"#/$defs/t"},{"type":"null"}]})"));
}

TEST_CASE("keywords that only narrow are left out and reported, with the property they stand at") {
  const auto each = GENERATE(
      row{R"({"type":"string","default":"x"})", "'default'"},
      row{R"({"type":"string","minLength":1})", "'minLength'"},
      row{R"({"type":"array","items":{"type":"string"},"uniqueItems":true})", "'uniqueItems'"},
      row{R"({"type":"object","properties":{"q":{"type":"string"}},"minProperties":1})", "'minProperties'"},
      row{R"({"type":"object","properties":{"q":{"type":"string"}},"propertyNames":{}})", "'propertyNames'"},
      row{R"({"type":"string","format":"uri"})", "'format'"},
      row{R"({"type":"integer","minimum":1,"exclusiveMinimum":true})", "'exclusiveMinimum'"},
      row{R"({"type":"string","x-mine":1})", "'x-mine'"}, row{R"({"$ref":"#","default":null})", "'default'"});
  CAPTURE(each.given);
  const auto made = make_strict(parsed(with_property(each.given)));
  REQUIRE(made.is_strict);
  REQUIRE(made.limits.size() == 1);
  CHECK_THAT(made.limits.front(), StartsWith("#/properties/p: " + each.expected));
  CHECK_THAT(dump_json(made.schema), !Contains(each.expected.substr(1, each.expected.size() - 2)));
}

TEST_CASE("what has no strict form stays as it is, and what is in the way is named with its place") {
  const auto each = GENERATE(
      row{with_property("true"), "#/properties/p: a schema that is true or false"},
      row{with_property("{}"), "#/properties/p: no type"},
      row{with_property(R"({"type":"object"})"), "#/properties/p: an object without properties"},
      row{with_property(R"({"type":"object","properties":{}})"),
          "#/properties/p: an object without properties"},
      row{with_property(R"({"type":"object","additionalProperties":true})"),
          "#/properties/p: additionalProperties"},
      row{with_property(R"({"type":"object","additionalProperties":{"type":"string"}})"),
          "additionalProperties"},
      row{with_property(R"({"type":"array"})"), "#/properties/p: an array whose items can be anything"},
      row{with_property(R"({"type":"array","items":[{"type":"string"}]})"), "items that are a list"},
      row{with_property(R"({"type":"array","items":{}})"), "#/properties/p/items: no type"},
      row{with_property(R"({"oneOf":[{"type":"string"}]})"), "'oneOf' has no strict form; write anyOf"},
      row{with_property(R"({"type":"string","not":{"const":"a"}})"), "#/properties/p: 'not'"},
      row{with_property(R"({"type":"object","properties":{"a":{"type":"null"}},"patternProperties":{}})"),
          "'patternProperties'"},
      row{with_property(R"({"allOf":[{"type":"string"},{"minLength":1}]})"),
          "#/properties/p: allOf of other than one"},
      row{with_property(R"({"allOf":[{"type":"string"}],"type":"integer"})"), "both have 'type'"},
      row{with_property(R"({"anyOf":[{"type":"string"},{}]})"), "#/properties/p/anyOf/1: no type"},
      row{with_property(R"({"$ref":"#/properties/q"})"), "$ref leads to \"#/properties/q\""},
      row{with_property(R"({"$ref":"#/$defs/none"})"), "$ref leads to"},
      row{R"({"type":"object","properties":{"a/b~":{}}})", "#/properties/a~1b~0: no type"},
      row{R"({"type":"object","properties":{"a":{"type":"null"}},"required":["b"]})", "#: 'b' is required"},
      row{R"({"type":"object","properties":{"a":{"type":"null"}},"if":{},"then":{}})", "#: 'if'"},
      row{R"({"type":"array","items":{"type":"string"}})", "#: the root must be of type object"},
      row{R"({"anyOf":[{"type":"object","properties":{"a":{"type":"null"}}}]})", "#: the root must be"},
      row{R"({"type":["object","null"],"properties":{"a":{"type":"null"}}})", "#: the root must be"},
      row{"true", "#: the schema is not an object"}, row{R"({"type":"object"})", "#: an object without"});
  CAPTURE(each.given);
  const auto made = make_strict(parsed(each.given));
  CHECK_FALSE(made.is_strict);
  CHECK(made.schema == parsed(each.given));
  CHECK_THAT(joined(made.limits), Contains(each.expected));
}

TEST_CASE("an object that is closed and empty is strict") {
  const auto made = make_strict(parsed(R"({"type":"object","additionalProperties":false})"));
  CHECK(made.is_strict);
  CHECK(made.schema ==
        parsed(R"({"type":"object","properties":{},"required":[],"additionalProperties":false})"));
}

TEST_CASE("objects nest ten levels deep and no deeper, arrays and alternatives between them do not count") {
  const auto nested = [](int levels) {
    auto schema = parsed(R"({"type":"object","properties":{"a":{"type":"null"}}})");
    for (int i = 1; i < levels; ++i)
      schema = {{"type", "object"},
                {"properties", {{"p", {{"type", "array"}, {"items", {{"anyOf", json::array({schema})}}}}}}}};
    return schema;
  };
  CHECK(make_strict(nested(10)).is_strict);
  const auto deeper = make_strict(nested(11));
  CHECK_FALSE(deeper.is_strict);
  CHECK_THAT(joined(deeper.limits), Contains("more than 10 objects"));
}

TEST_CASE("numbers of properties and enum values and the length of names are bounded") {
  const auto with = [](std::size_t properties, std::size_t name_bytes, json property) {
    auto schema = json{{"type", "object"}};
    for (std::size_t i = 0; i < properties; ++i)
      schema["properties"][fmt::format("{:0{}}", i, name_bytes)] = property;
    return make_strict(schema);
  };
  const json text = {{"type", "string"}};
  CHECK(with(5000, 4, text).is_strict);
  CHECK_THAT(joined(with(5001, 4, text).limits), Contains("5001 properties"));
  CHECK(with(12, 10'000, text).is_strict);
  CHECK_THAT(joined(with(13, 10'000, text).limits), Contains("130000 bytes"));
  auto values = json::array();
  for (int i = 0; i < 1000; ++i)
    values.push_back(i);
  CHECK(with(1, 1, {{"enum", values}}).is_strict);
  values.push_back(1000);
  CHECK_THAT(joined(with(1, 1, {{"enum", values}}).limits), Contains("1001 values"));
  auto words = json::array();
  for (int i = 0; i < 251; ++i)
    words.push_back(fmt::format("{:060}", i));
  CHECK_THAT(joined(with(1, 1, {{"enum", words}}).limits), Contains("an enum of more than 250"));
}

TEST_CASE("limits are listed up to a bound") {
  auto schema = json{{"type", "object"}};
  for (int i = 0; i < 30; ++i)
    schema["properties"][std::to_string(i)] = json::object();
  const auto made = make_strict(schema);
  CHECK(made.limits.size() == 21);
  CHECK(made.limits.back() == "and 10 more");
}

TEST_CASE("a schema of any depth is answered") {
  auto schema = json{{"type", "string"}};
  for (int i = 0; i < 500; ++i)
    schema = json{{"anyOf", json::array({std::move(schema)})}};
  CHECK_THAT(joined(make_strict(schema).limits), Contains("nested more than 64"));
}

TEST_CASE("what is strict already comes out as it went in") {
  const auto once = make_strict(parsed(
      R"({"type":"object","properties":{"a":{"$ref":"#/$defs/d"},"b":{"const":1},"c":{"type":"array","items":
          {"anyOf":[{"type":"string"},{"type":"null"}]}}},"$defs":{"d":{"type":"object","properties":{"x":{"type":"string"}}}}})"));
  REQUIRE(once.is_strict);
  const auto twice = make_strict(once.schema);
  CHECK(twice.is_strict);
  CHECK(twice.schema == once.schema);
}
