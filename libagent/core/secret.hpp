#pragma once

#include <string>
#include <utility>

namespace troupe {

/// A text that must not be written anywhere but to the peer it is meant for. It has no stream operator,
/// no formatter and no JSON form.
class secret {
public:
  secret() = default;
  /// `name` says which one it is, where it came from: "OPENAI_API_KEY", "models.main.api_key".
  explicit secret(std::string value, std::string name = {})
      : value_(std::move(value)), name_(std::move(name)) {}
  /// The text itself; for the wire only.
  const std::string& reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }
  /// Fit to be shown; may be empty.
  const std::string& name() const noexcept { return name_; }

private:
  std::string value_;
  std::string name_;
};

} // namespace troupe
