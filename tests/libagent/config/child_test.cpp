#include "libagent/config/sandbox.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <cstdlib>

using namespace troupe::config;

namespace {

std::string with_server(const std::string& keys) {
  return minimal + "mcpServers:\n  s: {command: c, " + keys + "}\n";
}

mcp_server_options server_of(const std::string& keys) {
  const auto loaded = read(with_server(keys), {{"HOME", "/home/u"}});
  INFO(keys);
  CHECK(errors_of(loaded).empty());
  REQUIRE(loaded.value);
  return loaded.value->mcp_servers.at(0);
}

/// Where the words stand one after the other.
bool has(const std::vector<std::string>& all, const std::vector<std::string>& words) {
  return std::search(all.begin(), all.end(), words.begin(), words.end()) != all.end();
}

std::ptrdiff_t place_of(const std::vector<std::string>& all, const std::vector<std::string>& words) {
  return std::search(all.begin(), all.end(), words.begin(), words.end()) - all.begin();
}

} // namespace

TEST_CASE("limits of an MCP server are read") {
  CHECK(server_of("args: []").limits == child_limits{});
  CHECK(server_of("limits: {memory: 512MiB, cpu_seconds: 60, open_files: 64, no_new_privileges: true}")
            .limits == child_limits{512u << 20, 60, 64, true});
}

TEST_CASE("a sandbox of an MCP server is read, with paths from the file's folder") {
  CHECK_FALSE(server_of("args: []").sandbox);
  CHECK(server_of("sandbox: {}").sandbox == sandbox_options{});
  CHECK(
      server_of("sandbox: {read_only: [data, /opt/x], writable: [~/.cache, ../y], network: true}").sandbox ==
      sandbox_options{{"/etc/troupe/data", "/opt/x"}, {"/home/u/.cache", "/etc/y"}, true});
}

TEST_CASE("what is wrong with limits and sandboxes is told with its place") {
  const mistake cases[] = {
      {"limits: {memory: much}", "'memory' in 'limits' in MCP server 's'"},
      {"limits: {open_files: 3}", "'open_files' in 'limits' in MCP server 's'"},
      {"limits: {cpu_seconds: 0}", "'cpu_seconds' in 'limits' in MCP server 's'"},
      {"limits: {cpus: 1}", "unknown key 'cpus' in 'limits' in MCP server 's'"},
      {"limits: 5", "it has to be a map"},
      {"sandbox: true", "it has to be a map"},
      {"sandbox: {writable: data}", "'writable' in 'sandbox' in MCP server 's'"},
      {"sandbox: {net: true}", "unknown key 'net' in 'sandbox' in MCP server 's'"},
  };
  for (const auto& [written, message] : cases) {
    INFO(written);
    CHECK_THAT(error_of(with_server(written)), Catch::Contains(message));
  }
}

TEST_CASE("a sandbox has the system's folders, its own, and no network") {
  const auto made = bubblewrap_arguments({}, "/srv/agents", "uvx", {"server", "--", "x"});
  CHECK(has(made, {"--unshare-all"}));
  CHECK(has(made, {"--die-with-parent"}));
  CHECK_FALSE(has(made, {"--share-net"}));
  CHECK(has(made, {"--ro-bind-try", "/usr", "/usr"}));
  CHECK(has(made, {"--ro-bind", "/srv/agents", "/srv/agents"}));
  CHECK(has(made, {"--tmpfs", "/tmp"}));
  CHECK(has(made, {"--chdir", "/srv/agents", "--", "uvx", "server", "--", "x"}));
  CHECK_FALSE(has(made, {"--bind"}));
  CHECK(has(bubblewrap_arguments({.network = true}, "/", "c", {}), {"--share-net"}));
}

TEST_CASE("inner folders of a sandbox come after outer ones, and the widest right of one folder counts") {
  const auto made = bubblewrap_arguments(
      {.read_only = {"/a/b/c", "/w", "/tmp/x/"}, .writable = {"/a/b", "/w"}}, "/a", "c", {});
  CHECK(place_of(made, {"--ro-bind", "/a", "/a"}) < place_of(made, {"--bind", "/a/b", "/a/b"}));
  CHECK(place_of(made, {"--bind", "/a/b", "/a/b"}) < place_of(made, {"--ro-bind", "/a/b/c", "/a/b/c"}));
  CHECK(place_of(made, {"--tmpfs", "/tmp"}) < place_of(made, {"--ro-bind", "/tmp/x", "/tmp/x"}));
  CHECK(has(made, {"--bind", "/w", "/w"}));
  CHECK_FALSE(has(made, {"--ro-bind", "/w", "/w"}));
}

TEST_CASE("bubblewrap is looked for in whole paths only") {
  char folder[] = "/tmp/troupe-bwrap-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::filesystem::path place = folder;
  CHECK_FALSE(find_bubblewrap(place.string()));
  std::ofstream(place / "bwrap") << "#!/bin/sh\n";
  CHECK_FALSE(find_bubblewrap(place.string()));
  std::filesystem::permissions(place / "bwrap", std::filesystem::perms::owner_all);
  CHECK(find_bubblewrap("/nowhere:" + place.string() + ":/usr/bin") == place / "bwrap");
  CHECK_FALSE(find_bubblewrap(std::filesystem::relative(place).string()));
  CHECK_FALSE(find_bubblewrap(""));
  std::filesystem::remove_all(place);
}
