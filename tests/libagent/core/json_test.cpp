#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("JSON within the depth bound is parsed, one level more is refused with its place") {
  CHECK(parse_json("[[[1]]]", 3).has_value());
  const auto refused = parse_json("[[[[1]]]]", 3);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::malformed);
  CHECK(refused.error().detail == "nested more than 3 levels deep at byte 3");
}

TEST_CASE("brackets inside strings do not count as depth") {
  CHECK(parse_json(R"(["[[[[\"[["])", 1).has_value());
}

TEST_CASE("a million open brackets are refused without exhausting the stack") {
  CHECK_FALSE(parse_json(std::string(1'000'000, '[')).has_value());
}

TEST_CASE("text that is not UTF-8 is refused by name") {
  for (const auto* bad :
       {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\""}) {
    const auto refused = parse_json(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail == "not UTF-8");
  }
}

TEST_CASE("a syntax error tells line and column") {
  const auto refused = parse_json("{\n  \"a\": }");
  REQUIRE_FALSE(refused.has_value());
  CHECK_THAT(refused.error().detail, Catch::Matchers::StartsWith("not JSON at line 2, column 8"));
}

TEST_CASE("numbers beyond the range of double are refused, not fatal") {
  CHECK_FALSE(parse_json("1e999999").has_value());
}

TEST_CASE("ill-formed bytes become replacement characters") {
  CHECK(to_utf8("a\xff"
                "b") == "a\xEF\xBF\xBD"
                        "b");
  CHECK(dump_json(json("\xff")) == "\"\xEF\xBF\xBD\"");
}

TEST_CASE("what comes after a NUL is not overlooked") {
  using namespace std::string_literals;
  for (const auto& text : {"{}\0"s, "{}\0{"s, "\0"s, "\"a\0b\""s}) {
    const auto parsed = parse_json(text);
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().code == errc::malformed);
    CHECK(parsed.error().detail.find("NUL") != std::string::npos);
  }
}

TEST_CASE("an error quotes no more of a text than is of use") {
  const auto digits = std::string(1'000'000, '9');
  for (const auto& text : {digits, "[" + digits + "]", "{\"" + digits + "\":x}", digits + "x"}) {
    const auto parsed = parse_json(text);
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().detail.size() < 300);
  }
}
