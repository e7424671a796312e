#pragma once

#include "libagent/config/child_options.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/server_security.hpp"
#include "libagent/core/agent.hpp"
#include "libagent/core/secret.hpp"
#include "libagent/guardrail/builtin.hpp"
#include "libagent/guardrail/judge.hpp"
#include "libagent/model/chat_completions.hpp"
#include "libagent/model/circuit_breaker.hpp"
#include "libagent/model/retry.hpp"
#include "libagent/model/scripted.hpp"
#include "libagent/run/budget.hpp"
#include "libagent/run/defaults.hpp"
#include "libagent/run/ledger.hpp"
#include "libagent/session/stored_run.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What an agent file says, as values. Defaults stand in `defaults.hpp`.
namespace troupe::config {

using std::chrono::milliseconds;

struct server_options {
  std::string host = defaults::host;
  std::uint16_t port = defaults::port;
  std::size_t max_body_bytes = defaults::max_body_bytes;
  /// Depth of nesting that a JSON body may have.
  std::size_t max_json_depth = defaults::max_json_depth;
  std::size_t max_connections = defaults::max_connections;
  /// Requests in work: those that the front end has handed on and not answered yet.
  std::size_t max_requests = defaults::max_requests;
  milliseconds header_timeout = defaults::header_timeout;
  milliseconds body_timeout = defaults::body_timeout;
  milliseconds idle_timeout = defaults::connection_idle_timeout;
  /// Of silence, after which a stream of events gets a comment.
  milliseconds sse_keep_alive = defaults::sse_keep_alive;
  /// How long runs may go on after a signal to stop.
  milliseconds shutdown_grace = defaults::shutdown_grace;
  auth_options auth{};
  /// Nothing given: plain HTTP.
  std::optional<tls_options> tls{};
  /// Names, beside the server's own, that requests may be for. Checked if there are any, and always on
  /// loopback.
  std::vector<std::string> allowed_hosts{};
  cors_options cors{};
  /// Listen where other machines reach it although nobody has to say who they are. Not in files.
  bool insecure = false;
};

/// Providers `openai` and `anthropic`: a model behind HTTP.
struct endpoint_options {
  enum class wire_format { chat_completions, responses, anthropic };
  wire_format format = wire_format::chat_completions;
  /// Up to and without the format's own path, e.g. `/chat/completions`.
  std::string base_url = defaults::base_url;
  secret api_key;
  /// Further headers, e.g. Azure's `api-key`; values may be secrets.
  std::vector<std::pair<std::string, secret>> headers;
  /// Further query parameters, e.g. Azure's `api-version`.
  std::vector<std::pair<std::string, std::string>> query;
  /// The endpoint's name of the model, and whether it takes images; the field for the number of tokens is for
  /// Chat Completions.
  chat_completions::wire_options wire;
  /// For `anthropic`, which insists on a bound: tokens of an answer where the agent sets none.
  unsigned max_tokens = defaults::anthropic_max_tokens;
  retry_policy retry;
  milliseconds connect_timeout = defaults::connect_timeout;
  /// For one try, from sending to the last byte of the answer; streamed, to its beginning and between two
  /// pieces.
  milliseconds timeout = defaults::model_timeout;
  std::size_t max_connections = defaults::model_max_connections;
  /// Calls that may wait for a connection; and as many for what bounds calls to wait no longer.
  std::size_t max_queue = defaults::model_max_queue;
  /// Calls at once; nothing given: as many as there are connections.
  std::optional<std::size_t> max_concurrency{};
  /// What the endpoint allows; nothing given: no bound.
  std::optional<std::uint64_t> requests_per_minute{};
  std::optional<std::uint64_t> tokens_per_minute{};
  std::size_t max_retries_in_flight = defaults::model_retries_in_flight;
  breaker_options breaker{defaults::breaker_failures, defaults::breaker_cooldown,
                          defaults::breaker_max_cooldown};
  std::size_t max_response_bytes = defaults::max_response_bytes;
};

/// Provider `replay`: answers from a cassette.
struct replay_options {
  /// Absolute.
  std::filesystem::path cassette;
};

struct model_options {
  std::string name;
  std::variant<endpoint_options, scripted::script, replay_options> provider;
  /// Models that are asked in turn when this one fails.
  std::vector<std::string> fallbacks{};
  /// A cassette to write exchanges to; absolute, or empty.
  std::filesystem::path record{};
  /// Nothing given: it costs nothing.
  std::optional<price> rate{};
};

/// A guardrail that agents can name.
struct guardrail_options {
  std::string name;
  /// A model as judge: the rule and the model's name.
  using judge = std::pair<guardrail::judge_rule, std::string>;
  std::variant<guardrail::builtin, judge> check;
  /// For a judge.
  milliseconds timeout = defaults::guardrail_timeout;
};

/// A URL that is told of points in runs, by POST.
struct hook_options {
  /// For messages; the URL if the file gives none.
  std::string name;
  std::string url;
  /// "before_run", "after_run", "before_model", "after_model", "before_tool", "after_tool", "before_handoff",
  /// "after_handoff".
  std::vector<std::string> points;
  /// Nothing given: all.
  std::vector<std::string> agents;
  std::vector<std::pair<std::string, secret>> headers;
  milliseconds timeout = defaults::hook_timeout;
  /// Whether runs go on when the hook fails.
  bool fails_open = false;
};

/// What happens when an MCP server's process ends, or does not come up.
struct restart_options {
  enum class policy { always, never };
  policy when = policy::always;
  milliseconds initial_backoff = defaults::initial_backoff;
  milliseconds max_backoff = defaults::max_backoff;
  /// Restarts within `within` past which the breaker opens and the state becomes `failed`; it is then tried
  /// again each `cooldown`. So it is once the backoff has come to its bound.
  unsigned max_restarts = defaults::max_restarts;
  milliseconds within = defaults::restarts_within;
  milliseconds cooldown = defaults::cooldown;
  /// One that has been up for so long begins with a clean count.
  milliseconds stable_after = defaults::stable_after;
};

struct mcp_server_options {
  std::string name;
  std::string command;
  std::vector<std::string> args;
  /// Merged over the allow-list of inherited variables. Values count as secrets.
  std::vector<std::pair<std::string, std::string>> env;
  /// Absolute, or empty for the agent file's folder.
  std::filesystem::path cwd;
  milliseconds startup_timeout = defaults::startup_timeout;
  milliseconds call_timeout = defaults::call_timeout;
  /// Progress notifications extend a call's timeout up to this.
  milliseconds max_call_timeout = defaults::max_call_timeout;
  std::size_t max_message_bytes = defaults::max_message_bytes;
  /// Calls in flight; more wait.
  std::size_t max_concurrent_calls = defaults::max_concurrent_calls;
  /// Calls that may wait.
  std::size_t max_queue = defaults::mcp_max_queue;
  /// Names of tools to offer; nothing given means all.
  std::optional<std::vector<std::string>> allowed_tools;
  std::vector<std::string> blocked_tools;
  /// For each call of its tools.
  approval_rule approval{};
  /// Whether to believe what it says about its tools: that they may be called again.
  bool trusted = false;
  restart_options restart;
  child_limits limits{};
  /// Nothing given: it sees what Troupe sees.
  std::optional<sandbox_options> sandbox{};
};

struct session_options {
  enum class store_kind { memory, sqlite };
  store_kind store = store_kind::memory;
  /// Absolute.
  std::filesystem::path path;
  /// Memory store only.
  std::size_t max_sessions = defaults::max_sessions;
  /// Runs that may wait for one session.
  std::size_t max_queue = defaults::session_max_queue;
  /// A session actor with nothing to do is put away after this.
  milliseconds idle_timeout = defaults::session_idle_timeout;
  /// Idle session actors that are kept at most.
  std::size_t max_idle = defaults::session_max_idle;
  /// What all runs of one session together may spend; the wall time is each run's.
  budget spending{};
  /// What a prompt does that finds a run of its session under way: "enqueue", "reject", "interrupt" or
  /// "rollback".
  std::string on_busy = "enqueue";
};

/// What outlives the server of runs under way. There is a journal where sessions are in SQLite.
struct journal_options {
  durability kept = durability::full;
  /// Of `durability::batched`: so long after a write it outlives a power cut too.
  milliseconds sync_interval = defaults::sync_interval;
  /// What is over is kept so long, and in so many bytes.
  retention over{defaults::kept_time, defaults::kept_bytes};
  /// A call that a crash left in doubt ends its run, instead of waiting for somebody's word.
  bool fails_in_doubt = false;
  /// So often a run that the server did not live to end is taken up again.
  unsigned max_takeovers = defaults::max_takeovers;
};

struct limit_options {
  unsigned max_turns = defaults::max_turns;
  milliseconds run_timeout = defaults::run_timeout;
  /// Runs in flight over all sessions.
  std::size_t max_runs = defaults::max_runs;
  std::size_t max_prompt_bytes = defaults::max_prompt_bytes;
  /// Items of a session, the newest, that a run begins with; what is older stays stored.
  std::size_t max_history_items = defaults::max_history_items;
  /// Of the process, in bytes; new runs are refused short of it. Nothing given: what its cgroup, or the
  /// machine, has.
  std::optional<std::size_t> memory{};
  /// Bytes of one tool's output that are kept; the rest is cut and said so.
  std::size_t max_tool_output_bytes = defaults::max_tool_output_bytes;
  /// Calls of tools that one run has in flight.
  std::size_t max_parallel_tools = troupe::defaults::max_parallel_tools;
  /// Runs that are over and can still be asked for.
  std::size_t kept_runs = defaults::kept_runs;
  /// What each run may spend.
  budget spending{};
};

/// A tool that the file speaks of. Whether it exists, and what it takes, only its owner knows; this is for
/// who has asked the owner.
struct tool_mention {
  enum class owner { agent, server };
  owner whose = owner::agent;
  /// The name of the agent or the MCP server whose tool it is.
  std::string owner_name{};
  /// For messages: "'stop_at_tools' in agent 'triage'".
  std::string what{};
  unsigned line = 0;
  unsigned column = 0;
  /// Empty: any of the owner's tools.
  std::string tool{};
  /// The name may be shown: no variable was filled in.
  bool literal = true;
  /// The name that its MCP server has for it will do too.
  bool by_own_name = false;
  /// Arguments that an approval's expression asks for; then this is about them, and not about the name.
  std::vector<std::string> arguments{};
};

struct configuration {
  server_options server;
  std::vector<model_options> models;
  std::vector<mcp_server_options> mcp_servers;
  /// The first is the default agent.
  std::vector<agent_definition> agents;
  session_options sessions;
  journal_options journal;
  limit_options limits;
  std::vector<guardrail_options> guardrails;
  std::vector<hook_options> hooks;
  /// Values of the environment variables that the file names: kept out of logs and errors wherever they turn
  /// up.
  std::vector<secret> secrets;
  /// In no order.
  std::vector<tool_mention> tool_mentions;
};

/// One thing that is wrong in an agent file.
struct diagnostic {
  std::string file;
  /// From 1; 0 where the place is not known.
  unsigned line = 0;
  unsigned column = 0;
  /// "what is wrong; what would be right".
  std::string message;
};

/// "FILE:LINE:COLUMN: message".
std::string to_string(const diagnostic& value);

/// What came of reading an agent file: either a configuration, or all that is wrong with it.
struct load_result {
  std::optional<configuration> value;
  std::vector<diagnostic> errors;
  /// Things that are accepted but probably not meant.
  std::vector<diagnostic> warnings;
};

/// Looks up an environment variable.
using environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads YAML (or JSON) text. `file` is used in messages and to resolve relative paths.
load_result parse(const std::string& text, const std::filesystem::path& file, const environment& env);

/// Reads a file with the process's environment. An unreadable file is one diagnostic; cassettes that it
/// replays have to be readable too.
load_result load(const std::filesystem::path& file);

/// The parts that were not written in YAML may be wrong too: checks references between models, servers and
/// agents, duplicate names, and empty ones. For configurations built in code; `parse` does the same with
/// places.
std::vector<std::string> check(const configuration& value);

} // namespace troupe::config
