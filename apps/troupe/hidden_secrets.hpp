#pragma once

#include "libagent/core/redactor.hpp"

namespace troupe::cli {

/// From now on the program keeps these out of all that it prints and logs. Any thread.
void hide_secrets(redactor_ptr which);
/// Those of the last call; never null.
redactor_ptr hidden_secrets();

} // namespace troupe::cli
