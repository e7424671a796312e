#pragma once

#include <chrono>
#include <cstddef>

/// Bounds of the front end that nobody has needed to configure.
namespace troupe::http::defaults {

/// Requests of one connection that may be in work at once. More than one, so that RESTinio goes on reading
/// while it waits for an answer, which is how a client that went away is noticed.
inline constexpr std::size_t max_pipelined_requests = 4;
/// Bytes of a request target; past it the answer is 414.
inline constexpr std::size_t max_target_bytes = 8u << 10;
/// Bounds of one header block; past them the answer is 431.
inline constexpr std::size_t max_header_fields = 100;
inline constexpr std::size_t max_header_name_bytes = 256;
inline constexpr std::size_t max_header_value_bytes = 16u << 10;
/// Things wrong with a body that are told; further ones are not looked for.
inline constexpr std::size_t max_problems = 10;
/// Unknown fields of a body among which one is looked for that was meant as a missing one.
inline constexpr std::size_t max_compared_fields = 64;
/// Bytes read from a socket at once; one such buffer for each connection.
inline constexpr std::size_t read_buffer_bytes = 8u << 10;

/// Bytes a second that a client has to take of what it is sent: what a poor mobile link still does. At this
/// rate 1 MiB may take two minutes.
inline constexpr double least_write_rate = 8u << 10;

/// How long a browser may remember that a page may ask.
inline constexpr std::chrono::seconds preflight_age{600};
/// Until the keys of tokens have come, from one that asks to the last byte.
inline constexpr std::chrono::milliseconds jwks_timeout{10'000};
inline constexpr std::chrono::milliseconds jwks_connect_timeout{5'000};
/// Requests that may wait for keys to be fetched; more are answered 503.
inline constexpr std::size_t max_waiting_for_keys = 256;

/// After the refusal of a request that the client may still be sending, what it sends is read and dropped
/// for this long and up to this size, since closing at once would destroy the answer on its way.
inline constexpr std::chrono::seconds linger_time{5};
inline constexpr std::size_t linger_bytes = 64u << 20;

/// A stream to which nothing was written for this long gets a comment, so that nobody on the way takes it for
/// dead.
inline constexpr std::chrono::milliseconds sse_keep_alive{15'000};
/// Bytes of events that a client has not taken yet, past which its run is held back.
inline constexpr std::size_t sse_buffer_bytes = 64u << 10;

/// Before a stream asks again for the log of a run that goes on.
inline constexpr std::chrono::milliseconds log_pause{100};

/// Connections beyond the bound that are told so at the same time; further ones wait to be accepted.
inline constexpr std::size_t max_refused_connections = 256;

/// How often timeouts are looked at, at the least and at the most.
inline constexpr std::chrono::milliseconds min_sweep_period{10};
inline constexpr std::chrono::milliseconds max_sweep_period{1000};
/// Pause after a connection could not be accepted, e.g. because the process has no descriptor left.
inline constexpr std::chrono::milliseconds accept_pause{100};

/// How long the front end waits for a run beyond the time that the run may take, which is mostly the time in
/// its session's queue. The session bounds both; this is only for an answer that never comes.
inline constexpr std::chrono::hours queue_wait{24};
/// The longest deadline that a request may give its run.
inline constexpr std::chrono::milliseconds longest_deadline{std::chrono::hours{24 * 7}};
/// An `Idempotency-Key` is at most so long.
inline constexpr std::size_t max_key_bytes = 255;

/// How long the store may take to show a session.
inline constexpr std::chrono::seconds store_timeout{30};
/// How long an MCP server's actor may take to say how it is.
inline constexpr std::chrono::seconds status_timeout{2};

} // namespace troupe::http::defaults
