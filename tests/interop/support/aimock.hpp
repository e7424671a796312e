#pragma once

#include "libagent/config/config.hpp"
#include "tests/support/stdio_child.hpp"

#include <string>
#include <vector>

namespace troupe::test {

/// The API key that `model` sends; to look for where it must not be.
inline constexpr auto model_key = "sk-test-0123456789abcdef";

/// A model's endpoint by @copilotkit/aimock, in a process of its own that ends with this object.
class aimock {
public:
  /// Files of fixtures/, without ".json".
  explicit aimock(const std::vector<std::string>& fixtures);

  std::string port() const { return port_; }
  /// The model "default" at this endpoint; its retries come quickly.
  config::model_options model() const;
  /// Requests of models so far: `[{"headers", "body", "response": {"status"}}, ...]`.
  json journal() const;
  /// Statuses of their answers; 0 where there was none.
  std::vector<int> statuses() const;
  /// TCP connections to it that are open, or were closed in the last minute.
  std::size_t connections() const;

private:
  testing::stdio_child process_;
  std::string port_;
};

} // namespace troupe::test
