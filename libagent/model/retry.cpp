#include "libagent/model/retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace troupe {

namespace {

using std::chrono::milliseconds;
using std::chrono::sys_seconds;
using time_point = std::chrono::system_clock::time_point;

/// Seconds beyond this are "never" (a year), and would only overflow.
constexpr long long max_seconds = 366LL * 24 * 3600;
/// The part of the wait that jitter may take off.
constexpr double jitter_share = 0.25;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A number of exactly these digits.
std::optional<unsigned> number(std::string_view digits) {
  auto value = 0u;
  if (!all_digits(digits))
    return std::nullopt;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return code == std::errc{} ? std::optional{value} : std::nullopt;
}

std::optional<unsigned> month_number(std::string_view name) {
  constexpr auto names = std::array<std::string_view, 12>{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? std::nullopt : std::optional{static_cast<unsigned>(at - names.begin()) + 1};
}

/// IMF-fixdate, the only form that servers may send: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<sys_seconds> parse_http_date(std::string_view text) {
  constexpr std::string_view shape = "ddd, 00 mmm 0000 00:00:00 GMT";
  if (text.size() != shape.size() || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT")
    return std::nullopt;
  const auto day = number(text.substr(5, 2));
  const auto month = month_number(text.substr(8, 3));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (!day || !month || !year || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  const auto date = std::chrono::year_month_day{std::chrono::year{static_cast<int>(*year)},
                                                std::chrono::month{*month}, std::chrono::day{*day}};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

/// How long the server asks to wait; nothing if it does not, or not in a way that RFC 9110 knows.
std::optional<milliseconds> asked_delay(std::string_view header, time_point now) {
  const auto text = trim(header);
  if (all_digits(text)) {
    auto seconds = 0LL;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::chrono::seconds{code == std::errc{} ? std::min(seconds, max_seconds) : max_seconds};
  }
  const auto date = parse_http_date(text);
  if (!date)
    return std::nullopt;
  // Clamped while still in seconds: a date far off would overflow the clock's nanoseconds.
  const auto now_seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto away =
      std::clamp(*date - now_seconds, std::chrono::seconds{0}, std::chrono::seconds{max_seconds});
  if (away == std::chrono::seconds{0})
    return milliseconds{0};
  return std::chrono::ceil<milliseconds>(away - (now - now_seconds));
}

milliseconds backoff(const retry_policy& policy, unsigned tries_made, double jitter) {
  const auto doublings = static_cast<int>(std::min(tries_made > 0 ? tries_made - 1 : 0u, 62u));
  const auto full = std::min(std::ldexp(static_cast<double>(policy.initial_delay.count()), doublings),
                             static_cast<double>(policy.max_delay.count()));
  const auto share = 1.0 - jitter_share * std::clamp(jitter, 0.0, 1.0);
  return milliseconds{std::llround(full * share)};
}

} // namespace

bool is_retryable_status(unsigned status) noexcept {
  return status == 408 || status == 409 || status == 429 || (status >= 500 && status <= 599);
}

std::optional<milliseconds> next_delay(const retry_policy& policy, const failed_try& last,
                                       unsigned tries_made, double jitter, time_point now) {
  const auto worth_it = last.status == 0 ? last.connection_error : is_retryable_status(last.status);
  if (!worth_it || tries_made > policy.max_retries)
    return std::nullopt;
  const auto asked = asked_delay(last.retry_after, now);
  if (!asked)
    return backoff(policy, tries_made, jitter);
  if (*asked > policy.max_retry_after)
    return std::nullopt;
  return asked;
}

} // namespace troupe
