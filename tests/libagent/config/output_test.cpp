#include "libagent/core/json.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;

namespace {

/// The keys of agent 'a' stand in line 2, from column 20 on.
std::string with_keys(const std::string& keys) {
  return "models: {default: {provider: openai, model: m}}\nagents: [{name: a, " + keys + "}]\n";
}

} // namespace

TEST_CASE("an output schema is YAML, and is put into its strict form") {
  const auto loaded =
      read(with_keys("output_schema: {type: object, properties: {n: {type: integer}, s: {enum: "
                     "[\"1\", b]}}, required: [n]}, output_name: Answer"));
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.warnings.empty());
  const auto& output = loaded.value->agents[0].output;
  REQUIRE(output);
  CHECK(output->schema.validate({{"n", 1}, {"s", "1"}}).has_value());
  CHECK_FALSE(output->schema.validate({{"n", 1}, {"s", 1}}).has_value());
  REQUIRE(output->format);
  CHECK(output->format->name == "Answer");
  CHECK(output->format->strict);
  CHECK(output->format->schema["required"].size() == 2);
}

TEST_CASE("an output has a name of its own, and none is needed") {
  const auto loaded = read(with_keys("output_schema: {type: object, properties: {}}"));
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->agents[0].output->format->name == "final_output");
  CHECK_FALSE(read(minimal).value->agents[0].output);
}

TEST_CASE("what keeps a schema from its strict form is warned of") {
  const auto loose = read(with_keys("output_schema: {type: object, additionalProperties: {type: string}}"));
  REQUIRE(errors_of(loose).empty());
  CHECK_FALSE(loose.value->agents[0].output->format->strict);
  CHECK(first_warning(loose).find("2:35: the output schema of agent 'a' is not sent as strict: #") == 0);
  const auto partly =
      read(with_keys("output_schema: {type: object, properties: {s: {type: string, minLength: 2}}}"));
  REQUIRE(errors_of(partly).empty());
  REQUIRE(partly.value->agents[0].output->format->strict);
  CHECK(first_warning(partly).find(
            "2:35: the endpoint does not hold the model to all of the output schema of agent "
            "'a': #/properties/s") == 0);
}

TEST_CASE("what is wrong with an output schema is told") {
  const std::vector<mistake> mistakes = {
      {"output_schema: text", "2:35: 'output_schema' in agent 'a' is a text; it has to be a JSON Schema, "
                              "such as {type: object, properties: "
                              "{}}"},
      {"output_name: n", "2:20: 'output_name' in agent 'a' is for an output that has a schema; remove it, or "
                         "write output_schema"},
      {"output_schema: {type: object}, output_name: \"a b\"",
       "2:64: 'output_name' in agent 'a' is no name that models take for a tool; use letters, digits, '_' "
       "and '-', "
       "at most 64 of them"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_keys(written)) == message);
  }
  CHECK(
      error_of(with_keys("output_schema: {type: 5}")).find("2:35: 'output_schema' in agent 'a' is wrong: ") ==
      0);
  CHECK(
      error_of(with_keys("output_schema: {$ref: \"http://h/s\"}")).find("'output_schema' in agent 'a' is") !=
      std::string::npos);
}
