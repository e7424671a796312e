#include "libagent/config/blocks.hpp"
#include "libagent/config/conditions.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/tool_mentions.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

constexpr milliseconds some_time{1};

/// Desktop clients and editors switch a server off by one of these.
bool is_disabled(map_reader& server) {
  bool disabled = false;
  bool enabled = true;
  bool active = true;
  server.set("disabled", disabled, read_boolean);
  server.set("enabled", enabled, read_boolean);
  server.set("isActive", active, read_boolean);
  return disabled || !enabled || !active;
}

/// What such clients write besides, which means nothing to Troupe.
void ignore_foreign_keys(map_reader& server) {
  server.ignore({"autoApprove", "alwaysAllow", "description", "icon", "name", "title", "version", "gallery",
                 "trust", "dev", "watchPaths", "tags", "metadata", "$comment"});
}

/// Reports a server that is not reached over stdio.
bool is_stdio(map_reader& server) {
  constexpr auto only_stdio = "only stdio servers can be used as yet; give it a 'command'";
  const auto& self = server.self();
  for (const auto key : {"type", "transport"})
    if (const auto type = server.find(key)) {
      const auto word = read_text(*type);
      if (word && *word != "stdio") {
        type->fail(fmt::format("is not stdio; {}", only_stdio));
        return false;
      }
    }
  for (const auto key : {"url", "serverUrl", "httpUrl", "headers"})
    if (const auto remote = server.find(key)) {
      self.ctx.fail(remote->key_at,
                    fmt::format("{} is for a server over HTTP; {}", remote->what, only_stdio));
      return false;
    }
  return true;
}

/// A bare name is looked up in PATH when the server starts; anything with a slash is made absolute.
void read_command(map_reader& server, std::string& into) {
  if (!server.need("command", "command: PROGRAM") || !server.set("command", into, read_name))
    return;
  if (into.find('/') == std::string::npos && into != "~")
    return;
  if (const auto path = resolve_path(*server.find("command"), into))
    into = path->string();
}

void read_args(map_reader& server, std::vector<std::string>& into) {
  const auto args = server.find("args");
  const auto list = args ? read_list(*args, "[\"--verbose\", \"file\"]") : std::nullopt;
  if (!list)
    return;
  for (const auto& one : *list)
    if (auto text = read_scalar(one))
      into.push_back(std::move(*text));
}

void read_env(map_reader& server, pairs& into) {
  server.set("env", into, read_pairs, read_scalar);
  const auto env = server.find("env");
  if (!env)
    return;
  for (const auto& [name, at, value] : env->value.entries)
    if (name.find('=') != std::string::npos)
      env->ctx.fail(at, fmt::format("a name in {} holds a '='; write NAME: VALUE", env->what));
}

/// `timeout` is what other clients call it, some in seconds and some in milliseconds.
void read_foreign_timeout(map_reader& server, milliseconds& into) {
  const auto timeout = server.find("timeout");
  const auto value = timeout ? read_duration(*timeout, some_time) : std::nullopt;
  if (!value)
    return;
  const auto is_number = timeout->value.text.find_first_of("msdh") == std::string::npos;
  const auto in_milliseconds =
      is_number && static_cast<double>(value->count()) >= 1000 * defaults::timeout_in_milliseconds_from;
  into = in_milliseconds ? *value / 1000 : *value;
}

void read_timeouts(map_reader& server, mcp_server_options& into) {
  server.set("startup_timeout", into.startup_timeout, read_duration, some_time);
  read_foreign_timeout(server, into.call_timeout);
  server.set("call_timeout", into.call_timeout, read_duration, some_time);
  const auto has_cap = server.set("max_call_timeout", into.max_call_timeout, read_duration, some_time);
  if (has_cap && into.max_call_timeout < into.call_timeout)
    server.find("max_call_timeout")->fail("is shorter than the call's own timeout; make it at least as long");
  into.max_call_timeout = std::max(into.max_call_timeout, into.call_timeout);
}

/// Reads lists of names from the keys of several clients into one.
bool read_tools(map_reader& server, std::initializer_list<std::string_view> keys,
                std::vector<std::string>& into) {
  bool found_any = false;
  for (const auto key : keys) {
    const auto found = server.find(key);
    const auto names = found ? read_names(*found, std::string{key}) : std::nullopt;
    if (!names)
      continue;
    into.insert(into.end(), names->begin(), names->end());
    mention_tools(*found);
    found_any = true;
  }
  return found_any;
}

