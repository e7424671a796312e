#pragma once

#include "libagent/session/store.hpp"

#include <cstdio>
#include <optional>
#include <string>

namespace troupe::cli {

/// Whether a session id from the command line can be one; says so on stderr if not.
inline bool check_session(const std::optional<std::string>& id) {
  if (!id || is_session_id(*id))
    return true;
  std::fputs("troupe: --session: a session id is 1 to 128 visible ASCII characters, without spaces\n",
             stderr);
  return false;
}

} // namespace troupe::cli
