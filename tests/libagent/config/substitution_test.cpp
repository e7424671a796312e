#include "libagent/config/substitution.hpp"

#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

namespace {

substitution expand(const std::string& text) {
  return substitute(text, [](const std::string& name) -> std::optional<std::string> {
    if (name == "A")
      return "1";
    if (name == "EMPTY")
      return "";
    if (name == "TRICKY")
      return "${A} $${ }";
    if (name == "LATIN")
      return "\xe9";
    return std::nullopt;
  });
}

} // namespace

TEST_CASE("variables, defaults and literals are filled in") {
  CHECK(expand("x${A}y${A}").text == "x1y1");
  CHECK(expand("${A:-2}").text == "1");
  CHECK(expand("${NONE:-2}").text == "2");
  CHECK(expand("${EMPTY:-2}").text == "2");
  CHECK(expand("${EMPTY}").text == "");
  CHECK(expand("${NONE:-}").text == "");
  CHECK(expand("$${A}").text == "${A}");
  CHECK(expand("$A $$ $").text == "$A $$ $");
  CHECK(expand("${NONE:-a:b -{c}").text == "a:b -{c");
}

TEST_CASE("defaults may hold variables, which count only where they are used") {
  CHECK(expand("${NONE:-<${A}>}!").text == "<1>!");
  CHECK(expand("${NONE:-${OTHER:-x}}").text == "x");
  CHECK(expand("${A:-${NONE}}").problems.empty());
  CHECK(expand("${EMPTY:-${NONE}}").problems.size() == 1);
}

TEST_CASE("what a variable holds is not looked at again") {
  CHECK(expand("${TRICKY}").text == "${A} $${ }");
}

TEST_CASE("each missing variable is named") {
  const auto problems = expand("${ONE} ${TWO}").problems;
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] == "environment variable 'ONE' is not set; set it, or write ${ONE:-default}");
  CHECK(problems[1].find("'TWO'") != std::string::npos);
  CHECK(expand("${LATIN}").problems ==
        std::vector<std::string>{"environment variable 'LATIN' is not UTF-8; set it to a text"});
}

TEST_CASE("malformed references are errors") {
  for (const auto text :
       {"${", "${}", "${A", "${A-b}", "${A:b}", "${1A}", "${ A}", "${A:-b", "${A:?b}", "${A:-${}}"}) {
    INFO(text);
    const auto expanded = expand(text);
    REQUIRE(expanded.problems.size() == 1);
    CHECK(expanded.problems[0].find("'${' is not followed by the name of a variable") == 0);
  }
}

TEST_CASE("defaults nest only so deep") {
  std::string deep;
  for (unsigned i = 0; i < 50'000; ++i)
    deep += "${N:-";
  CHECK(expand(deep).problems.size() == 1);
}

TEST_CASE("only a text with a variable counts as substituted") {
  CHECK(expand("${A}").substituted);
  CHECK(expand("${NONE:-x}").substituted);
  CHECK_FALSE(expand("$${A}").substituted);
}

TEST_CASE("variables are filled in in all styles of scalars, and in values only") {
  const auto loaded =
      read("models: {default: {provider: openai, model: m}}\n"
           "agents:\n"
           "  - name: ${N}\n    description: '${N}'\n    instructions: |\n      ${N} and $${N}\n"
           "mcpServers:\n  '${N}': {command: \"${N}\"}\n",
           {{"N", "it: [x"}});
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->agents[0].name == "it: [x");
  CHECK(loaded.value->agents[0].description == "it: [x");
  CHECK(loaded.value->agents[0].instructions == "it: [x and ${N}\n");
  CHECK(loaded.value->mcp_servers[0].name == "${N}");
  CHECK(loaded.value->mcp_servers[0].command == "it: [x");
}

TEST_CASE("a variable may give a number, a boolean or a duration, with quotes or without") {
  const auto loaded = read("server:\n  port: ${PORT}\n  header_timeout: \"${T}\"\n  body_timeout: ${N}0\n"
                           "models: {default: {provider: openai, model: \"${N}\", image_input: \"${B}\"}}\n"
                           "agents: [{name: a}]\n",
                           {{"PORT", "81"}, {"T", "500ms"}, {"N", "2"}, {"B", "false"}});
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->server.port == 81);
  CHECK(loaded.value->server.header_timeout.count() == 500);
  CHECK(loaded.value->server.body_timeout.count() == 20'000);
  const auto& model = std::get<endpoint_options>(loaded.value->models[0].provider);
  CHECK(model.wire.model == "2");
  CHECK_FALSE(model.wire.image_input);
}

TEST_CASE("a missing variable is told at its value, and nothing else about that value") {
  CHECK(error_of(minimal + "server: {port: \"${P}\"}\n") ==
        "3:16: environment variable 'P' is not set; set it, or write ${P:-default}");
  CHECK(error_of("models: {default: {provider: openai, model: m}}\nagents:\n- name: ${P}\n- name: b\n  "
                 "handoffs: [\"${Q}\"]\n")
            .find("3:9: environment variable 'P'") == 0);
}