void read_restart_map(const field& from, restart_options& into) {
  auto restart = map_reader{from, from.what};
  std::size_t policy = 0;
  restart.set("policy", policy, read_word, std::vector<std::string>{"always", "never"});
  into.when = policy == 1 ? restart_options::policy::never : restart_options::policy::always;
  restart.set("initial_backoff", into.initial_backoff, read_duration, some_time);
  const auto has_cap = restart.set("max_backoff", into.max_backoff, read_duration, some_time);
  if (has_cap && into.max_backoff < into.initial_backoff)
    restart.find("max_backoff")->fail("is shorter than 'initial_backoff'; make it at least as long");
  into.max_backoff = std::max(into.max_backoff, into.initial_backoff);
  restart.set("max_restarts", into.max_restarts, read_count, 0, defaults::largest_count);
  restart.set("within", into.within, read_duration, some_time);
  restart.set("cooldown", into.cooldown, read_duration, some_time);
  restart.set("stable_after", into.stable_after, read_duration, some_time);
  restart.finish();
}

void read_restart(map_reader& server, restart_options& into) {
  const auto restart = server.find("restart");
  if (!restart)
    return;
  if (restart->value.type == node::kind::map)
    return read_restart_map(*restart, into);
  if (restart->value.type != node::kind::text)
    return restart->wrong("always, never, or a map such as {policy: always, max_restarts: 3}");
  if (const auto policy = read_word(*restart, {"always", "never"}))
    into.when = *policy == 1 ? restart_options::policy::never : restart_options::policy::always;
}

/// `path` is the server's place in the configuration.
mcp_server_options read_server_body(map_reader& server, std::string name, const std::string& path) {
  auto into = mcp_server_options{};
  into.name = std::move(name);
  into.cwd = server.self().ctx.folder;
  read_command(server, into.command);
  read_args(server, into.args);
  read_env(server, into.env);
  server.set("cwd", into.cwd, read_path);
  read_timeouts(server, into);
  server.set("max_message_bytes", into.max_message_bytes, read_size);
  server.set("max_concurrent_calls", into.max_concurrent_calls, read_count, 1, defaults::largest_count);
  server.set("max_queue", into.max_queue, read_count, 0, defaults::largest_count);
  std::vector<std::string> allowed;
  if (read_tools(server, {"allowed_tools", "includeTools"}, allowed))
    into.allowed_tools = std::move(allowed);
  read_tools(server, {"blocked_tools", "disabledTools", "excludeTools"}, into.blocked_tools);
  server.set("approval", into.approval, read_approval);
  server.set("trusted", into.trusted, read_boolean);
  read_restart(server, into.restart);
  server.set("limits", into.limits, read_child_limits);
  if (const auto sandbox = server.find("sandbox")) {
    sandbox->mark(path + "/sandbox");
    into.sandbox = read_sandbox(*sandbox);
  }
  return into;
}

} // namespace

void read_mcp_servers(const field& from, std::vector<mcp_server_options>& into) {
  from.mark("mcp_servers", from.value.type != node::kind::map);
  if (from.value.type != node::kind::map)
    return from.wrong("a map from names to MCP servers");
  for (const auto& [name, at, value] : from.value.entries) {
    const auto what = "MCP server " + in_quotes(name);
    auto server = map_reader{field{from.ctx, *value, what, at}, what};
    const auto path = fmt::format("mcp_servers/{}", into.size());
    from.ctx.where[path] = {at};
    if (is_disabled(server)) {
      from.ctx.disabled_servers.insert(name);
      continue;
    }
    // A server that cannot be used still counts as defined, so that agents' references to it are right.
    if (!server.is_map() || !is_stdio(server)) {
      from.ctx.where[path].broken = true;
      into.push_back({});
      into.back().name = name;
      continue;
    }
    ignore_foreign_keys(server);
    auto mentions = mentions_scope{from.ctx};
    into.push_back(read_server_body(server, name, path));
    mentions.set_owner(tool_mention::owner::server, name);
    server.finish();
  }
}

} // namespace troupe::config
