#include "tests/apps/hostwatch/hostwatch_fixture.hpp"

#include <catch2/catch.hpp>

#include <csignal>

#include <sys/wait.h>

using namespace troupe;
using namespace troupe::hostwatch::testing;
using troupe::testing::stdio_child;

namespace {

bool left_with(stdio_child& child, int code) {
  const auto status = child.wait_exit();
  return status && WIFEXITED(*status) && WEXITSTATUS(*status) == code;
}

} // namespace

TEST_CASE("the end of its input ends hostwatch") {
  running_hostwatch host;
  host.child.close_stdin();
  CHECK(left_with(host.child, 0));
}

TEST_CASE("hostwatch answers a last line without a newline before it leaves") {
  running_hostwatch host;
  REQUIRE(host.child.write(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"));
  host.child.close_stdin();
  CHECK(host.read()["id"] == 1);
  CHECK_FALSE(host.child.read_line());
  CHECK(left_with(host.child, 0));
}

TEST_CASE("hostwatch leaves when nobody reads its answers") {
  running_hostwatch host;
  host.child.close_stdout();
  REQUIRE(host.child.write_line(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"));
  CHECK(left_with(host.child, 0));
}

TEST_CASE("a signal to leave is obeyed") {
  running_hostwatch host;
  host.child.send_signal(GENERATE(SIGTERM, SIGHUP));
  CHECK(left_with(host.child, 0));
}

TEST_CASE("no line that comes in ends hostwatch") {
  running_hostwatch host;
  for (const auto& line :
       {std::string("not json"), std::string("{"), std::string(1000, '['), std::string("\xff\xfe\0\x01", 4),
        std::string(R"({"jsonrpc":"2.0","id":{},"method":"tools/call"})"),
        std::string(
            R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"memory","arguments":7}})")}) {
    REQUIRE(host.child.write_line(line));
    CHECK(host.read().contains("error"));
  }
  REQUIRE(host.child.write_line(std::string((16u << 20) + 1, 'x')));
  CHECK(host.read()["error"]["code"] == -32600);
  CHECK(host.request("ping")["result"] == json::object());
}

TEST_CASE("a message of 8 MiB is read") {
  running_hostwatch host;
  const auto given = host.call("memory", {{"unused", std::string(8u << 20, 'x')}});
  CHECK(given["isError"] == false);
}

TEST_CASE("help and version are told without serving") {
  stdio_child help(HOSTWATCH, {"--help"});
  std::string text;
  while (const auto line = help.read_line())
    text += *line + '\n';
  CHECK_THAT(text, Catch::Contains("LOG_DIR") && Catch::Contains("tail_log"));
  CHECK(left_with(help, 0));
  stdio_child version(HOSTWATCH, {"--version"});
  const auto line = version.read_line();
  REQUIRE(line);
  CHECK_THAT(*line, Catch::Matches("hostwatch [0-9]+\\.[0-9]+\\.[0-9]+"));
  CHECK(left_with(version, 0));
}
