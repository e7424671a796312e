#pragma once

#include <string>

namespace troupe {

/// A fresh session id: 128 random bits as text.
std::string new_session_id();

/// A fresh run id: "run_" and 128 random bits as text.
std::string new_run_id();

} // namespace troupe
