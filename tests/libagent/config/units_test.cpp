#include "libagent/config/units.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

TEST_CASE("durations are numbers with units") {
  CHECK(parse_duration("500ms") == 500);
  CHECK(parse_duration("30s") == 30'000);
  CHECK(parse_duration("2m") == 120'000);
  CHECK(parse_duration("1h") == 3'600'000);
  CHECK(parse_duration("1.5s") == 1500);
  CHECK(parse_duration("1h30m") == 5'400'000);
  CHECK(parse_duration("-1s") == -1000);
  for (const auto text :
       {"", "s", "1", "1x", "1 s", "s1", "1s2", "1e3s", "1-2s", "nans", "infs", ".s", "1M"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("sizes are numbers with units of ten or two") {
  CHECK(parse_size("512B") == 512);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("16MiB") == 16777216);
  CHECK(parse_size("1MB") == 1e6);
  CHECK(parse_size("1.5kb") == 1500);
  CHECK(parse_size("2GiB") == 2147483648.0);
  for (const auto text : {"", "1", "MiB", "1 MiB", "1M", "1MiBs", "1e3B"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("numbers and booleans are those of YAML 1.2's core schema") {
  for (const auto text :
       {"0", "-1", "+1", "1.5", ".5", "1.", "1e3", "-1.5E-3", "0x1F", "0o17", ".inf", "-.INF", ".nan"}) {
    INFO(text);
    CHECK(looks_like_number(text));
  }
  for (const auto text :
       {"", "1x", "1.2.3", "-", ".", "e3", "2024-06-01", "1_000", "0b1", "inf", "nan", "::1"}) {
    INFO(text);
    CHECK_FALSE(looks_like_number(text));
  }
  CHECK(parse_boolean("true") == true);
  CHECK(parse_boolean("FALSE") == false);
  CHECK_FALSE(parse_boolean("yes"));
  CHECK(parse_integer("+42") == 42);
  CHECK_FALSE(parse_integer("9223372036854775808"));
  CHECK_FALSE(parse_integer("1.0"));
  CHECK(parse_number("1e3") == 1000);
  CHECK_FALSE(parse_number("1e999"));
  CHECK_FALSE(parse_number("nan"));
}
