#pragma once

#include <chrono>
#include <cstddef>

/// Constants of this folder that no option sets.
namespace troupe::io::defaults {

/// Room for one read of a socket; answers of models are mostly smaller.
inline constexpr std::size_t socket_read_bytes = 16u << 10;
/// Room for one read of a child's pipe: what Linux lets a pipe hold.
inline constexpr std::size_t pipe_read_bytes = 64u << 10;
/// Room made for a body at once when its length is announced; a peer's claim alone gets no more.
inline constexpr std::size_t body_reserve_bytes = 1u << 20;
/// Expired requests are collected in sweeps that are this far apart: one timer serves them all.
inline constexpr std::chrono::milliseconds sweep_interval{5};
/// Longest timeout of any kind; keeps "no timeout" given as a huge number from overflowing the clock.
inline constexpr std::chrono::hours longest_timeout{24 * 365};
/// How long the pipes of a child that has ended may stay open in the hands of a grandchild, and how long a
/// child may run on after the end of its stdout before that is reported.
inline constexpr std::chrono::milliseconds pipe_grace{500};
/// Most bytes taken from a pipe that is still open after `pipe_grace`.
inline constexpr std::size_t final_drain_bytes = 1u << 20;
/// Lines written to a child with one system call.
inline constexpr std::size_t write_batch = 64;
/// How long to wait for a process that got SIGKILL and that no reactor waits for any more.
inline constexpr std::chrono::milliseconds reap_limit{2000};

} // namespace troupe::io::defaults
