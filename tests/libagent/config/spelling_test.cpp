#include "libagent/config/spelling.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

TEST_CASE("the nearest word is the one with the fewest edits") {
  const std::vector<std::string> known = {"name",     "model",       "model_settings",
                                          "handoffs", "mcp_servers", "instructions"};
  CHECK(nearest("handofs", known) == "handoffs");
  CHECK(nearest("handfofs", known) == "handoffs");
  CHECK(nearest("modle", known) == "model");
  CHECK(nearest("modelSettings", known) == "model_settings");
  CHECK(nearest("mcpServers", known) == "mcp_servers");
  CHECK(nearest("mcp-server", known) == "mcp_servers");
  CHECK(nearest("Instruction", known) == "instructions");
  CHECK(nearest("nam", known) == "name");
}

TEST_CASE("words with nothing in common are not suggested") {
  CHECK(nearest("guardrails", {"name", "model", "handoffs"}).empty());
  CHECK(nearest("c", {"a", "b"}).empty());
  CHECK(nearest("", {"a", "b"}).empty());
  CHECK(nearest(std::string(100'000, 'x'), {std::string(100'000, 'y')}).empty());
}

TEST_CASE("a suggestion falls back to the list of what is known") {
  CHECK(suggestion("zzzzzz", {"a", "b"}, "agents") == "agents are 'a', 'b'");
  CHECK(suggestion("x", {}, "MCP servers") == "there are no MCP servers in this file");
}

TEST_CASE("shown texts fit on one line") {
  CHECK(in_quotes("a\nb\x1b") == "'a b '");
  CHECK(in_quotes(std::string(1000, 'x')).size() < 100);
  CHECK(key_in_quotes("name") == "'name'");
  CHECK(key_in_quotes("api_key:secret") == "'api_key' (and more)");
  CHECK(key_in_quotes("KEY=secret") == "'KEY' (and more)");
}
