#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// What holds where an agent file says nothing, and the bounds of what it may say.
namespace troupe::config::defaults {

using std::chrono::milliseconds;

/// `server`
inline constexpr auto host = "127.0.0.1";
inline constexpr std::uint16_t port = 8000;
/// A prompt is text; 1 MiB is some 200,000 words.
inline constexpr std::size_t max_body_bytes = 1u << 20;
/// Request bodies are flat; the bound keeps recursive readers off the stack's end.
inline constexpr std::size_t max_json_depth = 64;
inline constexpr std::size_t max_connections = 4096;
/// As many as there may be connections: more only come by pipelining.
inline constexpr std::size_t max_requests = 4096;
inline constexpr milliseconds header_timeout{10'000};
inline constexpr milliseconds body_timeout{30'000};
inline constexpr milliseconds connection_idle_timeout{60'000};
inline constexpr milliseconds shutdown_grace{10'000};
/// Proxies between often give up after 30 s or 60 s of silence.
inline constexpr milliseconds sse_keep_alive{15'000};

/// `server.auth`, `server.tls` and `server.cors`
/// Clocks that are set by NTP differ by less.
inline constexpr milliseconds jwt_leeway{60'000};
inline constexpr milliseconds longest_leeway{600'000};
inline constexpr auto jwt_roles_claim = "roles";
/// Each is compared with what a client shows.
inline constexpr std::size_t max_api_keys = 10'000;
inline constexpr std::size_t longest_key_name = 64;

/// `models`
inline constexpr auto base_url = "https://api.openai.com/v1";
inline constexpr milliseconds connect_timeout{10'000};
/// Long answers of slow models take minutes.
inline constexpr milliseconds model_timeout{120'000};
inline constexpr auto anthropic_base_url = "https://api.anthropic.com";
inline constexpr unsigned anthropic_max_tokens = 4096;
inline constexpr std::size_t model_max_connections = 256;
inline constexpr std::size_t model_max_queue = 4096;
inline constexpr std::size_t max_response_bytes = 16u << 20;
/// Calls that try again at the same time; more would only add to what an endpoint in trouble has to bear.
inline constexpr std::size_t model_retries_in_flight = 3;
/// Failures in a row of an endpoint after which it is left alone for a while, doubled each time.
inline constexpr unsigned breaker_failures = 5;
inline constexpr milliseconds breaker_cooldown{5'000};
inline constexpr milliseconds breaker_max_cooldown{120'000};

/// `mcpServers`
/// `uvx` and `npx` install on their first start, which was seen to take 46 s.
inline constexpr milliseconds startup_timeout{60'000};
inline constexpr milliseconds call_timeout{30'000};
inline constexpr milliseconds max_call_timeout{300'000};
inline constexpr std::size_t max_message_bytes = 16u << 20;
inline constexpr std::size_t max_concurrent_calls = 64;
inline constexpr std::size_t mcp_max_queue = 1024;
inline constexpr milliseconds initial_backoff{200};
inline constexpr milliseconds max_backoff{30'000};
inline constexpr unsigned max_restarts = 3;
inline constexpr milliseconds restarts_within{5'000};
inline constexpr milliseconds stable_after{60'000};
inline constexpr milliseconds cooldown{60'000};
/// Of `limits`; fewer keep most programs from starting at all.
inline constexpr std::size_t least_open_files = 16;
/// Clients disagree whether `timeout` is in seconds or milliseconds; from here on it is milliseconds.
inline constexpr double timeout_in_milliseconds_from = 1000;

/// `guardrails`, `hooks` and `agents`
inline constexpr milliseconds guardrail_timeout{30'000};
inline constexpr milliseconds hook_timeout{5'000};
inline constexpr auto output_name = "final_output";

/// `sessions`
inline constexpr auto session_path = "troupe.db";
inline constexpr std::size_t max_sessions = 100'000;
inline constexpr std::size_t session_max_queue = 64;
inline constexpr milliseconds session_idle_timeout{60'000};
/// An idle session costs some KiB and its items.
inline constexpr std::size_t session_max_idle = 4096;

/// `journal`
inline constexpr milliseconds sync_interval{1'000};
inline constexpr milliseconds kept_time{std::chrono::hours{24}};
inline constexpr std::size_t kept_bytes = 256u << 20;
/// A run that brings the server down is not to do so for ever.
inline constexpr unsigned max_takeovers = 3;

/// `limits`
inline constexpr unsigned max_turns = 10;
inline constexpr milliseconds run_timeout{300'000};
inline constexpr std::size_t max_runs = 10'000;
/// As much as a body may have.
inline constexpr std::size_t max_prompt_bytes = 1u << 20;
/// Some hundred questions with the tools called for them; models take no more to good effect.
inline constexpr std::size_t max_history_items = 1'000;
/// A run that is over costs its items.
inline constexpr std::size_t kept_runs = 1'000;
inline constexpr std::size_t max_tool_output_bytes = 1u << 20;

/// Bounds of the values themselves: large enough for any honest file, small enough that sums of a few of
/// them overflow nothing.
inline constexpr milliseconds longest_duration = std::chrono::hours{24 * 365};
inline constexpr std::size_t largest_size = std::size_t{1} << 40;
inline constexpr std::size_t largest_count = 1'000'000'000;
inline constexpr std::size_t deepest_json = 512;
inline constexpr unsigned most_retries = 100;
inline constexpr std::size_t longest_agent_name = 64;
/// Of a budget; above what any session spends, and a double still counts it exactly.
inline constexpr std::uint64_t most_tokens = 1'000'000'000'000;
inline constexpr double most_money = 1e9;
/// The Messages API takes no less.
inline constexpr unsigned least_thinking_tokens = 1024;
inline constexpr unsigned most_rounds = 1000;

/// Bounds of the file as a text: an honest one has a few KiB and nests ten deep.
inline constexpr std::size_t max_file_bytes = 1u << 20;
inline constexpr unsigned max_depth = 64;
/// Bytes of all values once aliases and variables are expanded, each value counted with some overhead.
inline constexpr std::size_t max_expanded_bytes = 16u << 20;
/// Errors and warnings that are worth collecting.
inline constexpr std::size_t max_diagnostics = 1000;
/// `${A:-${B:-...}}`
inline constexpr unsigned max_variable_depth = 16;

} // namespace troupe::config::defaults
