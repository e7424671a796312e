#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/sandbox.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

void read_paths(map_reader& box, std::string_view key, std::vector<std::filesystem::path>& into) {
  const auto found = box.find(key);
  const auto list = found ? read_list(*found, "[data, ~/.cache]") : std::nullopt;
  if (!list)
    return;
  for (const auto& each : *list)
    if (auto path = read_path(each))
      into.push_back(std::move(*path));
}

} // namespace

std::optional<child_limits> read_child_limits(const field& from) {
  child_limits into;
  auto limits = map_reader{from, from.what};
  if (!limits.is_map())
    return std::nullopt;
  limits.set("memory", into.memory, read_size);
  limits.set("cpu_seconds", into.cpu_seconds, read_count, 1, defaults::largest_count);
  // Three are its standard streams, and a program opens others before it begins.
  limits.set("open_files", into.open_files, read_count, defaults::least_open_files, defaults::largest_count);
  limits.set("no_new_privileges", into.no_new_privileges, read_boolean);
  limits.finish();
  return into;
}

std::optional<sandbox_options> read_sandbox(const field& from) {
  sandbox_options into;
  auto box = map_reader{from, from.what};
  if (!box.is_map())
    return std::nullopt;
  read_paths(box, "read_only", into.read_only);
  read_paths(box, "writable", into.writable);
  box.set("network", into.network, read_boolean);
  box.finish();
  return into;
}

void check_sandboxes(context& ctx, const configuration& read) {
  const auto needed = [](const mcp_server_options& each) { return each.sandbox.has_value(); };
  if (std::none_of(read.mcp_servers.begin(), read.mcp_servers.end(), needed) || find_bubblewrap())
    return;
  for (std::size_t i = 0; i < read.mcp_servers.size(); ++i) {
    const auto found = ctx.where.find(fmt::format("mcp_servers/{}/sandbox", i));
    if (found != ctx.where.end())
      ctx.fail(found->second.at,
               fmt::format("'sandbox' in MCP server {} needs the program 'bwrap', which is not in "
                           "PATH; install it (Debian: bubblewrap), or remove 'sandbox'",
                           in_quotes(read.mcp_servers[i].name)));
  }
}

} // namespace troupe::config
