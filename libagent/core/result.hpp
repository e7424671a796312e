#pragma once

#include "libagent/core/errc.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace troupe {

/// A failure: what to branch on, and what to show to a person.
struct error {
  errc code = errc::internal;
  /// One sentence without a final full stop. Never holds a secret.
  std::string detail;

  friend bool operator==(const error&, const error&) = default;
};

/// A value of type `T`, or the reason why there is none.
template <class T>
using result = boost::system::result<T, error>;

/// Makes the error state of any `result<T>`.
inline error fail(errc code, std::string detail) {
  return {code, std::move(detail)};
}

/// Called by `result::value()` on an error; throws `std::runtime_error` with the code and detail.
[[noreturn]] void throw_exception_from_error(const error& reason, const boost::source_location& where);

} // namespace troupe
