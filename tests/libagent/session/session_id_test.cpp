#include "libagent/session/store.hpp"

#include <catch2/catch.hpp>

using troupe::is_session_id;

TEST_CASE("a session id is 1 to 128 visible ASCII characters") {
  CHECK(is_session_id("a"));
  CHECK(is_session_id("!~"));
  CHECK(is_session_id(std::string(128, 'x')));
  CHECK_FALSE(is_session_id(""));
  CHECK_FALSE(is_session_id(std::string(129, 'x')));
}

TEST_CASE("blanks, control characters and bytes beyond ASCII make no session id") {
  CHECK_FALSE(is_session_id("a b"));
  CHECK_FALSE(is_session_id("a\n"));
  CHECK_FALSE(is_session_id("a\x7F"));
  CHECK_FALSE(is_session_id("caf\xC3\xA9"));
  CHECK_FALSE(is_session_id(std::string_view{"a\0b", 3}));
}
