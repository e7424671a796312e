#pragma once

#include <chrono>
#include <cstddef>

namespace troupe::cli::defaults {

/// Reading a session or a run from the store; as long as actors themselves wait for that.
inline constexpr std::chrono::seconds store_timeout{30};

/// For the tools of an agent: an MCP server may be on its way up, which takes at most its start-up timeout,
/// one minute by default.
inline constexpr std::chrono::seconds tools_timeout{120};

/// The runtime itself ends a run at its deadline; this is only for an answer that never comes.
inline constexpr std::chrono::seconds patience_beyond_deadline{30};

/// Binding a socket takes no time, unless a host name has to be looked up.
inline constexpr std::chrono::seconds bind_timeout{30};

/// What `check` waits beyond the longest start-up, for the list of tools and a busy machine.
inline constexpr std::chrono::seconds check_patience{30};

/// Lines of the history that are kept: weeks of typing, and loaded in no time.
inline constexpr int history_entries = 1000;

/// Characters of a tool's arguments or output that a chat shows; the whole is in the session.
inline constexpr std::size_t shown_characters = 120;

/// Characters of a server's error that `check` shows to people; JSON has the whole.
inline constexpr std::size_t error_characters = 2000;

} // namespace troupe::cli::defaults
