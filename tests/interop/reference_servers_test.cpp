#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("filesystem writes and reads in its folder, and refuses paths outside") {
  temporary_folder folder;
  household home({reference_server("filesystem", {folder / "."})});
  REQUIRE(home.tools("filesystem").size() > 10);
  const auto path = folder / "note.txt";
  const std::string note = "first line\nзаметка";

  const auto written = await(home.call("filesystem", "write_file", {{"path", path}, {"content", note}}));
  CHECK_FALSE(written.is_error);
  CHECK(read_file(path) == note);
  const auto read = await(home.call("filesystem", "read_text_file", {{"path", path}}));
  CHECK(read.parts == std::vector<content>{text_content{note}});

  const auto refused = await(home.call("filesystem", "read_text_file", {{"path", "/etc/hostname"}}));
  CHECK(refused.is_error);
  CHECK_THAT(text_of(refused), Catch::Contains("Access denied"));
}

TEST_CASE("filesystem's working folder is the one that was asked for") {
  temporary_folder folder;
  std::ofstream(folder / "here.txt") << "found";
  auto server = reference_server("filesystem", {"."});
  server.cwd = folder / ".";
  household home({server});
  REQUIRE_FALSE(home.tools("filesystem").empty());
  CHECK(text_of(await(home.call("filesystem", "read_text_file", {{"path", "here.txt"}}))) == "found");
}

TEST_CASE("memory keeps what it is told over a restart of the house") {
  temporary_folder folder;
  auto server = reference_server("memory");
  server.env = {{"MEMORY_FILE_PATH", folder / "memory.json"}};
  const json ada = {{"name", "Ada"}, {"entityType", "person"}, {"observations", {"wrote programs"}}};
  {
    household home({server});
    REQUIRE_FALSE(home.tools("memory").empty());
    CHECK_FALSE(await(home.call("memory", "create_entities", {{"entities", json::array({ada})}})).is_error);
  }
  household home({server});
  REQUIRE_FALSE(home.tools("memory").empty());
  const auto graph = parse_json(text_of(await(home.call("memory", "read_graph")))).value();
  CHECK(graph.at("entities") == json::array({ada}));
}

TEST_CASE("sequential-thinking counts the thoughts of one connection") {
  household home({reference_server("sequential-thinking")});
  REQUIRE(home.tools("sequential-thinking") == std::vector<std::string>{"sequentialthinking"});
  for (int i = 1; i <= 2; ++i) {
    const auto thought = await(home.call(
        "sequential-thinking", "sequentialthinking",
        {{"thought", "next"}, {"nextThoughtNeeded", i < 2}, {"thoughtNumber", i}, {"totalThoughts", 2}}));
    CHECK_FALSE(thought.is_error);
    CHECK(parse_json(text_of(thought))->at("thoughtHistoryLength") == i);
  }
}

TEST_CASE("four servers run side by side and leave no process behind") {
  temporary_folder folder;
  auto memory = reference_server("memory");
  memory.env = {{"MEMORY_FILE_PATH", folder / "memory.json"}};
  household home({reference_server("everything", {"stdio"}), reference_server("filesystem", {folder / "."}),
                  memory, reference_server("sequential-thinking")});
  std::vector<std::unique_ptr<watched_process>> processes;
  for (const auto& [name, handle] : home.house().mcp_servers()) {
    INFO(name);
    REQUIRE_FALSE(home.tools(name).empty());
    processes.push_back(std::make_unique<watched_process>(static_cast<pid_t>(home.status(name).pid)));
  }
  CHECK(await(home.chat("hello"))->result == "I am here.");
  const auto begin = std::chrono::steady_clock::now();
  home.house().shutdown(0ms);
  CHECK(std::chrono::steady_clock::now() - begin < 15s);
  for (const auto& process : processes)
    CHECK(process->has_ended());
}
