#pragma once

#include "libagent/core/agent.hpp"
#include "libagent/core/secret.hpp"
#include "libagent/model/chat_completions.hpp"
#include "libagent/model/retry.hpp"
#include "libagent/model/scripted.hpp"

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
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;
  std::size_t max_body_bytes = 1u << 20;
  /// Depth of nesting that a JSON body may have.
  std::size_t max_json_depth = 64;
  std::size_t max_connections = 4096;
  milliseconds header_timeout{10'000};
  milliseconds body_timeout{30'000};
  milliseconds idle_timeout{60'000};
  /// How long runs may go on after a signal to stop.
  milliseconds shutdown_grace{10'000};
};

/// Provider `openai`: any endpoint that speaks Chat Completions.
struct openai_options {
  /// Up to and without `/chat/completions`.
  std::string base_url = "https://api.openai.com/v1";
  secret api_key;
  /// Further headers, e.g. Azure's `api-key`; values may be secrets.
  std::vector<std::pair<std::string, secret>> headers;
  /// Further query parameters, e.g. Azure's `api-version`.
  std::vector<std::pair<std::string, std::string>> query;
  chat_completions::wire_options wire;
  retry_policy retry;
  milliseconds connect_timeout{10'000};
  /// For one try, from sending to the last byte of the answer.
  milliseconds timeout{120'000};
  std::size_t max_connections = 256;
  std::size_t max_queue = 4096;
  std::size_t max_response_bytes = 16u << 20;
};

struct model_options {
  std::string name;
  std::variant<openai_options, scripted::script> provider;
};

/// What happens when an MCP server's process ends, or does not come up.
struct restart_options {
  enum class policy { always, never };
  policy when = policy::always;
  milliseconds initial_backoff{200};
  milliseconds max_backoff{30'000};
  /// Failures in a row after which the state becomes `failed`; it is then tried again each `cooldown`.
  unsigned max_restarts = 5;
  milliseconds cooldown{60'000};
};

struct mcp_server_options {
  std::string name;
  std::string command;
  std::vector<std::string> args;
  /// Merged over the allow-list of inherited variables. Values count as secrets.
  std::vector<std::pair<std::string, std::string>> env;
  /// Absolute, or empty for the agent file's folder.
  std::filesystem::path cwd;
  milliseconds startup_timeout{60'000};
  milliseconds call_timeout{30'000};
  /// Progress notifications extend a call's timeout up to this.
  milliseconds max_call_timeout{300'000};
  std::size_t max_message_bytes = 16u << 20;
  /// Calls in flight; more wait.
  std::size_t max_concurrent_calls = 64;
  /// Names of tools to offer; nothing given means all.
  std::optional<std::vector<std::string>> allowed_tools;
  std::vector<std::string> blocked_tools;
  restart_options restart;
};

struct session_options {
  enum class store_kind { memory, sqlite };
  store_kind store = store_kind::memory;
  /// Absolute.
  std::filesystem::path path;
  /// Memory store only.
  std::size_t max_sessions = 100'000;
  /// Runs that may wait for one session.
  std::size_t max_queue = 64;
  /// A session actor with nothing to do is put away after this.
  milliseconds idle_timeout{60'000};
};

struct limit_options {
  unsigned max_turns = 10;
  milliseconds run_timeout{300'000};
  /// Runs in flight over all sessions.
  std::size_t max_runs = 10'000;
  /// Bytes of one tool's output that are kept; the rest is cut and said so.
  std::size_t max_tool_output_bytes = 1u << 20;
};

struct configuration {
  server_options server;
  std::vector<model_options> models;
  std::vector<mcp_server_options> mcp_servers;
  /// The first is the default agent.
  std::vector<agent_definition> agents;
  session_options sessions;
  limit_options limits;
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

/// Reads a file with the process's environment. An unreadable file is one diagnostic.
load_result load(const std::filesystem::path& file);

/// The parts that were not written in YAML may be wrong too: checks references between models, servers and
/// agents, duplicate names, and empty ones. For configurations built in code; `parse` does the same with
/// places.
std::vector<std::string> check(const configuration& value);

} // namespace troupe::config
