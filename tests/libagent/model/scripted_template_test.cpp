#include "libagent/model/scripted_template.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::scripted;

namespace {

bindings values() {
  auto made = bindings{};
  made.user = "disk of /var";
  made.agent = "helper";
  made.groups = {"disk of /var", "/var", ""};
  made.group_names = {{"path", 1}};
  made.output =
      R"({"total_bytes":1024,"load":[0.5,17.123456],"name":"sda","ok":true,"gone":null,"0":"zero"})";
  made.output_json = json::parse(*made.output);
  return made;
}

std::string rendered(std::string_view text, const bindings& given = values()) {
  auto done = render(text, given);
  INFO((done ? *done : done.error().detail));
  REQUIRE(done.has_value());
  return *done;
}

std::string failure(std::string_view text, const bindings& given = values()) {
  const auto done = render(text, given);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == errc::model_failed);
  return done.error().detail;
}

json rendered_value(const json& value) {
  return render_strings(value, values()).value();
}

} // namespace

TEST_CASE("text without placeholders stays as it is") {
  const auto text = GENERATE(as<std::string>{}, "", "plain", "{one} }} }", "a { b", "{");
  CHECK(rendered(text) == text);
}

TEST_CASE("placeholders are filled in wherever they stand") {
  CHECK(rendered("{{agent}} heard: {{user}}!") == "helper heard: disk of /var!");
  CHECK(rendered("{{user}}{{ agent }}") == "disk of /varhelper");
}

TEST_CASE("groups are named by number and by name, and are empty where they took no part") {
  CHECK(rendered("{{0}}|{{1}}|{{path}}|{{2}}") == "disk of /var|/var|/var|");
}

TEST_CASE("an output's text and the values inside it can be said") {
  CHECK(rendered("{{output.total_bytes}} {{output.name}} {{output.ok}} {{output.gone}}") ==
        "1024 sda true null");
  CHECK(rendered("{{output.load.0}} {{output.load.1}} {{output.0}}") == "0.5 17.1235 zero");
  CHECK(rendered("{{output.load}}") == "[0.5,17.123456]");
  CHECK(rendered("<{{output}}>") == "<" + *values().output + ">");
}

TEST_CASE("what is filled in is not read as a template again") {
  auto given = values();
  given.user = "{{agent}} {{nonsense";
  CHECK(rendered("{{user}}", given) == "{{agent}} {{nonsense");
}

TEST_CASE("four braces write two") {
  CHECK(rendered("{{{{user}} is {{agent}}") == "{{user}} is helper");
}

TEST_CASE("an object around a placeholder needs no escapes on its right side") {
  CHECK(rendered(R"({"a":{"b": {{output.total_bytes}}}})") == R"({"a":{"b": 1024}})");
}

TEST_CASE("fractions are said with up to four decimals") {
  CHECK(readable(0.1) == "0.1");
  CHECK(readable(2.0) == "2");
  CHECK(readable(-0.0) == "0");
  CHECK(readable(100.0) == "100");
  CHECK(readable(17.33333333333) == "17.3333");
  CHECK(readable(-2.00004) == "-2");
  CHECK(readable(0.00001234) == "1.234e-05");
  CHECK(readable(1e300) == "1e+300");
  CHECK(readable(8589934592.5) == "8589934592.5");
}

TEST_CASE("whole numbers are said in full") {
  CHECK(readable(std::uint64_t{18446744073709551615u}) == "18446744073709551615");
  CHECK(readable(-5) == "-5");
}

TEST_CASE("a placeholder for what is not there is an error that names it") {
  CHECK_THAT(failure("{{output.swap}}"),
             Catch::Contains("{{output.swap}}") && Catch::Contains("no \"swap\""));
  CHECK_THAT(failure("{{output.load.2}}"), Catch::Contains("no \"2\""));
  CHECK_THAT(failure("{{output.load.x}}"), Catch::Contains("no \"x\""));
  CHECK_THAT(failure("{{output.load.-1}}"), Catch::Contains("no \"-1\""));
  CHECK_THAT(failure("{{output.name.x}}"), Catch::Contains("no \"x\""));
  CHECK_THAT(failure("{{3}}"), Catch::Contains("{{3}}"));
  CHECK_THAT(failure("{{volume}}"), Catch::Contains("{{volume}}"));
  CHECK_THAT(failure("{{user}}", {}), Catch::Contains("user message"));
  CHECK_THAT(failure("{{output}}", {}), Catch::Contains("no tool output"));
}

TEST_CASE("a value inside an output that is not JSON is an error that says so") {
  auto given = values();
  given.output = "out of order";
  given.output_json.reset();
  CHECK_THAT(failure("{{output.a}}", given), Catch::Contains("not JSON"));
  CHECK(rendered("{{output}}", given) == "out of order");
}

TEST_CASE("strings at every depth of a value are rendered, all else is kept") {
  CHECK(rendered_value(
            {{"a", "{{path}}"}, {"b", {1, true, nullptr, {{"c", "in {{path}}"}}}}, {"{{path}}", 2.5}}) ==
        json{{"a", "/var"}, {"b", {1, true, nullptr, {{"c", "in /var"}}}}, {"{{path}}", 2.5}});
}

TEST_CASE("a string that is one placeholder for a value of the output keeps the value's type") {
  CHECK(rendered_value("{{output.total_bytes}}") == json(1024));
  CHECK(rendered_value("{{output.load.1}}") == json(17.123456));
  CHECK(rendered_value("{{output.load}}") == json({0.5, 17.123456}));
  CHECK(rendered_value("{{output.ok}}") == json(true));
  CHECK(rendered_value("{{output.gone}}") == json(nullptr));
}

TEST_CASE("a string that holds more than the placeholder stays a string") {
  CHECK(rendered_value("{{output.total_bytes}} bytes") == json("1024 bytes"));
  CHECK(rendered_value("{{output.total_bytes}}{{output.total_bytes}}") == json("10241024"));
  CHECK(rendered_value("{{output}}") == json(*values().output));
}

TEST_CASE("an error inside a value comes out of it") {
  CHECK_FALSE(render_strings({{"a", {1, {{"b", "{{nope}}"}}}}}, values()).has_value());
}
