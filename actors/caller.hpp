#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include <string>

namespace troupe {

/// On whose behalf something is asked.
struct caller {
  /// Empty where nobody has to say who they are.
  std::string subject;
  /// Sees what belongs to others.
  bool is_operator = true;
};

/// Whether what is `owner`'s is there for them.
inline bool may_see(const std::string& owner, const caller& by) {
  return by.is_operator || owner == by.subject;
}

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::caller)
