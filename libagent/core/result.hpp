#pragma once

#include "libagent/core/errc.hpp"

#include <boost/system/result.hpp>
#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <utility>

namespace troupe {

/// A failure: what to branch on, and what to show to a person.
struct error {
  errc code = errc::internal;
  /// One sentence without a final full stop. Never holds a secret.
  std::string detail;
  /// Facts beside the code, for programs to read; null for most. An object: `budget_exceeded` has "kind",
  /// "spent" and "limit", `guardrail_tripped` has "guardrail" and "stage".
  std::shared_ptr<const nlohmann::json> facts{};

  /// Facts are not compared: they say what the detail says.
  friend bool operator==(const error& left, const error& right) {
    return left.code == right.code && left.detail == right.detail;
  }
};

/// A value of type `T`, or the reason why there is none.
template <class T>
using result = boost::system::result<T, error>;

/// Makes the error state of any `result<T>`.
inline error fail(errc code, std::string detail) {
  return {code, std::move(detail), nullptr};
}

/// Called by `result::value()` on an error; throws `std::runtime_error` with the code and detail.
[[noreturn]] void throw_exception_from_error(const error& reason, const boost::source_location& where);

} // namespace troupe
