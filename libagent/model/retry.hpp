#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace troupe {

/// How often and how patiently a failed model call is tried again.
struct retry_policy {
  /// Tries after the first one.
  unsigned max_retries = 2;
  std::chrono::milliseconds initial_delay{500};
  std::chrono::milliseconds max_delay{8000};
  /// A Retry-After beyond this is not waited for: the call fails at once.
  std::chrono::milliseconds max_retry_after{60000};
};

/// How a try ended: an HTTP status, or 0 when no answer came.
struct failed_try {
  unsigned status = 0;
  /// For status 0: whether the connection failed before or while answering (worth another try), rather
  /// than by cancellation or by the call's own total timeout.
  bool connection_error = false;
  /// Value of the Retry-After header if there was one: delay in seconds or an HTTP date (RFC 9110 10.2.3).
  std::string_view retry_after;
};

/// Whether the status is worth another try: 408, 409, 429 and 5xx.
bool is_retryable_status(unsigned status) noexcept;

/// The wait before try number `tries_made + 1`, or nothing if the call has failed for good.
/// Where the server sent a Retry-After that can be read, that is the wait (0 for a date gone by); otherwise
/// `min(initial_delay * 2^(tries_made - 1), max_delay) * (1 - jitter / 4)`.
/// `jitter` is in [0, 1) and comes from the caller; `now` is used for HTTP dates only.
std::optional<std::chrono::milliseconds> next_delay(const retry_policy& policy, const failed_try& last,
                                                    unsigned tries_made, double jitter,
                                                    std::chrono::system_clock::time_point now);

} // namespace troupe
