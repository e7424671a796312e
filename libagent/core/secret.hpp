#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A text that must not be written anywhere but to the peer it is meant for. It has no stream operator,
/// no formatter and no JSON form.
class secret {
public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  /// The text itself; for the wire only.
  const std::string& reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }

private:
  std::string value_;
};

/// The text with each occurrence of a secret of 4 or more characters replaced by "[redacted]", longer secrets
/// first.
std::string redact(std::string text, const std::vector<secret>& secrets);

} // namespace troupe
