#include "apps/hostwatch/processes.hpp"
#include "libagent/core/json_schema.hpp"
#include "libagent/mcp/client_session.hpp"
#include "tests/apps/hostwatch/hostwatch_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <sys/statvfs.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::hostwatch::testing;

namespace {

std::map<std::string, double> meminfo() {
  std::ifstream in("/proc/meminfo");
  std::map<std::string, double> bytes;
  std::string name, unit;
  for (double value = 0; in >> name >> value && std::getline(in, unit);)
    bytes[name.substr(0, name.size() - 1)] = value * 1024;
  return bytes;
}

} // namespace

TEST_CASE("hostwatch offers five tools that only read, and keeps to the schemas that it gives") {
  running_hostwatch host;
  const auto tools = host.request("tools/list")["result"]["tools"];
  std::map<std::string, json> by_name;
  for (const auto& tool : tools)
    by_name[tool["name"].get<std::string>()] = tool;
  REQUIRE(by_name.size() == 5);
  for (const std::string name : {"cpu_load", "memory", "disk_usage", "top_processes"}) {
    CAPTURE(name);
    REQUIRE(by_name.contains(name));
    CHECK(by_name[name]["annotations"]["readOnlyHint"] == true);
    CHECK(by_name[name]["inputSchema"]["type"] == "object");
    const auto output = json_schema::compile(by_name[name]["outputSchema"]);
    REQUIRE(output.has_value());
    CHECK(output->validate(host.figures(name)).has_value());
  }
  CHECK(by_name["tail_log"]["inputSchema"]["required"] == json::array({"path"}));
}

TEST_CASE("memory tells the figures of /proc/meminfo") {
  running_hostwatch host;
  const auto figures = host.figures("memory");
  const auto true_figures = meminfo();
  CHECK(figures["total_bytes"] == true_figures.at("MemTotal"));
  CHECK(figures["swap_total_bytes"] == true_figures.at("SwapTotal"));
  // Others use memory meanwhile.
  const auto slack = true_figures.at("MemTotal") / 4;
  CHECK(std::abs(figures["available_bytes"].get<double>() - true_figures.at("MemAvailable")) < slack);
  CHECK(std::abs(figures["free_bytes"].get<double>() - true_figures.at("MemFree")) < slack);
  CHECK(figures["used_bytes"].get<double>() ==
        figures["total_bytes"].get<double>() - figures["available_bytes"].get<double>());
  CHECK_THAT(figures["total"].get<std::string>(), Catch::Matches("[0-9]+\\.[0-9] [KMGT]iB"));
}

TEST_CASE("cpu_load tells loads, CPUs and a share that was measured") {
  running_hostwatch host;
  const auto figures = host.figures("cpu_load");
  CHECK(figures["cpus"] == ::sysconf(_SC_NPROCESSORS_ONLN));
  CHECK(figures["busy_percent"] >= 0);
  CHECK(figures["busy_percent"] <= 100);
  CHECK(figures["measured_ms"] > 0);
  double load = -1;
  std::ifstream("/proc/loadavg") >> load;
  CHECK(std::abs(figures["load_1m"].get<double>() - load) < 2 + load / 2);
}

TEST_CASE("disk_usage tells what statvfs tells") {
  running_hostwatch host;
  temporary_directory directory;
  const auto figures = host.figures("disk_usage", {{"path", directory.path().string()}});
  REQUIRE(figures["filesystems"].size() == 1);
  const auto one = figures["filesystems"][0];
  struct statvfs truth {};
  REQUIRE(::statvfs(directory.path().c_str(), &truth) == 0);
  CHECK(one["total_bytes"] == truth.f_blocks * truth.f_frsize);
  const auto used = static_cast<double>((truth.f_blocks - truth.f_bfree) * truth.f_frsize);
  CHECK(std::abs(one["used_bytes"].get<double>() - used) < 1e9);
  CHECK(one["used_percent"] >= 0);
  CHECK(one["used_percent"] <= 100);
  CHECK(directory.path().string().starts_with(one["mount"].get<std::string>()));
}

