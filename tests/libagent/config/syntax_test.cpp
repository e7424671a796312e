#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

TEST_CASE("broken YAML is one error with place and advice") {
  CHECK(error_of("agents: [a, b\nserver: {}\n") ==
        "2:7: not valid YAML: a '[' is not closed, or a ',' is missing; close it with ']'");
  CHECK(error_of("agents:\n  - name: a\n\t  model: b\n").find("3:1: not valid YAML: a tab indents") == 0);
  CHECK(error_of("agents: a: b\n").find("1:10: not valid YAML: a ':' is not expected here") == 0);
  CHECK(error_of("agents: \"\\q\"\n").find("not valid YAML: unknown escape in double quotes") !=
        std::string::npos);
  CHECK(error_of("agents: *nobody\n").find("1:9: not valid YAML: no anchor of this name") == 0);
  CHECK(error_of("agents: @a\n").find("1:9: not valid YAML: a text cannot begin with this") == 0);
}

TEST_CASE("a quote that is never closed is found where it begins") {
  CHECK(error_of("agents:\n  - name: 'a\nserver: {}\n") ==
        "2:11: not valid YAML: this quote is never closed; close it");
  CHECK(error_of("agents: &x \"a\\\"\n") == "1:12: not valid YAML: this quote is never closed; close it");
  CHECK(error_of("server: {host: 'it''s'}\n" + minimal).empty());
}

TEST_CASE("a variable without quotes inside braces gets advice of its own") {
  CHECK(error_of("server: {port: ${PORT}}\n") ==
        "1:17: not valid YAML: '${' without quotes inside {...} or [...]; put the text in quotes");
}

TEST_CASE("duplicate keys are errors in YAML and JSON") {
  CHECK(error_of(minimal + "server: {port: 1, host: h, port: 2}\n") ==
        "3:28: duplicate key 'port' (first in line 3); keys of a map have to be unique");
  CHECK(error_of(minimal + "limits: {}\nlimits: {}\n") ==
        "4:1: duplicate key 'limits' (first in line 3); keys of a map have to be unique");
  CHECK(
      error_of(
          "{\"models\":{\"default\":{\"provider\":\"openai\",\"model\":\"m\"}},\"agents\":[{\"name\":\"a\",\n"
          "\"name\":\"b\"}]}") ==
      "2:1: duplicate key 'name' (first in line 1); keys of a map have to be unique");
}

TEST_CASE("columns count characters, and a byte order mark counts nothing") {
  CHECK(error_of("\xef\xbb\xbf" + minimal + "limits: {\"\xc3\xa9\": 1, x: 2}\n")
            .find("3:18: unknown key 'x' in limits") != std::string::npos);
  CHECK(
      error_of("models: {default: {provider: openai, model: m}}\r\nagents: [{name: a}]\r\nlimits: {x: 2}\r\n")
          .find("3:10: unknown key 'x'") == 0);
}

TEST_CASE("a second document is an error") {
  CHECK(error_of("a: 1\n---\nb: 1\n") ==
        "2:1: the text goes on after the end of its document; an agent file is one YAML document");
  CHECK(error_of("{a: 1} xyz\n").find("1:8: the text goes on") == 0);
}

TEST_CASE("tags that YAML does not define are errors, and !!str makes a text") {
  CHECK(error_of(minimal + "server: {host: !Ref x}\n") == "3:16: unknown tag '!Ref'; remove it");
  CHECK(error_of(minimal + "server: {host: !!str 5}\n").empty());
}

TEST_CASE("keys have to be texts") {
  CHECK(error_of("? [a]\n: b\n").find("1:3: a list or map stands where a key should be") == 0);
  CHECK(error_of("~: b\n").find("1:1: a key is empty") == 0);
  CHECK(error_of("a: &x b\n*x : c\n").find("2:1: an alias stands where a key should be") == 0);
}

TEST_CASE("a merge key takes maps only") {
  CHECK(error_of(minimal + "server: {<<: 5}\n") ==
        "3:10: '<<' does not stand before a map; give it a map, an alias of one, or a list of them");
}
