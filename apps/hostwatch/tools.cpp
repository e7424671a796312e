#include "apps/hostwatch/tools.hpp"

#include "apps/hostwatch/cpu.hpp"
#include "apps/hostwatch/disks.hpp"
#include "apps/hostwatch/memory.hpp"
#include "apps/hostwatch/processes.hpp"
#include "apps/hostwatch/units.hpp"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace troupe::hostwatch {

namespace {

using std::chrono::milliseconds;

/// Long enough for a few ticks of the kernel's 100 Hz clock, short enough to wait for.
constexpr milliseconds cpu_interval{250};
/// A process is counted in ticks of its own, so it takes longer until they say something.
constexpr milliseconds process_interval{500};

constexpr std::size_t default_processes = 10;
constexpr std::size_t max_processes = 100;
constexpr std::size_t default_lines = 50;
constexpr std::size_t max_lines = 1000;

json text(std::string description) {
  return {{"type", "string"}, {"description", std::move(description)}};
}

json bounded_integer(std::string description, std::size_t most, std::size_t otherwise) {
  return {{"type", "integer"},
          {"minimum", 1},
          {"maximum", most},
          {"default", otherwise},
          {"description", std::move(description)}};
}

/// The schema of an object with these properties, all of which are there if `complete`.
json object_of(json properties, bool complete) {
  json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (complete)
    for (const auto& [name, unused] : schema["properties"].items())
      schema["required"].push_back(name);
  return schema;
}

/// Properties by name and type: a size is given twice, as a text and in bytes.
json figures(std::initializer_list<const char*> sizes, std::initializer_list<const char*> numbers,
             std::initializer_list<const char*> texts = {}) {
  auto properties = json::object();
  for (const std::string name : sizes) {
    properties[name] = {{"type", "string"}};
    properties[name + "_bytes"] = {{"type", "integer"}};
  }
  for (const char* name : numbers)
    properties[name] = {{"type", "number"}};
  for (const char* name : texts)
    properties[name] = {{"type", "string"}};
  return properties;
}

json list_of(json properties) {
  return {{"type", "array"}, {"items", object_of(std::move(properties), true)}};
}

using measurement = std::function<result<json>(const json& arguments)>;

mcp::served_tool make_tool(std::string name, std::string description, json input, json output,
                           measurement measure) {
  mcp::served_tool tool;
  tool.spec = {std::move(name), std::move(description), json_schema::compile(std::move(input)).value()};
  tool.output_schema = std::move(output);
  tool.read_only = true;
  tool.run = [measure = std::move(measure)](const json& arguments) {
    const auto measured = measure(arguments);
    return measured ? tool_result::text(dump_json(*measured)) : tool_result::failure(measured.error().detail);
  };
  return tool;
}

mcp::served_tool make_disk_usage() {
  auto listed =
      list_of(figures({"total", "used", "available"}, {"used_percent"}, {"mount", "device", "type"}));
  return make_tool(
      "disk_usage",
      "Used and available space of this machine's local filesystems, or of the one that holds a path.",
      object_of({{"path", text("Only the filesystem that holds this path")}}, false),
      object_of({{"filesystems", std::move(listed)}}, true), [](const json& arguments) {
        const auto* path = find_string(arguments, "path");
        return disk_usage(path == nullptr ? std::nullopt : std::optional(*path));
      });
}

mcp::served_tool make_top_processes() {
  auto listed = list_of(figures({"memory"}, {"pid", "cpu_percent", "memory_percent"}, {"name"}));
  auto output = figures({}, {"process_count", "measured_ms"}, {"sorted_by"});
  output["processes"] = std::move(listed);
  const json sort_by = {{"type", "string"}, {"enum", {"cpu", "memory"}}, {"default", "cpu"}};
  return make_tool(
      "top_processes", "The processes of this machine that use most CPU or memory.",
      object_of({{"limit", bounded_integer("How many processes", max_processes, default_processes)},
                 {"sort_by", sort_by}},
                false),
      object_of(std::move(output), true), [](const json& arguments) {
        const auto order =
            arguments.value("sort_by", "cpu") == "memory" ? process_order::memory : process_order::cpu;
        return top_processes(arguments.value("limit", default_processes), order, process_interval);
      });
}

mcp::served_tool make_tail_log(log_files logs) {
  std::string where;
  for (const auto& directory : logs.directories())
    where += (where.empty() ? "" : ", ") + to_utf8(directory.string());
  auto description = where.empty()
                         ? std::string("The last lines of a log file. No directory was given to this "
                                       "server, so every path is refused.")
                         : fmt::format("The last lines of a log file below {}.", where);
  auto output = figures({}, {"line_count", "size_bytes"}, {"path", "text"});
  output["truncated"] = {{"type", "boolean"}};
  auto input = object_of({{"path", text("Absolute, or relative to a log directory")},
                          {"lines", bounded_integer("How many lines", max_lines, default_lines)}},
                         false);
  input["required"] = {"path"};
  return make_tool("tail_log", std::move(description), std::move(input), object_of(std::move(output), true),
                   [logs = std::move(logs)](const json& arguments) {
                     return logs.tail_log(*find_string(arguments, "path"),
                                          arguments.value("lines", default_lines));
                   });
}

} // namespace

std::vector<mcp::served_tool> make_tools(log_files logs) {
  const auto nothing = object_of(json::object(), false);
  std::vector<mcp::served_tool> tools;
  tools.push_back(make_tool(
      "cpu_load", "Load averages of this machine, its number of CPUs and how busy they are right now.",
      nothing,
      object_of(figures({}, {"load_1m", "load_5m", "load_15m", "cpus", "busy_percent", "measured_ms"}), true),
      [](const json&) { return cpu_load(cpu_interval); }));
  tools.push_back(make_tool(
      "memory", "Memory of this machine: total, available, free and used, and its swap space.", nothing,
      object_of(figures({"total", "available", "free", "used", "swap_total", "swap_free", "swap_used"},
                        {"used_percent"}),
                true),
      [](const json&) { return memory(read_text("/proc/meminfo")); }));
  tools.push_back(make_disk_usage());
  tools.push_back(make_top_processes());
  tools.push_back(make_tail_log(std::move(logs)));
  return tools;
}

} // namespace troupe::hostwatch
