#include "libagent/core/json_schema.hpp"
#include "libagent/core/strict_schema.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

struct row {
  const char* schema;
  const char* value;
  const char* expected;
};

json parsed(const std::string& text) {
  return parse_json(text, 1000).value();
}

} // namespace

TEST_CASE("nulls that stand for absence go, and the value then fits both schemas as it should") {
  const auto each = GENERATE(
      row{R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["b"]})",
          R"({"a":null,"b":1})", R"({"b":1})"},
      // A null that the original allows stays.
      row{R"({"type":"object","properties":{"a":{"type":["string","null"]},"b":{"enum":[1,null]}}})",
          R"({"a":null,"b":null})", R"({"a":null,"b":null})"},
      row{R"({"type":"object","properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"null"}}})",
          R"({"a":null})", R"({"a":null})"},
      row{R"({"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}})",
          R"({"a":null})", R"({"a":null})"},
      // Inside objects, arrays, definitions and alternatives.
      row{R"({"type":"object","properties":{"o":{"type":"object","properties":{"a":{"type":"string"}}}}})",
          R"({"o":{"a":null}})", R"({"o":{}})"},
      row{R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}}}})",
          R"({"l":[{"a":null},{"a":"x"}]})", R"({"l":[{},{"a":"x"}]})"},
      row{R"({"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#"}},"required":["v"]})",
          R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})", R"({"v":1,"next":{"v":2,"next":{"v":3}}})"},
      row{R"({"type":"object","properties":{"a":{"allOf":[{"$ref":"#/$defs/d"}],"description":"d"}},
              "$defs":{"d":{"type":"object","properties":{"x":{"type":"string"}}}}})",
          R"({"a":{"x":null}})", R"({"a":{}})"},
      // The alternative that fits decides: in the first "x" may be absent, in the second it may be null.
      row{R"({"type":"object","properties":{"a":{"anyOf":[
              {"type":"object","properties":{"k":{"const":"one"},"x":{"type":"string"}},"required":["k"]},
              {"type":"object","properties":{"k":{"const":"two"},"x":{"type":["string","null"]}},"required":["k","x"]}
              ]}},"required":["a"]})",
          R"({"a":{"k":"two","x":null}})", R"({"a":{"k":"two","x":null}})"},
      row{R"({"type":"object","properties":{"a":{"anyOf":[
              {"type":"object","properties":{"k":{"const":"one"},"x":{"type":"string"}},"required":["k"]},
              {"type":"object","properties":{"k":{"const":"two"},"x":{"type":["string","null"]}},"required":["k","x"]}
              ]}},"required":["a"]})",
          R"({"a":{"k":"one","x":null}})", R"({"a":{"k":"one"}})"});
  CAPTURE(each.schema, each.value);
  const auto original = json_schema::compile(parsed(each.schema)).value();
  const auto strict = make_strict(original.document());
  REQUIRE(strict.is_strict);
  REQUIRE(json_schema::compile(strict.schema)->validate(parsed(each.value)).has_value());
  const auto dropped = drop_added_nulls(parsed(each.value), original.document());
  CHECK(dropped == parsed(each.expected));
  CHECK(original.validate(dropped).has_value());
}

TEST_CASE("nulls of required properties and of properties that the schema does not list stay") {
  const auto schema = parsed(R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})");
  CHECK(drop_added_nulls({{"a", nullptr}, {"z", nullptr}}, schema) == json{{"a", nullptr}, {"z", nullptr}});
}

TEST_CASE("values that fit nothing come back as they are") {
  const auto schema = parsed(R"({"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}}]})");
  const auto value = GENERATE(json(), json(1), json::array({nullptr}), json{{"a", 5}, {"b", nullptr}});
  CHECK(drop_added_nulls(value, schema) == value);
  CHECK(drop_added_nulls(value, json(true)) == value);
  CHECK(drop_added_nulls(value, json("nonsense")) == value);
}

TEST_CASE("alternatives within alternatives take no exponential time") {
  const auto schema = parsed(R"({"$ref":"#/$defs/t","$defs":{"t":{"anyOf":[
      {"type":"object","properties":{"c":{"$ref":"#/$defs/t"},"x":{"type":"string"},"z":{"type":"integer"}},"required":["z"]},
      {"type":"object","properties":{"c":{"$ref":"#/$defs/t"},"x":{"type":"string"}}}]}}})");
  json value = {{"x", nullptr}};
  for (int i = 0; i < 60; ++i)
    value = {{"c", value}, {"x", nullptr}};
  const auto dropped = drop_added_nulls(value, schema);
  CHECK(dump_json(dropped).find("null") == std::string::npos);
}

TEST_CASE("schemas that lead back to themselves end") {
  const auto schema = parsed(R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}})");
  CHECK(drop_added_nulls({{"x", nullptr}}, schema) == json{{"x", nullptr}});
  const auto property = parsed(R"({"properties":{"x":{"$ref":"#/properties/x"}}})");
  CHECK(drop_added_nulls({{"x", nullptr}}, property) == json::object());
}