TEST_CASE("disk_usage lists each local filesystem once, and refuses what is not there") {
  running_hostwatch host;
  const auto filesystems = host.figures("disk_usage")["filesystems"];
  REQUIRE_FALSE(filesystems.empty());
  std::set<std::string> mounts;
  for (const auto& each : filesystems) {
    CHECK(mounts.insert(each["mount"].get<std::string>()).second);
    CHECK(each["total_bytes"] > 0);
    CHECK(each["type"] != "proc");
    CHECK((each["type"] != "tmpfs" || each["mount"] == "/"));
  }
  CHECK_THAT(host.refusal("disk_usage", {{"path", "/no/such/place"}}), Catch::Contains("/no/such/place"));
}

TEST_CASE("top_processes lists the largest first, as many as were asked for") {
  running_hostwatch host;
  const auto by_memory = host.figures("top_processes", {{"limit", 100}, {"sort_by", "memory"}});
  CHECK(by_memory["sorted_by"] == "memory");
  const auto& listed = by_memory["processes"];
  REQUIRE(listed.size() >= 2);
  CHECK(by_memory["process_count"] >= listed.size());
  for (std::size_t i = 1; i < listed.size(); ++i)
    CHECK(listed[i - 1]["memory_bytes"] >= listed[i]["memory_bytes"]);
  const auto by_cpu = host.figures("top_processes", {{"limit", 2}})["processes"];
  REQUIRE(by_cpu.size() == 2);
  CHECK(by_cpu[0]["cpu_percent"] >= by_cpu[1]["cpu_percent"]);
}

TEST_CASE("a process at work is found with its share of a CPU and its memory") {
  const std::jthread work([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
    }
  });
  const auto figures =
      hostwatch::top_processes(1000000, hostwatch::process_order::cpu, std::chrono::milliseconds(500));
  REQUIRE(figures.has_value());
  const auto& listed = figures->at("processes");
  CHECK(listed.size() == figures->at("process_count"));
  const auto own =
      std::find_if(listed.begin(), listed.end(), [](const json& each) { return each["pid"] == ::getpid(); });
  REQUIRE(own != listed.end());
  CHECK(own->at("name") == "test_hostwatch");
  CHECK(own->at("cpu_percent") > 1);
  CHECK(own->at("memory_bytes") > (1 << 20));
}

TEST_CASE("arguments that break a tool's schema are refused in a way that a model can read") {
  running_hostwatch host;
  const json bad = GENERATE(json{{"limit", 0}}, json{{"limit", 101}}, json{{"limit", "ten"}},
                            json{{"limit", 1.5}}, json{{"sort_by", "name"}});
  CHECK_THAT(host.refusal("top_processes", bad), Catch::Contains(bad.begin().key()));
}

TEST_CASE("our client gets its tools from hostwatch and calls them") {
  running_hostwatch host;
  mcp::client_session client({});
  mcp::effects seen;
  const auto converse = [&](mcp::effects out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto* line = std::get_if<mcp::send_line>(&out[i]);
      if (line == nullptr) {
        seen.push_back(out[i]);
        continue;
      }
      REQUIRE(host.child.write_line(line->line));
      if (json::parse(line->line).contains("id"))
        for (auto& effect : client.on_line(*host.child.read_line()))
          out.push_back(std::move(effect));
    }
  };
  converse(client.start());
  REQUIRE(client.is_ready());
  converse(client.call_tool(1, "memory", json::object()));
  const auto& done = std::get<mcp::call_finished>(seen.back());
  REQUIRE_FALSE(done.result.is_error);
  // One part: the structured content says the same and is not repeated.
  REQUIRE(done.result.parts.size() == 1);
  CHECK(json::parse(plain_text(done.result.parts))["total_bytes"] == meminfo().at("MemTotal"));
}
