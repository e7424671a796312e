#pragma once

#include "libagent/core/result.hpp"

#include <fmt/format.h>

#include <exception>
#include <type_traits>
#include <utility>

namespace troupe {

template <class T>
struct as_result {
  using type = result<T>;
};
template <class T>
struct as_result<result<T>> {
  using type = result<T>;
};

/// Calls code of whoever embeds Troupe, such as a condition, a text source or a filter. It must not throw; if
/// it does all the same, that is the error `internal` with what was thrown. Else the code's own result.
template <class Code, class... Args>
auto call_outside(const Code& code, const Args&... args) ->
    typename as_result<std::invoke_result_t<const Code&, const Args&...>>::type {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<const Code&, const Args&...>>) {
      code(args...);
      return {};
    } else {
      return code(args...);
    }
  } catch (const std::exception& thrown) {
    return fail(errc::internal, fmt::format("an exception: {}", thrown.what()));
  } catch (...) {
    return fail(errc::internal, "an exception of unknown type");
  }
}

/// The error of a run that depends on such code, or on an expression of the agent file: `internal` for an
/// exception, else `invalid_config`.
inline error cannot_go_on(std::string_view what, const error& why) {
  return fail(why.code == errc::internal ? errc::internal : errc::invalid_config,
              fmt::format("{}: {}", what, why.detail));
}

} // namespace troupe
