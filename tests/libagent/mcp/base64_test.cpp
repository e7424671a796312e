#include "libagent/mcp/base64.hpp"

#include <catch2/catch.hpp>

using troupe::mcp::decode_base64;

TEST_CASE("base64 is decoded as RFC 4648 has it, with or without padding") {
  CHECK(decode_base64("") == "");
  CHECK(decode_base64("Zg==") == "f");
  CHECK(decode_base64("Zm8=") == "fo");
  CHECK(decode_base64("Zm9v") == "foo");
  CHECK(decode_base64("Zm9vYmE=") == "fooba");
  CHECK(decode_base64("Zm9vYmE") == "fooba");
  CHECK(decode_base64("Zm9v\nYmFy\n") == "foobar");
  CHECK(decode_base64("+/8=") == "\xfb\xff");
}

TEST_CASE("what is not base64 is refused") {
  CHECK_FALSE(decode_base64("A"));
  CHECK_FALSE(decode_base64("ab-c"));
  CHECK_FALSE(decode_base64("Zg==Zg=="));
  CHECK_FALSE(decode_base64("h\xc3\xa9!"));
}
