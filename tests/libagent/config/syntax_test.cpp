#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

TEST_CASE("broken YAML is one error with place and advice") {
  CHECK(error_of("agents: [a, b\nserver: {}\n") ==
        "2:7: not valid YAML: the '[' of line 1 is not closed, or a ',' is missing; close it with ']'");
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
  CHECK(error_of("x-note: 'it''s'\n" + minimal).empty());
}

TEST_CASE("brackets that do not match are told with the line in which they begin") {
  const std::vector<mistake> mistakes = {
      {"agents:\n- name: a\n  handoffs: [b, # c]\n- name: c\n",
       "4:1: not valid YAML: the '[' of line 3 is not closed, or a ',' is missing; close it with ']'"},
      {"models:\n  d: {provider: openai,\n    model: m\n  e: {provider: openai}\nagents: []\n",
       "4:4: not valid YAML: the '{' of line 2 is not closed, or a ',' is missing; close it with '}'"},
      {"agents: [{name: a}\nlimits: {}\n",
       "2:1: not valid YAML: the '[' of line 1 is not closed, or a ',' is missing; close it with ']'"},
      {"agents: [{name: \"a]\", handoffs: [b, it's}]\n",
       "1:41: not valid YAML: the '[' of line 1 is still open at this '}'; close it with ']'"},
      {"agents:\n- {name: a}\n- {name: b]\n",
       "3:11: not valid YAML: the '{' of line 3 is still open at this ']'; close it with '}'"},
      {"agents: [{name: a}]\nlimits: }\n",
       "2:9: not valid YAML: this '}' closes nothing; remove it, or write a '{' before it"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(written) == message);
  }
}

TEST_CASE("a quote that is closed by a later one is told with the line in which it begins") {
  CHECK(error_of("agents:\n  - name: \"a\n    model: m\nmodels: \"m\"\n") ==
        "4:10: not valid YAML: the quote of line 2 is closed only in this line; close it where its text is "
        "meant to "
        "end");
  CHECK(error_of("agents: [{name: \"a, handoffs: [b]}]\nserver: {host: \"x\"}\n") ==
        "2:17: not valid YAML: the quote of line 1 is closed only in this line; close it where its text is "
        "meant to "
        "end");
  CHECK(error_of("x-a: \"long\n  text\"\nx-b: c: d\n").find("3:7: not valid YAML: a ':' is not expected") ==
        0);
  CHECK(error_of("agents: [a, \"b\n") == "1:13: not valid YAML: this quote is never closed; close it");
  for (const std::string quote : {"\"", "'"})
    CHECK(error_of("agents: [{name: a, handoffs: [b], instructions: " + quote + "x}]\n") ==
          "1:49: not valid YAML: this quote is never closed; close it");
}

TEST_CASE("a tab that indents is told where it stands") {
  CHECK(error_of("server:\n\thost: a\n") == "2:1: not valid YAML: a tab indents this line; use spaces");
  CHECK(error_of("server:\n  port: 1\n \thost: a\n") ==
        "3:2: not valid YAML: a tab indents this line; use spaces");
  CHECK(error_of("limits: {\n\tmax_turns: 3\n}\n" + minimal).empty());
}

TEST_CASE("a variable without quotes inside braces gets advice of its own") {
  CHECK(error_of("server: {port: ${PORT}}\n") ==
        "1:17: not valid YAML: '${' without quotes inside {...} or [...]; put the text in quotes");
}

TEST_CASE("duplicate keys are errors in YAML and JSON") {
  CHECK(error_of(minimal + "server: {port: 1, host: \"::1\", port: 2}\n") ==
        "3:32: duplicate key 'port' (first in line 3); keys of a map have to be unique");
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
  CHECK(error_of(minimal + "x-note: !!str 5\n").empty());
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
