#include "libagent/core/authority.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("an authority is a host and perhaps a port") {
  CHECK(parse_authority("Example.COM") == authority{"example.com"});
  CHECK(parse_authority("example.com.:8080") == authority{"example.com", std::uint16_t{8080}});
  CHECK(parse_authority("127.0.0.1:0") == authority{"127.0.0.1", std::uint16_t{0}});
  CHECK(parse_authority("[2001:DB8::1]:443") == authority{"2001:db8::1", std::uint16_t{443}});
  CHECK(parse_authority("[::1]") == authority{"::1"});
  CHECK(parse_authority("host:") == authority{"host"});
}

TEST_CASE("what is no authority is none") {
  for (const char* bad :
       {"", ":80", "a b", "a/b", "user@host", "host:port", "host:65536", "host:-1", "host:80:80", "[::1",
        "::1", "[::1]80", "[example]", "[]", "a,b", "h\xc3\xb6st", "a%20b", "*", "a\tb"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_authority(bad));
  }
}

TEST_CASE("a socket can listen on addresses and on localhost") {
  for (const char* fit : {"localhost", "127.0.0.1", "0.0.0.0", "::", "[::1]", "fe80::1%eth0"}) {
    CAPTURE(fit);
    CHECK(can_listen_on(fit));
  }
  for (const char* unfit :
       {"", "foo", "example.com", "127.0.0", "0.0.0.0:80", "::1]", "%eth0", "300.0.0.1"}) {
    CAPTURE(unfit);
    CHECK_FALSE(can_listen_on(unfit));
  }
}

TEST_CASE("loopback is what only this machine reaches") {
  for (const char* near : {"localhost", "LocalHost", "agents.localhost", "127.0.0.1", "127.255.0.9", "::1",
                           "[::1]", "::ffff:127.0.0.1"}) {
    CAPTURE(near);
    CHECK(is_loopback(near));
  }
  for (const char* far :
       {"", "0.0.0.0", "::", "128.0.0.1", "126.0.0.1", "127.0.0.1.example", "localhost.example",
        "notlocalhost", "10.0.0.1", "::2", "127.1", "::ffff:10.0.0.1"}) {
    CAPTURE(far);
    CHECK_FALSE(is_loopback(far));
  }
}
