#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"
#include "libagent/core/authority.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace troupe::config {

namespace {

constexpr milliseconds no_time{0};
constexpr milliseconds some_time{1};

/// What the REST API calls `wall_time`. Not to be suggested for other mistakes.
void refuse_milliseconds(const field& from, map_reader& bounds) {
  constexpr auto foreign = "wall_time_ms";
  const auto& entries = from.value.entries;
  if (std::any_of(entries.begin(), entries.end(), [&](const entry& each) { return each.key == foreign; }))
    bounds.refuse(foreign, "is what the REST API calls it; write wall_time, a duration such as 30s");
}

} // namespace

std::optional<budget> read_budget(const field& from, const std::string& path) {
  from.ctx.where[path] = {from.key_at};
  auto into = budget{};
  auto bounds = map_reader{from, from.what};
  bounds.set("turns", into.turns, read_count, 1, defaults::largest_count);
  bounds.set("model_calls", into.model_calls, read_count, 1, defaults::largest_count);
  bounds.set("tool_calls", into.tool_calls, read_count, 0, defaults::largest_count);
  bounds.set("input_tokens", into.input_tokens, read_count, 1, defaults::most_tokens);
  bounds.set("output_tokens", into.output_tokens, read_count, 1, defaults::most_tokens);
  bounds.set("total_tokens", into.total_tokens, read_count, 1, defaults::most_tokens);
  bounds.set("cost", into.cost, read_number, 0.0, defaults::most_money);
  bounds.set("wall_time", into.wall_time, read_duration, some_time);
  refuse_milliseconds(from, bounds);
  bounds.finish();
  return into;
}

namespace {

std::optional<std::string> read_host(const field& from) {
  auto host = read_name(from);
  if (!host || can_listen_on(*host))
    return host;
  const auto shown =
      from.value.substituted ? std::string{"is no"} : fmt::format("is {}, no", in_quotes(*host));
  from.fail(shown + " IP address to listen on; write one such as 127.0.0.1, 0.0.0.0 or '::1', or localhost");
  return std::nullopt;
}

} // namespace

void read_server(const field& from, server_options& into) {
  auto server = map_reader{from, "server"};
  server.set("host", into.host, read_host);
  server.set("port", into.port, read_count, 0, std::numeric_limits<std::uint16_t>::max());
  server.set("max_body_bytes", into.max_body_bytes, read_size);
  server.set("max_json_depth", into.max_json_depth, read_count, 1, defaults::deepest_json);
  server.set("max_connections", into.max_connections, read_count, 1, defaults::largest_count);
  server.set("max_requests", into.max_requests, read_count, 1, defaults::largest_count);
  server.set("header_timeout", into.header_timeout, read_duration, some_time);
  server.set("body_timeout", into.body_timeout, read_duration, some_time);
  server.set("idle_timeout", into.idle_timeout, read_duration, some_time);
  server.set("sse_keep_alive", into.sse_keep_alive, read_duration, some_time);
  server.set("shutdown_grace", into.shutdown_grace, read_duration, no_time);
  read_server_security(server, into);
  server.finish();
}

void read_limits(const field& from, limit_options& into) {
  auto limits = map_reader{from, "limits"};
  limits.set("max_turns", into.max_turns, read_count, 1, defaults::largest_count);
  limits.set("run_timeout", into.run_timeout, read_duration, some_time);
  limits.set("max_runs", into.max_runs, read_count, 1, defaults::largest_count);
  limits.set("max_prompt_bytes", into.max_prompt_bytes, read_size);
  limits.set("max_history_items", into.max_history_items, read_count, 1, defaults::largest_count);
  limits.set("memory", into.memory, read_size);
  limits.set("max_tool_output_bytes", into.max_tool_output_bytes, read_size);
  limits.set("max_parallel_tools", into.max_parallel_tools, read_count, 1, defaults::largest_count);
  limits.set("kept_runs", into.kept_runs, read_count, 0, defaults::largest_count);
  limits.set("budget", into.spending, read_budget, std::string{"limits/budget"});
  limits.finish();
}

void read_sessions(const field& from, session_options& into) {
  using store_kind = session_options::store_kind;
  auto sessions = map_reader{from, "sessions"};
  std::optional<std::size_t> store;
  const auto has_store = sessions.find("store").has_value();
  sessions.set("store", store, read_word, std::vector<std::string>{"memory", "sqlite"});
  into.store = store == 1u ? store_kind::sqlite : store_kind::memory;
  auto path = (from.ctx.folder / defaults::session_path).lexically_normal();
  const auto written_path = sessions.find("path");
  sessions.set("path", path, read_path);
  if (into.store == store_kind::sqlite)
    into.path = std::move(path);
  else if (written_path && !has_store)
    from.ctx.fail(written_path->key_at,
                  "'path' in sessions needs a store that has a file; write store: sqlite");
  else if (written_path && store)
    from.ctx.warn(written_path->key_at, "'path' in sessions has no effect with store: memory; remove it");
  sessions.set("max_sessions", into.max_sessions, read_count, 1, defaults::largest_count);
  if (const auto most = sessions.find("max_sessions"); most && into.store == store_kind::sqlite)
    from.ctx.warn(most->key_at, "'max_sessions' in sessions has no effect with store: sqlite; remove it");
  sessions.set("max_queue", into.max_queue, read_count, 0, defaults::largest_count);
  sessions.set("idle_timeout", into.idle_timeout, read_duration, some_time);
  sessions.set("max_idle", into.max_idle, read_count, 0, defaults::largest_count);
  sessions.set("budget", into.spending, read_budget, std::string{"sessions/budget"});
  std::optional<std::size_t> busy;
  const std::vector<std::string> policies{"enqueue", "reject", "interrupt", "rollback"};
  sessions.set("on_busy", busy, read_word, policies);
  if (busy)
    into.on_busy = policies[*busy];
  sessions.finish();
}

void read_journal(const field& from, journal_options& into) {
  auto journal = map_reader{from, "journal"};
  std::optional<std::size_t> kept;
  journal.set("durability", kept, read_word, std::vector<std::string>{"full", "batched", "off"});
  if (kept)
    into.kept = std::array{durability::full, durability::batched, durability::off}[*kept];
  journal.set("sync_interval", into.sync_interval, read_duration, some_time);
  if (const auto interval = journal.find("sync_interval"); interval && into.kept != durability::batched)
    from.ctx.warn(interval->key_at, "'sync_interval' in journal has no effect but with durability: batched");
  journal.set("keep", into.over.time, read_duration, no_time);
  journal.set("max_size", into.over.bytes, read_size);
  std::optional<std::size_t> in_doubt;
  journal.set("in_doubt", in_doubt, read_word, std::vector<std::string>{"pause", "fail"});
  into.fails_in_doubt = in_doubt == 1u;
  journal.set("max_takeovers", into.max_takeovers, read_count, 0, defaults::largest_count);
  journal.finish();
}

} // namespace troupe::config
